"""The one error of the place where results are kept: it names the file and the remedy, and nobody sees what SQLite or the
operating system says."""

from __future__ import annotations

import errno
from pathlib import Path

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class StoreError(RuntimeError):
    """The store, or the folder of its files, cannot be used; the message names it, the reason and the remedy."""


def of_system(what: str, folder: Path, error: OSError) -> str:
    """The sentence for an error of the operating system.

    Args:
        what: cannot be written; folder: where it is, for the remedy.
    """
    if error.errno in _NO_ROOM:
        return f"{what} cannot be written: {NO_ROOM.format(folder)}"
    return (f"{what} cannot be written ({(error.strerror or 'an error of the system').lower()}). Give this user the right "
            f"to write in {folder}, or set COMPRESS_HOME to another folder.")


NO_ROOM = ("the disk of {} is full. Free some space there, or set COMPRESS_HOME to a folder on another disk; everything "
           "that was finished before is kept.")
