"""The training loop: repeatable, cancellable, never worse than its best epoch, and honest when it diverges."""

from __future__ import annotations

import dataclasses
from typing import ClassVar

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from compress.data.datasets import Dataset, Split
from compress.method import Method
from compress.methods.data_svd import DataSVD
from compress.methods.low_rank import LowRank
from compress.networks.evaluation import logits_of
from compress.networks.families import MLP, Architecture, Network, build, family
from compress.progress import Cancelled, EpochDone, Progress, Reporter
from compress.training.loop import Training, cross_entropy, shifted, train
from tests.compress.helpers import identical, relabelled, state, toy_data


@pytest.fixture(scope="module")
def data() -> Dataset:
    return toy_data()


def fresh(data: Dataset, dropout: float = 0.0, seed: int = 0) -> Network:
    return build(Architecture(MLP(hidden=(16,), dropout=dropout), data.shape, len(data.classes)), seed)


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
@pytest.mark.parametrize("name", ["mlp", "cnn", "resnet", "gru"])
def test_the_same_seed_gives_the_same_weights_bit_for_bit(optimizer: str, name: str) -> None:
    data = toy_data((1, 8, 8))
    small = {"mlp": {"hidden": "16", "dropout": 0.3}, "cnn": {"channels": "4"}, "resnet": {"channels": "4-8"},
             "gru": {"hidden": "8"}}[name]
    start = build(Architecture(family(name, small), data.shape, 3))
    plan = Training(epochs=2, batch=32, optimizer=optimizer, shift=1)
    torch.manual_seed(1)
    first = train(start, data, plan, seed=3).network
    torch.manual_seed(2)
    assert identical(state(first), state(train(start, data, plan, seed=3).network))
    assert not identical(state(first), state(train(start, data, plan, seed=4).network))


def test_training_leaves_the_global_random_state_alone(data: Dataset) -> None:
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    train(fresh(data, dropout=0.3), data, Training(epochs=2))
    assert torch.equal(torch.rand(3), expected)


def test_it_learns_and_the_start_stays_as_it_was(data: Dataset) -> None:
    start = fresh(data)
    before = state(start)
    done = train(start, data, Training(epochs=15, batch=16, learning_rate=0.01))
    assert identical(before, state(start)) and start.training
    assert not done.network.training and done.network.architecture == start.architecture
    assert done.history[done.best_epoch - 1]["accuracy"] > 0.9
    assert [entry["epoch"] for entry in done.history] == list(range(1, 16))
    assert done.history[-1]["loss"] < done.history[0]["loss"]
    assert not done.cancelled


class Spy(nn.Module):
    """Passes its inputs on and writes down whether gradients are wanted and whether it is in training mode."""

    modes: ClassVar[list[tuple[bool, bool]]] = []

    def forward(self, batch: Tensor) -> Tensor:
        self.modes.append((torch.is_grad_enabled(), self.training))
        return batch


def test_the_network_is_in_training_mode_at_every_step_and_only_there(data: Dataset) -> None:
    Spy.modes.clear()
    train(fresh(data, dropout=0.2).append(Spy()).eval(), data, Training(epochs=3, batch=32))
    assert {(True, True), (False, False)} == set(Spy.modes)
    assert sum(training for _, training in Spy.modes) == 3 * -(-len(data.train) // 32)


def test_an_objective_with_another_network_leaves_the_student_in_training_mode(data: Dataset) -> None:
    teacher = fresh(data, seed=5).eval()
    inputs, labels_of_train = torch.tensor(data.train.inputs), torch.tensor(data.train.labels)
    Spy.modes.clear()

    def objective(logits: Tensor, labels: Tensor, rows: Tensor) -> Tensor:
        assert torch.equal(labels_of_train[rows], labels) and not teacher.training
        return nn.functional.mse_loss(logits, logits_of(teacher, inputs[rows]).clone())

    done = train(fresh(data).append(Spy()).eval(), data, Training(epochs=8, batch=16), objective=objective)
    assert all(training == gradients for gradients, training in Spy.modes)
    assert done.history[-1]["loss"] < done.history[0]["loss"]


def cancel_after(epochs: int) -> tuple[Reporter, list[Progress]]:
    """A Reporter that cancels at the first report after so many finished epochs."""
    reported: list[Progress] = []

    def is_cancelled() -> bool:
        return sum(progress.live is not None for progress in reported[:-1]) >= epochs

    return Reporter(reported.append, is_cancelled), reported


def test_cancelled_in_a_later_epoch_the_best_weights_so_far_are_kept(data: Dataset) -> None:
    plan = Training(epochs=10, batch=4)
    report, reported = cancel_after(2)
    done = train(fresh(data), data, plan, report=report, keep_best=True)
    assert done.cancelled and 2 <= len(done.history) <= 3 and not done.network.training
    assert "step" in reported[-1].text or "epoch" in reported[-1].text
    whole = train(fresh(data), data, plan)
    assert [entry["loss"] for entry in done.history] == [entry["loss"] for entry in whole.history[:len(done.history)]]


def test_cancelled_within_the_first_epoch_nothing_is_kept(data: Dataset) -> None:
    with pytest.raises(Cancelled):
        train(fresh(data), data, Training(batch=4), report=cancel_after(0)[0], keep_best=True)


def test_a_half_trained_network_is_returned_only_to_those_who_ask_for_it(data: Dataset) -> None:
    with pytest.raises(Cancelled):
        train(fresh(data), data, Training(epochs=10, batch=4), report=cancel_after(2)[0])


@pytest.mark.parametrize("method", [LowRank(keep=0.3, recovery_steps=500), DataSVD(components=2, epochs=50)])
def test_a_method_cancelled_while_it_trains_gives_no_network(method: Method, data: Dataset) -> None:
    teacher = train(fresh(data), data, Training(epochs=1)).network
    with pytest.raises(Cancelled):
        next(method.curve(teacher, data, [method.plain()[method.dial]], cancel_after(2)[0]))


def test_the_best_epoch_is_kept_although_later_ones_are_worse(data: Dataset) -> None:
    """After the second epoch the labels are wrong: the network unlearns."""
    per_epoch = -(-len(data.train) // 16)
    calls = 0

    def objective(logits: Tensor, labels: Tensor, rows: Tensor) -> Tensor:
        nonlocal calls
        calls += 1
        return cross_entropy(logits, labels if calls <= 2 * per_epoch else (labels + 1) % 3, rows)

    done = train(fresh(data), data, Training(epochs=12, batch=16, learning_rate=0.02), objective=objective)
    accuracies = [entry["accuracy"] for entry in done.history]
    assert accuracies[-1] < 0.5 < max(accuracies) == accuracies[done.best_epoch - 1] and done.best_epoch <= 3
    with torch.inference_mode():
        right = done.network(torch.tensor(data.validation.inputs)).argmax(1) == torch.tensor(data.validation.labels)
    assert float(right.float().mean()) == pytest.approx(max(accuracies))


def test_training_that_diverges_at_once_has_a_remedy() -> None:
    data = toy_data()
    with pytest.raises(ValueError, match=r"Training: the loss became NaN or infinite .*learning_rate=10.0. Lower"):
        train(fresh(data), _scaled(data, 1e30), Training(learning_rate=10.0, optimizer="sgd", epochs=3))


def test_training_that_diverges_later_keeps_its_best_finite_epoch(data: Dataset) -> None:
    per_epoch = -(-len(data.train) // 64)
    calls = 0

    def objective(logits: Tensor, labels: Tensor, rows: Tensor) -> Tensor:
        nonlocal calls
        calls += 1
        return cross_entropy(logits, labels, rows) * (1 if calls <= 2 * per_epoch else float("nan"))

    done = train(fresh(data), data, Training(epochs=6), objective=objective)
    assert len(done.history) == 2 and not done.cancelled
    assert all(torch.isfinite(tensor).all() for tensor in done.network.parameters())


@pytest.mark.parametrize("learning_rate", [1.0, 10.0])
def test_a_huge_learning_rate_never_gives_weights_that_are_not_numbers(learning_rate: float, digits: Dataset) -> None:
    start = build(Architecture(MLP(hidden=(32, 16)), digits.shape, 10))
    try:
        done = train(start, digits, Training(epochs=3, learning_rate=learning_rate, optimizer="sgd"))
    except ValueError as error:
        assert "Lower learning_rate" in str(error)
    else:
        assert all(torch.isfinite(tensor).all() for tensor in done.network.parameters())
        assert all(np.isfinite(entry["loss"]) for entry in done.history)


def test_patience_ends_training_that_no_longer_gets_better(data: Dataset) -> None:
    stuck = Training(epochs=50, learning_rate=1e-6, patience=3)
    done = train(fresh(data), data, stuck)
    accuracies = [entry["accuracy"] for entry in done.history]
    assert len(done.history) < 50 and len(set(accuracies[-4:])) == 1
    assert len(train(fresh(data), data, dataclasses.replace(stuck, patience=0, epochs=8)).history) == 8


def test_patience_does_not_stop_training_that_gets_better(data: Dataset) -> None:
    done = train(fresh(data), data, Training(epochs=30, learning_rate=0.01, patience=4))
    accuracies = [entry["accuracy"] for entry in done.history]
    last_gain = max(place for place, accuracy in enumerate(accuracies)
                    if accuracy > max(accuracies[:place], default=0.0))
    assert len(accuracies) == min(30, last_gain + 1 + 4)


@pytest.mark.parametrize("steps", [1, 7, 13])
def test_a_budget_of_steps_is_kept_exactly(steps: int, data: Dataset) -> None:
    rows_seen: list[int] = []

    def objective(logits: Tensor, labels: Tensor, rows: Tensor) -> Tensor:
        rows_seen.append(len(rows))
        return cross_entropy(logits, labels, rows)

    train(fresh(data), data, Training(epochs=2000, batch=16), objective=objective, steps=steps)
    assert len(rows_seen) == steps


def test_an_epoch_sees_every_example_once(data: Dataset) -> None:
    seen: list[Tensor] = []

    def objective(logits: Tensor, labels: Tensor, rows: Tensor) -> Tensor:
        seen.append(rows)
        return cross_entropy(logits, labels, rows)

    train(fresh(data), data, Training(epochs=2, batch=16), objective=objective)
    epochs = torch.cat(seen).view(2, -1)
    assert all(torch.equal(epoch.sort().values, torch.arange(len(data.train))) for epoch in epochs)
    assert not torch.equal(epochs[0], epochs[1])


def test_the_test_split_does_not_influence_training(data: Dataset) -> None:
    first, second = (train(fresh(data), one, Training(epochs=3)).network for one in (data, relabelled(data)))
    assert identical(state(first), state(second))


def test_weight_decay_makes_weights_smaller(data: Dataset) -> None:
    sizes = [float(train(fresh(data), data, Training(epochs=10, weight_decay=decay)).network[1].weight.detach().norm())
             for decay in (0.0, 1.0)]
    assert sizes[1] < sizes[0]


def test_progress_rises_to_one_and_epochs_carry_live_numbers(data: Dataset) -> None:
    reported: list[Progress] = []
    train(fresh(data), data, Training(epochs=4, batch=4), report=Reporter(reported.append))
    shares = [progress.share for progress in reported]
    assert shares == sorted(shares) and shares[-1] == 1.0
    live = [progress.live for progress in reported if progress.live]
    assert all(isinstance(one, EpochDone) for one in live) and [one.epoch for one in live] == [1, 2, 3, 4]
    assert all(0 <= one.accuracy <= 1 and one.seconds > 0 for one in live)


def test_after_step_is_called_with_the_number_of_steps_done(data: Dataset) -> None:
    reported: list[int] = []
    train(fresh(data), data, Training(), steps=30, after_step=lambda _, done: reported.append(done))
    assert reported == list(range(1, 31))


@pytest.mark.parametrize("keep_from", [0, 1, 25, 10_000])
def test_only_epochs_that_end_late_enough_are_kept(keep_from: int, data: Dataset) -> None:
    """The labels are wrong after the first epoch."""
    per_epoch, calls = -(-len(data.train) // 16), []

    def objective(logits: Tensor, labels: Tensor, rows: Tensor) -> Tensor:
        calls.append(rows)
        return cross_entropy(logits, labels if len(calls) <= per_epoch else (labels + 1) % 3, rows)

    kept = train(fresh(data), data, Training(6, 0.02, 16), objective=objective, keep_from=keep_from)
    allowed = kept.history[min(5, max(0, -(-keep_from // per_epoch) - 1)):]
    assert kept.history[kept.best_epoch - 1] in allowed
    assert kept.history[kept.best_epoch - 1]["accuracy"] == max(entry["accuracy"] for entry in allowed)
    assert kept.history[0]["accuracy"] > kept.history[-1]["accuracy"]


@pytest.mark.parametrize("most", [1, 3])
def test_a_shift_moves_images_by_at_most_so_many_pixels(most: int) -> None:
    pictures = torch.arange(20 * 20.0).view(1, 1, 20, 20).expand(200, 1, 20, 20)
    moved = shifted(pictures, most, torch.Generator().manual_seed(0))
    rows, columns = moved[:, 0, 10, 10] // 20 - 10, moved[:, 0, 10, 10] % 20 - 10
    assert set(rows.tolist()) == set(columns.tolist()) == set(range(-most, most + 1))
    for place in range(5):
        down, right = int(rows[place]), int(columns[place])
        inner = slice(most, 20 - most)
        expected = pictures[place, 0].roll((-down, -right), (0, 1))[inner, inner]
        assert torch.equal(moved[place, 0, inner, inner], expected)


def test_a_shift_repeats_edge_samples_and_is_equal_for_all_channels() -> None:
    sequences = torch.arange(12.0).expand(100, 2, 12)
    moved = shifted(sequences, 2, torch.Generator().manual_seed(0))
    assert torch.equal(moved[:, 0], moved[:, 1])
    assert {tuple(row[:3].tolist()) for row in moved[:, 0]} == {(0, 0, 0), (0, 0, 1), (0, 1, 2), (1, 2, 3), (2, 3, 4)}


def test_a_shift_leaves_tables_as_they_are() -> None:
    table = torch.randn(10, 6)
    assert torch.equal(shifted(table, 8, torch.Generator().manual_seed(0)), table)


def test_a_shift_longer_than_the_picture_is_still_a_picture() -> None:
    assert shifted(torch.randn(5, 1, 3, 3), 8, torch.Generator().manual_seed(0)).shape == (5, 1, 3, 3)


def _scaled(data: Dataset, factor: float) -> Dataset:
    return dataclasses.replace(data, train=Split(data.train.inputs * np.float32(factor), data.train.labels))
