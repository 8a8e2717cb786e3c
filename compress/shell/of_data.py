"""The command about data sets: which there are, what is in files, adding a data set from files, removing one."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

ACTIONS = {"list": "the card of each data set", "show": "what is in files, without adding them",
           "add": "add the data in files to the data sets of every page and command", "remove": "remove an added data set",
           "example": "write a small table to try this with"}


def add_actions(parser: argparse.ArgumentParser) -> None:
    """Declares the command's arguments."""
    actions = parser.add_subparsers(required=True, metavar="action", dest="action")
    for name, words in ACTIONS.items():
        action = actions.add_parser(name, help=words)
        if name in ("show", "add"):
            action.add_argument("file", nargs="+", help="one file, or two that belong together")
            action.add_argument("--name", help="of the data set; by default that of the file")
            action.add_argument("--label", default="", help="of a table: the column with the classes")
            action.add_argument("--side", default="0", help="of pictures: height and width in pixels; 0 keeps one size")
            action.add_argument("--words", default="512", help="of a column of text: features that count its words")
            action.add_argument("--text", default="counts", help="how a column of text is read: counts of its words beside "
                                "the other columns; words: it alone, as token ids; pairs: words and pairs of neighbours")
            if name == "add":
                action.add_argument("--looked-at", action="store_true",
                                    help="do not look into the files again: data show has found no problem")
        if name == "remove":
            action.add_argument("name")
        if name == "example":
            action.add_argument("file", metavar="FILE.csv")


def run(chosen: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """The lines that an action prints.

    Raises:
        ValueError: files that cannot be used, settings outside their range, or no such data set.
    """
    if chosen.action == "list":
        from compress.data import datasets

        yield from (asdict(card) for card in datasets.available())
    elif chosen.action == "remove":
        from compress.data.added import kept

        yield {"removed": str(kept.remove(chosen.name))}
    elif chosen.action == "example":
        from compress.data.added import example

        yield {"file": chosen.file, "examples": example.write_flowers(Path(chosen.file))}
    else:
        yield _of_files(chosen)


def _of_files(chosen: argparse.Namespace) -> dict[str, Any]:
    """What is in the files; with the action "add" they become a data set."""
    from compress.data.added import kept, preview, reading
    from compress.data.added.examples import Choices
    from compress.files import disk_quota
    from compress.home import cache_folder

    choices = Choices(chosen.label, _whole("--side", chosen.side), _whole("--words", chosen.words), chosen.text)
    files = [Path(path) for path in chosen.file]
    name = files[0].stem if chosen.name is None else chosen.name
    found = reading.examples_of(files, choices)
    if chosen.action == "add" and chosen.looked_at:
        disk_quota.check(cache_folder(), "No data set is added")
        return {"name": kept.add(name, found)}
    about = preview.preview(name, found)
    if chosen.action == "show":
        return about
    if about["problem"]:
        raise ValueError(about["problem"])
    disk_quota.check(cache_folder(), "No data set is added")
    left_out = ("pictures", "rows", "problem", "could_label")
    return {"name": kept.add(name, found), **{key: value for key, value in about.items() if key not in left_out}}


def _whole(name: str, text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise ValueError(f"{name} must be a whole number, but is {text!r}.")
    return int(text)
