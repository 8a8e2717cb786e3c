"""Files that are written whole or not at all: a reader sees the old contents or the new ones, never a part.

What is not yet whole has a name that ends with .part, and is locked by the process that writes it. The system takes the lock
away when that process ends, however it ends: so sweep() knows what nobody will ever complete. Until the next sweep what a
killed process had begun, a download for instance, stays as a .part, which nothing reads.
"""

from __future__ import annotations

import os
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

SUFFIX = ".part"
YOUNG = 60.0  # seconds in which nothing is swept: it may have been made, and not yet locked
OLD = 24 * 3600.0  # seconds after which a lock is not believed: some network file systems keep those of dead machines


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A stream into a temporary file in the same folder, which becomes `path` at the end of the block.

    The folder is made if it is missing. The file has the permissions of a new file, as the process's umask sets them. After
    an exception inside the block the temporary file is removed, and `path` is as it was.

    Raises:
        OSError: the folder or the file cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}{SUFFIX}")
    try:
        with temporary.open("xb") as stream:
            _is_locked_by_us(stream.fileno())
            yield stream
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def write_whole(contents: bytes, path: Path) -> None:
    """Writes all contents to the file, or leaves it as it was; see replacing()."""
    with replacing(path) as stream:
        stream.write(contents)


@contextmanager
def temporary_folder(parent: Path, name: str) -> Iterator[Path]:
    """A folder NAME-....part in `parent`, removed with everything in it at the end of the block.

    Raises:
        OSError: it cannot be made.
    """
    folder = parent / f"{name}-{secrets.token_hex(6)}{SUFFIX}"
    folder.mkdir()
    handle = os.open(folder, os.O_RDONLY) if hasattr(os, "O_DIRECTORY") else None  # Windows opens no folders
    try:
        if handle is not None:
            _is_locked_by_us(handle)
        yield folder
    finally:
        if handle is not None:
            os.close(handle)
        shutil.rmtree(folder, ignore_errors=True)  # what cannot be removed now is swept later


def sweep(folder: Path) -> list[Path]:
    """Removes, in this folder, every .part whose writer has ended, and those of more than a day; returns what was removed.
    What cannot be looked at or removed stays: another user may have written it."""
    swept = []
    with suppress(OSError):
        for path in folder.glob(f"*{SUFFIX}"):
            with suppress(OSError):
                if _is_left(path):
                    shutil.rmtree(path) if path.is_dir() else path.unlink()
                    swept.append(path)
    return swept


def _is_left(path: Path) -> bool:
    age = time.time() - path.lstat().st_mtime
    if path.is_symlink() or age < YOUNG:
        return False
    if age > OLD:
        return True
    handle = os.open(path, os.O_RDONLY)
    try:
        return _is_locked_by_us(handle)
    finally:
        os.close(handle)


def _is_locked_by_us(handle: int) -> bool:
    """Takes the lock of an open file; False if another process has it, or there are no locks here."""
    try:
        import fcntl

        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (ImportError, OSError):
        return False
    return True
