"""Which pairs an order matrix compares, and what the store has of it, from plain data: for pages, which load no method.

Imports nothing heavy.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

from compress.curves.chains.verdict import Verdict, corrected, verdict
from compress.recipe import Recipe

SMALLER = (8, 16, 32)
"""Sizes to choose from: how many times smaller than the teacher's file."""
SEEDS = (1, 3, 5)
Pair = tuple[str, str]


@dataclass(frozen=True)
class Order:
    """An order matrix.

    Attributes:
        recipe: of the teacher, complete, with the first seed; smaller: how many times smaller the files are than its file.
        seeds: how many; each has its own teacher. methods: names, in the order in which they are listed.
    """

    recipe: Recipe
    smaller: float
    seeds: int
    methods: tuple[str, ...]

    @property
    def pairs(self) -> list[Pair]:
        """Every two methods; the first before the second is compared with the second before the first."""
        return list(combinations(self.methods, 2))

    @property
    def view_key(self) -> str:
        """Where the store keeps its cells: a view with `cells`, "a+b" -> seed -> Meeting.plain(), and `refused`, "a+b" ->
        reason. More seeds are added to those that are there."""
        return f"order {self.recipe.key()} {self.smaller:g}"

    def at(self, number: int) -> Recipe:
        """The teacher of one of the seeds."""
        return replace(self.recipe, seed=self.recipe.seed + number)

    def missing(self, view: Mapping[str, Any]) -> int:
        """How many cells the store lacks, one for each pair and seed."""
        return sum(str(self.at(number).seed) not in view.get("cells", {}).get(named(pair), {})
                   for pair in self.pairs for number in range(self.seeds) if named(pair) not in view.get("refused", {}))

    def verdicts(self, view: Mapping[str, Any]) -> dict[Pair, Verdict]:
        """What is known of each pair: p-values with Holm's correction for all pairs of the matrix that are known."""
        own = {named(pair): [one for number in range(self.seeds)
                             if (one := view.get("cells", {}).get(named(pair), {}).get(str(self.at(number).seed)))]
               for pair in self.pairs}
        found = corrected({name: verdict(seeds) for name, seeds in own.items() if seeds})
        return {pair: found[named(pair)] for pair in self.pairs if named(pair) in found}


def named(pair: Pair) -> str:
    """a+b."""
    return "+".join(pair)


def chainable(cards: Mapping[str, Mapping[str, Any]]) -> tuple[str, ...]:
    """The methods that compress networks, by their cards."""
    return tuple(name for name, card in cards.items() if card["applies_to"] == "network")
