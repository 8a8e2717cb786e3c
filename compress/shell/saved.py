"""The folder of --save, checked before the work begins: hours of work must not end with "not a folder"."""

from __future__ import annotations

import os
from pathlib import Path


def writable_folder(text: str) -> Path:
    """The folder of this name, made if it is missing.

    Raises:
        ValueError: it is empty, is a file, cannot be made, or may not be written.
    """
    if not text.strip():
        raise ValueError("--save needs the name of a folder, but got nothing. Write for example --save points.")
    folder = Path(text)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ValueError(f"--save: the folder {text} cannot be made ({error.strerror}). Choose another one.") from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise ValueError(f"--save: the folder {text} may not be written by this user. Choose another one.")
    return folder
