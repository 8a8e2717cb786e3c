"""A class score is reached exactly where a path of non-zero weights leads to it from some input."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import Tensor, nn

from compress.layers.base import dense_layers, with_layers
from compress.layers.sparse import Sparse
from compress.networks.families import CNN, MLP, Architecture, Logistic, Network, Recurrent, ResNet, build
from compress.pruning.connectivity import reached
from tests.compress.helpers import identical, state

IMAGE, SEQUENCE = (1, 8, 8), (2, 9)


def network_of(family, shape: tuple[int, ...] = IMAGE, classes: int = 4) -> Network:
    return build(Architecture(family, shape, classes), 1).eval()


@torch.no_grad()
def thinned_out(network: Network, left: float, seed: int) -> Network:
    generator = torch.Generator().manual_seed(seed)
    for layer in dense_layers(network).values():
        layer.weight[torch.rand(layer.weight.shape, generator=generator) > left] = 0.0
    return network


def found_by_search(network: Network) -> list[bool]:
    """From each class backwards through a perceptron, edge by edge."""
    matrices = [layer.weight.tolist() for layer in dense_layers(network).values()]

    def leads_back(layer: int, unit: int) -> bool:
        return layer < 0 or any(weight != 0 and leads_back(layer - 1, place)
                                for place, weight in enumerate(matrices[layer][unit]))

    return [leads_back(len(matrices) - 1, unit) for unit in range(network.architecture.classes)]


@pytest.mark.parametrize("hidden", [(), (5,), (6, 4), (4, 5, 4)])
def test_a_perceptrons_paths_are_those_that_a_search_finds(hidden: tuple[int, ...]) -> None:
    seen: set[bool] = set()
    for seed in range(25):
        network = thinned_out(network_of(MLP(hidden), (5,)), (0.05, 0.15, 0.3, 0.5)[seed % 4], seed)
        expected = found_by_search(network)
        assert reached(network).tolist() == expected
        sparse = with_layers(network, {path: Sparse.of(layer) for path, layer in dense_layers(network).items()})
        assert reached(sparse).tolist() == expected
        seen |= set(expected)
    assert seen == {False, True}, "both kinds of classes must occur"


def test_neither_signs_nor_biases_nor_sizes_of_weights_matter() -> None:
    network = network_of(MLP((6,)), (5,))
    with torch.no_grad():
        network[1].weight.copy_(-1e-20 * network[1].weight.abs())
        network[1].bias.fill_(-9.0)
        network[3].weight[0] = torch.tensor([1.0, -1.0, 1.0, -1.0, 1.0, -1.0])
        network[3].weight[2] = 0.0
        network[3].bias[2] = 5.0
    assert reached(network).tolist() == [True, True, False, True]


def test_the_network_stays_as_it_was() -> None:
    for family in (MLP((6,), 0.5), ResNet((4, 6)), Recurrent((5,))):
        network = network_of(family).train()
        before = state(network)
        reached(network)
        assert identical(before, state(network)) and network.training


def test_a_channel_without_inputs_leads_nowhere() -> None:
    network = network_of(CNN((3, 2), (4,)))
    with torch.no_grad():
        network[0].weight[1:] = 0.0
        network[3].weight[0] = 0.0
        network[3].weight[1, 0] = 0.0
    assert reached(network).tolist() == [False] * 4
    with torch.no_grad():
        network[3].weight[1, 0, 2, 2] = -1e-3
    assert reached(network).tolist() == [True] * 4
    with torch.no_grad():
        network[9].weight[3] = 0.0
    assert reached(network).tolist() == [True, True, True, False]


def test_a_shortcut_still_connects_and_a_scale_of_zero_blocks() -> None:
    network = network_of(ResNet((4, 6)))
    silent = nn.init.zeros_
    silent(network[3].body[4].weight)  # the first block's body adds a constant
    silent(network[4].body[0].weight)
    assert reached(network).all()
    silent(network[4].shortcut[1].weight)
    assert not reached(network).any()
    network = network_of(ResNet((4, 6)))
    nn.init.zeros_(network[1].weight)
    assert not reached(network).any()


def test_statistics_of_batch_normalisation_do_not_matter() -> None:
    network = network_of(ResNet((4, 6)))
    for name, tensor in network.named_buffers():
        if name.endswith("running_mean"):
            tensor.fill_(1e6)
        elif name.endswith("running_var"):
            tensor.fill_(1e12)
    assert reached(network).all()


@pytest.mark.parametrize("sparse", [False, True])
def test_a_grus_units_are_reached_by_way_of_the_input_or_of_other_units(sparse: bool) -> None:
    """Unit 0 reads the inputs, unit 1 reads unit 0, unit 2 reads unit 3, which reads only itself."""
    network = network_of(Recurrent((4,), both_ways=False), SEQUENCE)
    steps = SEQUENCE[1]
    with torch.no_grad():
        unit = network[1].forwards
        for layer, edges in ((unit.input_map, [(0, 1)]), (unit.state_map, [(1, 0), (2, 3), (3, 3)])):
            held = torch.zeros_like(layer.weight)
            for row, column in edges:
                held[[row, 4 + row, 8 + row], column] = -1.0
            layer.weight.copy_(held)
        for number, weight in enumerate(network[3].weight):
            weight.copy_(torch.eye(4)[number].repeat(steps))
    if sparse:
        network = with_layers(network, {path: Sparse.of(layer) for path, layer in dense_layers(network).items()})
    assert reached(network).tolist() == [True, True, False, False]


@pytest.mark.parametrize("gate", ["reset", "update", "new"])
def test_a_path_may_lead_through_any_gate(gate: str) -> None:
    """A class score that changes with the inputs is reached."""
    network = network_of(Recurrent((3,), both_ways=False), SEQUENCE)
    rows = {"reset": slice(0, 3), "update": slice(3, 6), "new": slice(6, 9)}[gate]
    with torch.no_grad():
        held = network[1].forwards.input_map.weight[rows].clone()
        nn.init.zeros_(network[1].forwards.input_map.weight)[rows] = held
        assert network(torch.randn(20, *SEQUENCE)).std(0).min() > 1e-3
    assert reached(network).all()


def test_the_last_step_of_a_long_sequence_is_reached() -> None:
    """What it sees of the inputs comes only through the first step's state."""
    network = network_of(Recurrent((4,), both_ways=False), (2, 60), 1)
    with torch.no_grad():
        network[3].weight[:, :-4] = 0.0
    assert reached(network).all()


@pytest.mark.parametrize("family", [Logistic(), MLP((6, 5)), CNN(), ResNet((4, 6)), Recurrent((5,))],
                         ids=lambda one: one.name)
def test_a_whole_network_is_reached_and_an_empty_one_is_not(family) -> None:
    network = network_of(family)
    assert reached(network).all()
    empty = copy.deepcopy(network)
    for layer in dense_layers(empty).values():
        nn.init.zeros_(layer.weight)
    found: Tensor = reached(empty)
    assert found.dtype == torch.bool and found.shape == (4,) and not found.any()
