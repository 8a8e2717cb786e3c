"""Uploaded files are read by a process of its own, the same command as in a shell: what it took of memory is given back, and
a file that ends the process does not end the app."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import Any

from compress.data.added.example import flowers
from pages.ui.own_data import command

EXAMPLE = "iris.csv"


@dataclass(frozen=True)
class File:
    """A file that a visitor gave.

    Attributes:
        name: as the browser says it; the folders in it do not count.
    """

    name: str
    contents: bytes

    @property
    def plain_name(self) -> str:
        """The last part of the name, of a length that every file system takes."""
        last = PurePosixPath(self.name.replace("\\", "/")).name.lstrip(".") or "file"
        stem, dot, ending = last.rpartition(".")
        return f"{stem[:80]}.{ending[:20]}" if dot else last[:100]


@dataclass(frozen=True)
class Reading:
    """How files are read. label: the column with the classes, "" for the likeliest; side, words, text: as the command's."""

    label: str = ""
    side: int = 0
    words: int = 512
    text: str = "counts"


def example() -> File:
    """A table to try the page with: 150 flowers of three species. Raises ValueError as flowers()."""
    return File(EXAMPLE, flowers())


def look(files: Sequence[File], reading: Reading) -> dict[str, Any]:
    """What is in the files, as compress/data/added/preview.py says it. Raises ValueError as run()."""
    if list(files) == [example()] and reading == Reading():
        return _of_example()
    return _with_files("show", files, reading)


def add(files: Sequence[File], reading: Reading, name: str) -> str:
    """Adds files that look() found no problem in as a data set and returns its name. Raises ValueError as run()."""
    return str(_with_files("add", files, reading, f"--name={name}", "--looked-at")["name"])


def remove(name: str) -> None:
    """Takes an added data set away. Raises ValueError as run()."""
    run("remove", name)


def key(files: Sequence[File], reading: Reading) -> str:
    """The same for the same contents, names and choices."""
    total = sha256(repr(reading).encode())
    for file in files:
        total.update(repr((file.name, sha256(file.contents).hexdigest())).encode())
    return total.hexdigest()


def run(*words: str) -> dict[str, Any]:
    """What python -m compress data WORDS prints.

    Raises:
        ValueError: its sentence, if it refuses; or that it took too long.
    """
    return command.printed("data", *words, remedy="Leave out examples or columns, or name their path in COMPRESS_DATA.")


@lru_cache(maxsize=1)
def _of_example() -> dict[str, Any]:
    return _with_files("show", [example()], Reading())


def _with_files(action: str, files: Sequence[File], reading: Reading, *more: str) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for number, file in enumerate(files):
            place = Path(folder) / str(number)  # two files of one name stay two files
            place.mkdir()
            (place / file.plain_name).write_bytes(file.contents)
            paths.append(str(place / file.plain_name))
        return run(action, *paths, f"--label={reading.label}", f"--side={reading.side}", f"--words={reading.words}",
                   f"--text={reading.text}", *more)
