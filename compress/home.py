"""Where this program keeps files on this machine."""

from __future__ import annotations

import os
from pathlib import Path

REMEDY = "Set COMPRESS_HOME to a folder that may be written."


def cache_folder() -> Path:
    """The absolute folder for everything that can be computed again; created if it is missing.

    COMPRESS_HOME, else $XDG_CACHE_HOME/compression-explorer, else ~/.cache/compression-explorer. A relative COMPRESS_HOME
    begins at the current folder; a relative XDG_CACHE_HOME counts for nothing, as its specification wants. The environment
    is read at every call, so that COMPRESS_HOME can be set at any time.

    Raises:
        ValueError: there is no such folder, it cannot be made, or it may not be written.
    """
    folder = _wanted()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:  # ValueError: a path with a NUL
        raise ValueError(f"The cache folder {_shown(folder)} cannot be made ({_reason(error)}). {REMEDY}") from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise ValueError(f"The cache folder {_shown(folder)} may not be written by this user. {REMEDY}")
    return folder


def _wanted() -> Path:
    chosen, shared = os.environ.get("COMPRESS_HOME"), os.environ.get("XDG_CACHE_HOME", "")
    path = Path(chosen or Path(shared if os.path.isabs(shared) else "~/.cache", "compression-explorer"))
    try:
        return path.expanduser().absolute()
    except RuntimeError as error:  # ~ without HOME and without an entry of this user, or ~NAME of nobody
        why = (f"COMPRESS_HOME is {_shown(path)}, but this system knows no such home folder" if chosen else
               "This user has no home folder, and HOME is not set")
        raise ValueError(f"{why}: there is no place for files. {REMEDY}") from error
    except OSError as error:
        raise ValueError(f"The cache folder {_shown(path)} begins at the current folder, which cannot be read "
                         f"({_reason(error)}). {REMEDY}") from error


def _shown(path: Path) -> str:
    text = str(path)
    return repr(text if len(text) <= 200 else f"{text[:200]}...")


def _reason(error: Exception) -> str:
    return error.strerror or str(error) if isinstance(error, OSError) else str(error)
