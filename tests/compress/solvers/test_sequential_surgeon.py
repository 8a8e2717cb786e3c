"""The sequential brain surgeon against a plain loop that inverts anew at every step."""

from __future__ import annotations

from unittest.mock import patch

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from compress.pruning.ranking import Ranking
from compress.solvers import sequential_surgeon
from compress.solvers.brain_surgeon import damped, inverse_of, refitted, removal_losses
from compress.solvers.sequential_surgeon import Removal, removal
from tests.compress.helpers import random_matrix


def layer(rows: int, columns: int, seed: int) -> tuple[Tensor, Tensor]:
    """W, and the second moment of correlated inputs."""
    inputs = random_matrix(3 * columns, columns, seed=seed) @ random_matrix(columns, columns, seed=seed + 1)
    return random_matrix(rows, columns, seed=seed + 2), inputs.mT @ inputs / len(inputs)


def loss(row: Tensor, kept: list[int], moment: Tensor) -> Tensor:
    """Half the least squared error of the outputs with these weights left."""
    if not kept:
        return row @ moment @ row / 2
    best = torch.linalg.solve(moment[kept][:, kept], moment[kept] @ row)
    gap = row.clone()
    gap[kept] -= best
    return gap @ moment @ gap / 2


def plain(row: Tensor, moment: Tensor, group: int = 1) -> tuple[list[int], list[float]]:
    """Columns in the order of removal, and what each step costs, by trying every removal with a new least squares."""
    left, order, costs = list(range(len(row))), [], []
    taken = [0] * len(row)
    while left:
        fewest = min(taken[place // group] for place in left) if group > 1 else 0
        open_ = [place for place in left if group == 1 or taken[place // group] == fewest]
        now = loss(row, left, moment)
        tried = [float(loss(row, [other for other in left if other != place], moment) - now) for place in open_]
        chosen = open_[min(range(len(open_)), key=tried.__getitem__)]
        order.append(chosen)
        costs.append(min(tried))
        left.remove(chosen)
        taken[chosen // group] += 1
    return order, costs


@pytest.mark.parametrize("block", [2, 5, 32])
@pytest.mark.parametrize("group", [1, 4])
@pytest.mark.parametrize("seed", range(3))
def test_every_step_removes_the_weight_that_a_new_least_squares_misses_least(seed: int, group: int, block: int) -> None:
    weights, second = layer(3, 11, seed)
    moment = damped(second)
    with patch.object(sequential_surgeon, "BLOCK", block), patch.object(sequential_surgeon, "MOST_NUMBERS", 2 * 11 ** 2):
        found = removal(weights, inverse_of(second), group)
    for row, steps, losses in zip(weights, found.steps, found.losses, strict=True):
        order, costs = plain(row, moment, group)
        assert steps.argsort().tolist() == order
        assert losses[order].tolist() == pytest.approx(costs, rel=1e-7, abs=1e-10)


@given(st.integers(1, 5), st.integers(1, 9), st.integers(0, 999))
def test_the_order_of_all_rows_takes_the_cheapest_next_step(rows: int, columns: int, seed: int) -> None:
    weights, second = layer(rows, columns, seed)
    found = removal(weights, inverse_of(second))
    orders = found.steps.argsort(1)
    done, order = [0] * rows, []
    for _ in range(rows * columns):
        ready = [row for row in range(rows) if done[row] < columns]
        row = min(ready, key=lambda one: float(found.losses[one, orders[one, done[one]]]))
        order.append(row * columns + int(orders[row, done[row]]))
        done[row] += 1
    assert found.of_all_rows().flatten().argsort().tolist() == order


def test_losses_that_fall_leave_the_order_within_a_row() -> None:
    steps, losses = torch.tensor([[0, 1, 2], [2, 1, 0]]), torch.tensor([[5.0, 1.0, 9.0], [7.0, 3.0, 2.0]])
    assert Removal(steps, losses).of_all_rows().tolist() == [[2, 3, 5], [4, 1, 0]]


@given(st.integers(1, 4), st.integers(2, 12), st.integers(0, 999))
def test_weights_that_are_zero_go_first_and_cost_nothing(rows: int, columns: int, seed: int) -> None:
    weights, second = layer(rows, columns, seed)
    weights[:, ::2] = 0.0
    found = removal(weights, inverse_of(second))
    assert bool((found.steps[:, ::2] < -(-columns // 2)).all()) and float(found.losses[:, ::2].abs().max()) == 0.0


@pytest.mark.parametrize("seed", range(4))
def test_renewed_scores_leave_less_error_than_scores_of_one_shot(seed: int) -> None:
    weights, second = layer(6, 24, seed)
    moment, inverse = damped(second), inverse_of(second)
    rankings = {"surgeon": Ranking({"1": removal(weights, inverse).of_all_rows()}, "layer"),
                "once": Ranking.of({"1": removal_losses(weights, inverse)}, "layer")}
    for kept in (72, 30):
        errors = {}
        for name, ranking in rankings.items():
            gap = refitted(weights, ranking.of_layer("1", kept), second) - weights
            errors[name] = float(((gap @ moment) * gap).sum())
        assert errors["surgeon"] < errors["once"]


def test_numbers_that_are_not_finite_are_refused() -> None:
    with pytest.raises(ValueError, match="Brain surgeon: the weights"):
        removal(torch.tensor([[1.0, torch.nan]]), torch.eye(2, dtype=torch.float64))
