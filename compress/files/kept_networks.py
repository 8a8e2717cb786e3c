"""Networks of the user that are kept in home, one file each, named after the user's name for it and the file's contents.

Imports nothing heavy: the web process lists and removes them; only a worker reads their tensors.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

from compress.atomic_file import SUFFIX
from compress.files.header import MOST_HEADER, of_safetensors, parsed
from compress.own_files import OwnFiles
from compress.settings import shown, similar

FILES = OwnFiles("own_networks", ".safetensors", "network", longest_name=40, replaced=r"(?a:[^\w.])+")
WAITING, DAY = ".opened", 24 * 3600.0  # folder, and seconds that a network waits in it to be added
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


def names() -> list[str]:
    """Of all kept networks; none where there is no home folder, which others say."""
    return [path.stem for path in FILES.files()]


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
    return FILES.file(name)


def opened(write: Callable[[Path], None]) -> Path:
    """The file of a network that was opened, and may be added within a day; those of earlier days are removed.

    Args:
        write: writes the file whole or not at all; may raise OSError.

    Raises:
        ValueError: a home folder that cannot be written.
    """
    path = waiting() / f"{secrets.token_hex(8)}{FILES.ending}"
    try:
        write(path)
    except OSError as error:
        raise FILES.unwritable(error) from error
    return path


def waiting() -> Path:
    """The folder of what was opened and not yet added, without what is older than a day. Raises ValueError where it
    cannot be made."""
    place = FILES.folder() / WAITING
    try:
        place.mkdir(parents=True, exist_ok=True)
        for path in place.iterdir():
            _remove_if_old(path)
    except OSError as error:
        raise FILES.unwritable(error) from error
    return place


def _remove_if_old(path: Path) -> None:
    with suppress(FileNotFoundError):  # another process removed it first
        if time.time() - path.lstat().st_mtime > DAY:
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def add(name: str, path: Path) -> str:
    """Keeps the file of an opened network, and returns the name under which it is a teacher: the user's, and eight digits of
    the contents' digest, so that another file never takes its place.

    Raises:
        ValueError: a name without letters and digits, a file that is gone, or a home folder that cannot be written.
    """
    plain = FILES.plain(name)
    try:
        with path.open("rb") as stream:
            chosen = f"{plain}-{hashlib.file_digest(stream, 'sha256').hexdigest()[:DIGITS]}"
    except FileNotFoundError as error:
        raise ValueError("What was read of the network's file is gone: it is kept for a day. Read the file "
                         "again.") from error
    except OSError as error:
        raise FILES.unwritable(error) from error
    beside = FILES.folder() / f".{secrets.token_hex(6)}{SUFFIX}"
    try:
        try:
            beside.hardlink_to(path)
        except OSError:  # a file system without links
            shutil.copyfile(path, beside)
        os.replace(beside, FILES.file(chosen))
    except OSError as error:
        raise FILES.unwritable(error) from error
    finally:
        beside.unlink(missing_ok=True)  # replacing a file by another link to it leaves both names
    return chosen


def called(name: str) -> str:
    """What the user calls a kept network: its name without the digits of the digest."""
    return name.rpartition("-")[0] or name


def remove(name: str) -> Path:
    """Removes a kept network's file and returns its path. What was measured of it stays in the store. Raises ValueError if
    there is none of this name, or it cannot be removed."""
    return FILES.removed(path_of(name).stem)


def _card(name: str) -> NetworkCard:
    path = FILES.file(name)
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
