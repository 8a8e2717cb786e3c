"""Uploaded networks are read by a process of its own, the same command as in a shell, so that a file that takes memory or
ends its process does not end the app."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from pages.ui.own_data import command
from pages.ui.own_data.files import File


@dataclass(frozen=True)
class Asked:
    """What is asked about a file.

    Attributes:
        data: the name of the data set on which it is tried.
        shape: of an example as text, where the file leaves it open; "" otherwise.
    """

    data: str
    shape: str = ""


def look(file: File, asked: Asked) -> dict[str, Any]:
    """What is in the file and how it reads the data, as compress/points/uploaded.py says it. Raises ValueError with the
    command's sentence."""
    return _with_file("show", file, asked, "")


def add(file: File, asked: Asked, name: str) -> str:
    """Keeps the network, and returns the name under which it is a teacher. Raises ValueError with the command's sentence."""
    return str(_with_file("add", file, asked, name)["name"])


def key(file: File, asked: Asked) -> str:
    """The same for the same contents, name and questions."""
    return sha256(repr((file.name, asked, sha256(file.contents).hexdigest())).encode()).hexdigest()


def _with_file(action: str, file: File, asked: Asked, name: str) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / file.plain_name
        path.write_bytes(file.contents)
        options = [f"--data={asked.data}"] if asked.data and action == "show" else []
        options += [f"--shape={asked.shape}"] if asked.shape else []
        options += [f"--name={name}"] if name else []
        return command.printed("networks", action, str(path), *options, remedy="Add a smaller network.")
