"""Randomized SVD: an approximation that never hides its own error."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from compress.solvers.svd import principal, randomized
from tests.compress.helpers import random_matrix


def flat_matrix(side: int = 120) -> torch.Tensor:
    """Orthogonal but for a mild slope: no singular value stands out, the hard case for random projection."""
    return random_matrix(side, side, decay=0.002)


def test_on_a_flat_spectrum_its_error_is_larger_and_is_the_true_one() -> None:
    matrix = flat_matrix()
    found, exact = randomized(matrix, 10), principal(matrix)
    error = float((matrix - found.basis @ (found.basis.mT @ matrix)).square().sum())
    assert error > 1.001 * float(exact.tail()[10])
    assert float(found.tail()[10]) == pytest.approx(error, rel=1e-9)


@given(st.integers(2, 60), st.integers(2, 60), st.data())
def test_its_tail_is_its_true_error_at_every_rank_and_never_below_the_exact_one(rows: int, columns: int,
                                                                               data: st.DataObject) -> None:
    matrix = random_matrix(rows, columns, seed=data.draw(st.integers(0, 999)),
                           decay=data.draw(st.sampled_from((0.0, 0.01, 0.3))))
    count = data.draw(st.integers(1, min(rows, columns)))
    found = randomized(matrix, count, seed=data.draw(st.integers(0, 9)))
    tail, exact, total = found.tail(), principal(matrix).tail(), float(matrix.square().sum())
    assert len(tail) == count + 1
    for rank in range(count + 1):
        basis = found.basis[:, :rank]
        error = float((matrix - basis @ (basis.mT @ matrix)).square().sum())
        assert abs(error - float(tail[rank])) <= 1e-10 * total
        assert float(tail[rank]) >= float(exact[rank]) - 1e-10 * total


def test_its_energies_are_shares_of_the_whole_matrix_however_few_are_found() -> None:
    matrix = flat_matrix(60)
    found = randomized(matrix, 5)
    assert float(found.total) == pytest.approx(float(matrix.square().sum()))
    assert 0 < float((found.energies / found.total).sum()) < 0.2


def test_on_a_steep_spectrum_it_is_as_good_as_exact() -> None:
    matrix = random_matrix(80, 50, decay=0.5)
    found, exact = randomized(matrix, 8), principal(matrix)
    assert float(found.tail()[8]) == pytest.approx(float(exact.tail()[8]), rel=1e-4)


def test_the_same_seed_gives_the_same_basis_and_another_seed_another() -> None:
    matrix = flat_matrix(60)
    first, again, other = randomized(matrix, 5, 1), randomized(matrix, 5, 1), randomized(matrix, 5, 2)
    assert torch.equal(first.basis, again.basis)
    assert not torch.equal(first.basis, other.basis)


def test_the_count_must_lie_between_one_and_the_smaller_side() -> None:
    for count in (0, 6):
        with pytest.raises(ValueError, match=rf"randomized: count must be between 1 and 5 .*got {count}"):
            randomized(random_matrix(9, 5), count)
