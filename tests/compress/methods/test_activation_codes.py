"""Hidden outputs as sparse codes: what is stored, and what the rest of the network makes of it."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
import torch

from compress.curves.store import Store
from compress.curves.sweep import run, sweep_of
from compress.data.datasets import Dataset, Split
from compress.files import network_file
from compress.layers.bit_packing import unpacked
from compress.methods.activation_codes import ActivationCodes
from compress.methods.data_codes import DataCodes
from compress.methods.low_rank import LowRank
from compress.networks.evaluation import logits_of
from compress.networks.families import CNN, Architecture, Network, build
from compress.progress import DictionarySoFar, Reporter
from compress.recipe import Recipe
from compress.solvers.omp import omp
from compress.sparse_coding.network_split import MOST_FEATURES, splits_of
from tests.compress.helpers import agreement, identical, planned, poisoned, state

FEW = {"atoms": 40, "iterations": 4}


def test_more_atoms_are_nearer_larger_and_agree_with_the_teacher(mlp: Network, digits: Dataset) -> None:
    points = list(ActivationCodes(**FEW).curve(mlp, digits, [1, 3, 8, 16]))
    errors, lengths = [one.inside["error"] for one in points], [len(one.contents) for one in points]
    assert all(early > late for early, late in pairwise(errors)) and all(early < late for early, late in pairwise(lengths))
    assert agreement(points[-1].network, mlp, digits) > 0.97
    assert lengths[0] < 0.2 * len(ActivationCodes().baseline(mlp, digits).contents)


@pytest.mark.parametrize("cut", [0, 1])
def test_the_network_computes_what_the_file_can_hold(cut: int, mlp: Network, digits: Dataset, tmp_path: Path) -> None:
    candidate = next(ActivationCodes(**FEW, cut=cut, coding="none").curve(mlp, digits, [3]))
    network_file.write_bytes(candidate.contents, tmp_path / "file")
    manifest, tensors = network_file.unpack(tmp_path / "file")
    assert manifest["cut"] == cut and len(tensors["labels"]) == len(digits.train)
    atoms = tensors["dictionary"].float() * tensors["sizes"][:, None]
    place = (5, 3)[cut]  # behind the second ReLU or the first: Flatten, Linear, ReLU, Linear, ReLU, Linear
    inputs = torch.tensor(digits.train.inputs)
    with torch.no_grad():
        hidden = mlp[:place](inputs)
    codes = omp(hidden - tensors["mean"], atoms, 3)
    levels = (codes.coefficients / tensors["scale"]).round()
    assert torch.equal(levels.to(torch.int8), tensors["levels"])
    assert unpacked(tensors["indices"].numpy(), levels.numel(), 6).tolist() == codes.indices.flatten().tolist()
    rebuilt = torch.einsum("ns,nsf->nf", levels * tensors["scale"], atoms[codes.indices]) + tensors["mean"]
    with torch.no_grad():
        wanted = mlp[place:](rebuilt)
    torch.testing.assert_close(logits_of(candidate.network, inputs), wanted, rtol=1e-4, atol=1e-4)
    held = sum(tensor.numel() * tensor.element_size() for tensor in tensors.values())
    assert 0 < len(candidate.contents) - held < 1500


def test_coefficients_larger_than_any_that_was_stored_are_clipped(mlp: Network, digits: Dataset) -> None:
    candidate = next(ActivationCodes(**FEW).curve(mlp, digits, [2]))
    between = candidate.network[1]
    signal = between.mean + 1000 * between.scale * between.atoms[:1] / between.atoms[0].norm() ** 2 * 127
    rebuilt = between(signal) - between.mean
    assert float(rebuilt.norm()) <= 1.001 * float(2 * 127 * between.scale * between.atoms.norm(dim=1).max())


def test_the_error_is_that_of_validation_outputs(mlp: Network, digits: Dataset) -> None:
    candidate = next(ActivationCodes(**FEW).curve(mlp, digits, [3]))
    with torch.no_grad():
        hidden = mlp[:5](torch.tensor(digits.validation.inputs))
        gap = candidate.network[1](hidden) - hidden
    wanted = gap.square().sum() / (hidden - hidden.mean(0)).square().sum()
    assert candidate.inside["error"] == pytest.approx(float(wanted), rel=1e-4)
    assert candidate.inside["errors"][-1] == pytest.approx(float(wanted), rel=0.5)


def test_principal_components_with_as_many_bytes_are_a_baseline(mlp: Network, digits: Dataset) -> None:
    method = ActivationCodes(**FEW)
    grid = planned(method, [2, 6])
    made = {(one.method.nonzeros, one.method.dictionary): one for one in method.candidates(mlp, digits, grid)}
    assert set(made) == {(2, "ksvd"), (6, "ksvd"), (2, "components"), (6, "components")}
    for value in (2, 6):
        codes, components = made[value, "ksvd"], made[value, "components"]
        features = codes.inside["features"]
        assert abs(len(codes.contents) - len(components.contents)) < 0.6 * (len(digits.train) + features) + 1500
        assert codes.inside["others"]["components"] == pytest.approx(components.inside["error"], rel=0.1, abs=0.01)
        alone = next(ActivationCodes(**FEW, dictionary="components").curve(mlp, digits, [value]))
        assert alone.contents == components.contents
    for lonely in (ActivationCodes(pca_baseline=False), ActivationCodes(dictionary="components")):
        assert planned(lonely, [2, 6]) == [lonely.at(2), lonely.at(6)]


def test_learning_pays_beside_other_dictionaries(mlp: Network, digits: Dataset) -> None:
    inside = next(ActivationCodes(**FEW).curve(mlp, digits, [3])).inside
    assert inside["error"] < 0.8 * inside["others"]["random"] and inside["error"] < inside["others"]["dct"]
    fixed = next(ActivationCodes(**FEW, dictionary="random").curve(mlp, digits, [3])).inside
    assert fixed["error"] == pytest.approx(inside["others"]["random"], rel=0.05) and fixed["errors"] == []


def test_nothing_negative(mlp: Network, digits: Dataset, tmp_path: Path) -> None:
    candidate = next(ActivationCodes(**FEW, nonnegative=True).curve(mlp, digits, [6]))
    network_file.write_bytes(candidate.contents, tmp_path / "file")
    _, tensors = network_file.unpack(tmp_path / "file")
    assert not tensors["mean"].any()  # a ReLU's outputs have the least value 0
    assert int(tensors["dictionary"].min()) >= 0 and int(tensors["levels"].min()) >= 0
    assert agreement(candidate.network, mlp, digits) > 0.85


@pytest.mark.parametrize(("text", "number"), [("cnn(epochs=3)", 4), ("resnet(channels=8-16,epochs=2)", 3),
                                              ("gru(hidden=24,epochs=2)", 1)])
def test_every_family_can_be_cut(text: str, number: int, trained: Callable[[str], Network], digits: Dataset) -> None:
    network, inputs = trained(text), torch.tensor(digits.validation.inputs)
    found = splits_of(network, inputs[:1])
    assert len(found) == number and len({one.title for one in found}) == number
    for one in found:
        with torch.no_grad():
            torch.testing.assert_close(one.tail(one.head(inputs)), logits_of(network, inputs))
    candidate = next(ActivationCodes(**{**FEW, "iterations": 2}, cut=number - 1).curve(network, digits, [8]))
    assert candidate.inside["layer"] == found[-1].title and agreement(candidate.network, network, digits) > 0.6


def test_large_outputs_are_coded_channel_by_channel(digits: Dataset) -> None:
    network = build(Architecture(CNN(channels=(300, 8), hidden=(12,)), digits.shape, len(digits.classes)))
    large = splits_of(network, torch.tensor(digits.train.inputs[:1]))[-1]
    assert large.shape == (300, 4, 4) and MOST_FEATURES < 300 * 16 and large.features == 16
    candidate = next(ActivationCodes(atoms=24, iterations=1, cut=2, pca_baseline=False).curve(network, digits, [2]))
    assert sum(candidate.inside["usage"]) <= 2 * 300 * len(digits.train)
    assert logits_of(candidate.network, torch.tensor(digits.validation.inputs)).shape == (len(digits.validation), 10)
    note = next(ActivationCodes(atoms=24, iterations=1, cut=2, pca_baseline=False).curve(network, digits, [20]))
    assert note.notes == ("only 16 atoms are used: the outputs have no more numbers",)


def test_the_view_has_the_coefficients_of_atoms_by_class(mlp: Network, digits: Dataset) -> None:
    candidate = next(ActivationCodes(**FEW).curve(mlp, digits, [3]))
    inside, between = candidate.inside, candidate.network[1]
    with torch.no_grad():
        hidden = mlp[:5](torch.tensor(digits.validation.inputs))
        sizes = omp(hidden - between.mean, between.atoms, 3).dense(40).abs()
    means = [sizes[torch.tensor(digits.validation.labels) == label].mean(0) for label in range(10)]
    with torch.no_grad():
        chosen = omp(mlp[:5](torch.tensor(digits.train.inputs)) - between.mean, between.atoms, 3).indices
    most_used = torch.bincount(chosen[chosen >= 0], minlength=40).argsort(descending=True, stable=True)[:24]
    assert torch.allclose(torch.tensor(inside["by_class"]), torch.stack(means)[:, most_used], atol=1e-3)
    assert inside["usage"] == sorted(inside["usage"], reverse=True) and sum(inside["usage"]) <= 3 * len(digits.train)
    assert len(inside["used"]) == len(inside["errors"]) == 4 and inside["bound"] >= 1
    view = ActivationCodes(cut=1).inside(mlp, digits, [3])
    assert len(view["cuts"]) == 2 and view["layer"] == view["cuts"][1] and "linear 64→" in view["layer"]


def test_learning_is_reported_after_each_iteration(mlp: Network, digits: Dataset) -> None:
    told = []
    report = Reporter(lambda progress: told.append(progress.live) if isinstance(progress.live, DictionarySoFar) else None)
    next(ActivationCodes(**FEW).curve(mlp, digits, [3], report))
    assert [len(one.errors) for one in told] == [1, 2, 3, 4] and len(told[0].usage) == 40


def test_what_cannot_be_cut_is_answered(mlp: Network, trained: Callable[[str], Network], digits: Dataset) -> None:
    with pytest.raises(ValueError, match=r"cut must be between 0 and 1 \(this network has 2 hidden outputs .*\), but got 2"):
        next(ActivationCodes(cut=2).curve(mlp, digits, [3]))
    with pytest.raises(ValueError, match=r"nonzeros must be between 1 and 8 \(the atoms\), but got 9\. Choose fewer"):
        next(ActivationCodes(atoms=8).curve(mlp, digits, [9]))
    with pytest.raises(ValueError, match=r"no hidden layer, and so no hidden outputs\. Choose another"):
        next(ActivationCodes().curve(trained("logistic(epochs=1)"), digits, [3]))


def test_the_teacher_stays_and_the_result_is_its_own_and_can_be_copied(mlp: Network, digits: Dataset) -> None:
    before = copy.deepcopy(state(mlp))
    candidate = next(ActivationCodes(**FEW).curve(mlp, digits, [3]))
    with torch.no_grad():
        candidate.network[0][1].weight.zero_()
    assert identical(state(mlp), before)
    candidate = next(ActivationCodes(**FEW).curve(mlp, digits, [3]))
    inputs = torch.tensor(digits.validation.inputs)
    for other in (copy.deepcopy(candidate.network), pickle.loads(pickle.dumps(candidate.network))):
        assert torch.equal(logits_of(other, inputs), logits_of(candidate.network, inputs))


def test_a_network_that_was_made_smaller_before_can_be_cut_too(mlp: Network, digits: Dataset) -> None:
    small = LowRank(keep=0.5).compress(mlp, digits)
    candidate = next(ActivationCodes(**FEW).curve(small, digits, [8]))
    assert agreement(candidate.network, small, digits) > 0.8


def test_labels_of_validation_and_test_are_not_what_outputs_are_coded_by(mlp: Network, digits: Dataset) -> None:
    blind = dataclasses.replace(digits, _test=poisoned(digits.open_test()))
    made, unseen = (next(ActivationCodes(**FEW).curve(mlp, data, [2])) for data in (digits, blind))
    assert made.contents == unseen.contents and identical(state(made.network), state(unseen.network))


def test_pages_know_what_ratios_are_against() -> None:
    assert [one.card()["reference"] for one in (ActivationCodes, DataCodes, LowRank)] == [
        "raw hidden outputs", "raw data", "teacher"]


@pytest.mark.parametrize(("method", "coder"), [
    ("activation_codes(atoms=8,iterations=1,pca_baseline=false)", 1),
    ("data_codes(atoms=8,iterations=1,epochs=1,classify=codes,pca_baseline=false)", 0)])
def test_each_number_of_nonzeros_is_timed_by_itself(method: str, coder: int, toy: Dataset, store: Store,
                                                    monkeypatch: pytest.MonkeyPatch) -> None:
    timed: list[Network] = []
    monkeypatch.setattr("compress.points.measure.latency_ratio",
                        lambda network, *_: timed.append(network) or (1.0, 1.0, 1.0))
    recipe = Recipe.parse(f"toy/mlp(hidden=8,epochs=1)/{method}/0")
    assert len(list(run(sweep_of(recipe, [1, 2, 4]), store))) == 3
    assert [network[coder].pursuit.nonzeros for network in timed] == [1, 4, 2]


@pytest.mark.parametrize("kind", ["data", "dct", "random", "sklearn"])
def test_no_dictionary_is_negative_where_nothing_may_be(kind: str, mlp: Network, digits: Dataset, tmp_path: Path) -> None:
    method = ActivationCodes(atoms=24, iterations=1, dictionary=kind, nonnegative=True)
    network_file.write_bytes(next(method.curve(mlp, digits, [3])).contents, tmp_path / "file")
    _, tensors = network_file.unpack(tmp_path / "file")
    assert int(tensors["dictionary"].min()) >= 0 and int(tensors["levels"].min()) >= 0


@pytest.mark.parametrize("settings", [{}, {"nonnegative": True}, {"dictionary": "components"}, {"dictionary": "data"}])
def test_no_other_validation_examples_change_the_file(settings: dict, mlp: Network, digits: Dataset) -> None:
    other = dataclasses.replace(digits, validation=Split(3 * digits.validation.inputs[::-1] - 5, digits.validation.labels))
    method = ActivationCodes(**FEW, **settings)
    made, unseen = (next(method.curve(mlp, data, [2])) for data in (digits, other))
    assert made.contents == unseen.contents and identical(state(made.network), state(unseen.network))


def test_a_class_without_validation_examples_fires_nothing(mlp: Network, digits: Dataset) -> None:
    own = digits.validation.labels != 3
    held = Split(digits.validation.inputs[own], digits.validation.labels[own])
    rows = next(ActivationCodes(**FEW).curve(mlp, dataclasses.replace(digits, validation=held), [2])).inside["by_class"]
    assert rows[3] == [0.0] * 24 and all(max(row) > 0 for number, row in enumerate(rows) if number != 3)


def test_numbers_of_components_are_those_of_one_byte(mlp: Network, digits: Dataset) -> None:
    between = next(ActivationCodes(**FEW, dictionary="components").curve(mlp, digits, [3])).network[1]
    with torch.no_grad():
        rebuilt = between(3 * mlp[:5](torch.tensor(digits.validation.inputs)))
    levels = (rebuilt - between.mean) @ torch.linalg.pinv(between.atoms) / between.scale
    assert float((levels - levels.round()).abs().max()) < 0.01 and float(levels.abs().max()) < 127.01


def test_errors_during_learning_have_the_unit_of_errors_of_outputs(mlp: Network, digits: Dataset) -> None:
    data = dataclasses.replace(digits, validation=digits.train)
    inside = next(ActivationCodes(**FEW, nonnegative=True).curve(mlp, data, [3])).inside
    assert inside["errors"][-1] == pytest.approx(inside["error"], rel=0.15)


def test_the_reference_holds_the_training_outputs(mlp: Network, digits: Dataset, tmp_path: Path) -> None:
    network_file.write_bytes(ActivationCodes().baseline(mlp, digits).contents, tmp_path / "file")
    _, tensors = network_file.unpack(tmp_path / "file")
    with torch.no_grad():
        torch.testing.assert_close(tensors["outputs"], mlp[:5](torch.tensor(digits.train.inputs)))


def test_the_most_used_atoms_are_shown_by_class(mlp: Network, digits: Dataset) -> None:
    candidate = next(ActivationCodes(**FEW).curve(mlp, digits, [3]))
    between = candidate.network[1]
    with torch.no_grad():
        hidden = [mlp[:5](torch.tensor(split.inputs)) - between.mean for split in (digits.train, digits.validation)]
        first = torch.bincount(omp(hidden[0], between.atoms, 3).indices.flatten() + 1, minlength=41)[1:].argmax()
        sizes = omp(hidden[1], between.atoms, 3).dense(40).abs()[:, first]
    labels = torch.tensor(digits.validation.labels)
    assert [row[0] for row in candidate.inside["by_class"]] == pytest.approx(
        [float(sizes[labels == label].mean()) for label in range(10)], abs=1e-3)


def test_large_outputs_without_channels_are_coded_whole(digits: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("compress.sparse_coding.network_split.MOST_FEATURES", 20)
    network = build(Architecture(CNN(channels=(4, 8), hidden=(12,)), digits.shape, len(digits.classes)))
    found = splits_of(network, torch.tensor(digits.train.inputs[:1]))
    assert [(one.shape, one.features) for one in found] == [((12,), 12), ((32,), 32), ((4, 4, 4), 16)]
    inside = next(ActivationCodes(atoms=24, iterations=1, cut=1, pca_baseline=False).curve(network, digits, [5])).inside
    assert inside["features"] == 32 and inside["mean_nonzeros"] > 4
