"""What a search has found, as plain data: what was tried, the answer, and how the answer fares with other seeds.

Imports nothing heavy.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from compress.curves.race_plan import unit
from compress.progress import Live
from compress.recipe import Recipe
from compress.search.target import SMALLEST, Target

MEASURED, SKIPPED, REFUSED = "measured", "skipped", "refused"
STATES = (MEASURED, SKIPPED, REFUSED)
SAME = 0.0005  # of an accuracy; closer ones are the same in the words below


@dataclass(frozen=True)
class Tried:
    """One recipe that a search looked at.

    Attributes:
        recipe: as text; state: one of STATES.
        bytes, accuracy: measured; or for what was skipped, as far as they were estimated, else None.
        reason: why it was skipped or refused; "" for what was measured.
    """

    recipe: str
    state: str
    bytes: int | None = None
    accuracy: float | None = None
    reason: str = ""


@dataclass(frozen=True)
class Fresh:
    """The answer's recipe with another seed, of the teacher too. points_lost: below that teacher, in percentage points."""

    seed: int
    accuracy: float
    points_lost: float
    bytes: int


@dataclass(frozen=True)
class Found:
    """A search for a target, as far as it is.

    Attributes:
        target: as text; tried: in the order in which they were tried, without what earlier work had measured.
        known: how many networks of the teacher were measured before the search; seconds: of searching, all runs together.
        best: the recipe that answers the question, or None; fresh: the same recipe with other seeds.
        ended: whether nothing is left to try; notices: sentences for the user, about damage.
    """

    target: str
    tried: tuple[Tried, ...] = ()
    known: int = 0
    seconds: float = 0.0
    best: str | None = None
    fresh: tuple[Fresh, ...] = ()
    ended: bool = False
    notices: tuple[str, ...] = ()

    @property
    def measured(self) -> int:
        """How many networks were measured in full."""
        return sum(one.state == MEASURED for one in self.tried)

    def plain(self) -> dict[str, Any]:
        """JSON-able; the opposite of from_plain()."""
        return dataclasses.asdict(self)

    @classmethod
    def from_plain(cls, plain: dict[str, Any] | None) -> Found | None:
        """What plain() gave; None for nothing, or for what this version cannot read."""
        try:
            if plain is None or {one["state"] for one in plain["tried"]} - set(STATES):
                return None
            return cls(**{**plain, "tried": tuple(Tried(**one) for one in plain["tried"]),
                          "fresh": tuple(Fresh(**one) for one in plain["fresh"]),
                          "notices": tuple(plain["notices"])})
        except (TypeError, KeyError):
            return None


@dataclass(frozen=True)
class SearchSoFar(Live):
    """A search at work.

    Attributes:
        measured, skipped: how many so far; front: (bytes, accuracy) of the networks that no other one beats, by rising
            bytes; best: (bytes, accuracy) of the answer so far, or ().
    """

    kind = "search"
    measured: int
    skipped: int
    front: tuple[tuple[int, float], ...]
    best: tuple[int, float] | tuple[()] = ()


def view_key(recipe: Recipe, target: Target) -> str:
    """Where the store keeps a search of this complete recipe of a teacher: a view, Found.plain()."""
    return f"search {target.text()} {recipe.key()}"


def words(recipe: Recipe) -> str:
    """The names of a recipe's methods: prune + quantize."""
    return " + ".join(step.name.replace("_", " ") for step in recipe.methods)


def sentence(target: Target, best: dict[str, Any] | None, reference: dict[str, Any]) -> str:
    """The answer, in plain text.

    Args:
        best: the point that answers, with its recipe; reference: the teacher's card.
    """
    question = target.question()
    if best is None:
        return f"No network found yet: {question}."
    lost = 100 * (reference["accuracy"] - best["accuracy"])
    size = f"{kilobytes(best['bytes'])}, {reference['bytes'] / best['bytes']:.3g}x smaller than the teacher"
    said = f"{question[:1].upper()}{question[1:]}: {size}, {100 * best['accuracy']:.1f} % accurate ({lost_words(lost)})"
    return f"{said}, by {words(Recipe.parse(best['recipe']))}."


def kilobytes(count: float) -> str:
    """20.3 kB."""
    return f"{count / 1000:.1f} kB"


def lost_words(points: float) -> str:
    """0.4 points below the teacher, as accurate as the teacher."""
    if abs(points) < 100 * SAME:
        return "as accurate as the teacher"
    return f"{abs(points):.2g} {unit(round(abs(points), 9))} {'below' if points > 0 else 'above'} the teacher"


def luck(target: Target, chosen: float, fresh: Sequence[Fresh], candidates: int) -> str:
    """The winner's curse in words: what the chosen one, the best of many, makes with seeds that had no part in the choice.

    Args:
        chosen: points lost of the answer; candidates: how many it was chosen from.
    """
    if not fresh:
        return ""
    lost = [one.points_lost for one in fresh]
    mean = sum(lost) / len(lost)
    spread = f" (from {min(lost):.2g} to {max(lost):.2g})" if len(lost) > 1 else ""
    size = kilobytes(sum(one.bytes for one in fresh) / len(fresh))
    said = (f"It was chosen from {candidates} on the same validation examples, where it loses {chosen:.2g} points; with "
            f"{len(lost)} fresh {'seed' if len(lost) == 1 else 'seeds'}, of the teacher too, it loses {mean:.2g}{spread} in "
            f"{size} on average.")
    if target.goal == SMALLEST and target.points_lost is not None and mean > target.points_lost:
        said += f" That misses the limit of {target.points_lost:g}."
    return said
