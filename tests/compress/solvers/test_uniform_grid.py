"""Uniform grids: what is known of their errors, and exactness under scaling, permutation and repetition."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from compress.solvers.uniform_grid import MOST_LEVELS, Grid, Per, fitted, of_step
from tests.compress.helpers import random_matrix

PER: tuple[Per, ...] = ("tensor", "row", "group")
anything = st.tuples(st.integers(2, 40), st.sampled_from(PER), st.booleans(), st.booleans(), st.integers(0, 999))


def squared(matrix: Tensor, grid: Grid) -> float:
    return float((matrix - grid.rounded(matrix)).double().square().sum())


@pytest.mark.parametrize("symmetric", [True, False])
def test_a_bit_more_gains_6_02_decibels_on_a_uniform_source(symmetric: bool) -> None:
    source = torch.rand(1, 200_000, generator=torch.Generator().manual_seed(0), dtype=torch.float64) * 2 - 1
    errors = [squared(source, fitted(source, 2 ** bits, symmetric=symmetric)) for bits in range(3, 9)]
    gains = [10 * math.log10(more / less) for more, less in pairwise(errors)]
    # K levels have K - 1 steps between the ends, so that a bit more halves the step times (K - 1) / (K - 1/2).
    wanted = [20 * math.log10((2 ** (bits + 1) - 1) / (2 ** bits - 1)) for bits in range(3, 8)]
    assert gains == pytest.approx(wanted, abs=0.1) and gains[-1] == pytest.approx(6.02, abs=0.1)


@given(anything)
def test_unclipped_weights_are_within_half_a_step_and_stay_where_they_are_rounded_to(
        case: tuple[int, Per, bool, bool, int]) -> None:
    levels, per, symmetric, clip, seed = case
    matrix = random_matrix(5, 13, seed=seed) + (seed % 3)
    grid = fitted(matrix, levels, per, 4, symmetric, clip)
    numbers = grid.nearest(matrix)
    assert bool(((numbers >= 0) & (numbers < levels)).all())
    assert torch.equal(grid.nearest(grid.values(numbers)), numbers)
    assert torch.equal(grid.rounded(grid.rounded(matrix)), grid.rounded(matrix))
    step, _ = grid.by_column(13)
    if not clip:
        assert bool(((matrix - grid.rounded(matrix)).abs() <= step / 2 * (1 + 1e-9) + 1e-12).all())
    else:
        assert squared(matrix, grid) <= squared(matrix, fitted(matrix, levels, per, 4, symmetric)) * (1 + 1e-9)


@given(anything, st.integers(-90, 90))
def test_scaled_data_have_the_scaled_grid_and_the_same_numbers(case: tuple[int, Per, bool, bool, int],
                                                              exponent: int) -> None:
    levels, per, symmetric, clip, seed = case
    matrix = random_matrix(4, 9, seed=seed).float()
    grid, scaled = (fitted(own, levels, per, 4, symmetric, clip) for own in (matrix, matrix * 2.0 ** exponent))
    assert torch.equal(scaled.step, grid.step * 2.0 ** exponent)
    assert torch.equal(scaled.nearest(matrix * 2.0 ** exponent), grid.nearest(matrix))


@given(anything)
def test_permuted_rows_have_permuted_grids_and_columns_the_same(case: tuple[int, Per, bool, bool, int]) -> None:
    levels, per, symmetric, clip, seed = case
    matrix = random_matrix(6, 8, seed=seed)
    grid = fitted(matrix, levels, per, 4, symmetric, clip)
    rows = torch.tensor([3, 0, 5, 1, 4, 2])
    moved = fitted(matrix[rows], levels, per, 4, symmetric, clip)
    assert torch.allclose(moved.rounded(matrix[rows]), grid.rounded(matrix)[rows], rtol=1e-9, atol=1e-12)
    if per != "group":
        columns = torch.tensor([7, 2, 0, 1, 6, 5, 3, 4])
        moved = fitted(matrix[:, columns], levels, per, 4, symmetric, clip)
        assert torch.allclose(moved.rounded(matrix[:, columns]), grid.rounded(matrix)[:, columns], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("per", PER)
@pytest.mark.parametrize("size", [1e-30, 1.0, 1e30])
@pytest.mark.parametrize("symmetric", [True, False])
@pytest.mark.parametrize("clip", [True, False])
def test_rows_of_any_scale_constant_rows_and_zeros(per: Per, size: float, symmetric: bool, clip: bool) -> None:
    matrix = random_matrix(4, 6).float() * size
    matrix[1], matrix[2] = 0.7 * size, 0.0
    for levels in (2, 3, 256):
        found = fitted(matrix, levels, per, 3, symmetric, clip).rounded(matrix)
        assert bool(found.isfinite().all())
        assert float((found - matrix).abs().max()) <= 2 * float(matrix.abs().max())
        if per != "tensor":
            assert torch.equal(found[2], matrix[2]) or (symmetric and levels % 2 == 0)
            assert torch.allclose(found[1], matrix[1], rtol=1e-6)


def test_an_odd_symmetric_grid_has_zero_among_its_levels_and_mirrored_weights_have_mirrored_values() -> None:
    matrix = random_matrix(3, 20).float()
    matrix[:, :3] = 0.0
    for levels in (3, 15, 255):
        grid = fitted(matrix, levels)
        assert not grid.rounded(matrix)[:, :3].any() and not grid.middle.any()
        assert torch.equal(grid.rounded(-matrix), -grid.rounded(matrix))


def test_two_clipped_levels_are_plus_and_minus_the_mean_magnitude() -> None:
    matrix = random_matrix(5, 40)
    found = fitted(matrix, 2, clip=True).rounded(matrix)
    assert torch.allclose(found, matrix.sign() * matrix.abs().mean(1, keepdim=True))


def test_clipping_finds_the_best_step_of_a_normal_distribution() -> None:
    """The least squared errors of uniform quantizers of N(0,1) (Max 1960, table II)."""
    source = torch.special.ndtri((torch.arange(40_000, dtype=torch.float64) + 0.5) / 40_000)[None]
    for levels, error in ((2, 0.3634), (4, 0.1188), (8, 0.0374), (16, 0.0115)):
        assert squared(source, fitted(source, levels, clip=True)) / 40_000 == pytest.approx(error, rel=0.01)


def test_importance_moves_the_grid_to_what_counts() -> None:
    matrix = random_matrix(4, 30)
    importance = torch.rand(30, generator=torch.Generator().manual_seed(1), dtype=torch.float64) ** 4
    errors = [float((importance * (matrix - grid.rounded(matrix)).square()).sum()) for grid in
              (fitted(matrix, 5, clip=True, importance=importance), fitted(matrix, 5, clip=True))]
    assert errors[0] < errors[1]
    alone = torch.zeros(30, dtype=torch.float64)
    alone[4] = 1.0
    grid = fitted(matrix, 3, clip=True, importance=alone)
    assert float((grid.rounded(matrix) - matrix)[:, 4].abs().max()) < 0.05 * float(matrix[:, 4].abs().max())


def test_groups_cover_all_columns_also_where_they_do_not_divide_them() -> None:
    matrix = random_matrix(3, 10)
    grid = fitted(matrix, 4, "group", 4)
    assert grid.step.shape == (3, 3)
    for group, columns in enumerate((slice(0, 4), slice(4, 8), slice(8, 10))):
        own = matrix[:, columns]
        assert torch.equal(grid.rounded(matrix)[:, columns], fitted(own, 4).rounded(own)), group
    assert torch.equal(fitted(matrix, 4, "group", 99).rounded(matrix), fitted(matrix, 4).rounded(matrix))


def test_one_weight_is_exact_and_leading_axes_are_separate_matrices() -> None:
    assert fitted(torch.tensor([[0.3]]), 2).rounded(torch.tensor([[0.3]])).item() == pytest.approx(0.3)
    matrix = torch.stack([random_matrix(3, 7), random_matrix(3, 7, seed=1)])
    for per in PER:
        both = fitted(matrix, 5, per, 3, clip=True).rounded(matrix)
        assert torch.equal(both[1], fitted(matrix[1], 5, per, 3, clip=True).rounded(matrix[1]))


def test_what_cannot_be_is_refused() -> None:
    matrix = random_matrix(2, 3)
    for levels in (1, MOST_LEVELS + 1):
        with pytest.raises(ValueError, match="levels must be between 2 and 65,536"):
            fitted(matrix, levels)
    with pytest.raises(ValueError, match="the weights must be finite"):
        fitted(matrix * torch.nan, 4)
    with pytest.raises(ValueError, match="at least 1 column"):
        fitted(matrix, 4, "group", 0)
    with pytest.raises(ValueError, match="step and middle"):
        Grid(4, torch.ones(2, 1), torch.zeros(1, 1))


@pytest.mark.parametrize("size", [1e-30, 1.0, 1e30])
def test_a_grid_of_a_given_step_has_zero_and_reaches_all_weights(size: float) -> None:
    matrix = random_matrix(4, 50).float() * size
    matrix[2] = 0.0
    for ratio in (0.01, 1.0, 3.0, 100.0):
        grid = of_step(matrix, ratio)
        assert grid.levels % 2 == 1 and grid.step.shape == (1, 1)
        assert float(grid.step) == pytest.approx(ratio * float((matrix / size).square().mean().sqrt()) * size)
        assert not grid.rounded(matrix)[2].any()
        assert bool(((matrix - grid.rounded(matrix)).abs() <= grid.step / 2 * (1 + 1e-6)).all())
        ends = grid.nearest(matrix)
        assert grid.levels == 3 or int(ends.min()) == 0 or int(ends.max()) == grid.levels - 1
    assert not of_step(torch.zeros(2, 3), 1.0).rounded(torch.zeros(2, 3)).any()
    for ratio in (0.0, -1.0, 1e-9, float("nan")):
        with pytest.raises(ValueError, match="above 0 and need at most 65,536"):
            of_step(matrix, ratio)
