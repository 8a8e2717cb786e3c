"""Reduced-rank regression against plain least squares, whitening, and the tail of the spectrum."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from compress.low_rank.reduced_rank import least_squares, reduced_rank
from compress.solvers.svd import principal
from tests.compress.helpers import random_matrix

Case = tuple[Tensor, Tensor, Tensor]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """W (rows, columns), its own inputs X and other inputs Z (columns, samples), all centred, float64."""
    rows, columns, seed = draw(st.integers(1, 7)), draw(st.integers(1, 7)), draw(st.integers(0, 999))
    own = random_matrix(columns, 40, seed=seed)
    other = random_matrix(columns, columns, seed=seed + 1) @ own + 0.3 * random_matrix(columns, 40, seed=seed + 2)
    own, other = (inputs - inputs.mean(1, keepdim=True) for inputs in (own, other))
    return random_matrix(rows, columns, seed=seed + 3), own, other


def moments(case: Case) -> tuple[Tensor, Tensor]:
    """E[y z^T] and E[z z^T]."""
    weights, own, other = case
    return weights @ own @ other.mT / other.shape[1], other @ other.mT / other.shape[1]


def error(matrix: Tensor, case: Case) -> float:
    weights, own, other = case
    return float((weights @ own - matrix @ other).square().sum() / other.shape[1])


@given(cases())
def test_inputs_of_the_teacher_give_the_whitened_factors(case: Case) -> None:
    weights, own, _ = case
    second = own @ own.mT / own.shape[1]
    subspace, fitted = reduced_rank(weights, weights @ second, second)
    expected = principal(weights, second)
    assert torch.allclose(fitted, weights, atol=1e-9) and torch.allclose(subspace.energies, expected.energies, atol=1e-8)
    for rank in range(1, subspace.basis.shape[1] + 1):
        ours, theirs = (basis[:, :rank] @ basis[:, :rank].mT @ weights for basis in (subspace.basis, expected.basis))
        assert torch.allclose(ours @ own, theirs @ own, atol=1e-5)


@given(cases())
def test_full_rank_is_least_squares(case: Case) -> None:
    weights, own, other = case
    solution = torch.linalg.lstsq(other.mT, (weights @ own).mT).solution.mT
    subspace, fitted = reduced_rank(weights, *moments(case), ridge=0.0)
    assert torch.allclose(fitted @ other, solution @ other, atol=1e-6)
    assert torch.allclose(subspace.basis @ subspace.basis.mT @ fitted @ other, solution @ other, atol=1e-6)


@given(cases())
def test_the_error_of_a_rank_is_that_of_least_squares_and_the_tail(case: Case) -> None:
    subspace, fitted = reduced_rank(case[0], *moments(case), ridge=0.0)
    least = error(fitted, case)
    for rank, tail in enumerate(subspace.tail().tolist()):
        basis = subspace.basis[:, :rank]
        assert error(basis @ basis.mT @ fitted, case) == pytest.approx(least + tail, abs=1e-6)


@given(cases(), st.integers(0, 999))
def test_no_other_matrix_of_the_rank_is_better(case: Case, seed: int) -> None:
    subspace, fitted = reduced_rank(case[0], *moments(case), ridge=0.0)
    rows, columns = case[0].shape
    for rank in range(1, min(rows, columns)):
        basis = subspace.basis[:, :rank]
        outer, inner = basis + 0.1 * random_matrix(rows, rank, seed=seed), basis.mT @ fitted
        best = error(basis @ inner, case)
        assert error(outer @ inner, case) >= best - 1e-9
        assert error(basis @ (inner + 0.1 * random_matrix(rank, columns, seed=seed + 1)), case) >= best - 1e-9


def test_directions_without_inputs_keep_the_weights() -> None:
    weights, own, other = random_matrix(3, 5), random_matrix(5, 40, seed=1), random_matrix(5, 40, seed=2)
    other[2:] = 0.0
    found = least_squares(weights, *moments((weights, own, other)))
    assert torch.equal(found[:, 2:], weights[:, 2:]) and not torch.allclose(found[:, :2], weights[:, :2], atol=0.1)


def test_numbers_that_are_not_finite_are_refused() -> None:
    with pytest.raises(ValueError, match="Reduced-rank regression: the second moment"):
        least_squares(torch.ones(1, 1), torch.ones(1, 1), torch.full((1, 1), torch.inf))
