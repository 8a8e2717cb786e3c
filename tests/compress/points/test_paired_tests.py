"""Paired tests over several seeds against enumeration, against the test for one seed, and against scipy."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from compress.points.statistics import holm, mcnemar, mcnemar_over_seeds

scipy = pytest.importorskip("scipy.stats")


@given(st.integers(0, 60), st.integers(0, 60), st.integers(0, 20))
def test_with_one_seed_it_is_mcnemars_exact_test(first: int, second: int, ties: int) -> None:
    p = mcnemar_over_seeds([1] * first + [-1] * second + [0] * ties)
    assert p == pytest.approx(mcnemar(first, second), rel=1e-9)
    if first + second:
        assert p == pytest.approx(scipy.binomtest(first, first + second).pvalue, rel=1e-9)


@given(st.lists(st.integers(-3, 3), max_size=9))
def test_it_is_the_share_of_all_exchanges_with_as_large_a_sum(differences: list[int]) -> None:
    sums = [abs(sum(sign * one for sign, one in zip(signs, differences, strict=True)))
            for signs in product((1, -1), repeat=len(differences))]
    share = np.mean([one >= abs(sum(differences)) for one in sums])
    assert mcnemar_over_seeds(differences) == pytest.approx(share, rel=1e-12)


def test_the_same_examples_of_several_seeds_are_no_new_examples() -> None:
    """Three seeds with the very same votes say as much as one; counted as independent they would say much more."""
    votes = [1] * 9 + [-1] * 3
    assert mcnemar_over_seeds([3 * vote for vote in votes]) == pytest.approx(mcnemar(9, 3))
    assert mcnemar(27, 9) < 0.05 < mcnemar(9, 3)


def test_false_alarms_are_as_rare_as_they_should_be() -> None:
    generator = np.random.default_rng(0)
    values = [mcnemar_over_seeds((generator.integers(0, 2, (3, 80)) - generator.integers(0, 2, (3, 80))).sum(0).tolist())
              for _ in range(400)]
    assert 0.02 <= np.mean([value < 0.05 for value in values]) <= 0.07


def test_thousands_of_examples_take_no_time() -> None:
    assert mcnemar_over_seeds([1, -2, 3, 0, -1] * 400) > 0
    assert mcnemar_over_seeds([2] * 500) < 1e-100 and mcnemar_over_seeds([]) == 1.0


def test_holms_correction_is_that_of_the_paper() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.8]) == [1.0, 1.0] and holm([]) == [] and holm([0.02]) == [0.02]
