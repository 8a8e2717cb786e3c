"""Matrices of few values: which values weights have, and how often."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from compress.layers.rounded.levels import Levels
from compress.solvers.codebook import kmeans
from compress.solvers.uniform_grid import Grid, fitted

MATRIX = torch.randn(12, 10, generator=torch.Generator().manual_seed(0))
HELD = torch.rand(12, 10, generator=torch.Generator().manual_seed(1)) < 0.5


def on_a_grid(per: str, held: Tensor | None = None, symmetric: bool = True) -> Levels:
    grid = fitted(MATRIX, 4, per, 4, symmetric)
    return Levels.of(grid.nearest(MATRIX), grid, held)


@pytest.mark.parametrize("levels", [
    on_a_grid("tensor"), on_a_grid("row"), on_a_grid("group"), on_a_grid("group", symmetric=False),
    on_a_grid("tensor", HELD), on_a_grid("group", HELD),
    Levels.of(kmeans(MATRIX, 5).nearest(MATRIX), kmeans(MATRIX, 5), HELD),
    Levels.of(torch.arange(120).view(12, 10) % 3, torch.randn(4, 3, generator=torch.Generator().manual_seed(2)))])
def test_used_values_are_counted_as_the_matrix_has_them(levels: Levels) -> None:
    values, counts = levels.used()
    expected, often = levels.matrix().detach().unique(return_counts=True)
    assert torch.equal(values, expected) and torch.equal(counts, often)


def test_numbers_have_the_order_in_memory_of_those_from_a_file() -> None:
    grid = fitted(MATRIX, 4, "tensor")
    assert Levels.of(grid.nearest(MATRIX).mT, Grid(4, grid.step, grid.middle)).places().is_contiguous()
