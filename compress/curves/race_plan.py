"""What a race measures, and who is ahead, from plain data: for pages, which load no method, and for the race itself.

Imports nothing heavy.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from math import nan
from typing import Any

from compress.recipe import Recipe, Step

POINTS_LOST = (0.5, 1.0, 2.0, 5.0)
"""Budgets to choose from: accuracy below the teacher's, in percentage points."""
ROUNDING = 1e-9  # of a difference of two shares


@dataclass(frozen=True)
class Entry:
    """One curve of a race.

    Attributes:
        name, title: of its method; label: what is special about it, or "".
        request: the recipe that is swept, at the dial's first value; recipe: without the settings that only add runs, as its
            points have it.
        dial: the setting that varies; values: its values; effort: of a network (Entrant.effort).
    """

    name: str
    title: str
    label: str
    request: Recipe
    recipe: Recipe
    dial: str
    values: tuple[Any, ...]
    effort: int

    @property
    def words(self) -> str:
        """For example: pruning (second order)."""
        return f"{self.title.lower()} ({self.label})" if self.label else self.title.lower()

    @cached_property
    def keys(self) -> dict[str, Any]:
        """Key of a point's recipe -> value of the dial."""
        return {self.recipe.at(self.dial, value).key(): value for value in self.values}


@dataclass(frozen=True)
class Ahead:
    """The smallest network of a race within the budget."""

    entry: Entry
    point: dict[str, Any]


def checked_budget(text: str, name: str = "points lost") -> float:
    """A budget from its text. Raises ValueError, which calls it `name`, unless it is between 0 and 100."""
    try:
        value = float(text)
    except ValueError:
        value = nan
    if not 0 <= value <= 100:
        raise ValueError(f"{name} must be a number between 0 and 100, but got {text[:60]!r}. For example: {name} 1.")
    return value


def entries(recipe: Recipe, cards: dict[str, dict[str, Any]]) -> list[Entry]:
    """All curves of a race: first the one of least effort of each method, then the others; those of less effort come first.

    Args:
        recipe: complete; the methods of the race follow those that it has.
        cards: name -> Method.card(), in the order in which methods are listed.
    """
    ranked = [(rank, _entry(recipe, card, one)) for card in cards.values()
              for rank, one in enumerate(sorted(card["race"], key=lambda one: one["effort"]))]
    return [entry for rank, entry in sorted(ranked, key=lambda pair: (pair[0] > 0, pair[1].effort))]


def _entry(recipe: Recipe, card: dict[str, Any], one: dict[str, Any]) -> Entry:
    settings = {**one["settings"], card["dial"]: one["values"][0]}
    single = {entry["name"]: settings[entry["name"]] for entry in card["settings"] if not entry["of_sweep"]}
    request, point = (replace(recipe, methods=(*recipe.methods, Step.of(card["name"], values)))
                      for values in (settings, single))
    return Entry(card["name"], card["title"], one["label"], request, point, card["dial"], tuple(one["values"]),
                 one["effort"])


def view_key(recipe: Recipe) -> str:
    """Where the store keeps what a race of this complete recipe found out beside its points: a view with `refused`, entry in
    words -> the reason why it does not take part, or not to the end."""
    return f"race {recipe.key()}"


def is_within(point: dict[str, Any], reference: dict[str, Any], points_lost: float) -> bool:
    """Whether a network is smaller than the teacher and at most so many percentage points less accurate."""
    lost = reference["accuracy"] - point["accuracy"]
    return point["bytes"] < reference["bytes"] and lost <= points_lost / 100 + ROUNDING


def smallest(points: Iterable[dict[str, Any]], reference: dict[str, Any], points_lost: float) -> dict[str, Any] | None:
    """The smallest network within the budget, the more accurate one of two equal files; None if there is none."""
    within = [point for point in points if is_within(point, reference, points_lost)]
    return min(within, key=lambda point: (point["bytes"], -point["accuracy"]), default=None)


def ahead(curves: Iterable[tuple[Entry, list[dict[str, Any]]]], reference: dict[str, Any],
          points_lost: float) -> Ahead | None:
    """The smallest network of all curves within the budget, with its entry; None if there is none."""
    best = [Ahead(entry, point) for entry, points in curves if (point := smallest(points, reference, points_lost))]
    return min(best, key=lambda one: (one.point["bytes"], -one.point["accuracy"]), default=None)


def unit(points_lost: float) -> str:
    """The word after a budget: point or points."""
    return "point" if points_lost == 1 else "points"


def sentence(found: Ahead | None, reference: dict[str, Any], points_lost: float) -> str:
    """What a race says, in plain text."""
    budget = f"At most {points_lost:g} {unit(points_lost)} below the teacher"
    if not found:
        return f"{budget}: no smaller network yet."
    point = found.point
    return (f"{budget}: smallest {point['bytes'] / 1000:.1f} kB, {reference['bytes'] / point['bytes']:.3g}x, by "
            f"{found.entry.words}.")
