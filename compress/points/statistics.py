"""Intervals and tests for accuracies, from counts alone (no torch, so that pages can use them too)."""

from __future__ import annotations

from math import comb, sqrt


def wilson(correct: int, total: int, z: float = 1.959964) -> tuple[float, float]:
    """The 95 % score interval of a share (Wilson 1927), which stays inside [0, 1] and is honest near its ends.

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
    """Exact two-sided p-value that two networks are equally often right on the SAME examples (McNemar 1947).

    Args:
        first_only: examples that only the first network has right.
        second_only: examples that only the second one has right.
    """
    disagreements = first_only + second_only
    if disagreements == 0:
        return 1.0
    # Whole numbers throughout: they never overflow, and only their quotient becomes a float.
    tail, ways = 0, 1
    for count in range(min(first_only, second_only) + 1):
        tail += ways
        ways = ways * (disagreements - count) // (count + 1)
    return min(1.0, 2 * tail / 2**disagreements)


def median_interval(values: list[float]) -> tuple[float, float, float]:
    """Median with a distribution-free interval of at least 95 % from order statistics (the sign test turned round).

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


# Student's t, 97.5 %, for 1, 2, ... degrees of freedom; beyond them the last, which is on the safe side.
_T = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131, 2.120,
      2.110, 2.101, 2.093, 2.086)


def mean_interval(values: list[float], other: float = 0.0) -> tuple[float, float | None, float | None]:
    """Mean of a sample with its 95 % interval by Student's t (1908): for differences over seeds, which are few.

    Args:
        other: the standard error that a second, independent source of chance gives the mean (which examples they are).

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
