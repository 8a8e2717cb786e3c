"""A store that was damaged, locked, closed to this user, or written by somebody else."""

from __future__ import annotations

import os
import resource
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from compress.curves.store import Store
from tests.faults.endings import OTHER_CURVE
from tests.faults.place import CURVE, LONG, Place, Seen, wait_for, without_privileges


def store_truncated(place: Place) -> Seen:
    """The store's file cut to half; the command twice"""
    return _damaged(place, lambda: os.truncate(place.store, place.store.stat().st_size // 2))


def store_of_junk(place: Place) -> Seen:
    """The store's file overwritten by random bytes; the command twice"""
    return _damaged(place, lambda: place.store.write_bytes(os.urandom(50_000)))


def store_empty(place: Place) -> Seen:
    """The store's file of 0 bytes; the command twice"""
    _fold(place)
    place.store.write_bytes(b"")
    told, again = place.shell(*CURVE), place.shell(*CURVE)
    return Seen(f"{told.text}; again: {again.text}", told.is_whole() and again.is_whole(), "1 pin")


def store_of_another_program(place: Place) -> Seen:
    """A database of another program in the store's place; after it was moved away, the command again"""
    return _foreign(place, "CREATE TABLE points (latitude REAL, longitude REAL)")


def store_of_a_later_version(place: Place) -> Seen:
    """A store of a later version of this program in the store's place; after it was moved away, the command again"""
    return _foreign(place, "PRAGMA user_version=99")


def store_of_version_2(place: Place) -> Seen:
    """A store of an earlier version, which kept one teacher for a recipe"""
    with closing(sqlite3.connect(place.store)) as connection, connection:
        connection.executescript(
            "ALTER TABLE teachers RENAME TO now; CREATE TABLE teachers (key TEXT PRIMARY KEY, recipe TEXT, digest TEXT, "
            "data_digest TEXT, card TEXT, created REAL); INSERT INTO teachers SELECT * FROM now; DROP TABLE now; "
            "DROP TABLE data_versions; PRAGMA user_version=2")
    again = place.shell(*CURVE)
    with closing(sqlite3.connect(place.store)) as connection:
        version = connection.execute("PRAGMA user_version").fetchone()[0]
    return Seen(f"{again.text}, the store is of version {version} now", again.is_whole() and version == 3)


def store_locked(place: Place) -> Seen:
    """Another program holds the store for longer than a command waits; then the same command again"""
    with closing(sqlite3.connect(place.store)) as other:
        other.execute("BEGIN EXCLUSIVE")
        during = place.shell(*OTHER_CURVE)
        other.rollback()
    again = place.shell(*OTHER_CURVE)
    return Seen(f"{during.text}; again: {again.text}",
                during.is_one_sentence(2, "store.sqlite", "is locked") and again.is_whole(6))


def store_closed_to_this_user(place: Place) -> Seen:
    """The home may be read but not written by this user; after the repair, the command again"""
    return _closed(place, [*place.home.rglob("*"), place.home])


def store_that_may_only_be_read(place: Place) -> Seen:
    """The store's file may be read but not written by this user; after the repair, the command again"""
    return _closed(place, list(place.home.glob("store.sqlite*")))


def no_room(place: Place) -> Seen:
    """No file may grow beyond 20 kB, as on a full disk; with room, the command again"""
    seen = place.shell(*OTHER_CURVE, before=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000)))
    again = place.shell(*OTHER_CURVE)
    return Seen(f"{seen.text}; again: {again.text}",
                seen.is_one_sentence(2, str(place.home), "is full") and again.is_whole(6))


def home_removed(place: Place) -> Seen:
    """The home is removed while a teacher trains; the curve afterwards"""
    process = place.start(*LONG[:-1], "mlp(hidden=16,epochs=60)")
    wait_for(process, "epoch 3")
    shutil.rmtree(place.home)
    seen, again = place.end(process), place.shell(*CURVE)
    right = len(seen.said) <= 1 and seen.code in (0, 1, 2) and again.is_whole()
    return Seen(f"{seen.text}; again: {again.text}", right, "1 pin")


def removed_method(place: Place) -> Seen:
    """A point of a method that this version does not have, and one that cannot be read"""
    add_unknown_points(place)
    again, unreadable = place.shell(*CURVE), Store(place.store).unreadable_points()
    return Seen(f"{again.text}; {unreadable} unreadable point is counted", again.is_whole() and unreadable == 1)


def add_unknown_points(place: Place) -> None:
    """A point of a method that this version does not have, and one that cannot be read."""
    with closing(sqlite3.connect(place.store)) as connection, connection:
        for name, point in (("gone", "replace(point, 'low_rank(', 'no_such_method(')"), ("junk", "'{'")):
            connection.execute(f"INSERT INTO points SELECT '{name}', reference, curve, data, teacher, 'no_such_method', "
                               f"dial, {point}, predictions, created FROM points WHERE method='low_rank' LIMIT 1")


def two_on_a_fresh_home(place: Place) -> Seen:
    """Two commands at once on a home that does not exist"""
    shutil.rmtree(place.home, ignore_errors=True)
    both = [place.end(process) for process in [place.start(*CURVE), place.start(*CURVE)]]
    return Seen("; ".join(one.text for one in both), all(one.is_whole() for one in both), "1 pin")


def _fold(place: Place) -> None:
    """All of the store is in its one file."""
    with closing(sqlite3.connect(place.store)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    for companion in place.home.glob("store.sqlite-*"):
        companion.unlink()


def _damaged(place: Place, damage: Callable[[], object]) -> Seen:
    """One sentence, the damaged file is kept aside, and the same networks are made again: only the pin is lost with it."""
    _fold(place)
    damage()
    told, again = place.shell(*CURVE), place.shell(*CURVE)
    aside = [path.name for path in place.home.glob("store.sqlite.damaged-*") if not path.name.endswith(("-wal", "-shm"))]
    return Seen(f"{told.text}; again: {again.text}; kept aside: {len(aside)} file",
                told.is_one_sentence(2, str(place.store), "was damaged") and (again.code, len(again.rows)) == (0, 3)
                and len(aside) == 1, "1 pin")


def _closed(place: Place, files: list[Path]) -> Seen:
    for path in files:
        path.chmod(0o500 if path.is_dir() else 0o400)
    seen = place.shell(*OTHER_CURVE, before=without_privileges)
    for path in files:
        path.chmod(0o700 if path.is_dir() else 0o600)
    again = place.shell(*OTHER_CURVE)
    return Seen(f"{seen.text}; again: {again.text}",
                seen.is_one_sentence(2, str(place.home), "this user", "COMPRESS_HOME") and again.is_whole(6))


def _foreign(place: Place, statement: str) -> Seen:
    _fold(place)
    own = place.store.rename(place.folder / "own.sqlite")
    with closing(sqlite3.connect(place.store)) as other, other:
        other.execute(statement)
    theirs = place.store.read_bytes()
    told = place.shell(*CURVE)
    untouched = place.store.read_bytes() == theirs
    for path in place.home.glob("store.sqlite*"):
        path.unlink()
    own.rename(place.store)
    again = place.shell(*CURVE)
    return Seen(f"{told.text}; it is {'as it was' if untouched else 'CHANGED'}; again: {again.text}",
                told.is_one_sentence(2, str(place.store), "Move the file away") and untouched and again.is_whole())


ROWS = (store_truncated, store_of_junk, store_empty, store_of_another_program, store_of_a_later_version, store_of_version_2,
        store_locked, store_closed_to_this_user, store_that_may_only_be_read, no_room, home_removed, removed_method,
        two_on_a_fresh_home)
