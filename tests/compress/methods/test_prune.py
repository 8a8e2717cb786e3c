"""Pruning single weights as a user meets it: exact numbers, what criteria are worth, and sentences for what cannot be."""

from __future__ import annotations

import gc
import hashlib
import json
import weakref
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from compress.curves.sweep import checked_values, sweep_of
from compress.data.datasets import Dataset
from compress.files import network_file
from compress.files.artefacts import Artefacts
from compress.layers.base import dense_layers
from compress.methods.low_rank import LowRank
from compress.methods.prune import Prune
from compress.networks.evaluation import logits_of
from compress.networks.families import MLP, Architecture, Network, build
from compress.points.measure import Reference, measure
from compress.pruning.connectivity import reached
from compress.pruning.ranking import kept_of
from compress.pruning.saliency import CRITERIA, REFITTED
from compress.recipe import Recipe, Step
from compress.training.teachers import train_teacher
from tests.compress.helpers import identical, python, state, toy_data
from tests.compress.test_fresh_process import SCRIPT

every_criterion = pytest.mark.parametrize("criterion", CRITERIA)


def matrices(network: Network, teacher: Network) -> dict[str, Tensor]:
    """Path -> (rows, columns) weights of the layers that the teacher has."""
    return {path: network.get_submodule(path).weight.detach().flatten(1) for path in dense_layers(teacher)}


def held(network: Network, teacher: Network) -> dict[str, Tensor]:
    return {path: weight != 0 for path, weight in matrices(network, teacher).items()}


def accuracy(network: Network, data: Dataset) -> float:
    right = logits_of(network, torch.tensor(data.validation.inputs)).argmax(1) == torch.tensor(data.validation.labels)
    return float(right.float().mean())


@every_criterion
@pytest.mark.parametrize("allocation", ["global", "uniform"])
def test_every_row_of_the_table_has_exactly_its_number_of_weights(allocation: str, criterion: str, mlp: Network,
                                                                 digits: Dataset) -> None:
    sizes = {path: layer.weight.numel() for path, layer in dense_layers(mlp).items()}
    total = sum(sizes.values())
    for candidate in Prune(criterion=criterion, allocation=allocation).curve(mlp, digits, Prune.values):
        counts = {path: int(mask.sum()) for path, mask in held(candidate.network, mlp).items()}
        if allocation == "uniform":
            assert counts == {path: size - round(candidate.value * size) for path, size in sizes.items()}
        else:
            assert sum(counts.values()) == total - round(candidate.value * total)
        assert network_file.nonzeros(candidate.network) == sum(counts.values()) + 48 + 32 + 10
        assert [layer["kept"] for layer in candidate.inside["layers"]] == list(counts.values())


def test_lenet_300_100_has_266_200_weights_and_266_610_parameters() -> None:
    data = toy_data((1, 28, 28), classes=10)
    network = build(Architecture(MLP(), data.shape, 10)).eval()
    assert sum(layer.weight.numel() for layer in dense_layers(network).values()) == 266_200
    assert network_file.nonzeros(network) == sum(parameter.numel() for parameter in network.parameters()) == 266_610
    for candidate in Prune().curve(network, data, [0.5, 0.9, 0.99]):
        assert network_file.nonzeros(candidate.network) == kept_of(266_200, candidate.value) + 410


@every_criterion
def test_whatever_goes_early_is_gone_later(criterion: str, mlp: Network, digits: Dataset) -> None:
    before: dict[str, Tensor] = {}
    for candidate in Prune(criterion=criterion).curve(mlp, digits, [0.25, 0.5, 0.8, 0.95]):
        now = held(candidate.network, mlp)
        assert all(bool((mask <= before.get(path, torch.ones_like(mask))).all()) for path, mask in now.items())
        before = now


@pytest.mark.parametrize("criterion", [one for one in CRITERIA if one not in REFITTED])
def test_weights_that_stay_are_the_teachers(criterion: str, mlp: Network, digits: Dataset) -> None:
    small = Prune(sparsity=0.6, criterion=criterion).compress(mlp, digits)
    for path, weight in matrices(small, mlp).items():
        own = mlp.get_submodule(path)
        assert torch.equal(weight, own.weight * (weight != 0)) and torch.equal(small.get_submodule(path).bias, own.bias)


@every_criterion
@pytest.mark.parametrize("allocation", ["global", "uniform"])
def test_a_disconnected_network_has_a_note(allocation: str, criterion: str, mlp: Network,
                                                       digits: Dataset) -> None:
    for candidate in Prune(criterion=criterion, allocation=allocation).curve(mlp, digits, [0.5, 0.97, 0.99, 0.999]):
        left, notes = int(reached(candidate.network).sum()), " ".join(candidate.notes)
        assert candidate.inside["classes_reached"] == left
        assert ("disconnected: no path of weights" in notes) == (left == 0)
        assert (f"{10 - left} of 10 class scores are disconnected" in notes) == (0 < left < 10)
        empty = [path for path, mask in held(candidate.network, mlp).items() if not mask.any()]
        assert all((f"layer {path} is empty" in notes) == (path in empty) for path in dense_layers(mlp))


def test_one_layer_left_without_weights_disconnects_the_network(mlp: Network, digits: Dataset) -> None:
    candidate = next(Prune().curve(mlp, digits, [0.999]))
    assert any("disconnected" in note for note in candidate.notes)
    inputs = torch.tensor(digits.validation.inputs)
    assert float(logits_of(candidate.network, inputs).std(0).max()) < 1e-6


@pytest.mark.parametrize("seed", range(3))
def test_second_order_beats_magnitude_at_nine_tenths_one_shot(seed: int, digits: Dataset) -> None:
    teacher = train_teacher(digits, Step.parse("mlp(hidden=100-50,epochs=10)"), seed).network
    inputs = torch.tensor(digits.validation.inputs)
    found = {}
    for criterion in ("second_order", "magnitude", "random"):
        small = Prune(criterion=criterion).compress(teacher, digits)
        error = (logits_of(small, inputs) - logits_of(teacher, inputs)).square().mean()
        found[criterion] = (accuracy(small, digits), -float(error))
    assert found["second_order"][0] > found["magnitude"][0] + 0.05 > found["random"][0]
    assert found["second_order"][1] > found["magnitude"][1] / 2 > found["random"][1]


@every_criterion
@pytest.mark.parametrize(("pattern", "group"), [("n:4", 4), ("n:8", 8)])
def test_of_every_few_inputs_n_stay(pattern: str, group: int, criterion: str, mlp: Network, digits: Dataset) -> None:
    steps = [step / group for step in range(1, group)]
    for candidate in Prune(pattern=pattern, criterion=criterion).curve(mlp, digits, steps):
        left = round(group * (1 - candidate.value))
        for mask in held(candidate.network, mlp).values():
            assert bool((mask.unflatten(1, (-1, group)).sum(2) == left).all())


def test_dial_values_that_no_pattern_has_are_left_out_or_answered_with_those_that_fit(mlp: Network,
                                                                                   digits: Dataset) -> None:
    for pattern, fits in (("n:4", [0.25, 0.5, 0.75]), ("n:8", [0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875])):
        valid, invalid = checked_values(sweep_of(Recipe.parse(f"digits/mlp/prune(pattern={pattern})/0")), digits)
        assert valid == fits and set(invalid) == set(Prune.values) - set(fits)
        listed = ", ".join(f"{value:g}" for value in fits)
        for value in (0.9, 0.0, 0.3):
            with pytest.raises(ValueError, match=rf"sparsity must be one of {listed} with the pattern {pattern}, but got"):
                next(Prune(pattern=pattern).curve(mlp, digits, [value]))
    assert not any(Prune(pattern=pattern, sparsity=value).invalid_reason(mlp, digits)
                   for pattern in ("unstructured", "units") for value in (0.0, 0.3, 0.999))


def test_nothing_removed_is_the_teacher_itself(mlp: Network, digits: Dataset) -> None:
    for criterion in CRITERIA:
        candidate = next(Prune(criterion=criterion).curve(mlp, digits, [0.0]))
        assert identical(state(candidate.network), state(mlp)) and candidate.notes == ()
    few = next(Prune().curve(mlp, digits, [0.01]))
    assert len(network_file.to_bytes(few.network)) <= len(network_file.to_bytes(mlp))
    assert any("stored dense: so few zeros save nothing" in note for note in few.notes)


@pytest.mark.parametrize(("settings", "sentence"), [
    ({"schedule": "gradual"}, "gradual, rewind and redraw train, but recovery_epochs is 0. Set recovery_epochs to 6"),
    ({"schedule": "rewind"}, "gradual, rewind and redraw train, but recovery_epochs is 0. Set recovery_epochs to 6"),
    ({"schedule": "redraw"}, "gradual, rewind and redraw train, but recovery_epochs is 0. Set recovery_epochs to 6"),
    ({"schedule": "gradual", "recovery_epochs": 1, "pattern": "units"}, "pattern units leaves no mask. Choose the schedule"),
    ({"schedule": "gradual", "recovery_epochs": 1, "rounds": 2}, "rounds is above 1. Set rounds to 1, or schedule"),
    ({"criterion": "surgeon", "pattern": "units"}, "but the pattern is units. Choose the criterion second_order")])
def test_settings_that_exclude_each_other_have_a_remedy(settings: dict, sentence: str) -> None:
    with pytest.raises(ValueError, match=f"^Prune: The (schedule|criterion).*{sentence}"):
        Prune(**settings)
    rule = next(rule for rule in Prune.exclusions if sentence in rule.sentence)
    assert Prune(**{**settings, **rule.remedy})


def test_densities_set_the_proportions_of_the_layers(mlp: Network, digits: Dataset) -> None:
    small = Prune(sparsity=0.9, densities=(8, 9, 26)).compress(mlp, digits)
    shares = [float(mask.float().mean()) for mask in held(small, mlp).values()]
    assert [share / shares[0] for share in shares] == pytest.approx([1, 9 / 8, 26 / 8], rel=0.02)
    assert sum(int(mask.sum()) for mask in held(small, mlp).values()) == kept_of(64 * 48 + 48 * 32 + 320, 0.9)
    with pytest.raises(ValueError, match=r"densities must have one number for each of the 3 layers, but got 8-9\. For"):
        Prune(densities=(8, 9)).compress(mlp, digits)


def test_allocation_by_sensitivity_spends_where_it_costs_least(mlp: Network, digits: Dataset) -> None:
    found = {allocation: Prune(sparsity=0.8, allocation=allocation).compress(mlp, digits)
             for allocation in ("uniform", "sensitivity")}
    assert sum(int(mask.sum()) for mask in held(found["sensitivity"], mlp).values()) == kept_of(64 * 48 + 48 * 32 + 320, 0.8)
    assert accuracy(found["sensitivity"], digits) > accuracy(found["uniform"], digits)


@pytest.mark.parametrize("before", [[], [Prune()]])
@pytest.mark.parametrize("settings", [{"schedule": "rewind", "recovery_epochs": 1}, {"criterion": "snip"}])
def test_initial_weights_of_a_compressed_network_are_refused_also_after_other_calls(
        settings: dict, before: list[Prune], mlp: Network, digits: Dataset) -> None:
    small = LowRank(keep=0.2).compress(mlp, digits)
    for one in before:
        one.compress(small, digits)
    with pytest.raises(ValueError, match=r"initial weights, but some of its layers are compressed already\. Put prune"):
        Prune(**settings).compress(small, digits)


def test_teachers_without_references_are_freed(digits: Dataset) -> None:
    """A worker that lives for days meets many of them."""
    left = []
    for seed in range(10):
        teacher = build(Architecture(MLP(hidden=(8,)), digits.shape, 10), seed).eval()
        Prune().compress(teacher, digits)
        left.append(weakref.ref(teacher))
    del teacher
    gc.collect()
    assert sum(one() is not None for one in left) <= 4


def test_files_answer_in_another_process_as_the_networks_that_were_measured(
        trained: Callable[[str], Network], mlp: Network, digits: Dataset, tmp_path: Path) -> None:
    cases = [(mlp, Prune(sparsity=0.97), "csr"), (mlp, Prune(sparsity=0.5), "bitmask"),
             (trained("resnet(channels=8-16,epochs=2)"), Prune(sparsity=0.8), "bitmask"),
             (trained("gru(hidden=24,epochs=2)"), Prune(sparsity=0.96), "csr"),
             (mlp, Prune(sparsity=0.5, pattern="units"), "units")]
    points, outputs = [], []
    for teacher, method, form in cases:
        candidate = next(method.curve(teacher, digits, [method.sparsity]))
        assert form in {layer.get("form", "units") for layer in candidate.inside["layers"]}
        points.append(measure(candidate, digits, Reference.of(teacher, digits), Artefacts(tmp_path), latency=False))
        outputs.append(logits_of(candidate.network, torch.tensor(digits.validation.inputs)))
    done = python("-c", SCRIPT, *(str(Artefacts(tmp_path).path(point.digest)) for point in points), check=True)
    for point, logits, line in zip(points, outputs, done.stdout.splitlines(), strict=True):
        assert json.loads(line) == [hashlib.sha256(logits.numpy().tobytes()).hexdigest(), logits.argmax(1).tolist()]
        assert point.bytes == Artefacts(tmp_path).path(point.digest).stat().st_size
