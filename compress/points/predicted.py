"""What predicted classes say about a network beside its teacher: flips, recalls, confusions. From plain data, without numpy,
so that pages can use it."""

from __future__ import annotations

import sys
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from compress.points.statistics import mcnemar, wilson

SIGNIFICANT = 0.05


@dataclass(frozen=True)
class Flips:
    """Rows of the examples whose predicted class changed: from right to wrong, from wrong to right, between wrong ones."""

    lost: list[int]
    gained: list[int]
    moved: list[int]


@dataclass(frozen=True)
class Payer:
    """The class whose recall fell most, by examples.

    Attributes:
        number: of the class; lost, gained: its examples that are only the teacher's, or only the network's.
        p: of McNemar's test on its examples, times the number of classes (Bonferroni), at most 1.
    """

    number: int
    lost: int
    gained: int
    p: float

    @property
    def is_paying(self) -> bool:
        """Whether chance alone would hardly do this to any class."""
        return self.p < SIGNIFICANT


def classes_of(predictions: bytes) -> Sequence[int]:
    """The numbers of predicted classes, from how the store keeps them (uint16, little-endian)."""
    found = array("H", predictions)
    if sys.byteorder == "big":
        found.byteswap()
    return found


def flips(ours: Sequence[int], teachers: Sequence[int], labels: Sequence[int]) -> Flips:
    """Compares two networks on the same examples. Raises ValueError where they are not as many."""
    found = Flips([], [], [])
    for row, (own, other, label) in enumerate(zip(ours, teachers, labels, strict=True)):
        if own != other:
            (found.lost if other == label else found.gained if own == label else found.moved).append(row)
    return found


def recalls(predicted: Sequence[int], labels: Sequence[int], classes: Sequence[str]) -> list[dict[str, Any]]:
    """For each class its name, its number of examples, and the share of these that is predicted right, with its 95 %
    interval (Wilson 1927); None where there is no example of the class."""
    totals, rights = [0] * len(classes), [0] * len(classes)
    for own, label in zip(predicted, labels, strict=True):
        totals[label] += 1
        rights[label] += own == label
    found = []
    for name, right, total in zip(classes, rights, totals, strict=True):
        low, high = wilson(right, total) if total else (None, None)
        found.append({"class": name, "examples": total, "recall": right / total if total else None, "recall_low": low,
                      "recall_high": high})
    return found


def confusion(predicted: Sequence[int], labels: Sequence[int], count: int) -> list[list[int]]:
    """Counts by true class (rows) and predicted class (columns)."""
    matrix = [[0] * count for _ in range(count)]
    for own, label in zip(predicted, labels, strict=True):
        matrix[label][own] += 1
    return matrix


def payer(found: Flips, labels: Sequence[int], count: int) -> Payer | None:
    """The class that lost most against the teacher; None where no class lost anything."""
    lost, gained = ([sum(labels[row] == number for row in rows) for number in range(count)]
                    for rows in (found.lost, found.gained))
    number = max(range(count), key=lambda one: lost[one] - gained[one])
    if lost[number] <= gained[number]:
        return None
    p = min(1.0, count * mcnemar(lost[number], gained[number]))
    return Payer(number, lost[number], gained[number], p)
