"""Networks of the user that are kept in home, one file each, named after the user's name for it and the file's contents.

Imports nothing heavy: the web process lists and removes them; only a worker reads their tensors.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

from compress.atomic_file import write_whole
from compress.files.header import MOST_HEADER, of_safetensors, parsed
from compress.home import cache_folder
from compress.settings import shown, similar

FOLDER, ENDING = "own_networks", ".safetensors"
LONGEST_NAME = 40
DIGITS = 8  # of the digest of the contents in a name
READING = "0."  # the first part of a kept network: how it reads examples, which is not its own


@dataclass(frozen=True)
class NetworkCard:
    """What a list says of a kept network. problem: why it cannot be read; "" if it can."""

    name: str
    shape: tuple[int, ...] = ()
    classes: int = 0
    parameters: int = 0
    bytes: int = 0
    problem: str = ""


def folder() -> Path:
    """The folder, which may not be there yet. Raises ValueError as home.cache_folder()."""
    return cache_folder() / FOLDER


def names() -> list[str]:
    """Of all kept networks; none where there is no home folder, which others say."""
    try:
        return sorted(path.stem for path in folder().glob(f"[!.]*{ENDING}"))
    except (OSError, ValueError):
        return []


def cards() -> list[NetworkCard]:
    """One card for each kept network, from the headers of the files."""
    return [_card(name) for name in names()]


def path_of(name: str) -> Path:
    """The file of a kept network. Raises ValueError if there is none of this name, with the names that there are."""
    known = names()
    if name not in known:
        there = f"there are {', '.join(known)}" if known else "there are none yet"
        raise ValueError(f"There is no network {shown(name)} of yours; {there}. Add it with python -m compress networks add "
                         f"FILE or on the page Your data.{similar(name, known)}")
    return folder() / f"{name}{ENDING}"


def add(name: str, contents: bytes) -> str:
    """Keeps the contents of a network's file, and returns the name under which it is a teacher: the user's, and eight digits
    of the contents' digest, so that another file never takes its place.

    Raises:
        ValueError: a name without letters and digits, or a home folder that cannot be written.
    """
    plain = re.sub(r"[^\w.]+", "_", name, flags=re.ASCII).strip("._")[:LONGEST_NAME]
    if not plain:
        raise ValueError(f"The name must hold letters or digits, but is {shown(name)}. Call the network birds, for example.")
    chosen = f"{plain}-{hashlib.sha256(contents).hexdigest()[:DIGITS]}"
    path = folder() / f"{chosen}{ENDING}"
    try:
        write_whole(contents, path)
    except OSError as error:
        raise ValueError(f"{path} cannot be written ({error.strerror}). Free some space, or set COMPRESS_HOME to a folder "
                         "that may be written.") from error
    return chosen


def remove(name: str) -> Path:
    """Removes a kept network's file and returns its path. What was measured of it stays in the store. Raises ValueError if
    there is none of this name, or it cannot be removed."""
    path = path_of(name)
    try:
        path.unlink()
    except OSError as error:
        raise ValueError(f"{path} cannot be removed ({error.strerror}).") from error
    return path


def _card(name: str) -> NetworkCard:
    path = folder() / f"{name}{ENDING}"
    try:
        with path.open("rb") as stream:
            start = stream.read(8)
            length = min(int.from_bytes(start, "little"), MOST_HEADER)
            header = of_safetensors(start + stream.read(length))
        size = path.stat().st_size
        architecture = parsed(header["__metadata__"]["manifest"])["architecture"]
        tensors: dict[str, Any] = {key: value for key, value in header.items()
                                   if key != "__metadata__" and key[:2] != READING}
        return NetworkCard(name, tuple(architecture["shape"]), int(architecture["classes"]),
                           sum(prod(tensor["shape"]) for tensor in tensors.values()), size)
    except (OSError, ValueError, KeyError, TypeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is damaged"
        return NetworkCard(name, problem=f"{path} cannot be read ({reason}). Remove it and add the network again.")
