"""Intervals and tests for accuracies, computed from counts (without torch, so that pages can use them)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from math import comb, sqrt


def wilson(correct: int, total: int, z: float = 1.959964) -> tuple[float, float]:
    """The 95 % score interval of a share (Wilson 1927), which is inside [0, 1] and has its coverage near 0 and 1 too.

    Raises:
        ValueError: total is not positive, or correct is not between 0 and total.
    """
    if total <= 0 or not 0 <= correct <= total:
        raise ValueError(f"wilson: needs 0 <= correct <= total and total > 0, but got {correct=} and {total=}.")
    share, square = correct / total, z * z
    centre = (share + square / (2 * total)) / (1 + square / total)
    half = z / (1 + square / total) * sqrt(share * (1 - share) / total + square / (4 * total * total))
    return max(0.0, centre - half), min(1.0, centre + half)


def mcnemar(first_only: int, second_only: int) -> float:
    """The exact two-sided p-value of McNemar's test (1947) that two networks are equally accurate, from the SAME examples.

    Args:
        first_only: number of examples that only the first network classifies correctly.
        second_only: number of examples that only the second network classifies correctly.
    """
    disagreements = first_only + second_only
    if disagreements == 0:
        return 1.0
    # Exact integers, which cannot overflow; only the quotient is a float.
    tail, ways = 0, 1
    for count in range(min(first_only, second_only) + 1):
        tail += ways
        ways = ways * (disagreements - count) // (count + 1)
    return min(1.0, 2 * tail / 2**disagreements)


def median_interval(values: list[float]) -> tuple[float, float, float]:
    """The median with a distribution-free interval of at least 95 % from order statistics (the inverted sign test).

    Returns:
        (median, low, high); with fewer than 6 values the interval is the whole range.
    """
    ordered, count = sorted(values), len(values)
    middle = (ordered[(count - 1) // 2] + ordered[count // 2]) / 2
    skip, tail = 0, 2.0 ** (1 - count)
    while tail + 2 * comb(count, skip + 1) / 2**count <= 0.05:
        skip += 1
        tail += 2 * comb(count, skip) / 2**count
    return middle, ordered[skip], ordered[count - 1 - skip]


# Student's t, 97.5 %, for 1, 2, ... degrees of freedom; for more the last value, which makes intervals too wide.
_T = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131, 2.120,
      2.110, 2.101, 2.093, 2.086)


def mean_interval(values: list[float], other: float = 0.0) -> tuple[float, float | None, float | None]:
    """The mean of a small sample with its 95 % interval by Student's t (1908), for differences over seeds.

    Args:
        other: standard error of the mean from a second, independent source: the choice of examples.

    Returns:
        (mean, low, high); with one value there is no interval, and low and high are None.

    Raises:
        ValueError: no value.
    """
    if not values:
        raise ValueError("mean_interval: needs at least one value, but got none.")
    count, mean = len(values), sum(values) / len(values)
    if count == 1:
        return mean, None, None
    deviation = sqrt(sum((value - mean) ** 2 for value in values) / (count - 1))
    half = sqrt((_T[min(count - 2, len(_T) - 1)] * deviation / sqrt(count)) ** 2 + (1.959964 * other) ** 2)
    return mean, mean - half, mean + half


def mcnemar_over_seeds(differences: Sequence[int]) -> float:
    """The exact two-sided p-value that two ways of making networks are equally accurate, from several pairs of networks (one
    for each seed) on the SAME examples: McNemar's test with an example's votes added up.

    The networks of all seeds are tested on the same examples, so that their errors are no independent counts. Under the
    hypothesis the two ways may be exchanged for each example (in all its pairs together), which turns the sign of its
    difference: Fisher's randomisation test (1935). With one seed it is McNemar's exact test. It says nothing of other seeds.

    Args:
        differences: for each example, in how many pairs only the first network is right, less in how many only the second.
    """
    return _exchanged(tuple(sorted(Counter(abs(one) for one in differences if one).items())), abs(sum(differences)))


@lru_cache(maxsize=256)
def _exchanged(sizes: tuple[tuple[int, int], ...], observed: int) -> float:
    """The chance that a sum of numbers with random signs is at least so far from 0. sizes: (absolute value, how many). Kept,
    because pages ask again at every tick."""
    chances = [1.0]
    for size, count in sizes:
        own = [0.0] * (2 * size * count + 1)  # of every sum from -size * count on
        for plus in range(count + 1):
            own[2 * size * plus] = comb(count, plus) / 2**count
        chances = _convolved(chances, own)
    middle = (len(chances) - 1) // 2
    return min(1.0, sum(chance for place, chance in enumerate(chances) if abs(place - middle) >= observed))


def _convolved(first: list[float], second: list[float]) -> list[float]:
    found = [0.0] * (len(first) + len(second) - 1)
    for place, chance in enumerate(second):
        if chance:
            for other, own in enumerate(first):
                found[place + other] += chance * own
    return found


def holm(values: Sequence[float]) -> list[float]:
    """P-values of several tests, raised so that with all those below 0.05 the chance of any false one is at most 0.05 (Holm
    1979)."""
    order, found, highest = sorted(range(len(values)), key=lambda place: values[place]), [0.0] * len(values), 0.0
    for rank, place in enumerate(order):
        highest = max(highest, min(1.0, (len(values) - rank) * values[place]))
        found[place] = highest
    return found
