"""The score of each unit follows its formula over the weights that make it or read it, computed by hand."""

from __future__ import annotations

import copy
import dataclasses
from dataclasses import dataclass
from functools import lru_cache

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from compress.data.datasets import Dataset
from compress.data.tensors import on_device
from compress.networks.families import CNN, MLP, Architecture, Network, Recurrent, ResNet, build
from compress.pruning.unit_saliency import CRITERIA, consumer_columns, consumer_moments, unit_saliencies
from compress.pruning.units import Group, groups_of
from compress.solvers.brain_surgeon import DAMPING, damped, refitted_columns
from tests.compress.helpers import identical, state, toy_data

Places = list[tuple[str, list[int]]]


@dataclass(frozen=True)
class Unit:
    """One unit: the rows that make it and the columns of flattened matrices that read it, written down by hand."""

    group: str
    number: int
    rows: Places
    columns: Places


def case(name: str) -> tuple[Network, Dataset, list[Unit]]:
    """A network with random weights, data for it, and some of its units."""
    family, shape, units = {
        "mlp": (MLP((7, 5)), (6,), [Unit("1", 2, [("1", [2])], [("3", [2])]), Unit("3", 4, [("3", [4])], [("5", [4])])]),
        # Kernels of 5 x 5; after the second convolution and its pooling four places of each channel are left.
        "cnn": (CNN((3, 4), (5,)), (1, 8, 8), [
            Unit("0", 1, [("0", [1])], [("3", list(range(25, 50)))]),
            Unit("3", 2, [("3", [2])], [("7", list(range(8, 12)))]), Unit("7", 0, [("7", [0])], [("9", [0])])]),
        # Four steps: gates stand 3 rows apart, the states of both directions 6 columns.
        "gru": (Recurrent((3,)), (3, 4), [
            Unit("1.forwards", 1, [("1.forwards.input_map", [1, 4, 7]), ("1.forwards.state_map", [1, 4, 7])],
                 [("1.forwards.state_map", [1]), ("3", [1, 7, 13, 19])]),
            Unit("1.backwards", 2, [("1.backwards.input_map", [2, 5, 8]), ("1.backwards.state_map", [2, 5, 8])],
                 [("1.backwards.state_map", [2]), ("3", [5, 11, 17, 23])])]),
        "resnet": (ResNet((3, 4)), (2, 6, 6), [
            Unit("3.body.0", 1, [("3.body.0", [1])], [("3.body.3", list(range(9, 18)))]),
            Unit("0", 2, [("0", [2]), ("3.body.3", [2])],
                 [("3.body.0", list(range(18, 27))), ("4.body.0", list(range(18, 27))), ("4.shortcut.0", [2])]),
            Unit("4.body.3", 3, [("4.body.3", [3]), ("4.shortcut.0", [3])], [("7", [3])])]),
    }[name]
    network = build(Architecture(family, shape, 3), seed=4).eval()
    for position, weight in enumerate(network.parameters()):
        weight.data *= 1 + position  # no two layers are alike
    return network, toy_data(shape, examples=250), units


CASES = ("mlp", "cnn", "gru", "resnet")
made = lru_cache(case)
every_case = pytest.mark.parametrize("name", CASES)


def scores(name: str, criterion: str, **options: object) -> dict[str, Tensor]:
    network, data, _ = made(name)
    return unit_saliencies(network, groups_of(network), criterion, data, **options)


def matrix(network: Network, path: str) -> Tensor:
    return network.get_submodule(path).weight.detach().double().flatten(1)


def calibration(data: Dataset) -> tuple[Tensor, Tensor]:
    return on_device(data.calibration, torch.device("cpu"))


def inputs_of(network: Network, path: str, data: Dataset) -> Tensor:
    """(samples, columns): all that a layer's flattened matrix is multiplied with on calibration."""
    layer, seen = network.get_submodule(path), []
    hook = layer.register_forward_pre_hook(lambda _, arguments: seen.append(arguments[0].detach().double()))
    with torch.no_grad():
        network(calibration(data)[0])
    hook.remove()
    if isinstance(layer, nn.Linear):
        return torch.cat(seen).flatten(0, -2)
    patches = nn.functional.unfold(torch.cat(seen), layer.kernel_size, 1, layer.padding, layer.stride)
    return patches.transpose(1, 2).flatten(0, 1)


def products(network: Network, paths: list[str], data: Dataset, rows: slice) -> dict[str, Tensor]:
    """Gradient times weight by a plain backward pass on a copy."""
    copied, (inputs, labels) = copy.deepcopy(network), calibration(data)
    cross_entropy(copied(inputs[rows]), labels[rows]).backward()
    weights = {path: copied.get_submodule(path).weight for path in paths}
    return {path: (weight.grad * weight).detach().double().flatten(1) for path, weight in weights.items()}


def refit_loss(weights: Tensor, inputs: Tensor, columns: list[int]) -> float:
    """Half the squared error of the outputs after a ridge fit of all columns but these."""
    ridge = (DAMPING * inputs.square().mean()).sqrt() * torch.eye(inputs.shape[1])
    rows = torch.cat([inputs / len(inputs) ** 0.5, ridge])
    others = [column for column in range(weights.shape[1]) if column not in columns]
    wanted = rows[:, columns] @ weights[:, columns].mT
    added = torch.linalg.lstsq(rows[:, others], wanted).solution
    return float((wanted - rows[:, others] @ added).square().sum()) / 2


def close(found: Tensor | float, expected: Tensor | float) -> bool:
    return float(found) == pytest.approx(float(expected), rel=2e-4)


@every_case
def test_magnitude_is_the_root_mean_square_of_the_weights_that_make_the_unit(name: str) -> None:
    network, _, units = made(name)
    for unit in units:
        weights = torch.cat([matrix(network, path)[rows].flatten() for path, rows in unit.rows])
        assert close(scores(name, "magnitude")[unit.group][unit.number], weights.square().mean().sqrt())


@every_case
def test_taylor_squares_the_sum_over_what_makes_the_unit_and_adds_over_minibatches(name: str) -> None:
    network, data, units = made(name)
    batches = [slice(start, start + 64) for start in range(0, len(data.calibration), 64)]
    assert len(batches) > 2 and len(data.calibration) % 64
    for unit in units:
        paths = [path for path, _ in unit.rows]
        parts = [products(network, paths, data, rows) for rows in batches]
        expected = sum(sum(part[path][rows].sum() for path, rows in unit.rows) ** 2 for part in parts)
        assert close(scores(name, "taylor")[unit.group][unit.number], expected)


@every_case
def test_snip_adds_absolute_products_at_the_initial_weights_over_one_whole_batch(name: str) -> None:
    network, data, units = made(name)
    initial = build(network.architecture, seed=9).eval()
    for unit in units:
        found = products(initial, [path for path, _ in unit.rows], data, slice(None))
        expected = sum(found[path][rows].abs().sum() for path, rows in unit.rows)
        assert close(scores(name, "snip", initial=initial)[unit.group][unit.number], expected)
        assert not close(scores(name, "snip")[unit.group][unit.number], expected)


@every_case
def test_wanda_is_the_norm_over_all_that_reads_the_unit(name: str) -> None:
    network, data, units = made(name)
    for unit in units:
        squares = [matrix(network, path)[:, columns].square() * inputs_of(network, path, data)[:, columns].square().mean(0)
                   for path, columns in unit.columns]
        expected = sum(part.sum() for part in squares) ** 0.5
        assert close(scores(name, "wanda")[unit.group][unit.number], expected)


@every_case
def test_second_order_is_what_a_refit_of_all_readers_cannot_make_up_for(name: str) -> None:
    network, data, units = made(name)
    for unit in units:
        expected = sum(refit_loss(matrix(network, path), inputs_of(network, path, data), columns)
                       for path, columns in unit.columns)
        assert close(scores(name, "second_order")[unit.group][unit.number], expected)


@pytest.mark.parametrize("name", ["mlp", "cnn"])
def test_the_unit_with_the_lowest_second_order_score_is_the_cheapest_to_remove(name: str) -> None:
    """It costs its score, half the squared error with damping, and any other unit costs more."""
    network, data, _ = made(name)
    groups = groups_of(network)
    moments = consumer_moments(network, groups, data)
    for group in groups:
        (reader,), losses = group.consumers, []
        weights, second = matrix(network, reader.tensor.removesuffix(".weight")), damped(moments[reader.tensor])
        for gone in consumer_columns(network, reader):
            stays = torch.ones(weights.shape[1], dtype=torch.bool).index_fill_(0, gone, False).nonzero().flatten()
            lost = weights.clone()
            lost[:, gone] = 0.0
            lost[:, stays] = refitted_columns(weights, stays, moments[reader.tensor])
            lost = weights - lost
            losses.append(float((lost @ second * lost).sum()) / 2)
        found = scores(name, "second_order")[group.path]
        assert int(found.argmin()) == losses.index(min(losses)) and close(found.min(), min(losses))


def test_columns_that_read_a_unit_are_its_whole_kernel() -> None:
    network, _, units = made("cnn")
    groups = {group.path: group for group in groups_of(network)}
    for unit in units:
        (_, columns), = unit.columns
        assert consumer_columns(network, groups[unit.group].consumers[0])[unit.number].tolist() == columns


def silenced(network: Network, group: Group, number: int) -> Network:
    """A copy in which nothing that reads a unit gives it any weight."""
    network = copy.deepcopy(network)
    for member in group.consumers:
        weight = network.get_parameter(member.tensor)
        weight.data.view(len(weight), weight.shape[1], -1)[:, member.places[number]] = 0.0
    return network


@every_case
@pytest.mark.parametrize("criterion", ["wanda", "second_order"])
def test_a_unit_that_no_weight_reads_has_no_saliency(name: str, criterion: str) -> None:
    network, data, _ = made(name)
    for group in groups_of(network):
        quiet = silenced(network, group, 1)
        found = unit_saliencies(quiet, groups_of(quiet), criterion, data)[group.path]
        assert float(found[1]) == 0.0 and bool((found[torch.arange(group.units) != 1] > 0).all())


@pytest.mark.parametrize("criterion", sorted(set(CRITERIA) - {"random"}))
def test_two_directions_that_see_the_same_score_the_same(criterion: str) -> None:
    """Series that read alike from both ends, and the same weights for both directions."""
    network, data, _ = case("gru")
    inputs = data.calibration.inputs
    symmetric = dataclasses.replace(data.calibration, inputs=inputs + inputs[:, :, ::-1])
    network[1].backwards.load_state_dict(network[1].forwards.state_dict())
    readers = network[3].weight.data.view(3, 4, 2, 3)
    readers[:, :, 1] = readers[:, :, 0].flip(1)
    found = unit_saliencies(network, groups_of(network), criterion, dataclasses.replace(data, calibration=symmetric))
    assert torch.allclose(found["1.forwards"], found["1.backwards"], rtol=1e-4)
    assert found["1.forwards"].unique().numel() == 3


@every_case
def test_random_scores_repeat_with_the_seed_and_differ_without(name: str) -> None:
    first, again, other = (scores(name, "random", seed=seed) for seed in (3, 3, 4))
    assert identical(first, again) and not any(torch.equal(first[path], other[path]) for path in first)
    assert torch.cat(list(first.values())).unique().numel() == sum(len(score) for score in first.values())


@every_case
@pytest.mark.parametrize("criterion", CRITERIA)
def test_every_group_has_scores_of_no_unit_below_zero_and_nothing_changes(name: str, criterion: str) -> None:
    network, data, _ = made(name)
    groups, before, drawn = groups_of(network), state(network), torch.random.get_rng_state()
    found = unit_saliencies(network, groups, criterion, data)
    assert {path: len(score) for path, score in found.items()} == {group.path: group.units for group in groups}
    for score in found.values():
        assert score.dtype == torch.float64 and not score.requires_grad
        assert bool(score.isfinite().all()) and bool((score >= 0).all())
    assert identical(state(network), before) and torch.equal(torch.random.get_rng_state(), drawn)
    assert not network.training and all(weight.grad is None for weight in network.parameters())
    assert not any(module._forward_pre_hooks for module in network.modules())
