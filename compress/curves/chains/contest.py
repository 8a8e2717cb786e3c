"""Two recipes at equal size, for one seed after the other: each last dial is chosen for the size."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import log
from typing import Any

import numpy as np

from compress.curves.chains.contest_words import EQUAL, TOLERANCE
from compress.curves.chains.duel_plan import BYTES
from compress.curves.chains.sizing import Search, Sized, sized
from compress.curves.chains.stair import Bench, climbed
from compress.curves.chains.verdict import VOTES
from compress.methods import method
from compress.points.measure import PREDICTED
from compress.progress import Reporter
from compress.recipe import UNSAID, Recipe


class Unequal(ValueError):
    """Two recipes cannot be made equally large here; the message is the reason."""


@dataclass(frozen=True)
class Meeting:
    """Two networks of one seed at equal size.

    Attributes:
        first, second: their recipes, the last dials chosen; sizes: that were reached; accuracies: on validation.
        votes: for each example a sign of verdict.VOTES.
    """

    first: Recipe
    second: Recipe
    sizes: tuple[int, int]
    accuracies: tuple[float, float]
    votes: str

    def plain(self) -> dict[str, Any]:
        """JSON-able; what verdict.verdict() reads."""
        return {"recipes": [self.first.text(), self.second.text()], "sizes": list(self.sizes),
                "accuracies": list(self.accuracies), "votes": self.votes}


def met(first: Recipe, second: Recipe, wanted: float, bench: Bench, report: Reporter, by: str = BYTES) -> Meeting:
    """Makes two complete recipes as large as asked and compares them on the validation examples. The recipe with the finer
    dial is then made as large as the other has become.

    Args:
        wanted: bytes or multiply-adds; by: which.

    Raises:
        Unequal: their sizes differ by more than TOLERANCE. ValueError: a step is impossible. Cancelled: through `report`.
    """
    searches = [_search(recipe, bench, report, by) for recipe in (first, second)]
    found = [sized(recipe, search, wanted, report) for recipe, search in zip((first, second), searches, strict=True)]
    if _far(found) > EQUAL:
        finer = 1 if searches[0].is_whole or not searches[1].is_whole else 0
        other = found[1 - finer].size
        found[finer] = sized((first, second)[finer], searches[finer], other, report)
    if _far(found) > TOLERANCE:
        raise Unequal(f"Their {'files' if by == BYTES else 'multiply-adds'} cannot be made equal within "
                      f"{100 * TOLERANCE:.0f} %: {found[0].size:,} and {found[1].size:,} are the nearest to {wanted:,.0f}.")
    votes, accuracies = _compared(found, bench)
    return Meeting(found[0].recipe, found[1].recipe, (found[0].size, found[1].size), accuracies, votes)


def _search(recipe: Recipe, bench: Bench, report: Reporter, by: str) -> Search:
    start = climbed(recipe, bench, [report.part(0, 0.1)] * (len(recipe.methods) - 1))
    return Search(method(recipe.methods[-1]), start, bench, recipe.seed, by)


def half_way(recipe: Recipe, wanted: float, bench: Bench, report: Reporter) -> Recipe:
    """A recipe of one method at the size half of the way, by ratio, from the teacher's file to the size asked. It is kept as
    the first step of chains is: in a file that is not coded."""
    alone = replace(recipe, methods=(recipe.methods[0].having(**dict(UNSAID)),))
    teacher = bench.store.point(recipe.reference().key(), bench.teacher)
    whole = teacher["bytes"] if teacher else wanted
    return sized(alone, _search(alone, bench, report, BYTES), (whole * wanted) ** 0.5, report).recipe


def _far(found: list[Sized]) -> float:
    return abs(log(found[0].size / found[1].size))


def _compared(found: list[Sized], bench: Bench) -> tuple[str, tuple[float, float]]:
    labels = bench.data.validation.labels
    first, second = (np.frombuffer(one.predictions, PREDICTED) == labels for one in found)
    votes = "".join(VOTES[vote + 1] for vote in (first.astype(int) - second.astype(int)).tolist())
    return votes, (float(first.mean()), float(second.mean()))
