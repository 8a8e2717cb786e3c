"""Files of networks that were removed or changed, in the home and outside."""

from __future__ import annotations

import os
import shutil
import struct
from collections.abc import Callable
from pathlib import Path

from tests.faults.place import CURVE, Place, Seen


def networks_removed(place: Place) -> Seen:
    """All files of networks removed; the command again"""
    return _made_again(place, lambda path: path.unlink())


def networks_cut(place: Place) -> Seen:
    """All files of networks, the teacher's too, cut to half; the command again"""
    return _made_again(place, lambda path: os.truncate(path, path.stat().st_size // 2))


def networks_flipped(place: Place) -> Seen:
    """One bit of every network's file changed; the command again"""
    def flip(path: Path) -> None:
        contents = bytearray(path.read_bytes())
        contents[-9] ^= 1
        path.write_bytes(contents)

    return _made_again(place, flip)


def saved_file_cut(place: Place) -> Seen:
    """`evaluate` of a file that was cut"""
    return _evaluated(place, lambda contents: contents[:-9])


def saved_file_of_nan(place: Place) -> Seen:
    """`evaluate` of a file whose weights are NaN"""
    return _evaluated(place, lambda contents: contents[:-400] + struct.pack("<f", float("nan")) * 100)


def saved_file_of_junk(place: Place) -> Seen:
    """`evaluate` of a file of random bytes"""
    return _evaluated(place, lambda contents: os.urandom(len(contents)))


def _evaluated(place: Place, spoil: Callable[[bytes], bytes]) -> Seen:
    file = place.folder / "mine.safetensors"
    file.write_bytes(spoil(place.networks[0].read_bytes()))
    seen = place.shell("evaluate", str(file), "--data", "digits")
    return Seen(seen.text, seen.is_one_sentence(2, "mine.safetensors"))


def _made_again(place: Place, spoil: Callable[[Path], object]) -> Seen:
    """All results are printed again, and their files are the same as before, bit for bit (their digests are promised)."""
    before = place.lost()
    for path in place.networks:
        spoil(path)
    during = place.lost()
    again = place.shell(*CURVE)
    return Seen(f"gone: {during}; again: {again.text}", before == "nothing" != during and again.is_whole())


def no_folder_of_networks(place: Place) -> Seen:
    """A file in the place of the folder of networks; after it was removed, the command again"""
    aside = place.folder / "networks"
    shutil.move(place.home / "networks", aside)
    (place.home / "networks").write_text("in the way")
    told = place.shell(*CURVE)
    (place.home / "networks").unlink()
    shutil.move(aside, place.home / "networks")
    again = place.shell(*CURVE)
    return Seen(f"{told.text}; again: {again.text}", told.is_one_sentence(2, str(place.home)) and again.is_whole())


ROWS = (networks_removed, networks_cut, networks_flipped, saved_file_cut, saved_file_of_nan, saved_file_of_junk,
        no_folder_of_networks)
