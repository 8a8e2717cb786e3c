"""Intervals and tests against published and hand-made values."""

from __future__ import annotations

from itertools import pairwise
from math import comb

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from compress.points.statistics import mcnemar, mean_interval, median_interval, wilson


@pytest.mark.parametrize(("correct", "total", "low", "high"), [
    (81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718),
    (29, 29, 0.8830, 1.0)])
def test_the_wilson_interval_has_its_published_values(correct: int, total: int, low: float, high: float) -> None:
    """Newcombe 1998, table I, method 3."""
    assert wilson(correct, total) == pytest.approx((low, high), abs=5e-5)


@given(st.integers(1, 10**6), st.data())
def test_the_wilson_interval_holds_the_share_and_stays_between_0_and_1(total: int, data: st.DataObject) -> None:
    correct = data.draw(st.integers(0, total))
    low, high = wilson(correct, total)
    assert 0.0 <= low <= correct / total + 1e-12 and correct / total - 1e-12 <= high <= 1.0 and low < high


@given(st.integers(1, 1000), st.data())
def test_the_wilson_interval_of_the_mistakes_is_its_mirror_image(total: int, data: st.DataObject) -> None:
    correct = data.draw(st.integers(0, total))
    low, high = wilson(correct, total)
    assert wilson(total - correct, total) == pytest.approx((1 - high, 1 - low), abs=1e-12)


def test_more_examples_make_the_wilson_interval_narrower() -> None:
    widths = [high - low for low, high in (wilson(total // 10 * 9, total) for total in (10, 100, 1000, 10_000))]
    assert all(later < earlier for earlier, later in pairwise(widths))


@pytest.mark.parametrize(("correct", "total"), [(1, 0), (0, 0), (-1, 5), (6, 5)])
def test_impossible_counts_are_refused(correct: int, total: int) -> None:
    with pytest.raises(ValueError, match=rf"wilson: needs .* but got correct={correct} and total={total}"):
        wilson(correct, total)


@pytest.mark.parametrize(("first", "second", "expected"), [
    (0, 0, 1.0), (1, 0, 1.0), (5, 0, 2 / 32), (0, 6, 2 / 64), (1, 5, 2 * 7 / 64), (3, 3, 1.0), (2, 10, 2 * 79 / 4096)])
def test_mcnemar_is_exact_in_small_cases(first: int, second: int, expected: float) -> None:
    assert mcnemar(first, second) == pytest.approx(expected, rel=1e-12)
    assert mcnemar(second, first) == mcnemar(first, second)


@given(st.integers(0, 300), st.integers(0, 300))
def test_a_p_value_lies_between_0_and_1_and_falls_as_the_counts_part(first: int, second: int) -> None:
    assert 0.0 < mcnemar(first, second) <= 1.0
    if first >= second:
        assert mcnemar(first + 1, second) <= mcnemar(first, second) + 1e-12


def test_many_disagreements_do_not_overflow() -> None:
    assert mcnemar(5000, 5300) == pytest.approx(0.003, abs=0.001)


@given(st.integers(1, 80))
def test_the_median_interval_is_the_narrowest_pair_of_order_statistics_that_covers_95_per_cent(count: int) -> None:
    """That k of the values lie below the true median happens with chance comb(count, k) / 2^count."""
    values = [float(value) for value in range(count)]
    median, low, high = median_interval(values[::-1])
    skip = int(low)
    assert median == (count - 1) / 2 and high == count - 1 - skip

    def coverage(left_out: int) -> float:
        return 1 - 2 * sum(comb(count, below) for below in range(left_out + 1)) / 2**count

    if count < 6:
        assert (low, high) == (0.0, count - 1.0)
    else:
        assert coverage(skip) >= 0.95 > coverage(skip + 1)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=40))
def test_the_median_lies_in_its_interval_and_the_interval_in_the_values(values: list[float]) -> None:
    median, low, high = median_interval(values)
    assert min(values) <= low <= median <= high <= max(values)


@pytest.mark.parametrize("count", range(2, 22))
def test_the_mean_interval_is_students(count: int) -> None:
    values = np.random.default_rng(count).normal(0.3, 2.0, count).tolist()
    mean, low, high = mean_interval(values)
    wanted = scipy.stats.t.interval(0.95, count - 1, np.mean(values), scipy.stats.sem(values))
    assert mean == pytest.approx(np.mean(values))
    assert (low, high) == pytest.approx(wanted, abs=3e-4 * (wanted[1] - wanted[0]))


def test_the_mean_interval_of_many_values_is_on_the_safe_side() -> None:
    for count in (22, 30, 200):
        values = [float(value % 5) for value in range(count)]
        mean, low, high = mean_interval(values)
        half = scipy.stats.t.ppf(0.975, count - 1) * scipy.stats.sem(values)
        assert half < high - mean == pytest.approx(mean - low) and high - mean < 1.07 * half


@given(st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=30), st.floats(-50, 50))
def test_the_mean_interval_moves_with_its_values(values: list[float], shift: float) -> None:
    mean, low, high = mean_interval(values)
    assert low <= mean <= high
    assert mean_interval([value + shift for value in values]) == pytest.approx((mean + shift, low + shift, high + shift),
                                                                               abs=1e-6)


@pytest.mark.parametrize("other", [0.0, 0.5])
def test_one_value_has_a_mean_without_an_interval(other: float) -> None:
    assert mean_interval([0.25], other) == (0.25, None, None)


def test_the_mean_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="mean_interval: needs at least one value, but got none"):
        mean_interval([])


@given(st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=30), st.floats(0, 100), st.floats(0, 100))
def test_other_chance_widens_the_mean_interval_and_leaves_the_mean(values: list[float], one: float, two: float) -> None:
    plain, some, more = (mean_interval(values, other) for other in (0.0, min(one, two), max(one, two)))
    assert plain[0] == some[0] == more[0]
    assert more[1] <= some[1] <= plain[1] and plain[2] <= some[2] <= more[2]


def test_independent_chances_add_as_squares() -> None:
    mean, low, high = mean_interval([1.0, 3.0, 2.0], 0.4)
    seeds, examples = scipy.stats.t.ppf(0.975, 2) * scipy.stats.sem([1.0, 3.0, 2.0]), scipy.stats.norm.ppf(0.975) * 0.4
    half = pytest.approx((seeds**2 + examples**2) ** 0.5, rel=3e-4)
    assert mean == pytest.approx(2.0) and high - mean == half and mean - low == half
    assert mean_interval([5.0] * 4, 1.0) == pytest.approx((5.0, 5.0 - scipy.stats.norm.ppf(0.975),
                                                           5.0 + scipy.stats.norm.ppf(0.975)), rel=1e-6)
