"""Layers stored as a dictionary and codes, and the bits that these are packed in."""

from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from compress.files import network_file
from compress.layers.base import macs, with_layers
from compress.layers.bit_packing import bits_for, bytes_for, packed, unpacked
from compress.layers.blocks import Blocks
from compress.layers.coded import STORAGES, Coded, stored_bytes
from compress.networks.families import CNN, MLP, Architecture, build

LAYERS = {"linear": nn.Linear(20, 12), "no bias": nn.Linear(7, 10, bias=False),
          "image": nn.Conv2d(3, 8, 3, padding=1, stride=2), "groups": nn.Conv2d(4, 6, 3, groups=2),
          "sequence": nn.Conv1d(2, 5, 3, dilation=2)}
BATCHES = {"linear": (9, 20), "no bias": (2, 3, 7), "image": (2, 3, 9, 9), "groups": (2, 4, 6, 6), "sequence": (2, 2, 11)}


def coded(layer: nn.Module, height: int = 4, atoms: int = 6, nonzeros: int = 2, storage: str = "float32") -> Coded:
    """The layer with random codes for a random dictionary."""
    generator = torch.Generator().manual_seed(0)
    blocks = Blocks(layer.weight.shape[0], layer.weight[0].numel(), height)
    chosen = torch.stack([torch.randperm(atoms, generator=generator)[:nonzeros] for _ in range(blocks.count)])
    values = torch.randn(blocks.count, nonzeros, generator=generator)
    chosen[0, -1], values[0, -1] = -1, 0.0
    return Coded.of(layer.eval(), height, torch.randn(atoms, height, generator=generator), chosen, values, storage)


@given(st.lists(st.integers(0, 1000), max_size=50))
def test_numbers_come_back_from_as_few_bits_as_they_need(numbers: list[int]) -> None:
    bits = bits_for(max(numbers, default=0) + 1)
    contents = packed(np.array(numbers, dtype=np.int64), bits)
    assert unpacked(contents, len(numbers), bits).tolist() == numbers
    assert len(contents) == bytes_for(len(numbers), bits) == -(-len(numbers) * bits // 8)


def test_bits_are_enough_for_the_number_of_values() -> None:
    assert [bits_for(count) for count in (1, 2, 3, 4, 5, 128, 129)] == [1, 1, 2, 2, 3, 7, 8]


@pytest.mark.parametrize("rows", [12, 10, 3])
def test_blocks_are_outputs_of_one_column_and_come_back(rows: int) -> None:
    matrix, blocks = torch.randn(rows, 5), Blocks(rows, 5, 4)
    signals = blocks.signals(matrix)
    assert signals.shape == (blocks.count, 4) and blocks.bands == -(-rows // 4)
    assert torch.equal(signals[1, :min(4, rows)], matrix[:4, 1])
    assert torch.equal(blocks.matrix(signals), matrix)


@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_answers_as_a_dense_one_of_its_weight(name: str) -> None:
    made, batch = coded(LAYERS[name]), torch.randn(BATCHES[name])
    dense = copy.deepcopy(LAYERS[name])
    dense.weight = nn.Parameter(made.weight.detach())
    assert made.weight.shape == LAYERS[name].weight.shape
    with torch.inference_mode():
        torch.testing.assert_close(made(batch), dense(batch), atol=1e-5, rtol=1e-5)


def test_its_weight_is_made_of_its_atoms() -> None:
    made = coded(nn.Linear(20, 12))
    block = 1 * 20 + 3  # the second band of column 3
    first, second = made.chosen()[block]
    wanted = made.values[block, 0] * made.atoms[first] + made.values[block, 1] * made.atoms[second]
    torch.testing.assert_close(made.weight[4:8, 3], wanted)
    assert made.weight[:4, 0].equal((made.values[0, 0] * made.atoms[made.chosen()[0, 0]]).detach())


def test_a_wide_layer_with_few_atoms_runs_as_a_product_and_counts_its_macs() -> None:
    layer = nn.Linear(400, 64)
    made = coded(layer, height=32, atoms=16, nonzeros=1)
    codes = 2 * 400 - 1
    assert made.runs_as_product and made.macs_per_position == codes + 2 * 16 * 32
    network = build(Architecture(MLP(hidden=(64,)), (400,), 10))
    assert macs(with_layers(network, {"1": made}), torch.zeros(1, 400)) == made.macs_per_position + 640
    for batch in (torch.randn(1, 400), torch.randn(30, 400), torch.randn(2, 3, 400)):
        with torch.inference_mode():
            wanted = nn.functional.linear(batch, made.weight, made.bias)
            torch.testing.assert_close(made(batch), wanted, atol=1e-4, rtol=1e-4)


def test_a_product_that_would_be_slower_is_not_used() -> None:
    made = coded(nn.Linear(20, 12))
    assert not made.runs_as_product and made.macs_per_position == 240


@pytest.mark.parametrize("storage", STORAGES)
@pytest.mark.parametrize("family", [MLP(hidden=(24,)), CNN()])
def test_a_file_gives_the_same_answers(storage: str, family: MLP | CNN, tmp_path: Path) -> None:
    network = build(Architecture(family, (1, 12, 12), 10)).eval()
    path = "1" if isinstance(family, MLP) else "3"
    network = with_layers(network, {path: coded(network.get_submodule(path), atoms=20, nonzeros=3, storage=storage)})
    assert network_file.write(network, tmp_path / "file") == (tmp_path / "file").stat().st_size
    batch = torch.randn(5, 1, 12, 12)
    with torch.inference_mode():
        assert torch.equal(network_file.read(tmp_path / "file")(batch), network(batch))


def test_coefficients_in_fewer_bits_are_near_and_the_file_smaller() -> None:
    layer = nn.Linear(100, 64)
    made = coded(layer, height=8, atoms=32, nonzeros=2)
    network = build(Architecture(MLP(hidden=(64,)), (100,), 10)).eval()
    lengths = []
    for storage, error in (("float32", 0.0), ("float16", 2e-3), ("int8", 2e-2)):
        stored = made.stored_as(storage)
        assert float((stored.weight - made.weight).norm() / made.weight.norm()) <= error
        lengths.append(len(network_file.to_bytes(with_layers(network, {"1": stored}))))
        dense = len(network_file.to_bytes(network)) - 4 * 6400
        assert abs(lengths[-1] - dense - stored_bytes(layer, 8, 32, 2, storage)) < 100
    assert lengths == sorted(lengths, reverse=True)


def test_training_moves_atoms_and_coefficients_and_the_weight_follows() -> None:
    made = coded(nn.Linear(20, 12)).train()
    before, chosen = made.weight.detach().clone(), made.chosen()
    made(torch.randn(8, 20)).square().sum().backward()
    assert made.atoms.grad.abs().sum() > 0 and made.values.grad.abs().sum() > 0
    with torch.no_grad():
        made.atoms -= 0.1 * made.atoms.grad
    made.eval()
    assert not torch.equal(made.weight, before) and torch.equal(made.chosen(), chosen)
    batch = torch.randn(4, 20)
    torch.testing.assert_close(made(batch), nn.functional.linear(batch, made.weight, made.bias))
    assert torch.equal(copy.deepcopy(made)(batch), made(batch))
