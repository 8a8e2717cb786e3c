"""One layer pruned at a time: measured as a whole network would be, though only what follows the layer is run."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import pytest
import torch
from torch.nn import functional

from compress.data.datasets import Dataset, Split
from compress.layers.sensitivity import EXAMPLES, LEVELS, sensitivity
from compress.methods.prune import Prune
from compress.networks.evaluation import logits_of
from compress.networks.families import Network
from compress.progress import Cancelled, Reporter
from compress.pruning.ranking import kept_of
from compress.pruning.unit_pruner import UnitPruner
from compress.pruning.weight_pruner import WeightPruner
from tests.compress.helpers import identical, poisoned, state

TEACHERS = ["mlp(hidden=48-32,epochs=6)", "cnn(epochs=1)", "resnet(channels=8-16,epochs=2)", "gru(hidden=24,epochs=2)"]
every_teacher = pytest.mark.parametrize("text", TEACHERS)
PATTERNS = ["unstructured", "n:4", "units"]


def whole(network: Network, split: Split) -> tuple[float, float]:
    """(loss, share right) of the whole network."""
    inputs, labels = torch.tensor(split.inputs[:EXAMPLES]), torch.tensor(split.labels[:EXAMPLES])
    logits = logits_of(network, inputs)
    return (float(functional.cross_entropy(logits.double(), labels)), float((logits.argmax(1) == labels).double().mean()))


@every_teacher
@pytest.mark.parametrize("pattern", PATTERNS)
def test_each_layer_alone_is_measured_as_the_whole_network_would_be(
        pattern: str, text: str, trained: Callable[[str], Network], digits: Dataset) -> None:
    teacher = trained(text)
    pruner = Prune(pattern=pattern).pruner(teacher, digits)
    found = pruner.sensitivity
    assert found is pruner.sensitivity and set(found.losses) == set(found.accuracies)
    assert found.levels == (LEVELS if pattern != "n:4" else (0.0, 0.25, 0.5, 0.75))
    (loss, _), (_, accuracy) = whole(teacher, digits.calibration), whole(teacher, digits.validation)
    for path, losses in found.losses.items():
        assert losses[0] == pytest.approx(loss)
        assert found.accuracies[path][0] == accuracy
        for place, level in ((1, found.levels[1]), (-1, found.levels[-1])):
            one = one_layer_cut(pruner, path, level)
            assert losses[place] == pytest.approx(whole(one, digits.calibration)[0], rel=1e-4)
            assert found.accuracies[path][place] == pytest.approx(whole(one, digits.validation)[1], abs=2 / 350)


def one_layer_cut(pruner: WeightPruner | UnitPruner, path: str, level: float) -> Network:
    """The network with this layer alone pruned."""
    if isinstance(pruner, WeightPruner):
        return pruner._with_one_layer_cut(path, level)
    units = {bundle[0].path: bundle[0].units for bundle in pruner.bundles}[path]
    return pruner._without({path: max(1, kept_of(units, level))}).network


@pytest.mark.parametrize("criterion", ["magnitude", "wanda", "second_order"])
@pytest.mark.parametrize("pattern", ["unstructured", "n:4"])
def test_only_the_named_layer_is_pruned(pattern: str, criterion: str, mlp: Network, digits: Dataset) -> None:
    pruner = Prune(pattern=pattern, criterion=criterion).pruner(mlp, digits)
    for path in pruner.layers:
        one = pruner._with_one_layer_cut(path, 0.75)
        changed = {name for name, tensor in state(one).items() if not torch.equal(tensor, state(mlp)[name])}
        weight = one.get_submodule(path).weight
        assert changed == {f"{path}.weight"} and int((weight != 0).sum()) == kept_of(weight.numel(), 0.75)


def test_only_the_named_groups_units_are_pruned(mlp: Network, digits: Dataset) -> None:
    pruner = Prune(pattern="units").pruner(mlp, digits)
    one = one_layer_cut(pruner, "1", 0.5)
    assert pruner.widths(one) == [("1", 48, 24), ("3", 32, 32)]
    assert torch.equal(one[3].bias, mlp[3].bias) and torch.equal(one[5].weight, mlp[5].weight)


@pytest.mark.parametrize("pattern", PATTERNS)
def test_only_calibration_and_validation_are_read(pattern: str, mlp: Network, digits: Dataset) -> None:
    blind = dataclasses.replace(digits, train=poisoned(digits.train), _test=poisoned(digits.open_test()), digest="blind")
    found, unseen = (Prune(pattern=pattern).pruner(mlp, data).sensitivity for data in (digits, blind))
    assert dataclasses.asdict(found) == dataclasses.asdict(unseen)


def test_losses_come_from_calibration_and_accuracies_from_validation(mlp: Network, digits: Dataset) -> None:
    found = Prune().pruner(mlp, digits).sensitivity
    no_calibration = dataclasses.replace(digits, calibration=poisoned(digits.calibration))
    no_validation = dataclasses.replace(digits, validation=poisoned(digits.validation))
    pruned = Prune().pruner(mlp, digits)._with_one_layer_cut
    assert sensitivity(mlp, no_calibration, ["1", "3", "5"], pruned).accuracies == found.accuracies
    assert sensitivity(mlp, no_validation, ["1", "3", "5"], pruned).losses == found.losses


def test_measuring_changes_nothing_and_can_be_cancelled(resnet: Network, digits: Dataset) -> None:
    before, reported = state(resnet), []
    pruner = Prune().pruner(resnet, digits)
    report = Reporter(lambda progress: reported.append(progress.share))
    sensitivity(resnet, digits, ["0", "7"], pruner._with_one_layer_cut, report, (0.0, 0.5))
    assert identical(before, state(resnet)) and not resnet.training and reported == sorted(reported)
    with pytest.raises(Cancelled):
        sensitivity(resnet, digits, ["0"], pruner._with_one_layer_cut, Reporter(is_cancelled=lambda: True), (0.0, 0.5))


def test_a_layer_that_does_nothing_can_lose_everything(mlp: Network, digits: Dataset) -> None:
    network = Prune(sparsity=0.0).compress(mlp, digits)
    with torch.no_grad():
        network[3].weight[:, 24:] *= 1e-6
    found = Prune().pruner(network, digits).sensitivity
    assert found.accuracies["3"][:3] == pytest.approx([found.accuracies["3"][0]] * 3)
    assert found.losses["5"][-1] > found.losses["5"][0] + 0.3
