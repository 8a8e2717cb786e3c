"""Where the data sets that were added are kept: one .npz file each, under the home folder."""

from __future__ import annotations

from pathlib import Path

from compress.home import cache_folder

NAME, ENDING = "data_sets", ".npz"


def kept_files() -> list[Path]:
    """The files of all data sets that were added, by name; none where there is no home folder, which others say."""
    try:
        return sorted(folder().glob(f"[!.]*{ENDING}"))
    except (OSError, ValueError):
        return []


def folder() -> Path:
    """The folder, which may not be there yet. Raises ValueError as home.cache_folder()."""
    return cache_folder() / NAME
