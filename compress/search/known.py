"""The networks of a teacher that are known during a search, whoever measured them, and what their measures are worth."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import zip_longest
from math import inf, log
from typing import Any

from compress.recipe import Recipe, Step
from compress.search.found import kilobytes
from compress.search.space import Params, Space
from compress.search.target import FRONT, MOST_ACCURATE, SMALLEST, Target, spaced_size

OUTSIDE = 2.0  # what a percentage point, or a file larger by the factor e, beyond a limit counts
FARTHEST = 100.0  # beyond a limit
Summary = dict[str, Any]  # recipe, bytes, accuracy, latency of a point, and its choices (None: not of the space) as params


@dataclass(eq=False)
class Known:
    """Points by the keys of their recipes.

    Attributes:
        card: of the teacher.
    """

    target: Target
    space: Space
    card: Mapping[str, Any]
    points: dict[str, Summary] = field(default_factory=dict)

    def add(self, key: str, point: Mapping[str, Any]) -> Summary | None:
        """Takes a point, unless it is the teacher's, or none of a network."""
        recipe = Recipe.parse(point["recipe"])
        if not recipe.methods or any(step.name not in self.space.methods for step in recipe.methods):
            return None
        self.points[key] = {**{name: point.get(name) for name in ("recipe", "bytes", "accuracy", "latency")},
                            "params": self.params(recipe.as_measured().methods)}
        return self.points[key]

    def params(self, steps: tuple[Step, ...]) -> Params | None:
        """The choices that give these steps; None if the space does not have them."""
        try:
            return self.space.params(steps)
        except ValueError:  # of an earlier version, with a setting that this one does not have
            return None

    @property
    def best(self) -> Summary | None:
        """The answer so far."""
        return self.target.best(self.points.values(), self.card)

    def ranked(self, share: float = 1.0) -> list[Params]:
        """The choices of the points that the space has, best first; of equal ones the first that was taken.

        Args:
            share: of the points lost that are allowed: what a method may lose before another one follows.
        """
        lost = self.target.points_lost
        strict = replace(self, target=replace(self.target, points_lost=None if lost is None else share * lost))
        best, known = strict.best, [one for one in self.points.values() if one["params"]]
        return [one["params"] for one in sorted(known, key=lambda one: (one is not best, strict.scores(one)))]

    def scores(self, point: Mapping[str, Any]) -> list[float]:
        """What a search makes small: the logarithm of the bytes, or the percentage points lost, and so many times what is
        beyond the limits; for the whole front, the first two apart."""
        size, lost = log(point["bytes"] / self.card["bytes"]), 100 * (self.card["accuracy"] - point["accuracy"])
        if self.target.goal == FRONT:
            return [size, lost]
        excess = min(FARTHEST, self.target.excess(point, self.card))
        return [(lost if self.target.goal == MOST_ACCURATE else size) + OUTSIDE * excess]

    def points_allowed(self) -> float:
        """How many percentage points a network that answers may lose."""
        if self.target.goal == SMALLEST:
            return self.target.points_lost or 0.0
        best = self.best
        return 100 * (self.card["accuracy"] - best["accuracy"]) if best else inf

    def too_large(self, least: int) -> str:
        """Why a file of at least so many bytes cannot be the answer; "" if it can."""
        best = self.best
        if self.target.goal == SMALLEST and best and least >= best["bytes"]:
            return f"at least {kilobytes(least)}, and {kilobytes(best['bytes'])} is found"
        if self.target.bytes is not None and least > self.target.bytes:
            return f"at least {kilobytes(least)}, more than {spaced_size(self.target.bytes)}"
        return ""


def instructive(points: Sequence[Summary], scores: Callable[[Summary], list[float]]) -> list[Summary]:
    """The points in the order in which a sampler learns most from few: those of the front; then one of each chain of methods
    in turn, its best first, so that a chain of a thousand points does not hide one of three."""
    kept = front(points)
    taken, chains = {one["recipe"] for one in kept}, defaultdict(list)
    for point in sorted(points, key=lambda one: (scores(one), one["recipe"])):
        if point["recipe"] not in taken:
            chains[tuple(step.name for step in Recipe.parse(point["recipe"]).methods)].append(point)
    turns = zip_longest(*(chains[names] for names in sorted(chains)))
    return [*kept, *(one for turn in turns for one in turn if one is not None)]


def front(points: Iterable[Summary]) -> list[Summary]:
    """The points that no other one beats in bytes and accuracy, by rising bytes."""
    kept: list[Summary] = []
    for point in sorted(points, key=lambda one: (one["bytes"], -one["accuracy"])):
        if not kept or point["accuracy"] > kept[-1]["accuracy"]:
            kept.append(point)
    return kept

