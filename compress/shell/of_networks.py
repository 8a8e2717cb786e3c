"""The command about networks of the user: which are kept, what is in a file, adding one, removing one."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

ACTIONS = {"list": "the networks that were added", "show": "what is in an ONNX file, without adding it",
           "add": "add the network in an ONNX file to the teachers: own(network=NAME)", "remove": "remove an added network"}


def add_actions(parser: argparse.ArgumentParser) -> None:
    """Declares the command's arguments."""
    actions = parser.add_subparsers(required=True, metavar="action", dest="action")
    for name, words in ACTIONS.items():
        action = actions.add_parser(name, help=words)
        if name in ("show", "add"):
            action.add_argument("file")
            action.add_argument("--name", help="of the network; by default that of the file")
            action.add_argument("--shape", default="", help="of an example, for example 1-28-28, where the file leaves it "
                                                            "open")
            action.add_argument("--data", help="data on which it is tried: how it reads them, and its accuracy on a part of "
                                               "the training examples")
        if name == "remove":
            action.add_argument("name")


def run(chosen: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """The lines that an action prints. Raises ValueError for a file that cannot be used, or where there is no such
    network."""
    from compress.files import kept_networks

    if chosen.action == "list":
        yield from (asdict(card) for card in kept_networks.cards())
    elif chosen.action == "remove":
        yield {"removed": str(kept_networks.remove(chosen.name))}
    else:
        yield _of_file(chosen)


def _of_file(chosen: argparse.Namespace) -> dict[str, Any]:
    """What is in the file; with the action "add" it becomes a teacher."""
    from compress.networks import device
    from compress.points import uploaded

    where = device.prepare()
    path = Path(chosen.file)
    found = uploaded.opened_file(path, chosen.name or path.stem, _shape(chosen.shape))
    shown = uploaded.about(found)
    if chosen.data:
        from compress.data import datasets

        shown |= uploaded.tried_on(found, datasets.load(chosen.data), where)
    if chosen.action == "add":
        shown = {"name": uploaded.add(found, chosen.name or path.stem), **shown}
    return shown


def _shape(text: str) -> tuple[int, ...]:
    parts = text.split("-") if text else []
    if len(parts) > 3 or not all(part.isascii() and part.isdigit() and 0 < int(part) < 10**6 for part in parts):
        raise ValueError(f"--shape must be one to three whole numbers from 1, joined by '-', but is {text!r}. For example "
                         "1-28-28.")
    return tuple(int(part) for part in parts)
