"""Levels beside a low rank of what they lack: equal to the sum of both, also from a file; open to later methods."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest
import torch
from torch import nn

from compress.layers.base import layer_plain, layer_rebuild, macs, weight_of
from compress.layers.matrix_view import matrix_of
from compress.layers.opening import opened, outer_path, parts_of
from compress.layers.rounded.corrected import Corrected, correction_of
from compress.layers.rounded.quantized import Quantized
from compress.networks.families import MLP, Architecture, build
from compress.solvers.svd import correction
from compress.solvers.uniform_grid import fitted
from tests.compress.helpers import identical, state
from tests.compress.layers.test_sparse import CONVOLUTIONS, LINEAR, answers, examples, reloaded, thin

LAYERS = [*LINEAR[:5], *CONVOLUTIONS]


def corrected(layer: nn.Module, rank: int = 2) -> Corrected:
    matrix = matrix_of(layer)
    flat = matrix.flatten(0, 1)
    grid = fitted(flat, 3, "tensor")
    main = Quantized.of(layer, grid.nearest(flat), grid)
    lost = matrix - main.weight.detach().view(matrix.shape)
    return Corrected(main, correction_of(layer, *correction(lost, min(rank, *matrix.shape[-2:]))))


@pytest.mark.parametrize("layer", LAYERS, ids=str)
def test_it_computes_the_sum_of_both_layers_and_a_file_gives_it_back(layer: nn.Module, tmp_path: Path) -> None:
    dense = thin(layer, 1.0)
    made = corrected(dense)
    batch = examples(layer)
    assert torch.allclose(answers(made, batch), answers(made.merged(), batch), atol=1e-5)
    assert torch.allclose(answers(opened(nn.Sequential(made)), batch), answers(made, batch), atol=1e-5)
    assert (weight_of(dense) - weight_of(made)).norm() < (weight_of(dense) - weight_of(made.main)).norm()
    assert torch.allclose(made.merged().weight, weight_of(made))
    again = reloaded(made, tmp_path / "net")
    assert torch.equal(answers(again, batch), answers(made, batch)) and identical(state(made), state(again))
    assert layer_plain(again) == layer_plain(made)


def test_at_full_rank_nothing_is_lost() -> None:
    dense = thin(nn.Linear(7, 5), 1.0)
    assert torch.allclose(corrected(dense, 5).merged().weight, dense.weight, atol=1e-6)


def test_its_three_parts_are_open_and_belong_to_one_layer() -> None:
    network = build(Architecture(MLP((8,)), (1, 5, 5), 4)).eval()
    network[1] = corrected(network[1])
    found = opened(network)
    assert list(parts_of(found, "test")) == ["1.main", "1.correction.0", "1.correction.1", "3"]
    assert {outer_path(found, path) for path in parts_of(found, "test")} == {"1", "3"}
    assert opened(found) is found
    assert macs(network, torch.zeros(1, 1, 5, 5)) == 25 * 8 + 2 * (25 + 8) + 8 * 4


def test_gradients_reach_the_levels_and_both_factors() -> None:
    made = corrected(thin(nn.Linear(7, 5), 1.0)).train()
    made(torch.randn(3, 7, generator=torch.Generator().manual_seed(0))).square().sum().backward()
    assert all(bool(own.grad.any()) for own in made.parameters())


def test_layers_that_do_not_fit_are_refused() -> None:
    made = corrected(thin(nn.Linear(7, 5), 1.0))
    plain = layer_plain(made)
    for name, other in (("correction", nn.Linear(7, 5)), ("correction", nn.Linear(6, 5, bias=False)),
                        ("main", nn.Linear(7, 4))):
        wrong = copy.deepcopy(plain)
        wrong[name] = layer_plain(other)
        with pytest.raises(ValueError, match="must have the sizes of the layer that it corrects, and no bias"):
            layer_rebuild(wrong)
