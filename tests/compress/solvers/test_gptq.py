"""GPTQ against rounding to nearest, the published form with the inverse Hessian, and all roundings of a small layer."""

from __future__ import annotations

from itertools import product

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from compress.solvers import gptq
from compress.solvers.gptq import Order, factor, output_errors, rounded, rounded_to_all
from compress.solvers.uniform_grid import Grid, Per, fitted
from tests.compress.helpers import random_matrix

ORDERS: tuple[Order, ...] = ("natural", "decreasing")


def moment(columns: int, samples: int = 60, seed: int = 0, dead: int = 0) -> Tensor:
    """(1, columns, columns) of correlated inputs off centre, the first few of them dead."""
    inputs = random_matrix(samples, columns, seed=seed) @ random_matrix(columns, columns, seed=seed + 1) + 0.5
    inputs[:, :dead] = 0.0
    return (inputs.mT @ inputs / samples)[None]


def total(matrix: Tensor, numbers: Tensor, grid: Grid, second: Tensor) -> float:
    return float(output_errors(matrix - grid.values(numbers), second).sum())


@st.composite
def cases(draw: st.DrawFn) -> tuple[Tensor, Tensor, Grid, Order]:
    rows, columns, seed = draw(st.integers(1, 5)), draw(st.integers(1, 40)), draw(st.integers(0, 999))
    matrix = random_matrix(rows, columns, seed=seed)[None]
    per: Per = draw(st.sampled_from(("tensor", "row", "group")))
    grid = fitted(matrix, draw(st.sampled_from((2, 3, 4, 15, 256))), per, 8, draw(st.booleans()), draw(st.booleans()))
    second = moment(columns, draw(st.sampled_from((3, 60))), seed, draw(st.integers(0, columns)))
    return matrix, second, grid, draw(st.sampled_from(ORDERS))


@given(cases())
def test_no_row_has_a_larger_output_error_than_rounding_to_nearest(case: tuple[Tensor, Tensor, Grid, Order]) -> None:
    matrix, second, grid, order = case
    numbers = rounded(matrix, factor(second, order=order), grid)
    assert bool(((numbers >= 0) & (numbers < grid.levels)).all())
    found, nearest = (output_errors(matrix - grid.values(own), second) for own in (numbers, grid.nearest(matrix)))
    assert bool((found <= nearest).all())


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("kind", [torch.float32, torch.float64])
def test_uncorrelated_inputs_give_rounding_to_nearest_bit_for_bit(order: Order, kind: torch.dtype) -> None:
    matrix = random_matrix(7, 50)[None].to(kind)
    second = torch.diag_embed(torch.rand(1, 50, generator=torch.Generator().manual_seed(0), dtype=torch.float64))
    for levels in (2, 5, 16, 255):
        grid = fitted(matrix, levels, symmetric=levels != 16)
        assert torch.equal(rounded(matrix, factor(second, order=order), grid), grid.nearest(matrix))


@pytest.mark.parametrize("order", ORDERS)
def test_numbers_are_those_of_the_published_algorithm(order: Order, monkeypatch: pytest.MonkeyPatch) -> None:
    """Algorithm 1 of Frantar et al. (2023), a column at a time, with the Cholesky factor of the inverse."""
    monkeypatch.setattr(gptq, "_worse", lambda *others: None)
    matrix, second = random_matrix(6, 70)[None], moment(70, 90)
    made = factor(second, 0.02, order)
    places = made.order[0]
    damped = second[0] + 0.02 * second[0].diagonal().mean() * torch.eye(70, dtype=torch.float64)
    inverse = torch.linalg.cholesky(torch.linalg.inv(damped[places][:, places]), upper=True)
    for levels in (3, 16):
        grid = fitted(matrix, levels)
        left, expected = matrix[0].clone()[:, places], torch.zeros(6, 70, dtype=torch.int32)
        for column in range(70):
            own = Grid(levels, grid.step[0], grid.middle[0])
            expected[:, places[column]] = own.nearest(left[:, column:column + 1])[:, 0]
            error = (left[:, column] - own.rounded(left[:, column:column + 1])[:, 0]) / inverse[column, column]
            left[:, column:] -= error[:, None] * inverse[column, column:]
        assert torch.equal(rounded(matrix, made, grid)[0], expected)


@given(cases())
def test_the_factor_is_that_of_the_damped_moment(case: tuple[Tensor, Tensor, Grid, Order]) -> None:
    _, second, _, order = case
    made, size = factor(second, 0.05, order), second.shape[-1]
    upper = made.feedback[0] + torch.eye(size, dtype=torch.float64)
    mean = second[0].diagonal().mean()
    damped = second[0] + 0.05 * torch.where(mean > 0, mean, 1.0) * torch.eye(size, dtype=torch.float64)
    places = made.order[0]
    assert torch.allclose(upper @ torch.diag(made.weights[0]) @ upper.mT, damped[places][:, places], atol=1e-9)
    assert not torch.tril(made.feedback[0]).any()
    if order == "decreasing":
        assert bool((second[0].diagonal()[places].diff() <= 0).all())


def test_error_is_far_below_nearest_and_near_the_best_of_all_roundings() -> None:
    gptq_errors, nearest_errors, best_errors = [], [], []
    for seed in range(20):
        matrix, second = random_matrix(1, 6, seed=seed)[None], moment(6, 30, seed)
        grid = fitted(matrix, 4, clip=True)
        every = torch.tensor(list(product(range(4), repeat=6)))[None]
        best_errors.append(float(output_errors(matrix - grid.values(every), second).min()))
        gptq_errors.append(total(matrix, rounded(matrix, factor(second), grid), grid, second))
        nearest_errors.append(total(matrix, grid.nearest(matrix), grid, second))
        assert best_errors[-1] <= gptq_errors[-1] * (1 + 1e-9)
    assert sum(gptq_errors) < 0.5 * sum(nearest_errors)
    assert sum(best_errors) > 0.2 * sum(gptq_errors)


def test_many_grids_at_once_give_the_same_as_one_at_a_time() -> None:
    matrix, made = random_matrix(5, 90)[None].float(), factor(moment(90))
    grids = [fitted(matrix, levels, per, 16, symmetric) for levels, per, symmetric in
             ((2, "row", True), (256, "tensor", False), (7, "group", True))]
    for grid, choice in zip(grids, rounded_to_all(matrix, made, grids), strict=True):
        alone = rounded_to_all(matrix, made, [grid])[0]
        assert torch.equal(choice.numbers, alone.numbers) and torch.equal(choice.nearest_errors, alone.nearest_errors)
        assert torch.equal(choice.numbers, rounded(matrix, made, grid))


@pytest.mark.parametrize("scale", [1.0, 1e-25, 1e25])
def test_quick_errors_are_right_to_six_digits_at_every_scale(scale: float) -> None:
    matrix = random_matrix(5, 90)[None].float() * scale
    second = moment(90, 400) / scale
    grid = fitted(matrix, 7)
    plain = matrix - grid.rounded(matrix)
    expected = output_errors(plain, second)
    assert float(expected.min()) > 0
    choice = rounded_to_all(matrix, factor(second), [grid])[0]
    assert torch.allclose(choice.nearest_errors, expected, rtol=1e-5, atol=0)
    assert bool((output_errors(matrix - grid.values(choice.numbers), second) <= expected).all())


@pytest.mark.parametrize("block", [1, 7, 1000])
def test_blocks_only_change_the_order_of_sums(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    matrix, made = random_matrix(5, 90)[None], factor(moment(90))
    grid = fitted(matrix, 5)
    expected = rounded(matrix, made, grid)
    monkeypatch.setattr(gptq, "BLOCK", block)
    assert torch.equal(rounded(matrix, made, grid), expected)


@pytest.mark.parametrize("order", ORDERS)
def test_weights_that_stay_zero_make_no_error_whatever_their_level(order: Order) -> None:
    held = torch.rand(1, 4, 20, generator=torch.Generator().manual_seed(0)) < 0.6
    matrix, second = random_matrix(4, 20)[None] * held, moment(20)
    made, grid = factor(second, 0.1, order), fitted(matrix, 4)
    found = rounded(matrix, made, grid, held)
    errors = torch.zeros(4, 20, dtype=torch.float64)  # in the order of rounding
    for place, column in enumerate(made.order[0]):
        target = matrix[0, :, column] + errors @ made.feedback[0, :, place]
        own = Grid(4, grid.step[0], grid.middle[0])
        errors[:, place] = held[0, :, column] * (matrix[0, :, column] - own.rounded(target[:, None])[:, 0])
        worse = found[0, :, column] != own.nearest(target[:, None])[:, 0]
        assert not (worse & (found != grid.nearest(matrix)).any(-1)[0]).any()  # but in rows rounded to nearest
    nearest = output_errors(matrix - held * grid.rounded(matrix), second)
    assert bool((output_errors(matrix - held * grid.values(found), second) <= nearest).all())
    assert float(output_errors(matrix - held * grid.values(found), second).sum()) < 0.8 * float(nearest.sum())
    everything = torch.ones_like(held)
    assert torch.equal(rounded(matrix, made, grid, everything), rounded(matrix, made, grid))


def test_groups_of_a_convolution_are_layers_of_their_own() -> None:
    matrix = torch.stack([random_matrix(4, 12), random_matrix(4, 12, seed=1)])
    second = torch.cat([moment(12, seed=2), moment(12, seed=3)])
    for per in ("row", "tensor"):
        grid = fitted(matrix, 4, per)
        both = rounded(matrix, factor(second), grid)
        for group in range(2):
            own = Grid(4, grid.step[group, None], grid.middle[group, None])
            assert torch.equal(both[group], rounded(matrix[group, None], factor(second[group, None]), own)[0])


def test_permuted_inputs_give_permuted_numbers_and_scaled_ones_the_same() -> None:
    matrix, second = random_matrix(4, 20)[None], moment(20)
    grid = fitted(matrix, 4)
    expected = rounded(matrix, factor(second), grid)
    places = torch.randperm(20, generator=torch.Generator().manual_seed(0))
    assert torch.equal(rounded(matrix[..., places], factor(second[:, places][:, :, places]), grid), expected[..., places])
    for size in (1e-30, 1e30):
        assert torch.equal(rounded(matrix, factor(second * size), grid), expected)
        weights = matrix.float() * size
        assert torch.equal(rounded(weights, factor(second), fitted(weights, 4)), expected)


def test_dead_inputs_do_not_disturb_the_others() -> None:
    matrix, second = random_matrix(4, 20)[None], moment(20, dead=6)
    grid = fitted(matrix, 4)
    alive = rounded(matrix[..., 6:], factor(second[:, 6:, 6:], 0.01), grid)
    found = rounded(matrix, factor(second, 0.01 * 20 / 14), grid)  # the mean of the diagonal counts dead inputs too
    assert torch.equal(found[..., 6:], alive)
    nothing = torch.zeros(1, 20, 20)
    assert torch.equal(rounded(matrix, factor(nothing), grid), grid.nearest(matrix))


def test_what_cannot_be_is_refused() -> None:
    matrix, second = random_matrix(2, 5)[None], moment(5)
    grid = fitted(matrix, 4)
    with pytest.raises(ValueError, match="the second moment of the inputs must be finite"):
        factor(second * torch.nan)
    with pytest.raises(ValueError, match="the weights must be finite"):
        rounded(matrix / 0, factor(second), grid)
    with pytest.raises(ValueError, match=r"damping must be between 0 and 1, but got -0\.1"):
        factor(second, -0.1)
    with pytest.raises(ValueError, match="choose more"):
        factor(moment(5, dead=2), 0.0)
