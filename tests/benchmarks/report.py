"""The report of all benchmarks: README.md in this folder, where each part's result is between two comments of its name."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path

from compress.networks import device

REPORT = Path(__file__).with_name("README.md")
BLOCK = re.compile(r"<!-- (?P<name>[\w.]+) -->\n(?P<body>.*?)\n<!-- end -->", re.DOTALL)
Part = Callable[[], str]


def show(parts: dict[str, Part]) -> None:
    """Prints the Markdown of a module's parts: those named on the command line, or all. Ends with 2 if one is unknown."""
    wanted = sys.argv[1:] or list(parts)
    if unknown := set(wanted) - set(parts):
        sys.stderr.write(f"unknown: {', '.join(sorted(unknown))}; the parts are {', '.join(parts)}\n")
        sys.exit(2)
    device.prepare()
    for name in wanted:
        with redirect_stdout(sys.stderr):  # what a peer's library prints is no result
            result = parts[name]()
        print(result if len(wanted) == 1 else f"\n{name}\n\n{result}")


def names(text: str) -> list[str]:
    """The parts that a report has a place for, as MODULE.PART, in its order.

    Raises:
        ValueError: Two places have the same name.
    """
    found = [block["name"] for block in BLOCK.finditer(text)]
    if twice := {name for name in found if found.count(name) > 1}:
        raise ValueError(f"The report has two places for {', '.join(sorted(twice))}; keep one.")
    return found


def chosen(wanted: list[str], known: list[str]) -> list[str]:
    """The parts that are meant: all where nothing is wanted; a module's name means all of its parts.

    Raises:
        ValueError: A name is neither a part nor a module.
    """
    meant = {name: [part for part in known if name in (part, part.partition(".")[0])] for name in wanted}
    if unknown := [name for name, parts in meant.items() if not parts]:
        raise ValueError(f"No benchmark is called {', '.join(unknown)}; the report has {', '.join(known)}.")
    return [part for part in known if not wanted or any(part in parts for parts in meant.values())]


def rewritten(text: str, name: str, result: str) -> str:
    """The report with another result of this part; the words around it stay."""
    return BLOCK.sub(lambda block: f"<!-- {name} -->\n{result.strip()}\n<!-- end -->"
                     if block["name"] == name else block[0], text)
