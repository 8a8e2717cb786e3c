"""What is trained after, or while, a network is pruned; and that the masks hold, whatever is trained."""

from __future__ import annotations

import dataclasses
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import Tensor

from compress.data.datasets import Dataset, Split
from compress.methods import prune
from compress.methods.prune import OTHER_DRAW, Prune
from compress.networks.evaluation import logits_of
from compress.networks.families import Network, build
from compress.progress import Cancelled, Reporter
from compress.pruning.masked_training import READY
from compress.pruning.ranking import kept_of
from compress.pruning.saliency import CRITERIA
from compress.recipe import Step
from compress.training.loop import steps_of
from compress.training.teachers import train_teacher
from tests.compress.helpers import identical, state
from tests.compress.methods.test_prune import accuracy, held, matrices

TOTAL = 64 * 48 + 48 * 32 + 32 * 10
TINY = {"recovery_epochs": 1, "recovery_rate": 1e-6}
every_criterion = pytest.mark.parametrize("criterion", CRITERIA)


def same(first: dict[str, Tensor], second: dict[str, Tensor]) -> bool:
    return all(torch.equal(mask, second[path]) for path, mask in first.items())


def left(network: Network, teacher: Network) -> int:
    return sum(int(mask.sum()) for mask in held(network, teacher).values())


@every_criterion
def test_training_holds_the_exact_mask(criterion: str, mlp: Network, digits: Dataset) -> None:
    method = Prune(sparsity=0.8, criterion=criterion, recovery_rate=0.002)
    cut, trained = (dataclasses.replace(method, recovery_epochs=epochs).compress(mlp, digits) for epochs in (0, 2))
    assert same(held(cut, mlp), held(trained, mlp)) and not identical(state(cut), state(trained))
    assert accuracy(trained, digits) > accuracy(cut, digits)


@pytest.mark.parametrize("settings", [{"recovery_epochs": 2, "schedule": "gradual"}, {"rounds": 3},
                                      {"rounds": 2, "recovery_epochs": 1},
                                      {"rounds": 2, "recovery_epochs": 1, "schedule": "rewind"}], ids=str)
@every_criterion
@pytest.mark.parametrize("allocation", ["global", "uniform"])
def test_many_small_steps_end_at_the_exact_sparsity(allocation: str, criterion: str, settings: dict, mlp: Network,
                                                    digits: Dataset) -> None:
    small = Prune(sparsity=0.83, criterion=criterion, allocation=allocation, **settings).compress(mlp, digits)
    counts = [int(mask.sum()) for mask in held(small, mlp).values()]
    if allocation == "uniform":
        assert counts == [kept_of(size, 0.83) for size in (3072, 1536, 320)]
    else:
        assert sum(counts) == kept_of(TOTAL, 0.83)


@pytest.mark.parametrize("settings", [{"schedule": "gradual"}, {"rounds": 3}], ids=str)
@pytest.mark.parametrize("criterion", ["wanda", "second_order"])
def test_the_shares_of_the_layers_are_those_of_the_network_that_was_given(criterion: str, settings: dict, mlp: Network,
                                                                          digits: Dataset) -> None:
    """Not those of what training has made of it by then."""
    method = Prune(sparsity=0.8, criterion=criterion, recovery_epochs=2, recovery_rate=0.05, **settings)
    counts = {path: int(mask.sum()) for path, mask in held(method.compress(mlp, digits), mlp).items()}
    assert counts == method.pruner(mlp, digits).kept_counts(0.8)


def test_weights_are_refitted_while_pruning_gradually(mlp: Network, digits: Dataset) -> None:
    moved = {}
    for criterion in ("magnitude", "second_order"):
        small = Prune(sparsity=0.6, criterion=criterion, schedule="gradual", **TINY).compress(mlp, digits)
        moved[criterion] = max(float((weight - mlp.get_submodule(path).weight.detach())[weight != 0].abs().max())
                               for path, weight in matrices(small, mlp).items())
    assert moved["magnitude"] < 1e-3 < 1e-2 < moved["second_order"]


@pytest.mark.parametrize("settings", [{"recovery_epochs": 2, "schedule": "gradual"}, {"rounds": 3}], ids=str)
@pytest.mark.parametrize("criterion", ["magnitude", "second_order"])
def test_many_small_steps_end_at_the_exact_pattern(criterion: str, settings: dict, mlp: Network, digits: Dataset) -> None:
    small = Prune(sparsity=0.75, pattern="n:4", criterion=criterion, **settings).compress(mlp, digits)
    for mask in held(small, mlp).values():
        assert bool((mask.unflatten(1, (-1, 4)).sum(2) == 1).all())


def test_each_round_keeps_the_same_share_of_what_was_left(mlp: Network, digits: Dataset,
                                                          monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Network] = []
    train = prune.train
    monkeypatch.setattr(prune, "train", lambda start, *rest, **options: seen.append(start) or train(start, *rest, **options))
    Prune(sparsity=0.9, rounds=3, **TINY).compress(mlp, digits)
    counts = [left(start, mlp) for start in seen]
    assert counts == [kept_of(TOTAL, 1 - 0.1 ** (number / 3)) for number in (1, 2)] + [kept_of(TOTAL, 0.9)]
    masks = [held(start, mlp) for start in seen]
    assert all(bool((later[path] <= mask).all()) for mask, later in pairwise(masks)
               for path, mask in mask.items())


@pytest.mark.parametrize("criterion", ["magnitude", "snip"])
@pytest.mark.parametrize("rounds", [1, 2])
def test_rewinding_starts_from_the_initial_weights_under_the_mask(rounds: int, criterion: str, mlp: Network,
                                                                  digits: Dataset) -> None:
    small = Prune(sparsity=0.7, criterion=criterion, schedule="rewind", rounds=rounds, **TINY).compress(mlp, digits)
    began, mask = build(mlp.architecture, 0), held(small, mlp)
    for path, weight in matrices(small, mlp).items():
        expected = began.get_submodule(path).weight * mask[path]
        assert torch.allclose(weight, expected, atol=1e-4)
        assert not torch.allclose(weight, mlp.get_submodule(path).weight * mask[path], atol=1e-2)
        assert torch.allclose(small.get_submodule(path).bias, began.get_submodule(path).bias, atol=1e-4)
    if rounds == 1:
        assert same(mask, held(Prune(sparsity=0.7, criterion=criterion).compress(mlp, digits), mlp))


@pytest.mark.parametrize("pattern", ["unstructured", "units"])
def test_redrawing_starts_from_weights_that_were_never_this_networks(pattern: str, mlp: Network, digits: Dataset) -> None:
    found = {schedule: Prune(sparsity=0.5, pattern=pattern, schedule=schedule, **TINY).compress(mlp, digits)
             for schedule in ("rewind", "redraw")}
    masks = [held(one, mlp) for one in found.values()]
    assert pattern == "units" or same(*masks)
    other = build(found["redraw"].architecture, OTHER_DRAW)
    for path, weight in matrices(found["redraw"], mlp).items():
        assert torch.allclose(weight, other.get_submodule(path).weight * masks[1][path], atol=1e-4)
        apart = (weight - matrices(found["rewind"], mlp)[path])[masks[1][path]]
        assert float(apart.abs().mean()) > 0.01


def test_rewound_units_start_from_their_own_initial_weights(mlp: Network, digits: Dataset) -> None:
    method = Prune(sparsity=0.5, pattern="units", schedule="rewind", **TINY)
    small, began = method.compress(mlp, digits), build(mlp.architecture, 0)
    rows = method.pruner(mlp, digits).orders["1"][-len(small[1].weight):].sort().values
    assert torch.allclose(small[1].weight, began[1].weight[rows], atol=1e-4)


@pytest.mark.parametrize("settings", [{"schedule": "rewind", **TINY}, {"schedule": "redraw", **TINY}, {"criterion": "snip"}],
                         ids=str)
def test_a_network_with_other_initial_weights_has_a_note(settings: dict, digits: Dataset) -> None:
    for trained_from, strange in ((0, False), (1, True)):
        teacher = train_teacher(digits, Step.parse("mlp(hidden=48-32,epochs=6)"), trained_from).network
        candidate = next(Prune(sparsity=0.5, **settings).curve(teacher, digits, [0.5]))
        assert any("not those that this network was trained from" in note for note in candidate.notes) == strange
        assert not any("began with" in note for note in next(Prune().curve(teacher, digits, [0.5])).notes)


def test_while_pruning_gradually_only_epochs_at_the_final_sparsity_are_kept(mlp: Network, digits: Dataset,
                                                                          monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[dict] = []
    train = prune.train
    monkeypatch.setattr(prune, "train", lambda *parts, **options: told.append(options) or train(*parts, **options))
    method = Prune(sparsity=0.97, schedule="gradual", recovery_epochs=5, recovery_rate=0.002)
    small = method.compress(mlp, digits)
    steps = steps_of(method._plan(), len(digits.train))
    assert told[0]["keep_from"] == round(READY * steps) and left(small, mlp) == kept_of(TOTAL, 0.97)
    assert accuracy(small, digits) > accuracy(Prune(sparsity=0.97).compress(mlp, digits), digits)


@pytest.mark.parametrize("settings", [{"schedule": "one_shot"}, {"schedule": "gradual"}, {"schedule": "rewind"},
                                      {"pattern": "units"}], ids=str)
def test_with_the_teachers_outputs_hard_labels_do_not_matter(settings: dict, mlp: Network, digits: Dataset) -> None:
    shuffled = np.random.default_rng(0).permutation(digits.train.labels)
    other = dataclasses.replace(digits, train=Split(digits.train.inputs, shuffled), digest="other")
    for loss, equal in (("teacher", True), ("labels", False)):
        method = Prune(sparsity=0.8, recovery_epochs=2, recovery_loss=loss, **settings)
        assert identical(*(state(method.compress(mlp, data)) for data in (digits, other))) == equal


@pytest.mark.parametrize("settings", [{"rounds": 2}, {"schedule": "gradual"}, {"pattern": "units"}], ids=str)
def test_the_teacher_of_the_recovery_loss_is_the_given_network(settings: dict, mlp: Network, digits: Dataset,
                                                                 monkeypatch: pytest.MonkeyPatch) -> None:
    """In every round, not what the cut or the last round left."""
    asked: list[Network] = []
    monkeypatch.setattr(prune, "logits_of", lambda network, inputs: asked.append(network) or logits_of(network, inputs))
    Prune(sparsity=0.5, recovery_loss="teacher", **TINY, **settings).compress(mlp, digits)
    assert len(asked) == settings.get("rounds", 1) and all(network is mlp for network in asked)


@pytest.mark.parametrize("schedule", ["one_shot", "gradual", "rewind"])
def test_training_can_be_cancelled_at_every_point(schedule: str, mlp: Network, digits: Dataset) -> None:
    reported: list[float] = []
    method = Prune(schedule=schedule, recovery_epochs=500)
    report = Reporter(lambda progress: reported.append(progress.share), lambda: len(reported) > 8)
    with pytest.raises(Cancelled):
        next(method.curve(mlp, digits, [0.5], report))


def test_progress_only_rises(mlp: Network, digits: Dataset) -> None:
    reported: list[float] = []
    method = Prune(recovery_epochs=1, rounds=2, allocation="sensitivity", criterion="taylor")
    list(method.curve(mlp, digits, [0.5, 0.8], Reporter(lambda progress: reported.append(progress.share))))
    assert reported == sorted(reported) and 0.6 < reported[-1] <= 1.0
