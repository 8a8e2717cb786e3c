"""A store and files that were damaged, removed or locked between two runs of one command."""

from __future__ import annotations

import os
import shutil
import sqlite3
import threading
from collections.abc import Callable

from tests.faults.place import CURVE, Place, Seen, same_rows


def store_truncated(place: Place) -> Seen:
    """The store's file cut to half"""
    return _damaged(place, lambda: os.truncate(place.store, place.store.stat().st_size // 2))


def store_of_junk(place: Place) -> Seen:
    """The store's file overwritten by random bytes"""
    return _damaged(place, lambda: place.store.write_bytes(os.urandom(50_000)))


def store_empty(place: Place) -> Seen:
    """The store's file of 0 bytes"""
    return _damaged(place, lambda: place.store.write_bytes(b""))


def store_of_another_program(place: Place) -> Seen:
    """A database of another program in the store's place"""
    def replace() -> None:
        place.store.unlink()
        with sqlite3.connect(place.store) as other:
            other.execute("CREATE TABLE points (latitude REAL, longitude REAL)")

    return _damaged(place, replace)


def store_locked(place: Place) -> Seen:
    """The store locked by another program for 40 s"""
    first = place.shell(*CURVE)
    other = sqlite3.connect(place.store, check_same_thread=False)
    other.execute("BEGIN EXCLUSIVE")
    timer = threading.Timer(40.0, other.rollback)
    timer.start()
    during = place.shell(*CURVE)
    timer.join()
    other.close()
    again = place.shell(*CURVE)
    return Seen(during.text, same_rows(first, again),
                (during.is_one_sentence(2, "store.sqlite", "locked") or during.code == 0) and again.code == 0
                and same_rows(first, again) == "nothing")


def networks_removed(place: Place) -> Seen:
    """All files of networks removed"""
    return _made_again(place, lambda: shutil.rmtree(place.home / "networks"))


def networks_cut(place: Place) -> Seen:
    """All files of networks, the teacher's too, cut to half"""
    def cut() -> None:
        for path in (place.home / "networks").glob("*.safetensors"):
            os.truncate(path, path.stat().st_size // 2)

    return _made_again(place, cut)


def networks_flipped(place: Place) -> Seen:
    """One byte of every network's file changed"""
    def flip() -> None:
        for path in (place.home / "networks").glob("*.safetensors"):
            contents = bytearray(path.read_bytes())
            contents[-9] ^= 0x55
            path.write_bytes(contents)

    return _made_again(place, flip)


def _damaged(place: Place, damage: Callable[[], object]) -> Seen:
    """The store is aside or refused with its name, and a second run measures all again."""
    first = place.shell(*CURVE)
    for companion in ("-wal", "-shm"):
        (place.store.parent / f"{place.store.name}{companion}").unlink(missing_ok=True)
    damage()
    seen = place.shell(*CURVE)
    again = place.shell(*CURVE)
    kept = [path for path in place.home.iterdir() if path.name.startswith("store.sqlite") and path != place.store]
    told = any("store" in line for line in seen.said) or seen.code == 0
    named = again.code == 2 and len(again.said) == 1 and str(place.store) in again.said[0]
    return Seen(f"{seen.text}; then {again.text}; kept aside: {', '.join(path.name for path in kept) or 'none'}",
                "what the damage took", told and not any("Traceback" in line for line in seen.said)
                and (named or same_rows(first, again) == "nothing"))


def _made_again(place: Place, damage: Callable[[], object]) -> Seen:
    first = place.shell(*CURVE)
    damage()
    again = place.shell(*CURVE)
    digests = {row["recipe"]: row["digest"] for row in again.rows}
    same = all(digests.get(row["recipe"]) == row["digest"] for row in first.rows)
    return Seen(again.text, same_rows(first, again), again.code == 0 and same)


ROWS = (store_truncated, store_of_junk, store_empty, store_of_another_program, store_locked, networks_removed, networks_cut,
        networks_flipped)
