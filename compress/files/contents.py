"""The bytes of a file that a user or a store names: of regular files only, so that reading always ends."""

from __future__ import annotations

import mmap
import os
import stat
from dataclasses import dataclass
from pathlib import Path

_WITHOUT_WAITING = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)


def contents_of(path: Path | str) -> bytes:
    """All bytes of a regular file.

    Raises:
        ValueError: there is no such file, it may not be read, or it is no regular file: a folder has no bytes, and a pipe or
            a device may never end.
    """
    with open(_descriptor(path), "rb") as stream:
        return stream.read()


@dataclass(frozen=True, eq=False)
class Mapped:
    """The bytes of a file that the system reads when they are asked for: a large file need not be in memory as a whole."""

    view: memoryview
    _pages: mmap.mmap | None = None

    def give_back(self) -> None:
        """The memory of what was read so far; it is read again when it is asked for."""
        if self._pages is not None and hasattr(mmap, "MADV_DONTNEED"):
            self._pages.madvise(mmap.MADV_DONTNEED)


def mapped(path: Path | str) -> Mapped:
    """The bytes of a regular file that nobody shortens meanwhile. Raises ValueError as contents_of()."""
    with open(_descriptor(path), "rb") as stream:
        if not os.fstat(stream.fileno()).st_size:
            return Mapped(memoryview(b""))
        pages = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
    return Mapped(memoryview(pages), pages)


def _descriptor(path: Path | str) -> int:
    """Of the opened file. Raises ValueError as contents_of()."""
    try:
        descriptor = os.open(path, os.O_RDONLY | _WITHOUT_WAITING)  # a pipe without a writer is opened at once
    except FileNotFoundError as error:
        raise ValueError(f"There is no file {path}. Give the path of a file that 'curve --save' or a download "
                         "wrote.") from error
    except OSError as error:
        raise ValueError(f"The file {path} cannot be read ({error.strerror}). Give a path that you may read.") from error
    except ValueError as error:
        raise ValueError(f"{str(path)!a} is no path of a file. Give the path of a file that 'curve --save' or a "
                         "download wrote.") from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise _no_file(path)
    return descriptor


def _no_file(path: Path | str) -> ValueError:
    return ValueError(f"{path} is no regular file but a folder, a pipe or a device. Give the path of a file that "
                      "'curve --save' or a download wrote.")
