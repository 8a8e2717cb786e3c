"""Files by the digest of their contents: the same contents are kept once, and a folder of them can be moved.

Imports nothing heavy: pages look for files here too.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path
from typing import Protocol

from compress.atomic_file import write_whole

SUFFIX = ".safetensors"


def digest_of(contents: bytes) -> str:
    """The first 16 hexadecimal digits of the SHA-256 of some contents."""
    return hashlib.sha256(contents).hexdigest()[:16]


class Files(Protocol):
    """Contents by digest, wherever they are kept."""

    def put(self, contents: bytes, suffix: str = SUFFIX) -> str:
        """Keeps some contents and returns their digest. suffix: of the file's name, for people."""

    def has(self, digest: str, suffix: str = SUFFIX) -> bool:
        """Whether the contents are there and unchanged."""

    def contents(self, digest: str) -> bytes:
        """The contents of a digest. Raises ValueError where they are missing or have changed."""

    def __hash__(self) -> int:
        """By identity, as for any object."""


class Artefacts:
    """A folder of files named by the digest of their contents."""

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder)

    def put(self, contents: bytes, suffix: str = SUFFIX) -> str:
        """Keeps some contents, whole or not at all, and returns their digest."""
        digest = digest_of(contents)
        if not self.has(digest, suffix):
            write_whole(contents, self.path(digest, suffix))
        return digest

    def path(self, digest: str, suffix: str = SUFFIX) -> Path:
        """Where the contents of this digest are, or would be."""
        return self.folder / f"{digest}{suffix}"

    def has(self, digest: str, suffix: str = SUFFIX) -> bool:
        """Whether the contents are there and unchanged: a file that differs from its digest counts as missing."""
        path = self.path(digest, suffix)
        try:
            facts = path.stat()
        except OSError:
            return False
        return _digest_of_file(path, facts.st_mtime_ns, facts.st_size) == digest

    def contents(self, digest: str) -> bytes:
        """The contents of this digest. Raises ValueError where they are missing or have changed."""
        if not self.has(digest):
            raise ValueError(f"The file {self.path(digest)} is missing or damaged. Measure its curve again: the missing "
                             "point is made anew from its recipe.")
        return self.path(digest).read_bytes()


@lru_cache(maxsize=4096)
def _digest_of_file(path: Path, stamp: int, size: int) -> str:
    """Read once for each state of a file, of which the time of its last change and its length are the signs."""
    try:
        return digest_of(path.read_bytes())
    except OSError:
        return ""
