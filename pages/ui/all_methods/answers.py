"""Answers to questions with a number in them, from the points that are measured, for each teacher; where a size has no
point, the dial value that would have it. Never imports streamlit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from math import ceil, floor, log
from typing import Any

from compress.recipe import CURVE, Recipe
from compress.search.target import MOST_ACCURATE, Target
from pages.ui.charts import outside, setting_words, words

Row = dict[str, Any]
NEAR = 0.93  # of a size: a file of this share of it, or more, uses the size
AIM = 0.965  # of a size, for a dial value that is made for it: its own file may be a little larger or smaller than that
CHAINED = "+"  # between the methods of a chain
DIGITS = 4  # of such a value


@dataclass(frozen=True)
class Group:
    """The networks of one teacher: its row, and theirs without controls."""

    teacher: Row
    rows: list[Row]

    @property
    def title(self) -> str:
        """The teacher and its data set, plain text from outside."""
        return f"{self.teacher['teacher_title']}, {self.teacher['data_title']}"


@dataclass(frozen=True)
class Proposal:
    """A network that is not measured yet: its recipe, the dial's value, also in words, and the accuracy between its
    neighbours."""

    recipe: Recipe
    value: Any
    stop: str
    title: str
    accuracy: float


def groups(rows: Iterable[Row], first: Recipe | None = None) -> list[Group]:
    """The networks by teacher, as the rows are ordered; those without their teacher's row are left out.

    Args:
        first: the recipe of a teacher, whose groups come first.
    """
    teachers: dict[str, Row] = {}
    own: dict[str, list[Row]] = {}
    for row in rows:
        if row["method"] == "teacher":
            teachers[row["reference"]] = row
        elif not row["control"]:
            own.setdefault(row["reference"], []).append(row)
    found = [Group(teacher, own.get(reference, [])) for reference, teacher in teachers.items()]
    return sorted(found, key=lambda group: first is None or group.teacher["recipe"] != first.text())


def answer(group: Group, asked: Target) -> Row | None:
    """The network that a question wants. The teacher itself is an answer to "within so many bytes"."""
    candidates = [group.teacher, *group.rows] if asked.goal == MOST_ACCURATE else group.rows
    return asked.best(candidates, group.teacher)


def in_words(row: Row | None, teacher: Row) -> str:
    """An answer as HTML: 10.0 kB, 20× smaller, 93.8 % (92.1 to 95.2 %), 0.4 points less accurate, by quantization."""
    if row is None:
        return "no network so far"
    if row is teacher:
        return f"the teacher itself: <b>{words.accuracy_range(row)}</b>, <b>{words.size(row['bytes'])}</b>"
    return (f"<b>{words.size(row['bytes'])}</b>, <b>{words.times_smaller(row['bytes'], teacher['bytes'])}</b>, "
            f"<b>{words.accuracy_range(row)}</b>, {words.points_lost(teacher['accuracy'] - row['accuracy'])}, by "
            f"<b>{outside.html(setting_words.in_a_sentence(row['network']))}</b>")


def proposal(group: Group, size: int, known: dict[str, Any]) -> Proposal | None:
    """The dial value that should give the best accuracy at a size, of all curves that have larger and smaller files; None
    where a curve has a point of this size that is as good, or no number between two measured ones is left.

    Between neighbours of a curve, bytes are interpolated as a power of what is kept, accuracies on their logarithmic scale.

    Args:
        known: what the worker can do.
    """
    used = max((row["accuracy"] for row in group.rows if _uses(row, size)), default=None)
    found = [one for curve in _curves(group.rows) if not any(_uses(row, size) for row in curve)
             for one in _between(curve, AIM * size)]
    for accuracy, value, row in sorted(found, key=lambda one: -one[0]):
        recipe = Recipe.parse(row["recipe"])
        card = known["methods"].get(recipe.methods[-1].name)
        if used is not None and accuracy <= used:
            return None
        if card:
            stop = setting_words.setting(setting_words.dial(card), value)
            return Proposal(recipe.at(card["dial"], value), value, stop, row["method_title"], accuracy)
    return None


def proposals(group: Group, size: int, known: dict[str, Any]) -> list[Proposal]:
    """What proposal() finds for each method alone and for all curves together, the most accurate first, each recipe once."""
    alone = dict.fromkeys(row["method"] for row in group.rows if CHAINED not in row["method"])
    groups = [group, *(replace(group, rows=[row for row in group.rows if row["method"] == name]) for name in alone)]
    found = {one.recipe: one for part in groups if (one := proposal(part, size, known))}
    return sorted(found.values(), key=lambda one: -one.accuracy)


def by_method(group: Group, asked: Target) -> list[Row]:
    """The answer of each method to a question about accuracy, the most accurate first; all chains are as one method."""
    kinds: dict[str, list[Row]] = {}
    for row in group.rows:
        kinds.setdefault(CHAINED if CHAINED in row["method"] else row["method"], []).append(row)
    found = [row for rows in kinds.values() if (row := asked.best(rows, group.teacher))]
    return sorted(found, key=lambda row: (-row["accuracy"], row["bytes"]))


def _uses(row: Row, size: int) -> bool:
    return NEAR * size <= row["bytes"] <= size


def _curves(rows: list[Row]) -> Iterator[list[Row]]:
    """The points of each curve whose dial is a number, by rising dial."""
    found: dict[str, list[Row]] = {}
    for row in rows:
        number = isinstance(row["dial"], int | float) and not isinstance(row["dial"], bool)
        if number and (not row["roles"] or CURVE in row["roles"]):
            found.setdefault(row["curve"], []).append(row)
    for curve in found.values():
        yield sorted(curve, key=lambda row: row["dial"])


def _between(curve: list[Row], size: float) -> Iterator[tuple[float, float, Row]]:
    """The accuracy to be expected, the dial's value and the smaller neighbour, for each pair of neighbours of which one file
    is smaller than a size, and the other one larger."""
    measured = {row["dial"] for row in curve}
    for one, other in pairwise(curve):
        small, large = sorted((one, other), key=lambda row: row["bytes"])
        if small["bytes"] < size < large["bytes"]:
            share = log(size / small["bytes"]) / log(large["bytes"] / small["bytes"])
            value = _rounded(small["dial"], large["dial"], share)
            if value not in measured:
                yield small["accuracy"] + share * (large["accuracy"] - small["accuracy"]), value, small


def _rounded(small: float, large: float, share: float) -> float:
    """The value between those of a smaller and a larger file, rounded towards the smaller one. Bytes are about a power of
    what is kept: of the dial where files grow with it, of the rest to 1 where a share falls as they grow."""
    if 0 < small < large:
        value = small * (large / small) ** share
    elif 0 < large < small < 1:
        value = 1 - (1 - small) * ((1 - large) / (1 - small)) ** share
    else:
        value = small + share * (large - small)
    down = floor if large > small else ceil
    if isinstance(small, int) and isinstance(large, int):
        return down(value)
    scale = 10**DIGITS
    return float(down(value * scale) / scale)
