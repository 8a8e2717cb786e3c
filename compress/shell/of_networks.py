"""The command about networks of the user: which are kept, what is in a file, adding one, removing one."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from compress.workload import Phase

ACTIONS = {"list": "the networks that were added", "show": "what is in an ONNX file or a state_dict, without adding it",
           "add": "add the network in such a file to the teachers: own(network=NAME)", "remove": "remove an added network"}


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
            action.add_argument("--family", help="for a state_dict in safetensors: the family of its network, for example "
                                                 "'mlp(hidden=300-100)', by default told by the sizes of its tensors; its "
                                                 "shape and classes are those of --data")
            package = action.add_mutually_exclusive_group()
            for called, maker in (("transformers", "save_pretrained of transformers"), ("timm", "save_for_hf of timm")):
                package.add_argument(f"--from-{called}", action="store_const", const=called, dest="package",
                                     help=f"FILE is a folder that {maker} made, or the name of a model in its cache; "
                                          "nothing is downloaded")
            action.add_argument("--hold", action="store_true", help=argparse.SUPPRESS)  # the app's: to be added later
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
    from compress.data.download_child import end_with_parent
    from compress.files import kept_networks
    from compress.networks import device
    from compress.points import uploaded
    from compress.shell.reporting import reporter

    if chosen.hold:
        end_with_parent()
    where, path = device.prepare(), Path(chosen.file)
    name = chosen.name or (path.name if chosen.package else path.stem)
    with reporter(where) as report:
        reading, trying = report.phases(Phase("opening", _megabytes(path)), Phase("trying", brief=True))
        data, shape = _data(chosen), _shape(chosen.shape)
        if _is_state_dict(chosen) and data:
            found = uploaded.opened_state_dict(path, name, chosen.family or "", data)
        elif chosen.package:
            found = uploaded.opened_model(chosen.file, chosen.package, name, shape or _shape_of(data), reading)
        else:
            found = uploaded.opened_file(path, name, shape, reading)
        try:
            tried = uploaded.tried_on(found.path, data, where, trying) if data else {"notes": []}
            shown = {**found.about, **tried, "notes": [*found.about["notes"], *tried["notes"]]}
            if chosen.action == "add":
                shown = {"name": kept_networks.add(name, found.path), **shown}
        except BaseException:
            found.path.unlink(missing_ok=True)
            raise
    if chosen.hold:
        return {**shown, "opened": str(found.path)}
    found.path.unlink(missing_ok=True)
    return shown


def _data(chosen: argparse.Namespace) -> Any:
    """The data set of the command; None without one. Raises ValueError where a state_dict needs it."""
    from compress.data import datasets

    if _is_state_dict(chosen) and not chosen.data:
        raise ValueError(f"{Path(chosen.file).name} holds tensors without a graph. Say with --data for which data set the "
                         "network is: the shape of the examples and the classes are those of the data set.")
    return datasets.load(chosen.data) if chosen.data else None


def _is_state_dict(chosen: argparse.Namespace) -> bool:
    """Whether the file holds tensors without a graph."""
    return bool(chosen.family) or (chosen.file.lower().endswith(".safetensors") and not chosen.package)


def _megabytes(path: Path) -> float:
    """Of the file, at least one: the longer it is, the longer it takes."""
    return max(1.0, path.stat().st_size / 1e6) if path.is_file() else 1.0


def _shape_of(data: Any) -> tuple[int, ...]:
    return data.shape if data else ()


def _shape(text: str) -> tuple[int, ...]:
    parts = text.split("-") if text else []
    if len(parts) > 3 or not all(part.isascii() and part.isdigit() and 0 < int(part) < 10**6 for part in parts):
        raise ValueError(f"--shape must be one to three whole numbers from 1, joined by '-', but is {text!r}. For example "
                         "1-28-28.")
    return tuple(int(part) for part in parts)
