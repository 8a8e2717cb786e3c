"""Fair timings on a busy machine: the ways take turns, and each is judged by its median."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from statistics import median
from typing import Any

Way = Callable[[int], Any]


def taking_turns(ways: dict[str, Way], rounds: int, clock: Callable[[], float] = time.perf_counter
                 ) -> tuple[dict[str, list[float]], dict[str, list[Any]]]:
    """Calls every way once a round, with the round's number: their seconds and what they gave, by name.

    The order turns by one place each round, so that no way always follows the same other one.
    """
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    results: dict[str, list[Any]] = {name: [] for name in ways}
    names = list(ways)
    for number in range(rounds):
        shift = number % len(names)
        for name in names[shift:] + names[:shift]:
            began = clock()
            result = ways[name](number)
            seconds[name].append(clock() - began)
            results[name].append(result)
    return seconds, results


def spread(seconds: Sequence[float]) -> str:
    """The median with the fastest and the slowest, for example '0.52 (0.49-0.80)'."""
    return f"{median(seconds):.3g} ({min(seconds):.3g}-{max(seconds):.3g})"


def table(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """A Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)
