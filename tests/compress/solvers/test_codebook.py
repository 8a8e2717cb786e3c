"""Codebooks against all partitions, the theory of a normal source, and exactness where values suffice."""

from __future__ import annotations

from itertools import combinations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from compress.solvers.codebook import BINS, MOST_VALUES, Codebook, Start, binary, kmeans, ternary
from compress.solvers.gptq import factor, output_errors, rounded
from compress.solvers.uniform_grid import Grid, Per, fitted
from tests.compress.helpers import random_matrix

STARTS: tuple[Start, ...] = ("optimal", "linear", "density", "random")
PER: tuple[Per, ...] = ("tensor", "row", "group")


def numbers(count: int, seed: int = 0) -> Tensor:
    return torch.randn(count, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def error(weights: Tensor, book: Codebook | Grid, importance: Tensor | float = 1.0) -> float:
    return float((importance * (weights - book.rounded(weights)).square()).sum())


def best_of_all(weights: Tensor, count: int, importance: Tensor) -> float:
    """The least error of all divisions of the sorted weights into intervals."""
    order = weights.argsort()
    values, counts, size = weights[order], importance[order], len(weights)
    best = float("inf")
    for inner in combinations(range(1, size), count - 1):
        total = 0.0
        for low, high in zip((0, *inner), (*inner, size), strict=True):
            part, own = values[low:high], counts[low:high]
            mean = (own * part).sum() / own.sum() if bool(own.any()) else 0.0
            total += float((own * (part - mean).square()).sum())
        best = min(best, total)
    return best


@given(st.integers(1, 9), st.integers(1, 5), st.integers(0, 999), st.booleans())
def test_the_optimal_start_has_the_least_error_of_all_partitions(size: int, count: int, seed: int, weighted: bool) -> None:
    weights = numbers(size, seed)
    importance = numbers(size, seed + 1).abs() if weighted else torch.ones(size, dtype=torch.float64)
    found = error(weights, kmeans(weights, count, importance=importance), importance)
    assert found == pytest.approx(best_of_all(weights, min(count, size), importance), abs=1e-12)


@pytest.mark.parametrize("start", STARTS)
def test_as_many_values_as_distinct_weights_are_exact(start: Start) -> None:
    weights = (numbers(500) * 4).round().float() / 7
    distinct = len(weights.unique())
    for count in (distinct, distinct + 1, 256):
        assert torch.equal(kmeans(weights, count, start).rounded(weights), weights)
    assert error(weights, kmeans(weights, distinct - 1, start)) > 0.0


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize(("bits", "lowest"), [(1, 0.3634), (2, 0.1175), (3, 0.03454)])
def test_a_normal_source_has_the_errors_of_lloyd_and_max(start: Start, bits: int, lowest: float) -> None:
    source = torch.special.ndtri((torch.arange(40_000, dtype=torch.float64) + 0.5) / 40_000)
    book = kmeans(source, 2 ** bits, start)
    assert error(source, book) / 40_000 == pytest.approx(lowest, rel=5e-3)
    if bits == 1:
        assert book.table.tolist() == pytest.approx([-0.7979, 0.7979], abs=1e-3)


@given(st.integers(1, 60), st.integers(1, 8), st.sampled_from(STARTS), st.integers(0, 999))
def test_means_are_a_fixed_point_values_rise_and_rounding_again_changes_nothing(size: int, count: int, start: Start,
                                                                               seed: int) -> None:
    weights = numbers(size, seed)
    book = kmeans(weights, count, start)
    found = book.nearest(weights)
    assert bool((book.table.diff() > 0).all()) and len(book.table) == min(size, count)
    for place, value in enumerate(book.table):
        assert float(weights[found == place].mean()) == pytest.approx(float(value), abs=1e-9)
    assert torch.equal(book.nearest(book.values(found)), found)
    distances = (weights[:, None] - book.table).abs()
    assert torch.allclose((weights - book.values(found)).abs(), distances.min(1).values)
    assert error(weights, kmeans(weights, count)) <= error(weights, book) + 1e-12


@pytest.mark.parametrize("start", ["optimal", "linear", "density"])
def test_order_of_the_weights_does_not_matter_and_scaled_weights_have_scaled_values(start: Start) -> None:
    weights = numbers(3000).float()
    book = kmeans(weights, 6, start)
    assert torch.equal(kmeans(weights.flip(0), 6, start).table, book.table)
    for exponent in (-90, 90):
        assert torch.equal(kmeans(weights * 2.0 ** exponent, 6, start).table, book.table * 2.0 ** exponent)
    assert torch.allclose(kmeans(weights + 1000, 6, start).table, book.table + 1000, atol=2e-3)


@pytest.mark.parametrize("size", [1e-30, 1e30])
def test_odd_scales_constant_weights_and_zeros(size: float) -> None:
    weights = numbers(50).float() * size
    assert error((weights / size).double(), Codebook(kmeans(weights, 16).table.double() / size)) < 0.5
    for constant in (torch.full((3, 4), 0.7), torch.zeros(3, 4)):
        assert torch.equal(kmeans(constant * size, 4).rounded(constant * size), constant * size)
    for grid in (ternary(weights[None]), binary(weights[None])):
        assert bool(grid.rounded(weights[None]).isfinite().all())


def test_more_distinct_weights_than_bins_are_near_the_best() -> None:
    weights = torch.cat([numbers(3 * BINS), numbers(50, 1) * 20])
    for count in (3, 16):
        others = min(error(weights, kmeans(weights, count, start, seed=seed))
                     for start, seed in (("linear", 0), ("density", 0), ("random", 0), ("random", 1)))
        assert error(weights, kmeans(weights, count)) <= others * 1.001


def test_importance_decides_where_values_are() -> None:
    weights, importance = numbers(200), torch.zeros(200, dtype=torch.float64)
    importance[:4] = 1.0
    assert error(weights, kmeans(weights, 4, importance=importance), importance) < 1e-20
    nothing = kmeans(weights, 4, importance=torch.zeros(200))
    assert torch.equal(nothing.table, kmeans(weights, 4).table)


@given(st.integers(1, 9), st.integers(0, 999), st.booleans())
def test_ternary_is_the_best_of_all_thresholds_and_binary_the_mean_magnitude(size: int, seed: int, weighted: bool) -> None:
    matrix = numbers(size, seed)[None]
    importance = numbers(size, seed + 1).abs() + 0.01 if weighted else torch.ones(size, dtype=torch.float64)
    best = float("inf")
    for mask in range(1, 2 ** size):
        chosen = torch.tensor([mask >> place & 1 for place in range(size)], dtype=torch.float64)
        scale = (importance * chosen * matrix.abs()).sum() / (importance * chosen).sum()
        best = min(best, float((importance * (matrix - scale * chosen * matrix.sign()).square()).sum()))
    for per in ("tensor", "row"):
        assert error(matrix, ternary(matrix, per, importance=importance), importance) == pytest.approx(best, abs=1e-12)
    scale = (importance * matrix.abs()).sum() / importance.sum()
    expected = float((importance * (matrix.abs() - scale).square()).sum())
    assert error(matrix, binary(matrix, importance=importance), importance) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("per", PER)
def test_the_clipping_search_of_grids_finds_nothing_better_than_the_exact_scales(per: Per) -> None:
    matrix = random_matrix(6, 40)
    for levels, exact in ((3, ternary), (2, binary)):
        searched = error(matrix, fitted(matrix, levels, per, 16, clip=True))
        assert error(matrix, exact(matrix, per, 16)) <= searched * (1 + 1e-9)
        assert searched <= 1.02 * error(matrix, exact(matrix, per, 16))


def test_gptq_rounds_to_the_values_of_a_codebook() -> None:
    matrix = random_matrix(8, 60)[None]
    inputs = random_matrix(200, 60, seed=1) @ random_matrix(60, 60, seed=2)
    second = (inputs.mT @ inputs)[None]
    book = kmeans(matrix, 5)
    found = rounded(matrix, factor(second), book)
    errors = [float(output_errors(matrix - book.values(own), second).sum()) for own in (found, book.nearest(matrix))]
    assert errors[0] < 0.7 * errors[1]
    diagonal = factor(torch.diag_embed(second.diagonal(dim1=-2, dim2=-1)))
    assert torch.equal(rounded(matrix, diagonal, book), book.nearest(matrix))
    grid = fitted(matrix, 7, "tensor")
    same = Codebook(grid.values(torch.arange(7)[None, None])[0, 0])
    assert torch.equal(rounded(matrix, factor(second), same), rounded(matrix, factor(second), grid))


def test_what_cannot_be_is_refused() -> None:
    for count in (0, MOST_VALUES + 1):
        with pytest.raises(ValueError, match="between 1 and 65,536"):
            kmeans(numbers(5), count)
    with pytest.raises(ValueError, match="there are no weights"):
        kmeans(torch.zeros(0, 4), 3)
    for refuse in (kmeans, ternary, binary):
        with pytest.raises(ValueError, match="the weights must be finite"):
            refuse(torch.full((1, 2), torch.nan), 3) if refuse is kmeans else refuse(torch.full((1, 2), torch.nan))
