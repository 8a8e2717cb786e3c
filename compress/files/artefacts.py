"""Files named by the digest of their contents: equal contents are stored once, and the folder can be moved.

Imports nothing heavy, because pages use it too.
"""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Protocol

from compress.atomic_file import sweep, write_whole
from compress.files.store_error import StoreError, of_system

SUFFIX = ".safetensors"
RECENT = 3600.0  # seconds in which a file that was put here is not removed: its user may not have named it yet
FOLDER = "networks"  # in the folder of the store


def digest_of(contents: bytes) -> str:
    """The first 16 hexadecimal digits of the SHA-256 of some contents."""
    return hashlib.sha256(contents).hexdigest()[:16]


class Files(Protocol):
    """A store of contents by digest."""

    def put(self, contents: bytes, suffix: str = SUFFIX) -> str:
        """Stores contents and returns their digest. suffix: of the file's name."""

    def has(self, digest: str, suffix: str = SUFFIX) -> bool:
        """Whether the contents are stored and unchanged."""

    def contents(self, digest: str, suffix: str = SUFFIX) -> bytes:
        """The contents with this digest. Raises ValueError if they are missing or changed."""

    def __hash__(self) -> int:
        """By identity, as for any object."""


class Artefacts:
    """A folder of files named by the digest of their contents."""

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder)

    def put(self, contents: bytes, suffix: str = SUFFIX) -> str:
        """Stores contents, completely or not at all, and returns their digest.

        Raises:
            StoreError: the disk is full, or the folder cannot be written.
        """
        digest = digest_of(contents)
        if self.has(digest, suffix):
            with suppress(OSError):  # of another user: then it is not ours to remove either
                os.utime(self.path(digest, suffix))  # a clean-up sees that somebody is about to use it
            return digest
        try:
            write_whole(contents, self.path(digest, suffix))
        except OSError as error:
            raise StoreError(of_system(f"The folder of files {self.folder}", self.folder, error)) from error
        return digest

    def path(self, digest: str, suffix: str = SUFFIX) -> Path:
        """The path of the contents with this digest, stored or not."""
        return self.folder / f"{digest}{suffix}"

    def has(self, digest: str, suffix: str = SUFFIX) -> bool:
        """Whether the contents are stored and unchanged: a file that does not match its digest counts as missing."""
        path = self.path(digest, suffix)
        try:
            facts = path.stat()
        except OSError:
            return False
        stamp = (facts.st_mtime_ns, facts.st_ctime_ns, facts.st_size, facts.st_ino)
        return _digest_of_file(path, stamp) == digest

    def contents(self, digest: str, suffix: str = SUFFIX) -> bytes:
        """The contents with this digest. Raises ValueError if they are missing or changed."""
        try:
            found = self.path(digest, suffix).read_bytes()
        except OSError:
            found = b""
        if digest_of(found) != digest:
            raise ValueError(f"The file {self.path(digest, suffix)} is missing or damaged. Measure its curve again: the "
                             "missing point is measured again.")
        return found


def sweep_home(home: Path) -> None:
    """Removes, in a home and in its folder of networks, what processes that have ended left half written."""
    for folder in (home, home / FOLDER):
        sweep(folder)


@lru_cache(maxsize=16_384)
def _digest_of_file(path: Path, stamp: tuple[int, ...]) -> str:
    """The digest of a file, computed again only if its length, its inode or the time of its last change differs; the time
    of a change of the inode is among these, because programs can set the other one back."""
    try:
        return digest_of(path.read_bytes())
    except OSError:
        return ""
