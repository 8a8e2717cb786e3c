"""Data of the user that change, vanish, or hold what is no number."""

from __future__ import annotations

import numpy as np

from tests.faults.place import Ended, Place, Seen


def nan_in_the_data(place: Place) -> Seen:
    """A NaN in the user's data"""
    def spoil(inputs: np.ndarray) -> None:
        inputs[3, 2] = np.nan

    seen = _teacher(place, str(place.data(spoil=spoil)))
    return Seen(seen.text, "nothing", seen.is_one_sentence(2, "d.npz"))


def data_damaged(place: Place) -> Seen:
    """The user's file cut to half between two runs"""
    path = place.data()
    _teacher(place, str(path))
    path.write_bytes(path.read_bytes()[:path.stat().st_size // 2])
    seen = _teacher(place, str(path))
    return Seen(seen.text, "nothing", seen.is_one_sentence(2, "d.npz"))


def data_removed(place: Place) -> Seen:
    """The user's file removed between two runs"""
    path = place.data()
    _teacher(place, str(path))
    path.unlink()
    seen = _teacher(place, str(path))
    return Seen(seen.text, "nothing", seen.is_one_sentence(2, "d.npz"))


def other_data_of_the_same_name(place: Place) -> Seen:
    """Other data under the same name, and back again"""
    path = place.data(seed=0)
    first = _teacher(place, str(path))
    place.data(seed=1)
    other = _teacher(place, str(path))
    place.data(seed=0)
    back = _teacher(place, str(path))
    right = first.rows[0]["digest"] == back.rows[0]["digest"] != other.rows[0]["digest"] if all(
        len(one.rows) == 1 and "digest" in one.rows[0] for one in (first, other, back)) else _files_agree(first, other, back)
    return Seen(f"{first.text}; {other.text}; {back.text}", "nothing", right)


def _files_agree(first: Ended, other: Ended, back: Ended) -> bool:
    files = [one.rows[0]["file"] for one in (first, other, back) if one.rows]
    return len(files) == 3 and files[0] == files[2] != files[1]


def _teacher(place: Place, paths: str) -> Ended:
    return place.shell("teacher", "--data", "local:d", "--teacher", "logistic(epochs=2)", env={"COMPRESS_DATA": paths})


ROWS = (nan_in_the_data, data_damaged, data_removed, other_data_of_the_same_name)
