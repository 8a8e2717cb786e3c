"""Layers inside a network: found, replaced, described as plain data, their multiplications counted."""

from __future__ import annotations

import json

import pytest
import torch
from torch import nn

from compress.layers.base import (
    compressed_layers,
    dense_layers,
    dense_plain,
    dense_rebuild,
    layer_rebuild,
    macs,
    with_layers,
)
from compress.layers.factors import Factors
from compress.networks.families import CNN, MLP, Architecture, Network, build, family
from tests.compress.helpers import identical, state


def test_multiplications_of_a_perceptron_are_its_weights() -> None:
    assert macs(build(Architecture(MLP(), (1, 28, 28), 10)), torch.zeros(1, 1, 28, 28)) == 266_200


def test_multiplications_of_lenet_5_are_those_counted_by_hand() -> None:
    by_hand = 28 * 28 * 6 * 25 + 10 * 10 * 16 * 6 * 25 + 400 * 120 + 120 * 84 + 84 * 10
    assert macs(build(Architecture(CNN(), (1, 28, 28), 10)), torch.zeros(1, 1, 28, 28)) == by_hand


def test_stride_and_groups_count() -> None:
    network = Network(nn.Conv2d(4, 8, (3, 5), stride=2, padding=(1, 2), groups=2))
    assert macs(network, torch.zeros(1, 4, 10, 10)) == 5 * 5 * 8 * 2 * 15


def test_a_layer_that_runs_twice_counts_twice() -> None:
    shared = nn.Linear(6, 6)
    assert macs(Network(shared, nn.ReLU(), shared), torch.zeros(1, 6)) == 72


def test_two_factors_multiply_less_than_the_layer_below_break_even() -> None:
    network = Network(nn.Linear(20, 20))
    small = with_layers(network, {"0": Factors(nn.Linear(20, 4, bias=False), nn.Linear(4, 20))})
    assert (macs(network, torch.zeros(1, 20)), macs(small, torch.zeros(1, 20))) == (400, 160)


@pytest.mark.parametrize("training", [False, True])
def test_counting_multiplications_changes_nothing(training: bool) -> None:
    network = build(Architecture(family("resnet"), (1, 8, 8), 10)).train(training)
    before = state(network)
    macs(network, torch.randn(1, 1, 8, 8))
    assert identical(before, state(network)) and network.training == training
    assert not any(layer._forward_hooks for layer in network.modules())


def test_a_replaced_layer_leaves_the_given_network_as_it_is() -> None:
    network = build(Architecture(MLP(hidden=(8, 8)), (6,), 3)).eval()
    before = state(network)
    small = with_layers(network, {"3": Factors(nn.Linear(8, 2, bias=False), nn.Linear(2, 8))})
    assert identical(before, state(network)) and type(network[3]) is nn.Linear
    assert list(compressed_layers(small)) == ["3"] and list(dense_layers(small)) == ["1", "3.0", "3.1", "5"]
    assert small.architecture == network.architecture and not small.training


def test_layers_are_found_in_forward_order_also_inside_blocks() -> None:
    network = build(Architecture(family("resnet"), (1, 8, 8), 10))
    paths = list(dense_layers(network))
    assert paths[0] == "0" and paths[-1] == "8" and {"3.body.0", "3.body.3", "4.shortcut.0"} <= set(paths)


@pytest.mark.parametrize("layer", [
    nn.Linear(4, 5), nn.Linear(4, 5, bias=False),
    nn.Conv2d(4, 6, (3, 5), stride=(2, 1), padding=(0, 2), dilation=(1, 2), groups=2),
    nn.Conv1d(4, 6, 3, stride=2, padding=1, dilation=2, groups=2, bias=False)], ids=repr)
def test_a_dense_layer_comes_back_from_plain_data(layer: nn.Module) -> None:
    again = dense_rebuild(json.loads(json.dumps(dense_plain(layer))))
    assert repr(again) == repr(layer)


def test_factors_come_back_from_plain_data() -> None:
    pair = Factors(nn.Conv2d(4, 6, 3, groups=2, bias=False), nn.Conv2d(6, 8, 1, groups=2))
    again = layer_rebuild(json.loads(json.dumps({"kind": pair.kind, **pair.plain()})))
    assert repr(again) == repr(pair) and again.rank == pair.rank == 3


def test_unknown_kinds_are_answered_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"compressed layer of kind 'magic'; known are .*factors"):
        layer_rebuild({"kind": "magic"})
    with pytest.raises(ValueError, match=r"layer of type 'Magic'; known are Linear, Embedding, Conv1d, Conv2d"):
        dense_rebuild({"type": "Magic", "sizes": [1, 1]})
