"""What is pruned stays exactly zero while a network trains, and a gradual schedule prunes along its curve."""

from __future__ import annotations

import copy
from collections.abc import Callable
from itertools import pairwise

import pytest
import torch
from torch import Tensor, nn

from compress.data.datasets import Dataset
from compress.layers.base import dense_layers
from compress.networks.families import CNN, MLP, Architecture, Family, Network, build
from compress.progress import Cancelled, Reporter
from compress.pruning.masked_training import (
    READY,
    TEMPERATURE,
    UPDATES,
    Gradual,
    MaskHook,
    apply_masks,
    cubic,
    teacher_objective,
)
from compress.pruning.ranking import Masks, Ranking, kept_of
from compress.training.loop import AfterStep, Training, cross_entropy, steps_of, train
from compress.training.losses import soft_targets
from tests.compress.helpers import toy_data

PLANS = [Training(epochs=2000, batch=16, learning_rate=0.01, weight_decay=0.1),
         Training(epochs=2000, batch=16, learning_rate=0.01, weight_decay=0.01, optimizer="sgd")]
every_plan = pytest.mark.parametrize("plan", PLANS, ids=lambda plan: plan.optimizer)


@pytest.fixture(scope="module")
def data() -> Dataset:
    return toy_data((1, 8, 8))


def fresh(data: Dataset, family: Family | None = None) -> Network:
    return build(Architecture(family or MLP(hidden=(16,)), data.shape, len(data.classes)))


def by_size(network: Network, sparsity: float) -> Masks:
    """Magnitude pruning of all layers together."""
    scores = {path: layer.weight.detach().flatten(1).abs() for path, layer in dense_layers(network).items()}
    ranking = Ranking.of(scores, "network")
    return ranking.with_kept(kept_of(ranking.size, sparsity))


def zeros(network: Network) -> int:
    return sum(int((layer.weight == 0).sum()) for layer in dense_layers(network).values())


def test_the_cubic_schedule_is_fast_at_first_and_slow_at_the_end() -> None:
    assert [cubic(share, 0.8) for share in (0.0, 0.5, 1.0)] == pytest.approx([0.0, 0.7, 0.8])
    assert [cubic(share, 0.8, 0.4) for share in (0.0, 0.5, 1.0)] == pytest.approx([0.4, 0.75, 0.8])
    rising = [cubic(step / 50, 0.9) for step in range(51)]
    gains = [after - before for before, after in pairwise(rising)]
    assert all(gain > 0 for gain in gains) and gains == sorted(gains, reverse=True)
    assert cubic(-1.0, 0.9) == cubic(0.0, 0.9) and cubic(7.0, 0.9) == 0.9


@pytest.mark.parametrize("family", [MLP(hidden=(16,)), CNN((3, 4), (6,))], ids=lambda family: family.name)
def test_masks_set_weights_to_zero_and_leave_the_others(family: Family, data: Dataset) -> None:
    network = fresh(data, family)
    before = copy.deepcopy(network)
    masks = by_size(network, 0.7)
    apply_masks(network, masks)
    for path, mask in masks.items():
        weight, old = network.get_submodule(path).weight, before.get_submodule(path).weight
        assert torch.equal(weight, old * mask.view_as(weight)) and torch.equal(weight != 0, mask.view_as(weight))
        assert torch.equal(network.get_submodule(path).bias, before.get_submodule(path).bias)


def masked_training(data: Dataset, plan: Training, keeper: AfterStep | None, masks: Masks, start: Network) -> list[int]:
    """Zeros among the masked weights after each of 100 steps."""
    counts: list[int] = []

    def after(network: Network, done: int) -> None:
        if keeper is not None:
            keeper(network, done)
        counts.append(sum(int((network.get_submodule(path).weight.flatten(1)[~mask] == 0).sum())
                          for path, mask in masks.items()))

    train(start, data, plan, steps=100, after_step=after)
    return counts


@every_plan
@pytest.mark.parametrize("kept", [True, False])
def test_pruned_weights_stay_zero_only_with_masks(kept: bool, plan: Training, data: Dataset) -> None:
    """Gradients, momentum and weight decay would bring them back."""
    start = fresh(data)
    masks = by_size(start, 0.8)
    apply_masks(start, masks)
    gone = sum(int((~mask).sum()) for mask in masks.values())
    counts = masked_training(data, plan, MaskHook(masks) if kept else None, masks, start)
    assert counts == [gone] * 100 if kept else counts[0] < gone and max(counts[1:]) == 0


@every_plan
def test_weights_that_stay_are_trained(plan: Training, data: Dataset) -> None:
    start = fresh(data)
    masks = by_size(start, 0.8)
    apply_masks(start, masks)
    done = train(start, data, plan, steps=100, after_step=MaskHook(masks)).network
    for path, mask in masks.items():
        before, after = (one.get_submodule(path).weight.detach().flatten(1) for one in (start, done))
        assert not after[~mask].any() and ((before - after)[mask] != 0).float().mean() > 0.95


class Watch:
    """A gradual schedule that writes down, after each step, how many weights are zero, and each update's masks."""

    def __init__(self, final: float, steps: int, prune: Callable[[Network, float], Masks] = by_size) -> None:
        self.schedule = Gradual(self.prune, final, steps)
        self.inner, self.zeros, self.updates = prune, [], []

    def prune(self, network: Network, sparsity: float) -> Masks:
        masks = self.inner(network, sparsity)
        self.updates.append((len(self.zeros) + 1, sparsity, masks))
        return masks

    def __call__(self, network: Network, done: int) -> None:
        self.schedule(network, done)
        self.zeros.append(zeros(network))


@pytest.mark.parametrize("steps", [1, 2, 3, 17, 60, 101])
def test_after_each_update_the_sparsity_is_the_schedules(steps: int, data: Dataset) -> None:
    watch, start = Watch(0.9, steps), fresh(data)
    train(start, data, PLANS[0], steps=steps, after_step=watch)
    size, ready = sum(layer.weight.numel() for layer in dense_layers(start).values()), watch.schedule.ready
    assert ready == max(1, round(READY * steps)) and watch.updates[-1][:2] == (ready, 0.9)
    expected = 0
    for done, (found, update) in enumerate(zip(watch.zeros, _latest(watch.updates, steps), strict=True), start=1):
        if update is not None and update[0] == done:
            expected = size - kept_of(size, cubic(done / ready, 0.9))
        assert found == expected
    assert watch.zeros[ready - 1:] == [round(0.9 * size)] * (steps - ready + 1)


def _latest(updates: list[tuple[int, float, Masks]], steps: int) -> list[tuple[int, float, Masks] | None]:
    """For each step the last update that was made by then."""
    return [next((one for one in reversed(updates) if one[0] <= done), None) for done in range(1, steps + 1)]


@pytest.mark.parametrize("steps", [100, 1000, 3333])
def test_updates_are_spread_evenly_until_the_schedule_is_ready(steps: int) -> None:
    schedule = Gradual(by_size, 0.9, steps)
    due = [done for done in range(1, steps + 1) if schedule.due(done)]
    gaps = {after - before for before, after in pairwise(due[:-1])}
    assert UPDATES <= len(due) <= 2 * UPDATES and due[-1] == schedule.ready and gaps == {schedule.ready // UPDATES}


def test_masks_of_a_gradual_schedule_only_lose_weights(data: Dataset) -> None:
    watch = Watch(0.9, 100)
    train(fresh(data), data, PLANS[0], steps=100, after_step=watch)
    assert len(watch.updates) >= UPDATES
    for (_, _, before), (_, _, after) in pairwise(watch.updates):
        assert all(bool((mask <= before[path]).all()) and int(mask.sum()) <= int(before[path].sum())
                   for path, mask in after.items())


def test_weights_of_a_denser_epoch_are_never_kept_however_good_they_were(data: Dataset) -> None:
    """After three epochs the labels are wrong, long before the schedule is ready."""
    plan = Training(epochs=20, batch=16, learning_rate=0.02)
    steps = steps_of(plan, len(data.train))
    watch = Watch(0.9, steps)

    def objective(logits: Tensor, labels: Tensor, rows: Tensor) -> Tensor:
        return cross_entropy(logits, labels if len(watch.zeros) < 3 * steps // 20 else (labels + 1) % 3, rows)

    done = train(fresh(data), data, plan, objective=objective, after_step=watch, keep_from=watch.schedule.ready)
    accuracies = [entry["accuracy"] for entry in done.history]
    late = [epoch for epoch in range(1, 21) if epoch * steps // 20 >= watch.schedule.ready]
    assert max(accuracies) > max(accuracies[epoch - 1] for epoch in late) == accuracies[done.best_epoch - 1]
    assert done.best_epoch in late
    size = sum(layer.weight.numel() for layer in dense_layers(done.network).values())
    assert zeros(done.network) == size - kept_of(size, 0.9)


def test_the_teachers_objective_is_that_of_soft_targets_at_its_rows() -> None:
    teacher, logits = torch.randn(30, 4), torch.randn(5, 4)
    rows = torch.tensor([3, 29, 0, 7, 7])
    found = teacher_objective(teacher)(logits, torch.zeros(5, dtype=torch.long), rows)
    assert torch.equal(found, soft_targets(logits, teacher[rows], TEMPERATURE))
    assert float(teacher_objective(logits)(logits, rows, torch.arange(5))) == pytest.approx(0.0, abs=1e-6)
    assert not torch.equal(found, nn.functional.cross_entropy(logits, rows[:5] % 4))


@pytest.mark.parametrize("gradual", [False, True])
def test_training_with_masks_can_be_cancelled(gradual: bool, data: Dataset) -> None:
    start, reported = fresh(data), []
    step: AfterStep = Gradual(by_size, 0.9, 1000) if gradual else MaskHook(by_size(start, 0.9))
    with pytest.raises(Cancelled):
        train(start, data, PLANS[0], report=Reporter(reported.append, lambda: len(reported) >= 2), after_step=step)
