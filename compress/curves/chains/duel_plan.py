"""A duel of two recipes at equal size, and what the store has of it, from plain data: for pages, which load no method.

Imports nothing heavy.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from compress.curves.chains.verdict import Verdict, verdict
from compress.recipe import Recipe

BYTES, MACS = "bytes", "macs"
QUANTITIES = (BYTES, MACS)


@dataclass(frozen=True)
class Duel:
    """Two recipes on one teacher.

    Attributes:
        first, second: complete, each with the first seed and without its last method's dial, which is chosen for the size.
        by: what is equal, one of QUANTITIES; size: how much of it; seeds: how many, each with its own teacher.
    """

    first: Recipe
    second: Recipe
    by: str
    size: float
    seeds: int

    @property
    def view_key(self) -> str:
        """Where the store keeps its results: a view with `cells`, seed -> Meeting.plain(). More seeds are added to
        those that are there."""
        return f"duel {self.first.key()} {self.second.key()} {self.by} {self.size:g}"

    def at(self, number: int) -> tuple[Recipe, Recipe]:
        """Both recipes with one of the seeds."""
        return (replace(self.first, seed=self.first.seed + number), replace(self.second, seed=self.first.seed + number))

    def known(self, view: Mapping[str, Any]) -> list[dict[str, Any]]:
        """The results of all seeds that are there."""
        cells = view.get("cells", {})
        return [cells[key] for number in range(self.seeds) if (key := str(self.first.seed + number)) in cells]

    def verdict(self, view: Mapping[str, Any]) -> Verdict | None:
        """What is known so far; None before the first seed."""
        found = self.known(view)
        return verdict(found) if found else None
