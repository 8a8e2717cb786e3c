"""Where this program keeps files on this machine."""

from __future__ import annotations

import os
from pathlib import Path


def cache_folder() -> Path:
    """The absolute folder for everything that can be computed again; created if it is missing.

    COMPRESS_HOME, else $XDG_CACHE_HOME/compression-explorer, else ~/.cache/compression-explorer. The
    environment is read at every call, so that COMPRESS_HOME can be set at any time.

    Raises:
        ValueError: the folder cannot be created.
    """
    chosen = os.environ.get("COMPRESS_HOME")
    shared = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    folder = Path(chosen or Path(shared, "compression-explorer")).expanduser().absolute()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ValueError(f"The cache folder {str(folder)!r} cannot be made ({error.strerror}). Set "
                         "COMPRESS_HOME to a folder that may be written.") from error
    return folder
