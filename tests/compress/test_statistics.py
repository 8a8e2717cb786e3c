"""Intervals and tests against published and hand-made values."""

from __future__ import annotations

from itertools import pairwise
from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compress.statistics import mcnemar, median_interval, wilson


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
