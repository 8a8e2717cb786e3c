"""Data of the user that change, vanish, or hold what is no number."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np

from tests.faults.place import OWN, Place, Seen, wait_for, without_privileges


def nan_in_the_data(place: Place) -> Seen:
    """A NaN in the user's data"""
    def spoil(inputs: np.ndarray) -> None:
        inputs[3, 2] = np.nan

    seen = place.shell(*OWN, COMPRESS_DATA=str(place.data(spoil=spoil)))
    return Seen(seen.text, seen.is_one_sentence(2, "d.npz"))


def data_cut(place: Place) -> Seen:
    """The user's file cut to half between two commands"""
    return _between(place, lambda path: os.truncate(path, path.stat().st_size // 2))


def data_removed(place: Place) -> Seen:
    """The user's file removed between two commands"""
    return _between(place, Path.unlink)


def data_removed_during_the_work(place: Place) -> Seen:
    """The user's file removed while a teacher trains on it"""
    return _during(place, Path.unlink)


def data_damaged_during_the_work(place: Place) -> Seen:
    """The user's file overwritten by junk while a teacher trains on it"""
    return _during(place, lambda path: path.write_bytes(b"junk" * 500))


def other_data_of_the_same_name(place: Place) -> Seen:
    """Other data under the same name, and back again"""
    found = []
    for seed in (0, 1, 0):
        found.append(place.shell(*OWN, COMPRESS_DATA=str(place.data(seed=seed))))
    files = [one.rows[0]["file"] for one in found if one.rows]
    right = len(files) == 3 and files[0] == files[2] != files[1] and all(one.code == 0 for one in found)
    return Seen("; ".join(one.text for one in found), right)


def data_folder_closed_to_this_user(place: Place) -> Seen:
    """A folder of COMPRESS_DATA that this user may not read"""
    folder = place.folder / "closed"
    folder.mkdir()
    place.data().rename(folder / "d.npz")
    folder.chmod(0)
    seen = place.shell(*OWN, before=without_privileges, COMPRESS_DATA=str(folder / "d.npz"))
    folder.chmod(0o700)
    return Seen(seen.text, seen.is_one_sentence(2, "d.npz"))


def _between(place: Place, spoil: Callable[[Path], object]) -> Seen:
    path = place.data()
    first = place.shell(*OWN, COMPRESS_DATA=str(path))
    spoil(path)
    seen = place.shell(*OWN, COMPRESS_DATA=str(path))
    return Seen(f"{first.text}; then {seen.text}", first.is_whole(1) and seen.is_one_sentence(2, "d.npz"))


def _during(place: Place, spoil: Callable[[Path], object]) -> Seen:
    """What was read is trained on to the end, and belongs to the contents that it had: with these again, it is there."""
    path, contents = place.data(), place.data().read_bytes()
    command = (*OWN[:-1], "mlp(hidden=16,epochs=200)")
    process = place.start(*command, COMPRESS_DATA=str(path))
    wait_for(process, "epoch 3")
    spoil(path)
    seen = place.end(process)
    path.write_bytes(contents)
    again = place.shell(*command, COMPRESS_DATA=str(path))
    same = seen.rows and again.rows and seen.rows[0]["file"] == again.rows[0]["file"]
    return Seen(f"{seen.text}; with the file again: {again.text}", bool(same) and again.is_whole(1) and seen.is_whole(1))


ROWS = (nan_in_the_data, data_cut, data_removed, data_removed_during_the_work, data_damaged_during_the_work,
        other_data_of_the_same_name, data_folder_closed_to_this_user)
