"""The folder of --save, checked before the work begins: hours of work must not end with "not a folder"."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
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


@contextmanager
def saving(text: str | None) -> Iterator[Path | None]:
    """The folder of this name during a command, or None without a name; folders that the command made and left empty,
    because it was refused or stopped before its first file, are removed.

    Raises:
        ValueError: as writable_folder does.
    """
    if text is None:
        yield None
        return
    made = [folder for folder in (Path(text), *Path(text).parents) if not os.path.exists(folder)]
    try:
        yield writable_folder(text)
    finally:
        for own in made:
            if os.path.isdir(own) and not any(own.iterdir()):
                own.rmdir()


def into_folder(command: Callable[[argparse.Namespace, Path | None], None]) -> Callable[[argparse.Namespace], None]:
    """The command, given the folder that its --save names."""
    @wraps(command)
    def run(chosen: argparse.Namespace) -> None:
        with saving(chosen.save) as folder:
            command(chosen, folder)
    return run
