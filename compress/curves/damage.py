"""Errors of the store's SQLite file in sentences; a damaged file is moved aside, so that the next connection begins a new
one."""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import suppress
from pathlib import Path

from compress.files.store_error import NO_ROOM, StoreError

SECONDS = 30.0  # that a connection waits for another one's lock
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_LOCKED = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
_NOT_ALLOWED = (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH)
_NO_ROOM = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR)
_MARK = ".damaged-"  # and the time, in the name of a file that was moved aside
_COMPANIONS = ("-wal", "-shm", "-journal")  # SQLite's own files beside the database


def explained(error: sqlite3.Error | UnicodeDecodeError, path: Path) -> StoreError:
    """The error as a sentence with the file and the remedy. A damaged file is moved aside first."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the lower byte is the kind, the others are details
    if (code in _DAMAGED or isinstance(error, UnicodeDecodeError)) and path.is_file():
        return StoreError(f"The store {path} was damaged. {_moved_aside(path)} Do this again: a new store is begun; "
                          "networks are made again where they are needed.")
    if code in _LOCKED:
        return StoreError(f"The store {path} is locked by another program for more than {SECONDS:.0f} s. Close what uses it "
                          "(a backup, a database browser, a stopped process), then try again; everything that was "
                          "finished is kept.")
    if code in _NO_ROOM:
        return StoreError(f"The store {path} cannot be read or written; most likely, {NO_ROOM.format(path.parent)}")
    if code in _NOT_ALLOWED:
        reason = "it is a folder" if path.is_dir() else "this user may not write it, or its folder"
        remedy = f"Move it away, or set COMPRESS_HOME to another folder than {path.parent}."
        if not path.is_dir():
            remedy = f"Give this user the right to write in {path.parent}, or set COMPRESS_HOME to another folder."
        return StoreError(f"The store {path} cannot be used: {reason}. {remedy}")
    return StoreError(f"The store {path} does not have the form that this program gives it ({type(error).__name__}). Move "
                      "the file away: a new store is then made.")


def moved_aside(path: Path) -> list[Path]:
    """The damaged files that were moved aside from this place, oldest first."""
    found = [file for file in path.parent.glob(f"{path.name}{_MARK}*") if not file.name.endswith(_COMPANIONS)]
    return sorted(found, key=lambda file: file.name)


def _moved_aside(path: Path) -> str:
    """Renames the damaged file and its companions. Of several processes that meet the damage, one does it: the others find
    no damaged file any more."""
    if _is_sound(path):
        return "Another process has already moved it aside."
    place = path.with_name(f"{path.name}{_MARK}{time.strftime('%Y-%m-%d-%H%M%S')}-{os.getpid()}")
    try:
        os.rename(path, place)
    except OSError as error:
        return f"It could not be moved aside ({(error.strerror or '').lower()}): move it away."
    for ending in _COMPANIONS:
        with suppress(FileNotFoundError):
            os.rename(f"{path}{ending}", f"{place}{ending}")
    return f"It is kept as {place.name} in {path.parent}."


def _is_sound(path: Path) -> bool:
    """Whether SQLite reads the file to its end now."""
    if not path.is_file():
        return True
    connection = sqlite3.connect(path, timeout=SECONDS)
    try:
        return connection.execute("PRAGMA quick_check(1)").fetchone()[0] == "ok"
    except sqlite3.Error:
        return False
    finally:
        connection.close()
