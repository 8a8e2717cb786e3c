"""The optimal brain surgeon against plain least squares: what removals cost, and the best weights that are left."""

from __future__ import annotations

from itertools import combinations
from math import sqrt

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from compress.pruning.ranking import Ranking
from compress.solvers import brain_surgeon
from compress.solvers.brain_surgeon import (
    DAMPING,
    column_losses,
    damped,
    inverse_of,
    refitted,
    refitted_columns,
    removal_losses,
)
from tests.compress.helpers import random_matrix

Layer = tuple[Tensor, Tensor]


@st.composite
def layers(draw: st.DrawFn, most: int = 20) -> Layer:
    """W (rows, columns) and inputs X (samples, columns), float64: correlated, off centre, some dead, often too few."""
    rows, columns, samples = draw(st.integers(1, 9)), draw(st.integers(2, most)), draw(st.integers(1, 40))
    seed = draw(st.integers(0, 9999))
    weights = random_matrix(rows, columns, seed=seed)
    inputs = random_matrix(samples, columns, seed=seed + 1) * 3 + draw(st.sampled_from((0.0, 2.0)))
    inputs[:, :draw(st.integers(0, columns - 1))] = 0.0
    return weights, inputs


@st.composite
def masked_layers(draw: st.DrawFn) -> tuple[Layer, Tensor]:
    """With a mask of any density; every third row has nothing left, every fifth all."""
    layer = draw(layers())
    generator = torch.Generator().manual_seed(draw(st.integers(0, 9999)))
    mask = torch.rand(layer[0].shape, generator=generator) < draw(st.sampled_from((0.02, 0.2, 0.4, 0.6, 0.8, 0.98)))
    mask[2::3], mask[4::5] = False, True
    return layer, mask


def moment_of(inputs: Tensor) -> Tensor:
    return inputs.mT @ inputs / len(inputs)


def design(inputs: Tensor) -> Tensor:
    """Inputs whose plain least squares are the damped ones: below them sqrt(lambda) I, lambda a share of the mean square."""
    ridge = sqrt(DAMPING * float(inputs.square().mean()))
    return torch.cat([inputs / sqrt(len(inputs)), ridge * torch.eye(inputs.shape[1], dtype=torch.float64)])


def fitted(weights: Tensor, mask: Tensor, inputs: Tensor) -> Tensor:
    """Row by row, by a solver of least squares that knows nothing of moments."""
    rows, result = design(inputs), torch.zeros_like(weights)
    for place, (row, kept) in enumerate(zip(weights, mask, strict=True)):
        if kept.any():
            result[place, kept] = torch.linalg.lstsq(rows[:, kept], (rows @ row)[:, None]).solution[:, 0]
    return result


def cost(weights: Tensor, others: Tensor, inputs: Tensor) -> Tensor:
    """(rows,): half the squared error of the outputs, with damping."""
    return ((weights - others) @ design(inputs).mT).square().sum(1) / 2


def close(found: Tensor, expected: Tensor, tolerance: float = 1e-8) -> bool:
    return found.shape == expected.shape and bool(
        ((found - expected).abs() <= tolerance * expected.abs().max().clamp_min(1e-3)).all())


@given(layers())
def test_damping_adds_a_share_of_the_mean_square(layer: Layer) -> None:
    rows = design(layer[1])
    assert close(damped(moment_of(layer[1])), rows.mT @ rows)
    assert close(inverse_of(moment_of(layer[1])) @ rows.mT @ rows, torch.eye(rows.shape[1], dtype=torch.float64))


@given(layers())
def test_a_weights_loss_is_half_the_squared_error_after_a_refit_without_it(layer: Layer) -> None:
    weights, inputs = layer
    losses = removal_losses(weights, inverse_of(moment_of(inputs)))
    for column in range(weights.shape[1]):
        mask = torch.ones_like(weights, dtype=torch.bool).index_fill_(1, torch.tensor([column]), False)
        assert close(losses[:, column], cost(weights, fitted(weights, mask, inputs), inputs))


@given(masked_layers())
def test_the_refit_is_the_least_squares_fit_of_every_row(case: tuple[Layer, Tensor]) -> None:
    (weights, inputs), mask = case
    found = refitted(weights, mask, moment_of(inputs))
    assert close(found, fitted(weights, mask, inputs))
    assert not found[~mask].any()


@given(masked_layers())
def test_no_output_is_further_off_than_without_a_refit(case: tuple[Layer, Tensor]) -> None:
    (weights, inputs), mask = case
    errors = [((weights - others) @ inputs.mT).square().sum(1)
              for others in (refitted(weights, mask, moment_of(inputs)), weights * mask)]
    assert bool((errors[0] <= errors[1] + 1e-9).all())


@given(masked_layers())
def test_a_whole_layer_stays_bit_for_bit_and_so_does_a_whole_row_of_another(case: tuple[Layer, Tensor]) -> None:
    (weights, inputs), mask = case
    weights, second = weights.float(), moment_of(inputs)
    whole = refitted(weights, torch.ones_like(mask), second)
    assert torch.equal(whole, weights) and whole.data_ptr() != weights.data_ptr()
    assert torch.equal(refitted(weights, mask, second)[mask.all(1)], weights[mask.all(1)])


@pytest.mark.parametrize("density", [0.0, 0.3, 0.7])
def test_weights_come_back_in_their_own_type(density: float) -> None:
    weights, inputs = random_matrix(6, 9), random_matrix(30, 9)
    mask = torch.rand(6, 9, generator=torch.Generator().manual_seed(0)) < density
    found = refitted(weights.float(), mask, moment_of(inputs).float())
    assert found.dtype == torch.float32 and close(found.double(), fitted(weights, mask, inputs), 1e-5)
    columns = refitted_columns(weights.float(), torch.tensor([1, 4]), moment_of(inputs))
    assert columns.dtype == torch.float32 and columns.shape == (6, 2)


@pytest.mark.parametrize("density", [0.1, 0.4, 0.6, 0.9])
def test_uncorrelated_inputs_leave_the_weights_that_stay_as_they_are(density: float) -> None:
    weights = random_matrix(12, 16)
    mask = torch.rand(12, 16, generator=torch.Generator().manual_seed(0)) < density
    second = torch.diag(torch.logspace(-3, 2, 16, dtype=torch.float64))
    assert float((refitted(weights, mask, second) - weights * mask).abs().max()) < 1e-6


@given(masked_layers())
def test_weights_removed_one_at_a_time_leave_the_same_as_all_at_once(case: tuple[Layer, Tensor]) -> None:
    """Hassibi & Stork's update, and the inverse without each weight that went."""
    (weights, inputs), mask = case
    stepwise = weights.clone()
    for row, kept in zip(stepwise, mask, strict=True):
        inverse = inverse_of(moment_of(inputs))
        for place in torch.nonzero(~kept).flatten().tolist():
            row -= row[place] / inverse[place, place] * inverse[place]
            inverse -= torch.outer(inverse[:, place], inverse[place]) / inverse[place, place]
            inverse[place, place] = 1.0
    assert close(stepwise * mask, refitted(weights, mask, moment_of(inputs)))


@given(layers(), st.integers(1, 99))
def test_whole_columns_are_refitted_as_with_a_mask(layer: Layer, seed: int) -> None:
    weights, inputs = layer
    columns = torch.randperm(weights.shape[1], generator=torch.Generator().manual_seed(seed))
    kept = columns[:1 + seed % len(columns)]  # in any order: results stand in the order asked for
    mask = torch.zeros_like(weights, dtype=torch.bool).index_fill_(1, kept, True)
    assert close(refitted_columns(weights, kept, moment_of(inputs)), fitted(weights, mask, inputs)[:, kept])


@given(layers())
def test_one_columns_loss_is_the_sum_of_its_weights_losses(layer: Layer) -> None:
    weights, inputs = layer
    inverse = inverse_of(moment_of(inputs))
    found = column_losses(weights, torch.arange(weights.shape[1])[:, None], inverse)
    assert close(found, removal_losses(weights, inverse).sum(0))


@given(layers(), st.integers(1, 5), st.integers(0, 99))
def test_a_units_loss_is_that_of_a_refit_without_its_columns(layer: Layer, size: int, seed: int) -> None:
    weights, inputs = layer
    size = min(size, weights.shape[1])
    units = torch.randperm(weights.shape[1], generator=torch.Generator().manual_seed(seed))
    units = units[:len(units) // size * size].view(-1, size)
    losses = column_losses(weights, units, inverse_of(moment_of(inputs)))
    for unit, loss in zip(units, losses, strict=True):
        mask = torch.ones_like(weights, dtype=torch.bool).index_fill_(1, unit, False)
        assert close(loss, cost(weights, fitted(weights, mask, inputs), inputs).sum())


def criteria(weights: Tensor, second: Tensor) -> dict[str, Tensor]:
    return {"magnitude": weights.abs(), "wanda": weights.abs() * second.diagonal().sqrt(),
            "second_order": removal_losses(weights, inverse_of(second)),
            "random": torch.rand(weights.shape, generator=torch.Generator().manual_seed(0))}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("kept", [1, 3, 5, 7])
def test_no_criterion_beats_the_best_of_all_masks_and_for_one_weight_second_order_finds_it(kept: int, seed: int) -> None:
    weights, inputs = random_matrix(1, 8, seed=seed), random_matrix(20, 8, seed=seed + 50) + 0.1
    best = float("inf")
    for places in combinations(range(8), kept):
        mask = torch.zeros(1, 8, dtype=torch.bool).index_fill_(1, torch.tensor(places), True)
        best = min(best, float(cost(weights, fitted(weights, mask, inputs), inputs)))
    second = moment_of(inputs)
    found = {name: float(cost(weights, refitted(weights, Ranking.of({"1": scores}, "row").of_layer("1", kept), second),
                              inputs)) for name, scores in criteria(weights, second).items()}
    assert all(error >= best * (1 - 1e-9) for error in found.values())
    assert kept < 7 or found["second_order"] <= best * (1 + 1e-9)


@pytest.mark.parametrize("density", [0.3, 0.7])
def test_few_rows_at_a_time_give_the_same(density: float, monkeypatch: pytest.MonkeyPatch) -> None:
    weights, inputs = random_matrix(40, 12), random_matrix(50, 12)
    mask = torch.rand(40, 12, generator=torch.Generator().manual_seed(0)) < density
    expected, solve, numbers = refitted(weights, mask, moment_of(inputs)), brain_surgeon._solved, []

    def watched(systems: Tensor, wanted: Tensor) -> Tensor:
        numbers.append(systems.numel() if len(systems) > 1 else 0)
        return solve(systems, wanted)

    monkeypatch.setattr(brain_surgeon, "_solved", watched)
    for most in (1, 60, 200):
        monkeypatch.setattr(brain_surgeon, "MOST_NUMBERS", most)
        numbers.clear()
        assert close(refitted(weights, mask, moment_of(inputs)), expected, 1e-12)
        assert len(numbers) > 3 and max(numbers) <= most and (most < 60 or max(numbers) > most // 3)


def test_a_layer_that_never_saw_anything_but_zeros_keeps_what_the_mask_leaves() -> None:
    weights, mask = random_matrix(4, 6), torch.ones(4, 6, dtype=torch.bool)
    mask[0, 0] = mask[1, :5] = False
    assert close(refitted(weights, mask, torch.zeros(6, 6)), weights * mask, 1e-12)
