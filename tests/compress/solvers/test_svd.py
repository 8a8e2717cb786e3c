"""The laws of singular values and of the subspaces that go with them."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from compress.solvers.svd import (
    Root,
    break_even,
    correction,
    gram,
    hard_threshold,
    principal,
    projection_energies,
    spectrum,
)
from compress.solvers.uniform_grid import fitted
from tests.compress.helpers import random_matrix


@st.composite
def matrices(draw: st.DrawFn) -> Tensor:
    """Tall, wide, square and thin matrices, of full or lower rank, of any scale."""
    rows, columns = draw(st.integers(1, 70)), draw(st.integers(1, 70))
    rank = draw(st.integers(1, min(rows, columns)))
    matrix = random_matrix(rows, columns, rank, draw(st.integers(0, 10_000)), draw(st.sampled_from((0.0, 0.1, 0.5))))
    return matrix * draw(st.sampled_from((1e-3, 1.0, 1e4)))


def kept(matrix: Tensor, rank: int) -> Tensor:
    basis = principal(matrix).basis[..., :rank]
    return basis @ (basis.mT @ matrix)


@given(matrices(), st.data())
def test_the_weight_error_is_the_tail_of_the_squared_singular_values(matrix: Tensor, data: st.DataObject) -> None:
    rank = data.draw(st.integers(0, min(matrix.shape)))
    error = float((matrix - kept(matrix, rank)).square().sum())
    tail = float((torch.linalg.svdvals(matrix)[rank:] ** 2).sum())
    total = float(matrix.square().sum())
    assert abs(error - tail) <= 1e-5 * total
    assert abs(float(principal(matrix).tail()[rank]) - tail) <= 1e-5 * total


@given(matrices())
def test_full_rank_gives_the_matrix_back(matrix: Tensor) -> None:
    assert torch.allclose(kept(matrix, min(matrix.shape)), matrix, atol=1e-10 * float(matrix.abs().max()))


@given(matrices())
def test_no_rank_is_worse_than_a_lower_one(matrix: Tensor) -> None:
    errors = [float((matrix - kept(matrix, rank)).norm()) for rank in range(min(matrix.shape) + 1)]
    assert all(later <= earlier + 1e-9 * errors[0] for earlier, later in pairwise(errors))


@given(matrices())
def test_the_basis_is_orthonormal_even_where_singular_values_are_zero(matrix: Tensor) -> None:
    basis = principal(matrix).basis
    assert basis.shape == (matrix.shape[0], min(matrix.shape))
    assert torch.allclose(basis.mT @ basis, torch.eye(basis.shape[1], dtype=torch.float64), atol=1e-10)


@given(matrices())
def test_the_spectrum_is_that_of_numpy(matrix: Tensor) -> None:
    expected = np.linalg.svd(matrix.numpy(), compute_uv=False)
    assert np.abs(spectrum(matrix).numpy() - expected).max() <= 1e-6 * expected[0]


def test_a_spectrum_can_be_cut_short_but_not_lengthened() -> None:
    matrix = random_matrix(9, 5)
    assert torch.equal(spectrum(matrix, 2), spectrum(matrix)[:2])
    for count in (0, 6, -1):
        with pytest.raises(ValueError, match=rf"count must be between 1 and 5 .*got {count}"):
            spectrum(matrix, count)


def test_float32_weights_are_treated_in_float64() -> None:
    matrix = random_matrix(30, 20).float()
    expected = np.linalg.svd(matrix.double().numpy(), compute_uv=False)
    assert spectrum(matrix).dtype == principal(matrix).basis.dtype == torch.float64
    assert np.abs(spectrum(matrix).numpy() - expected).max() <= 1e-7 * expected[0]


@given(st.sampled_from(((5, 7), (31, 3), (32, 9), (33, 40), (100, 60), (3, 40, 17), (2, 2, 64, 5))), st.integers(0, 99))
def test_a_gram_matrix_is_the_matrix_times_its_transpose(shape: tuple[int, ...], seed: int) -> None:
    matrix = torch.randn(*shape, generator=torch.Generator().manual_seed(seed))
    expected = matrix.double() @ matrix.double().mT
    assert gram(matrix).dtype == torch.float64
    assert torch.allclose(gram(matrix), expected, rtol=1e-12, atol=1e-12)
    assert torch.equal(gram(matrix), gram(matrix).mT) or torch.allclose(gram(matrix), gram(matrix).mT, atol=1e-12)


def test_a_stack_of_matrices_is_treated_one_by_one() -> None:
    for shape in ((4, 9, 6), (4, 6, 9), (2, 40, 33)):
        stack = torch.randn(*shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
        together = principal(stack)
        for place, matrix in enumerate(stack):
            alone = principal(matrix)
            assert torch.allclose(together.energies[place], alone.energies)
            assert torch.allclose(together.tail()[place], alone.tail())
            assert torch.allclose(spectrum(stack)[place], spectrum(matrix))
            basis = together.basis[place][:, :3]
            error = (matrix - basis @ (basis.mT @ matrix)).square().sum()
            assert torch.allclose(error, alone.tail()[3])


def test_the_energies_of_its_own_basis_are_the_squared_singular_values() -> None:
    matrix = random_matrix(12, 20)
    subspace = principal(matrix)
    assert torch.allclose(projection_energies(subspace.basis, matrix), torch.linalg.svdvals(matrix) ** 2)


def test_projection_energies_give_the_error_of_a_basis_under_another_metric() -> None:
    matrix, inputs = random_matrix(12, 20), random_matrix(20, 50, seed=3)
    metric = inputs @ inputs.mT
    basis = principal(matrix).basis
    carried = projection_energies(basis, matrix, metric)
    total = float((matrix @ inputs).square().sum())
    for rank in (0, 1, 5, 12):
        part = basis[:, :rank]
        error = float(((matrix - part @ (part.mT @ matrix)) @ inputs).square().sum())
        assert error == pytest.approx(total - float(carried[:rank].sum()), abs=1e-9 * total)


def test_the_hard_threshold_of_a_square_matrix_is_the_published_multiple_of_the_median() -> None:
    values = torch.tensor([9.0, 5.0, 2.0, 1.0, 0.5], dtype=torch.float64)
    assert hard_threshold(values, 50, 50) == pytest.approx(2.858 * 2.0, rel=2e-3)
    assert hard_threshold(values, 50, 100) == hard_threshold(values, 100, 50) < hard_threshold(values, 50, 50)


def test_the_hard_threshold_finds_the_rank_of_a_noisy_matrix() -> None:
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(80, 80, generator=generator, dtype=torch.float64) / 80**0.5
    signal = 20.0 * random_matrix(80, 80, rank=4, seed=1)
    values = spectrum(signal + noise)
    assert int((values > hard_threshold(values, 80, 80)).sum()) == 4


def test_break_even_is_where_two_factors_store_as_much_as_the_matrix() -> None:
    assert break_even(300, 784) * (300 + 784) == pytest.approx(300 * 784)
    assert break_even(100, 100) == 50


@pytest.mark.parametrize("rank", [1, 4, 12])
def test_a_correction_gives_back_all_of_what_rounding_lost_but_the_tail(rank: int) -> None:
    matrix, inputs = random_matrix(12, 20), random_matrix(20, 50, seed=3, decay=0.3)
    lost = matrix - fitted(matrix, 4, clip=True).rounded(matrix)
    left, right = correction(lost, rank, inputs @ inputs.mT)
    assert left.shape == (12, rank) and right.shape == (rank, 20)
    error = float(((lost - left @ right) @ inputs).square().sum())
    tail = float((torch.linalg.svdvals(lost @ inputs)[rank:] ** 2).sum())
    assert error == pytest.approx(tail, abs=1e-12 + 1e-9 * float((lost @ inputs).square().sum()))
    plain_left, plain_right = correction(lost, rank)
    assert error <= float(((lost - plain_left @ plain_right) @ inputs).square().sum()) + 1e-12
    of_root = correction(lost, rank, Root(inputs))
    assert torch.allclose(of_root[0] @ of_root[1], left @ right, atol=1e-8)
    assert correction(lost.float(), rank)[0].dtype == torch.float32


def test_a_correction_of_no_rank_is_refused() -> None:
    for rank in (0, 4):
        with pytest.raises(ValueError, match="between 1 and 3"):
            correction(random_matrix(3, 5), rank)
