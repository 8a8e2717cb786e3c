"""Where the data sets that were added are kept: one .npz file each, under the home folder."""

from __future__ import annotations

from compress.own_files import OwnFiles

FILES = OwnFiles("data_sets", ".npz", "data set", longest_name=60, replaced=r"[^\w.-]+")
