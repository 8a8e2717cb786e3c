"""Pruning whole units as a user meets it: what is left is a smaller dense network of the same family."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from compress.data.datasets import Dataset
from compress.files import network_file
from compress.files.artefacts import Artefacts
from compress.layers.base import compressed_layers, macs
from compress.layers.input_moments import recalibrated
from compress.methods.low_rank import LowRank
from compress.methods.prune import Prune
from compress.networks.families import CNN, MLP, Architecture, Family, Logistic, Network, Recurrent, ResNet, build
from compress.points.measure import Reference, measure
from compress.pruning.ranking import kept_of
from compress.pruning.unit_removal import without_units
from compress.pruning.unit_saliency import CRITERIA
from compress.pruning.units import bundles_of, groups_of
from compress.recipe import Step
from compress.training.teachers import train_teacher
from tests.compress.helpers import agreement, identical, poisoned, state, toy_data

IMAGE, SEQUENCE = (1, 8, 8), (1, 40)
CASES: list[tuple[Family, tuple[int, ...]]] = [
    (MLP((24, 16)), IMAGE), (CNN((6, 8), (24, 16)), IMAGE), (ResNet((8, 12)), IMAGE), (Recurrent((12,)), IMAGE),
    (MLP((20,)), SEQUENCE), (CNN((10, 10, 10)), SEQUENCE), (ResNet((8, 8)), SEQUENCE), (Recurrent((10,), False), SEQUENCE)]
every_family = pytest.mark.parametrize(("family", "shape"), CASES, ids=[f"{one.name}{shape}" for one, shape in CASES])
every_criterion = pytest.mark.parametrize("criterion", CRITERIA)


def units(**settings) -> Prune:
    return Prune(**{"sparsity": 0.5, "pattern": "units", **settings})


def untrained(family: Family, shape: tuple[int, ...]) -> tuple[Network, Dataset]:
    data = toy_data(shape)
    network = build(Architecture(family, shape, len(data.classes))).eval()
    return recalibrated(network, torch.tensor(data.calibration.inputs)), data


def widths(network: Network) -> list[int]:
    return [bundle[0].units for bundle in bundles_of(groups_of(network))]


@every_family
def test_parameters_multiplications_and_the_file_shrink(family: Family, shape: tuple[int, ...], tmp_path: Path) -> None:
    network, data = untrained(family, shape)
    reference = Reference.of(network, data)
    before = len(network_file.to_bytes(network)), network_file.nonzeros(network), macs(network, torch.zeros(1, *shape))
    for candidate in units(allocation="uniform").curve(network, data, [0.25, 0.5, 0.75]):
        point = measure(candidate, data, reference, Artefacts(tmp_path), latency=False)
        assert point.bytes < before[0] and point.parameters < before[1] and point.macs < before[2]
        assert not compressed_layers(candidate.network) and type(candidate.network.architecture.family) is type(family)
        reloaded = network_file.from_bytes(Artefacts(tmp_path).contents(point.digest))
        assert identical(state(candidate.network), state(reloaded) | {
            name: tensor for name, tensor in state(candidate.network).items() if name.endswith("num_batches_tracked")})
        assert widths(candidate.network) == [kept_of(size, candidate.value) for size in widths(network)]
        assert [(layer["kept"], layer["total"]) for layer in candidate.inside["layers"]] == list(
            zip(widths(candidate.network), widths(network), strict=True))
        before = point.bytes, point.parameters, point.macs


@every_family
@every_criterion
def test_a_share_of_all_units_goes_and_one_of_each_layer_stays(criterion: str, family: Family,
                                                               shape: tuple[int, ...]) -> None:
    network, data = untrained(family, shape)
    for candidate in units(criterion=criterion).curve(network, data, [0.0, 0.3, 0.8, 0.999]):
        left = widths(candidate.network)
        assert sum(left) == max(len(left), kept_of(sum(widths(network)), candidate.value)) and min(left) >= 1
        if not candidate.value and "resnet" not in family.name:
            assert identical(state(candidate.network), state(network))


@pytest.mark.parametrize("allocation", ["global", "uniform", "sensitivity"])
def test_what_is_left_is_a_multiple_of_what_a_processor_likes(allocation: str) -> None:
    network, data = untrained(MLP((40, 24, 20, 6)), IMAGE)
    for candidate in units(multiple=8, allocation=allocation).curve(network, data, [0.0, 0.2, 0.5, 0.9]):
        left = widths(candidate.network)
        assert left[3] == 6 and all(8 <= width <= size for width, size in zip(left, (40, 24, 20), strict=False))
        assert all(width % 8 == 0 or width == size for width, size in zip(left, (40, 24, 20, 6), strict=True))
    kept = units(multiple=8, allocation="uniform", sparsity=0.4).pruner(network, data).kept_counts(0.4)
    assert kept == [24, 16, 16, 6], "24, 14, 12 and 4 to the nearest multiple; a half goes to the even one"


@every_criterion
def test_both_directions_of_a_gru_keep_equally_many_units(criterion: str) -> None:
    network, data = untrained(Recurrent((12,)), SEQUENCE)
    small = units(criterion=criterion, sparsity=0.6).compress(network, data)
    assert {group.path: group.units for group in groups_of(small)} == {"1.forwards": 5, "1.backwards": 5}


def test_densities_set_the_proportions_of_the_layers() -> None:
    network, data = untrained(MLP((40, 40, 40)), IMAGE)
    assert widths(units(densities=(1, 2, 3)).compress(network, data)) == [10, 20, 30]
    with pytest.raises(ValueError, match=r"densities must have one number for each of the 3 layers, but got 1-2\. For"):
        units(densities=(1, 2)).compress(network, data)


@pytest.mark.parametrize("allocation", ["global", "sensitivity"])
def test_a_layer_that_does_nothing_gives_up_its_units_first(allocation: str, digits: Dataset,
                                                           trained: Callable[[str], Network]) -> None:
    network = without_units(trained("mlp(hidden=48-32,epochs=6)"), {})
    with torch.no_grad():
        for tensor in (network[1].weight, network[1].bias, network[3].weight.mT):
            tensor[10:] = 0.0
    small = units(sparsity=38 / 80, allocation=allocation).compress(network, digits)
    assert widths(small) == [10, 32]
    assert agreement(small, network, digits) == 1.0


@pytest.mark.parametrize("seed", range(3))
def test_second_order_units_agree_with_the_teacher_more_than_large_ones(seed: int, digits: Dataset) -> None:
    teacher = train_teacher(digits, Step.parse("mlp(hidden=100-50,epochs=10)"), seed).network
    found = [agreement(units(criterion=criterion, allocation="uniform").compress(teacher, digits), teacher, digits)
             for criterion in ("second_order", "magnitude")]
    assert found[0] > 0.95 and found[0] > found[1] + 0.05


@every_criterion
@pytest.mark.parametrize("pattern", ["unstructured", "units"])
def test_only_calibration_is_read_where_nothing_is_trained(pattern: str, criterion: str, resnet: Network,
                                                           digits: Dataset) -> None:
    blind = dataclasses.replace(digits, train=poisoned(digits.train), validation=poisoned(digits.validation),
                                _test=poisoned(digits.open_test()), digest="blind")
    method = Prune(sparsity=0.5, pattern=pattern, criterion=criterion)
    assert identical(*(state(method.compress(resnet, data)) for data in (digits, blind)))


@pytest.mark.parametrize("pattern", ["unstructured", "units"])
def test_batch_normalisation_describes_the_pruned_network(pattern: str, resnet: Network, digits: Dataset) -> None:
    method = Prune(sparsity=0.5, pattern=pattern)
    small = method.compress(resnet, digits)
    cut = method.pruner(resnet, digits).cut(0.5).network
    again = state(recalibrated(cut, torch.tensor(digits.calibration.inputs)))
    statistics = [name for name in state(small) if "running" in name]
    assert statistics and all(torch.allclose(state(small)[name], again[name], atol=1e-5) for name in statistics)
    assert sum(not torch.allclose(tensor, method.pruner(resnet, digits).cut(0.5).network.state_dict()[name], rtol=0.01)
               for name, tensor in state(small).items() if name in statistics) > len(statistics) / 2


@pytest.mark.parametrize("settings", [{}, {"densities": (1, 2, 4)}, {"allocation": "uniform"}, {"allocation": "sensitivity"},
                                      {"allocation": "uniform", "multiple": 8}], ids=str)
@pytest.mark.parametrize("rounds", [2, 3, 7])
def test_several_rounds_leave_as_many_units_as_one(rounds: int, settings: dict) -> None:
    network, data = untrained(MLP((40, 40, 40)), IMAGE)
    for sparsity in (0.5, 0.77, 0.9):
        one, several = (widths(units(rounds=number, sparsity=sparsity, **settings).compress(network, data))
                        for number in (1, rounds))
        assert sum(several) == sum(one)
        if "densities" in settings or settings.get("allocation") == "uniform":
            assert several == one


def test_networks_without_units_or_with_compressed_layers_are_answered_with_a_sentence(mlp: Network,
                                                                                     digits: Dataset) -> None:
    network, data = untrained(Logistic(), IMAGE)
    with pytest.raises(ValueError, match=r"hidden units, but this network has none\. Choose the pattern unstructured"):
        units().compress(network, data)
    with pytest.raises(ValueError, match=r"layer 1 is already compressed \(kind factors\)\. Put prune before"):
        units().compress(LowRank().compress(mlp, digits), digits)


def test_a_layer_of_one_unit_keeps_it() -> None:
    network, data = untrained(MLP((1, 9)), IMAGE)
    assert [widths(one.network) for one in units().curve(network, data, [0.5, 0.999])] == [[1, 4], [1, 1]]
