"""Students trained together are the students trained alone; and a student that diverges does not disturb the others."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable
from math import isnan

import numpy as np
import pytest
import torch
from torch.nn import functional

from compress.data.datasets import Dataset, Split
from compress.data.tensors import on_device
from compress.distillation import joint_training, student_groups
from compress.distillation.joint_training import train_students
from compress.distillation.objective import LOSSES, KDObjective, StackedObjective, TeacherTargets
from compress.distillation.student_groups import Student, groups, waves
from compress.networks.evaluation import logits_of
from compress.networks.families import CNN, MLP, Architecture, Family, Network, Recurrent, ResNet, build
from compress.networks.modules import Residual
from compress.progress import Cancelled, EpochDone, Progress, Reporter
from compress.training import losses
from compress.training.loop import Training, train
from compress.training.stack import Stack
from tests.compress.helpers import identical, state

CPU = torch.device("cpu")
PLAN = Training(epochs=3, learning_rate=0.005)


@pytest.fixture(scope="module")
def targets(trained: Callable[[str], Network], digits: Dataset) -> TeacherTargets:
    """The outputs of the small perceptron on the digits."""
    return TeacherTargets(trained("mlp(hidden=48-32,epochs=6)"), on_device(digits.train, CPU)[0])


@pytest.fixture(scope="module")
def half_the_digits(digits: Dataset) -> Dataset:
    """The digits with only the first 500 training examples: eight batches, the last one smaller."""
    return dataclasses.replace(digits, train=Split(digits.train.inputs[:500], digits.train.labels[:500]))


def student(family: Family, data: Dataset, targets: TeacherTargets, seed: int = 0, alpha: float = 0.9,
            temperature: float = 4.0, **more: object) -> Student:
    architecture = Architecture(family, data.shape, len(data.classes))
    return Student(architecture, seed, KDObjective(alpha, temperature), targets, **more)


def accuracy(network: Network, data: Dataset) -> float:
    inputs, labels = on_device(data.validation, CPU)
    return float((logits_of(network, inputs).argmax(1) == labels).float().mean())


def alone(one: Student, data: Dataset, plan: Training) -> Network:
    """The same student by the plain training loop and plain losses."""
    kd = one.objective

    def objective(logits: torch.Tensor, labels: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        soft_logits = one.targets.logits[rows]
        return ((1 - kd.alpha) * functional.cross_entropy(logits, labels)
                + kd.alpha * losses.soft_targets(logits, soft_logits, kd.temperature))

    return train(build(one.architecture, one.seed), data, plan, one.seed, objective=objective).network


@pytest.mark.parametrize("families", [
    [MLP((4, 3)), MLP((24, 8)), MLP((48, 30))], [MLP((5,)), MLP((40,))], [CNN((2, 4), (12, 8)), CNN((4, 7), (20, 16))],
    [ResNet((3, 5)), ResNet((4, 8))], [Recurrent((5,)), Recurrent((12,))]], ids=["mlp", "mlp1", "cnn", "resnet", "gru"])
@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_students_trained_together_are_those_trained_alone(families, optimizer, half_the_digits, targets):
    digits = half_the_digits
    rate = {"adam": 0.005, "sgd": 0.02}[optimizer]
    plan = Training(epochs=3, learning_rate=rate, optimizer=optimizer, weight_decay=0.01)
    students = [student(family, digits, targets, seed, alpha, temperature) for family in families
                for seed, alpha, temperature in ((0, 0.9, 4.0), (0, 0.0, 4.0), (1, 1.0, 16.0))]
    for one, result in zip(students, train_students(students, digits, plan), strict=True):
        other = alone(one, digits, plan)
        gap = logits_of(result.network, on_device(digits.validation, CPU)[0]) - logits_of(
            other, on_device(digits.validation, CPU)[0])
        assert float(gap.abs().max()) < 0.05
        assert accuracy(result.network, digits) == pytest.approx(accuracy(other, digits), abs=1.5 / len(digits.validation))
        assert max(result.accuracies) == pytest.approx(accuracy(result.network, digits), abs=1e-6)


def test_a_student_does_not_depend_on_the_other_students_and_the_order(digits, targets):
    one = student(MLP((12,), 0.2), digits, targets, seed=3)
    others = [student(MLP((width,), 0.2), digits, targets, seed, alpha) for width in (3, 90) for seed in (0, 3)
              for alpha in (0.0, 0.5)]
    results = [train_students(students, digits, PLAN)[place] for students, place in (([one], 0), ([*others, one], 8),
                                                                          ([one, *others[::-1]], 0))]
    for found in results[1:]:
        assert identical(state(results[0].network), state(found.network))


def test_cutting_groups_to_fit_the_memory_changes_nothing(digits, targets, monkeypatch):
    students = [student(MLP((width, width)), digits, targets) for width in (4, 6, 40, 80)]
    whole = train_students(students, digits, PLAN)
    assert len(list(groups(students, PLAN, stacked=False))) == 1
    monkeypatch.setattr(student_groups, "WAVE_BYTES", 1)
    assert [len(wave) for wave in waves(students, PLAN, stacked=False)] == [1, 1, 1, 1]
    for first, second in zip(whole, train_students(students, digits, PLAN), strict=True):
        assert identical(state(first.network), state(second.network))


def test_padding_that_would_cost_too_much_makes_a_group_of_its_own(digits, targets):
    students = [student(MLP((width, width)), digits, targets) for width in (500, 8, 8, 8, 8, 8, 8, 8)]
    assert sorted(map(len, groups(students, PLAN, stacked=True))) == [1, 7]
    assert len(list(groups(students, PLAN, stacked=False))) == 1
    thin = [student(MLP((width,)), digits, targets) for width in (4, 8, 16, 32, 64, 128)]
    assert len(list(groups(thin, PLAN, stacked=True))) == 1


def test_students_with_a_loss_on_hidden_features_are_alone_unless_they_are_stacked(digits, targets):
    students = [dataclasses.replace(student(CNN((3, 5), (9, 8)), digits, targets),
                                    objective=KDObjective(alpha, 4.0, "hints")) for alpha in (0.5, 0.9, 0.0, 0.0)]
    assert sorted(map(len, groups(students, PLAN, stacked=False))) == [1, 1, 2]
    assert sorted(map(len, groups(students, PLAN, stacked=True))) == [2, 2]


def test_groups_are_cut_where_their_activations_would_leave_the_caches(digits, targets):
    students = [student(ResNet((48, 48)), digits, targets) for _ in range(40)]
    found = list(groups(students, PLAN, stacked=False))
    _, each = student_groups._footprint(students[0].architecture, PLAN.batch)
    assert len(found) > 1 and sorted(place for group in found for place in group) == list(range(40))
    assert all(len(group) * each <= student_groups.GROUP_BYTES for group in found)
    assert len(list(groups(students, PLAN, stacked=True))) < len(found)


@pytest.mark.parametrize("labelled", [None, 200])
@pytest.mark.parametrize("loss", ["soft", "logits"])
@pytest.mark.parametrize("scores", [(False,) * 4, (False, True, False, True), (True,) * 4])
def test_the_closed_form_gradient_is_that_of_the_losses(scores, loss, labelled, digits, targets):
    rows = torch.arange(48)
    inputs, labels = on_device(digits.train, CPU)
    mask = None if labelled is None else (torch.arange(48) % 3 == 0).float()
    other = TeacherTargets(build(Architecture(MLP((9,)), digits.shape, 10), 5), inputs)
    objectives = [KDObjective(alpha, temperature, loss, standardised=scored)
                  for alpha, temperature, scored in zip((0.0, 0.3, 0.9, 1.0), (4.0, 1.0, 4.0, 20.0), scores, strict=True)]
    for target_list in ([targets] * 4, [targets, other, other, targets]):
        stack = Stack([build(Architecture(MLP((width,)), digits.shape, 10), 0) for width in (3, 8, 8, 20)])
        stacked = StackedObjective(stack, objectives, target_list, 0)
        gradients = []
        for way in ("backward", "losses"):
            for tensor in stack.parameters.values():
                tensor.data.grad = None
            outputs = stack.forward(inputs[rows], True)
            if way == "backward":
                stacked.backward(outputs, labels[rows], mask, rows)
            else:
                stacked.losses(outputs, labels[rows], mask, rows).sum().backward()
            gradients.append([tensor.data.grad.clone() for tensor in stack.parameters.values()])
        assert all(torch.allclose(first, second, atol=1e-6) for first, second in zip(*gradients, strict=True))


def test_without_soft_weight_the_gradient_is_that_of_plain_cross_entropy_bit_for_bit(digits, targets):
    inputs, labels = on_device(digits.train, CPU)
    rows = torch.arange(64)
    networks = [build(Architecture(MLP((7,)), digits.shape, 10), seed) for seed in range(2)]
    found = []
    for alpha in (0.0, 0.5):
        stack = Stack(networks)
        stacked = StackedObjective(stack, [KDObjective(0.0, 4.0), KDObjective(alpha, 4.0)], [targets] * 2, 0)
        outputs = stack.forward(inputs[rows], True)
        outputs.logits.retain_grad()
        stacked.backward(outputs, labels[rows], None, rows)
        found.append(outputs.logits.grad[0])
    plain = stack.forward(inputs[rows], True).logits[0].detach().requires_grad_()
    functional.cross_entropy(plain, labels[rows]).backward()
    assert torch.equal(found[0], found[1])
    assert torch.equal(found[0], plain.grad)


@pytest.mark.parametrize("loss", LOSSES)
def test_every_loss_trains_every_family(loss, digits, trained):
    targets = TeacherTargets(trained("cnn(epochs=10)"), on_device(digits.train, CPU)[0], loss)
    families = [CNN((6, 12), (40, 30)), ResNet((6, 8)), Recurrent((8,)), *([] if loss == "attention" else [MLP((20, 10))])]
    students = [Student(Architecture(family, digits.shape, 10), 0, KDObjective(1.0, 4.0, loss), targets)
                for family in families]
    for result in train_students(students, digits, Training(epochs=8, learning_rate=0.02)):
        assert accuracy(result.network, digits) > 0.6


def test_attention_without_maps_has_a_remedy(digits, mlp, trained):
    with pytest.raises(ValueError, match=r"loss attention needs a teacher with maps .* Set loss to soft"):
        TeacherTargets(mlp, on_device(digits.train, CPU)[0], "attention")
    maps = TeacherTargets(trained("cnn(epochs=3)"), on_device(digits.train, CPU)[0], "attention")
    with pytest.raises(ValueError, match=r"loss attention needs a student with maps"):
        perceptron = Architecture(MLP((4,)), digits.shape, 10)
        train_students([Student(perceptron, 0, KDObjective(1.0, 4.0, "attention"), maps)], digits, PLAN)


@pytest.mark.parametrize("loss", ["hints", "attention", "relational"])
def test_what_a_loss_adds_reaches_the_hidden_layers(loss, digits, trained):
    targets = TeacherTargets(trained("cnn(epochs=3)"), on_device(digits.train, CPU)[0], loss)
    inputs, labels = on_device(digits.train, CPU)
    rows, gradients = torch.arange(32), []
    for strength in (0.0, 1.0):
        stack = Stack([build(Architecture(CNN((3, 5), (20, 12)), digits.shape, 10), 0)])
        stacked = StackedObjective(stack, [KDObjective(1.0, 4.0, loss, strength)], [targets], 0)
        stacked.backward(stack.forward(inputs[rows], True), labels[rows], None, rows)
        gradients.append(stack.parameters["0.weight"].data.grad)
    assert not torch.allclose(gradients[0], gradients[1], rtol=1e-3)


def test_students_are_in_training_mode_at_every_step_and_judged_in_evaluation_mode(digits, targets, monkeypatch):
    modes = []
    original = Residual.forward

    def watch(self, batch):
        if not batch.is_meta:  # the estimate of memory needs no numbers
            modes.append((self.training, torch.is_grad_enabled()))
        return original(self, batch)

    monkeypatch.setattr(Residual, "forward", watch)
    train_students([student(ResNet((4,)), digits, targets)], digits, Training(epochs=2, batch=256))
    steps = 2 * -(-len(digits.train) // 256)
    assert [mode for mode in modes if mode[1]] == [(True, True)] * steps
    assert [mode for mode in modes if not mode[1]] == [(False, False)] * 2


def test_batch_norm_statistics_of_a_teacher_and_of_its_calibration_stay(digits, resnet):
    before = state(resnet.train())
    TeacherTargets(resnet, on_device(digits.train, CPU)[0], "hints")
    assert resnet.training and identical(before, state(resnet))
    resnet.eval()


def test_the_best_epoch_of_a_student_is_chosen_without_the_class_that_it_never_saw(digits, targets):
    """In an early epoch the class is still recognised by chance; a choice that counts this would know the class."""
    rows = torch.tensor(np.flatnonzero(digits.train.labels != 3))
    one = student(MLP((16,)), digits, targets, 7, 0.0, rows=rows, unseen=3)
    (found,) = train_students([one], digits, PLAN)
    shown, inputs = digits.validation.labels != 3, digits.validation.inputs
    without = dataclasses.replace(digits, validation=Split(inputs[shown], digits.validation.labels[shown]))
    (expected,) = train_students([dataclasses.replace(one, unseen=-1)], without, PLAN)
    assert identical(state(found.network), state(expected.network)) and found.best_epoch == expected.best_epoch
    assert found.accuracies != expected.accuracies


def test_a_student_that_diverges_is_marked_and_the_others_go_on(digits, targets):
    wild = broken(targets)
    students = [student(MLP((8,)), digits, targets), student(MLP((9,)), digits, wild),
                student(MLP((8,)), digits, targets, seed=1)]
    first, gone, second = train_students(students, digits, PLAN)
    assert gone.diverged == 1 and gone.best_epoch == 0 and all(map(isnan, gone.accuracies))
    assert identical(state(gone.network), state(build(students[1].architecture, 0)))
    calm = train_students([students[0], students[2]], digits, PLAN)
    for one, expected in zip((first, second), calm, strict=True):
        assert one.diverged is None and one.accuracies == expected.accuracies


def broken(targets: TeacherTargets) -> TeacherTargets:
    """The same teacher, but every logit is NaN."""
    wild = copy.copy(targets)
    wild.logits = torch.full_like(targets.logits, float("nan"))
    return wild


def test_a_student_that_reads_less_takes_as_many_steps(digits, targets, monkeypatch):
    seen = []
    original = joint_training._Group._step
    monkeypatch.setattr(joint_training._Group, "_step", lambda self: (seen.append(self), original(self))[1])
    few = torch.arange(50)
    train_students([student(MLP((4,)), digits, targets), student(MLP((4,)), digits, targets, rows=few, alpha=0.0)], digits,
                   PLAN)
    counts = [sum(group is one for one in seen) for group in dict.fromkeys(seen)]
    assert counts == [3 * -(-len(digits.train) // 64)] * 2


def test_a_budget_of_steps_ends_training(digits, targets):
    (result,) = train_students([student(MLP((4,)), digits, targets)], digits, Training(epochs=50), steps=40)
    assert len(result.accuracies) == -(-40 // -(-len(digits.train) // 64))


def test_progress_reports_each_epoch_and_cancels(digits, targets):
    reported: list[Progress] = []
    train_students([student(MLP((4,)), digits, targets)], digits, PLAN, Reporter(reported.append),
                   on_epoch=lambda epoch, accuracies: EpochDone(epoch, 0.0, 0.0, accuracies[0], 0.0))
    assert [progress.live.epoch for progress in reported if progress.live] == [1, 2, 3]
    shares = [progress.share for progress in reported]
    assert shares == sorted(shares) and shares[-1] == 1.0
    with pytest.raises(Cancelled):
        train_students([student(MLP((4,)), digits, targets)], digits, PLAN, Reporter(is_cancelled=lambda: True))
