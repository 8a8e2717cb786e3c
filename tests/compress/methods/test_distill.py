"""Distillation: what is learned comes from the teacher and from nowhere else, and the control is fair."""

from __future__ import annotations

import copy
import dataclasses
import json
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from compress.data.datasets import Dataset, Split
from compress.data.tensors import on_device
from compress.distillation import joint_training
from compress.distillation.dark_knowledge import knowledge_view
from compress.distillation.joint_training import train_students
from compress.distillation.objective import LOSSES, KDObjective, StackedObjective, TeacherTargets
from compress.distillation.student_groups import Student
from compress.files import network_file
from compress.files.made_for import MadeFor
from compress.methods import distill
from compress.methods.distill import Distill
from compress.networks.evaluation import logits_of
from compress.networks.families import MLP, Architecture, Logistic, Network, build
from compress.progress import Progress, Reporter, StudentsSoFar
from compress.recipe import CURVE, SEED, Step
from compress.training.loop import Training, train
from compress.training.side_by_side import SideBySide
from tests.compress.helpers import identical, planned, state, toy_data

CPU = torch.device("cpu")
QUICK = Distill(width=0.5, alpha=1.0, epochs=10, learning_rate=0.01)
BRIEF = Distill(width=0.3, epochs=2, learning_rate=0.01, seeds=2, temperatures=(8,))
FOR_ROWS = tuple(loss for loss in LOSSES if loss != "attention")


def answers(network: Network, data: Dataset) -> Tensor:
    return logits_of(network, on_device(data.validation, CPU)[0])


def accuracy(network: Network, data: Dataset) -> float:
    return float((answers(network, data).argmax(1).numpy() == data.validation.labels).mean())


def shuffled(data: Dataset) -> Dataset:
    """The same training examples with labels that mean nothing."""
    return with_labels(data, np.random.default_rng(0).permutation(data.train.labels))


def with_labels(data: Dataset, labels: np.ndarray) -> Dataset:
    return replace(data, train=Split(data.train.inputs, labels))


@pytest.fixture
def trainings(monkeypatch: pytest.MonkeyPatch) -> list[tuple[list[Student], list[Network]]]:
    """The students of every call of train_students(), and the networks that it gave."""
    calls: list[tuple[list[Student], list[Network]]] = []

    def watched(students: list[Student], *more: object, **named: object) -> list[Any]:
        results = train_students(students, *more, **named)
        calls.append((students, [one.network for one in results]))
        return results

    monkeypatch.setattr(distill, "train_students", watched)
    return calls


# -- what is learned comes from the teacher ----------------------------------------------------------------------


@pytest.mark.parametrize("loss", FOR_ROWS)
def test_shuffled_labels_do_not_harm_a_student_of_the_teacher_alone(loss, digits, mlp):
    method = replace(QUICK, loss=loss, epochs=6)
    honest, misled = (method.compress(mlp, data) for data in (digits, shuffled(digits)))
    assert accuracy(honest, digits) > 0.75
    assert accuracy(misled, digits) > accuracy(honest, digits) - 0.05
    assert loss == "decoupled" or identical(state(honest), state(misled))


def test_shuffled_labels_ruin_the_control(digits, mlp):
    control = QUICK.control()
    assert accuracy(control.compress(mlp, digits), digits) > 0.9
    assert accuracy(control.compress(mlp, shuffled(digits)), digits) < 0.25


@pytest.mark.parametrize("loss", FOR_ROWS)
def test_students_of_an_untrained_teacher_learn_nothing(loss, digits, mlp):
    fool = build(mlp.architecture, 99)
    assert accuracy(replace(QUICK, loss=loss, epochs=6).compress(fool, digits), digits) < 0.3


@pytest.mark.parametrize("loss", ["soft", "logits", "decoupled"])
def test_students_of_a_teacher_with_permuted_classes_learn_the_permutation(loss, digits, mlp):
    liar = copy.deepcopy(mlp)
    with torch.no_grad():
        for tensor in liar[-1].parameters():
            tensor.copy_(tensor.roll(1, 0))
    method = replace(QUICK, loss=loss)
    assert accuracy(method.compress(liar, digits), digits) < 0.2
    believed = replace(digits, validation=Split(digits.validation.inputs, (digits.validation.labels + 1) % 10))
    convinced = method.compress(liar, believed)
    assert accuracy(convinced, believed) > 0.75 and accuracy(convinced, digits) < 0.1


def test_some_weight_on_the_labels_is_some_harm_where_they_are_wrong(digits, mlp):
    harm = [accuracy(replace(QUICK, alpha=alpha, temperature=1.0).compress(mlp, shuffled(digits)), digits)
            for alpha in (1.0, 0.5, 0.05)]
    assert harm[0] > 0.8 and harm[0] >= harm[1] - 0.02 and harm[2] < harm[1] - 0.1


@pytest.mark.parametrize("temperature", [1.0, 4.0])
def test_a_linear_student_that_matches_logits_is_least_squares(temperature):
    data = toy_data((6,))
    teacher = build(Architecture(MLP((20,)), data.shape, 3), 5)
    inputs = on_device(data.train, CPU)[0]

    def beside_one(split: Split) -> Tensor:
        return torch.cat([torch.tensor(split.inputs), torch.ones(len(split), 1)], 1).double()

    def centred(network: Network) -> Tensor:
        logits = logits_of(network, inputs).double()
        return logits - logits.mean(1, keepdim=True)

    design = beside_one(data.train)
    solution = torch.linalg.lstsq(design, centred(teacher)).solution
    ours = (beside_one(data.validation) @ solution).argmax(1).numpy()  # the solution is best, so the last epoch is kept
    judged = replace(data, validation=Split(data.validation.inputs, ours))
    student = Student(Architecture(Logistic(), data.shape, 3), 0, KDObjective(1.0, temperature, "logits"),
                      TeacherTargets(teacher, inputs, "logits"))
    plan = Training(epochs=300, learning_rate=0.5, batch=len(inputs), optimizer="sgd")
    (result,) = train_students([student], judged, plan)
    assert float((centred(teacher) - design @ solution).abs().max()) > 0.1
    assert torch.allclose(centred(result.network), design @ solution, atol=1e-4)


# -- the control is fair -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("settings", [
    {"temperature": 9.0}, {"loss": "hints"}, {"assistant": 0.5}, {"strength": 3.0}, {"unlabelled": False}, {"alpha": 0.2}])
def test_the_control_does_not_depend_on_settings_of_the_teacher_term(settings):
    assert replace(BRIEF, **settings).control() == BRIEF.control()


@pytest.mark.parametrize("settings", [
    {"width": 0.7}, {"student": "cnn"}, {"depth": 2}, {"labelled": 40}, {"omit": 3}, {"epochs": 5}, {"learning_rate": 0.1},
    {"batch": 32}, {"dropout": 0.3}, {"student_seed": 8}])
def test_the_control_is_its_student_in_all_else(settings):
    ((name, value),) = settings.items()
    control = replace(BRIEF, **settings).control()
    assert getattr(control, name) == value and control != BRIEF.control()
    assert control.alpha == 0 and control.control() == control


def test_a_student_and_its_control_start_from_the_same_weights(digits, mlp):
    still = replace(BRIEF, learning_rate=1e-6, epochs=1)
    student, control = (state(one.compress(mlp, digits)) for one in (still, still.control()))
    other = state(replace(still, student_seed=1).compress(mlp, digits))
    drawn = state(build(still.architecture(mlp), 1000))
    assert all(torch.allclose(control[name], student[name], atol=1e-4) for name in drawn)
    assert all(torch.allclose(drawn[name], student[name], atol=1e-4) for name in drawn)
    assert not torch.allclose(other["1.weight"], student["1.weight"], atol=1e-2)


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> dict[tuple[float, int], list[Tensor]]:
    """The batches of every student, by its alpha and its seed."""
    batches: dict[tuple[float, int], list[Tensor]] = {}

    class Watched(StackedObjective):
        def __init__(self, stack: SideBySide, objectives: list[KDObjective], targets: list[TeacherTargets],
                     seed: int) -> None:
            super().__init__(stack, objectives, targets, seed)
            self.members = [(objective.alpha, seed) for objective in objectives]

        def gradient(self, logits: Tensor, labels: Tensor, labelled: Tensor | None, rows: Tensor) -> Tensor:
            for member in self.members:
                batches.setdefault(member, []).append(rows)
            return super().gradient(logits, labels, labelled, rows)

    monkeypatch.setattr(joint_training, "StackedObjective", Watched)
    return batches


def test_a_student_and_its_control_read_the_same_batches_and_take_the_same_steps(digits, mlp, read):
    method = replace(BRIEF, temperatures=())
    list(method.candidates(mlp, digits, planned(method, [0.3])))
    steps = method.epochs * -(-len(digits.train) // method.batch)
    assert set(read) == {(0.9, 1000), (0.0, 1000), (0.9, 1001), (0.0, 1001)}
    for seed in (1000, 1001):
        student, control = read[0.9, seed], read[0.0, seed]
        assert len(student) == len(control) == steps
        assert all(torch.equal(first, second) for first, second in zip(student, control, strict=True))
    assert not torch.equal(read[0.9, 1000][0], read[0.9, 1001][0])


@pytest.mark.parametrize(("text", "seed", "student_seed"), [
    ("mlp(hidden=48-32,epochs=6)", 0, 0), ("mlp(hidden=48-32,epochs=6)", 2, 7), ("resnet(channels=8-16,epochs=2)", 0, 1)])
def test_the_control_is_the_plainly_trained_network(text, seed, student_seed, digits, trained):
    teacher = trained(text)
    method = replace(BRIEF, epochs=2, student_seed=student_seed, seeds=1)
    grid = planned(method, [0.3, 0.6])
    grown = dict(zip(grid, method.candidates(teacher, digits, grid, seed=seed), strict=True))
    number = 1000 * (seed + 1) + student_seed
    for width in (0.3, 0.6):
        control = grown[method.at(width).control()]
        start = build(method.at(width).architecture(teacher), number)
        plain = train(start, digits, Training(epochs=2, learning_rate=0.01, batch=64), number)
        assert torch.allclose(answers(control.network, digits), answers(plain.network, digits), atol=0.01)
        assert control.inside["accuracies"] == pytest.approx([one["accuracy"] for one in plain.history], abs=0.004)
        assert not torch.allclose(answers(grown[method.at(width)].network, digits), answers(plain.network, digits), atol=0.1)


def test_a_control_takes_as_many_steps_on_its_few_labels(digits, mlp, read):
    method = replace(BRIEF, labelled=30, temperatures=(), seeds=1)
    list(method.candidates(mlp, digits, planned(method, [0.3])))
    student, control = read[0.9, 1000], read[0.0, 1000]
    assert len(student) == len(control) == method.epochs * -(-len(digits.train) // method.batch)
    assert torch.cat(student).unique().tolist() == list(range(len(digits.train)))
    known = torch.cat(control).unique()
    assert len(known) == 30 and set(np.bincount(digits.train.labels[known.numpy()])) == {3}


# -- the grid ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("temperatures", [(), (8,), (1, 4, 8)])
def test_a_grid_has_every_student_once_and_a_control_for_each_width_and_seed(temperatures):
    method, widths = replace(BRIEF, temperatures=temperatures, student_seed=5, seeds=3), [0.1, 0.3]
    grid = planned(method, widths)
    students = [(one.width, one.temperature, one.student_seed) for one in grid if one.alpha > 0]
    wanted = {4.0, *map(float, temperatures)}
    assert sorted(students) == sorted(
        (width, temperature, seed) for width in widths for temperature in wanted for seed in (5, 6, 7))
    controls = [(one.width, one.student_seed) for one in grid if one.alpha == 0]
    assert sorted(controls) == sorted((width, seed) for width in widths for seed in (5, 6, 7))
    assert len({one.step() for one in grid}) == len(grid)
    assert all(one.control() in grid for one in grid)
    assert {method.at(width) for width in widths} <= set(grid)
    own = [run for run in method.plan(widths) if run.method.alpha > 0 and run.method.temperature == method.temperature]
    assert {run.role for run in own} == {CURVE, SEED}, "its own temperature is no other one"


def test_matching_logits_does_not_depend_on_temperature():
    grid = planned(replace(BRIEF, loss="logits", temperatures=(1, 8)), [0.1])
    assert {one.temperature for one in grid} == {4.0} and len(grid) == 4


def test_a_grid_of_controls_is_one_too():
    grid = planned(replace(BRIEF, alpha=0.0, temperatures=()), [0.1, 0.3])
    assert len(grid) == len(set(grid)) and {one.alpha for one in grid} == {0.0}
    assert {replace(BRIEF, alpha=0.0, temperatures=()).at(width) for width in (0.1, 0.3)} <= set(grid)


def test_a_student_with_an_assistant_has_a_baseline_without_it():
    method = replace(BRIEF, assistant=0.6)
    grid = planned(method, [0.1, 0.3])
    helped = [one for one in grid if one.assistant]
    assert len(helped) == 2 * 2 * 2
    assert {replace(one, assistant=0.0) for one in helped if one.temperature == 4.0} <= set(grid)


def test_what_is_the_sweeps_alone_is_no_part_of_a_point():
    assert replace(BRIEF, seeds=9, temperatures=(2, 3)).step() == BRIEF.step()
    assert {"seeds", "temperatures"}.isdisjoint(BRIEF.step().values)
    assert "seed=" not in BRIEF.step().text().replace("student_seed=", "")


def test_the_last_seed_can_be_measured_alone():
    grid = planned(Distill(student_seed=999, seeds=1), [0.1])
    assert {one.student_seed for one in grid} == {999}


def test_too_many_seeds_after_the_first_are_named():
    """The settings at fault are student_seed and seeds, as they were given."""
    with pytest.raises(ValueError, match=r"\bseeds\b"):
        planned(Distill(student_seed=998, seeds=3), [0.1])


def test_a_seed_decides_its_student(digits, mlp):
    first, again, other, later = (answers(method.compress(mlp, digits, seed=seed), digits) for method, seed in (
        (BRIEF, 0), (BRIEF, 0), (replace(BRIEF, student_seed=1), 0), (BRIEF, 1)))
    assert torch.equal(first, again)
    assert not torch.allclose(first, other, atol=0.1) and not torch.allclose(first, later, atol=0.1)


def test_students_of_a_plan_differ_and_have_their_settings(digits, mlp):
    grid = planned(BRIEF, [0.3])
    grown = list(BRIEF.candidates(mlp, digits, grid))
    assert [candidate.method for candidate in grown] == grid and {candidate.value for candidate in grown} == {0.3}
    outputs = [answers(candidate.network, digits) for candidate in grown]
    for number, one in enumerate(outputs):
        assert all(not torch.allclose(one, other, atol=1e-2) for other in outputs[:number])


# -- classes and labels that are kept from the student -----------------------------------------------------------


@pytest.mark.parametrize("labelled", [0, 60])
def test_no_example_of_an_omitted_class_is_read(labelled, digits, mlp):
    inputs = digits.train.inputs.copy()
    inputs[digits.train.labels == 3] = np.nan
    blank = replace(digits, train=Split(inputs, digits.train.labels))
    method = replace(BRIEF, omit=3, labelled=labelled)
    grid = planned(method, [0.3])
    found = list(method.candidates(mlp, blank, grid))
    assert all(answers(candidate.network, digits).isfinite().all() and "diverged" not in candidate.inside
               for candidate in found)
    for seen, unseen in zip(method.candidates(mlp, digits, grid), found, strict=True):
        assert identical(state(seen.network), state(unseen.network))


def test_a_class_is_left_out_by_its_label_and_the_points_say_which(digits, mlp):
    """Labels from 1 on, and names: not the number of the class among them."""
    for names, label in (([str(number + 1) for number in range(10)], 3), (list("abcdefghij"), "c")):
        named = replace(digits, classes=tuple(names))
        by_label = list(replace(BRIEF, omit=label).candidates(mlp, named, planned(replace(BRIEF, omit=label), [0.3])))
        by_place = list(replace(BRIEF, omit=2).candidates(mlp, digits, planned(replace(BRIEF, omit=2), [0.3])))
        assert all(identical(state(one.network), state(two.network)) for one, two in zip(by_label, by_place, strict=True))
        assert {one.notes for one in by_label} == {(f"class {label} was never shown",)}
        assert replace(BRIEF, omit="10").invalid_reason(mlp, named) == "" or names[0] == "a"
    assert "class of" in replace(BRIEF, omit=0).invalid_reason(mlp, replace(digits, classes=tuple(map(str, range(1, 11)))))


def test_recipes_that_leave_out_a_class_keep_their_keys():
    assert ",omit=3," in Step.of("distill", Distill(omit="3").plain()).text()
    assert ",omit=-1," in Step.of("distill", Distill(omit="none").plain()).text()
    assert Distill.from_plain(Step.parse("distill(omit=3)").values) == Distill(omit=3)


@pytest.mark.parametrize("omit", [3, 8])
def test_a_class_never_shown_is_known_from_the_teacher_alone(omit, digits, mlp):
    method = replace(QUICK, omit=omit)
    student, control = (answers(one.compress(mlp, digits), digits).argmax(1).numpy() for one in (method, method.control()))
    own = digits.validation.labels == omit
    assert not (control == omit).any()
    assert (student[own] == omit).mean() > 0.2
    assert (student[~own] == omit).mean() < 0.05


@pytest.mark.parametrize("method", [
    replace(QUICK, epochs=2), replace(QUICK, epochs=2, alpha=0.5), replace(QUICK, epochs=2, alpha=0.5, loss="decoupled"),
    replace(QUICK, epochs=2, alpha=0.5, unlabelled=False), replace(QUICK, epochs=2).control()],
    ids=["teacher alone", "mixed", "decoupled", "few examples", "control"])
def test_labels_outside_the_labelled_ones_are_never_used(method, digits, mlp, monkeypatch):
    method = replace(method, labelled=30)
    chosen = distill.transfer_set(digits, 30, method.unlabelled, -1, 0)
    known = method.compress(mlp, digits)
    monkeypatch.setattr(distill, "transfer_set", lambda *given: chosen)
    labels = shuffled(digits).train.labels.copy()
    labels[chosen.control] = digits.train.labels[chosen.control]
    assert (labels != digits.train.labels).mean() > 0.7
    assert identical(state(known), state(method.compress(mlp, with_labels(digits, labels))))
    labels[chosen.control] = (labels[chosen.control] + 1) % 10
    misled = method.compress(mlp, with_labels(digits, labels))
    assert (method.alpha == 1) is identical(state(known), state(misled))


@pytest.mark.parametrize("labelled", [20, 30])
def test_a_teacher_that_labels_the_rest_helps_where_labels_are_few(labelled, digits, mlp):
    method = replace(QUICK, labelled=labelled)
    helped, alone, control = (accuracy(one.compress(mlp, digits), digits) for one in (
        method, replace(method, unlabelled=False), method.control()))
    assert helped > control + 0.1 and helped > alone + 0.02


# -- assistants --------------------------------------------------------------------------------------------------


def test_every_student_has_the_targets_of_the_assistant_of_its_temperature_and_seed(digits, mlp, trainings):
    method = replace(BRIEF, width=0.1, assistant=0.5)
    grid = [one for one in planned(method, [0.1, 0.2]) if one.assistant or one.alpha == 0]
    list(method.candidates(mlp, digits, grid))
    (assistants, networks), (students, _) = trainings
    inputs = on_device(digits.train, CPU)[0]
    assert len(assistants) == 4 and {one.architecture.family for one in assistants} == {MLP((24, 16))}
    assert all(torch.equal(one.targets.logits, logits_of(mlp, inputs)) for one in assistants)
    between = {(one.seed, one.objective): logits_of(network, inputs)
               for one, network in zip(assistants, networks, strict=True)}
    helped = [one for one in students if one.objective.alpha > 0]
    assert len(helped) == 8 and len({one.targets for one in helped}) == 4
    for one in helped:
        assert torch.equal(one.targets.logits, between[one.seed, one.objective])
        assert one.architecture.family.hidden < (24, 16)


def test_an_assistant_makes_another_student_but_not_another_control(digits, mlp):
    method = replace(BRIEF, width=0.1, assistant=0.5, temperatures=())
    grid = planned(method, [0.1])
    grown = dict(zip(grid, method.candidates(mlp, digits, grid), strict=True))
    student, direct, control = (answers(grown[one].network, digits) for one in (
        method, replace(method, assistant=0.0), method.control()))
    assert not torch.allclose(student, direct, atol=0.1)
    assert torch.allclose(student, answers(method.compress(mlp, digits), digits), atol=1e-2)
    assert torch.allclose(direct, answers(replace(method, assistant=0.0).compress(mlp, digits), digits), atol=1e-2)
    assert torch.allclose(control, answers(method.control().compress(mlp, digits), digits), atol=1e-2)
    control = replace(method, alpha=0.0)
    assert identical(state(control.compress(mlp, digits)), state(control.control().compress(mlp, digits)))


@pytest.mark.parametrize("loss", FOR_ROWS)
def test_an_assistant_goes_with_every_loss_in_a_grid_with_controls(loss, digits, mlp):
    method = replace(BRIEF, assistant=0.6, loss=loss, epochs=1)
    grid = planned(method, [0.3])
    grown = dict(zip(grid, method.candidates(mlp, digits, grid), strict=True))
    for one in (method, replace(method, assistant=0.0)):
        assert torch.allclose(answers(grown[one].network, digits), answers(one.compress(mlp, digits), digits), atol=1e-2)


def test_an_assistant_and_its_students_share_hidden_layers_whatever_the_teachers_family(digits, trained):
    method = replace(BRIEF, student="gru", assistant=0.6, loss="attention", epochs=1)
    grid = planned(method, [0.1])
    assert len(list(method.candidates(trained("cnn(epochs=3)"), digits, grid))) == len(grid)


# -- what a candidate reports ------------------------------------------------------------------------------------


def test_a_candidate_has_its_learning_curve_and_its_logits_of_the_examples_shown(digits, mlp):
    method = replace(BRIEF, epochs=4)
    rows = knowledge_view(mlp, digits)["examples"]
    for candidate in method.candidates(mlp, digits, planned(method, [0.1, 0.3])):
        inside, network = candidate.inside, candidate.network
        assert inside["title"] == network.architecture.title() == {0.1: "64-5-3-10", 0.3: "64-14-10-10"}[candidate.value]
        assert len(inside["accuracies"]) == 4 and candidate.notes == () and "diverged" not in inside
        best = max(inside["accuracies"])
        assert inside["best_epoch"] == 4 - inside["accuracies"][::-1].index(best)
        assert accuracy(network, digits) == pytest.approx(best, abs=1e-4)
        assert np.allclose(inside["logits"], answers(network, digits)[rows], atol=6e-4)
        json.dumps(inside, allow_nan=False)


def test_with_many_classes_a_candidate_has_no_logits_to_show():
    data = toy_data((4,), 21, 252)
    teacher = build(Architecture(MLP((9,)), data.shape, 21))
    (candidate,) = replace(BRIEF, epochs=1).curve(teacher, data, [0.5])
    assert "logits" not in candidate.inside and len(candidate.inside["accuracies"]) == 1


@pytest.mark.parametrize("labelled", [0, 40])
def test_every_epoch_reports_accuracies_so_far_and_file_sizes(labelled, digits, mlp):
    reported: list[Progress] = []
    method = replace(BRIEF, epochs=3, labelled=labelled)
    grid = planned(method, [0.1, 0.3])
    grown = list(method.candidates(mlp, digits, grid, Reporter(reported.append)))
    live = [progress.live for progress in reported if isinstance(progress.live, StudentsSoFar)]
    json.dumps([one.plain() for one in live], allow_nan=False)
    epochs = [one.epoch for one in live]
    assert epochs == sorted(epochs) and set(epochs) == {1, 2, 3}
    rows = live[-1].students
    assert len(rows) == len(grid)
    for row, one, candidate in zip(rows, grid, grown, strict=True):
        size = len(network_file.to_bytes(candidate.network, MadeFor.of(digits), one.stored))
        assert row.bytes == pytest.approx(size, rel=0.05)
        assert (row.width, row.temperature, row.seed, row.alpha, row.assistant) == (
            one.width, one.temperature, one.student_seed, one.alpha, one.assistant)
        assert row.accuracy == pytest.approx(candidate.inside["accuracies"][-1], abs=1e-4)
    early = next(one.students for one in live if len(one.students) == len(grid))
    assert sum(row.accuracy for row in rows) > sum(row.accuracy for row in early)
    shares = [progress.share for progress in reported]
    assert shares == sorted(shares) and shares[0] == 0.0 and shares[-1] <= 1.0


@pytest.mark.parametrize("unhappy", [10.0, 5.0])
def test_divergence_is_noted_with_the_setting_to_lower(unhappy, digits, mlp, monkeypatch):
    """Steepest descent has no bound on its steps; Adam's are as large as the rate at most."""
    monkeypatch.setattr(distill, "Training", partial(Training, optimizer="sgd"))
    method = replace(BRIEF, learning_rate=unhappy, loss="logits", temperatures=())
    (candidate,) = method.curve(mlp, digits, [2.0])
    assert candidate.inside["diverged"] == 1 and candidate.inside["best_epoch"] == 0
    assert candidate.inside["accuracies"] == [None] * method.epochs
    json.dumps(candidate.inside, allow_nan=False)
    assert candidate.notes == ("diverged in its first epoch; this network is untrained. Lower learning_rate, now "
                               f"{unhappy:g}",)
    assert answers(candidate.network, digits).isfinite().all()


def test_one_that_diverges_later_is_what_it_was_before_and_the_control_goes_on(digits, mlp, monkeypatch):
    made: list[TeacherTargets] = []
    live: list[StudentsSoFar] = []

    def remembered(*given: Any) -> TeacherTargets:
        made.append(TeacherTargets(*given))
        return made[-1]

    def spoil(progress: Progress) -> None:
        if isinstance(progress.live, StudentsSoFar):
            live.append(progress.live)
        if progress.live and progress.live.epoch == 2:
            made[0].logits.mul_(1e30)

    monkeypatch.setattr(distill, "TeacherTargets", remembered)
    monkeypatch.setattr(distill, "Training", partial(Training, optimizer="sgd"))
    method = replace(BRIEF, loss="logits", epochs=4, seeds=1)
    grid = [method, replace(method, alpha=0.0)]
    gone, control = method.candidates(mlp, digits, grid, Reporter(spoil))
    assert gone.inside["diverged"] == 3 and gone.inside["best_epoch"] in (1, 2)
    assert gone.inside["accuracies"][2:] == [None, None] and None not in gone.inside["accuracies"][:2]
    assert accuracy(gone.network, digits) == pytest.approx(max(gone.inside["accuracies"][:2]), abs=1e-4)
    assert gone.notes == (f"diverged in epoch 3; this is the network of epoch {gone.inside['best_epoch']}. Lower "
                          "learning_rate, now 0.01",)
    assert [row.accuracy is None for row in live[-1].students] == [True, False]
    assert "diverged" not in control.inside and len(control.inside["accuracies"]) == 4 and control.notes == ()
    alone = method.control().compress(mlp, digits)
    assert torch.allclose(answers(control.network, digits), answers(alone, digits), atol=0.01)


# -- teachers ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("teacher", "student", "loss"), [
    ("mlp(hidden=24,dropout=0.3,epochs=3)", "same", "hints"), ("resnet(channels=8-16,epochs=2)", "same", "relational"),
    ("resnet(channels=8-16,epochs=2)", "cnn", "attention"), ("cnn(epochs=3)", "mlp", "hints"),
    ("cnn(epochs=3)", "gru", "attention"), ("gru(hidden=8,epochs=2)", "same", "soft"),
    ("gru(hidden=8,epochs=2)", "cnn", "attention"), ("gru(hidden=8,epochs=2)", "mlp", "decoupled")])
@pytest.mark.parametrize("training", [False, True], ids=["evaluating", "training"])
def test_a_teacher_of_any_family_stays_bit_for_bit_as_it_was(teacher, student, loss, training, digits, trained):
    network = copy.deepcopy(trained(teacher)).train(training)
    before = state(network)
    method = replace(BRIEF, student=student, loss=loss, epochs=1)
    small = method.compress(network, digits)
    assert identical(before, state(network))
    assert all(module.training is training for module in network.modules())
    assert small.architecture.family.name == (network.architecture.family.name if student == "same" else student)
    assert identical(state(small), state(method.compress(trained(teacher), digits)))


@pytest.mark.parametrize("teacher", ["cnn(epochs=10)", "gru(hidden=24,epochs=6)"])
def test_a_perceptron_learns_from_a_teacher_of_another_family(teacher, digits, trained):
    method = replace(QUICK, student="mlp", width=0.1)
    student = method.compress(trained(teacher), shuffled(digits))
    assert student.architecture.family == MLP((30, 10))
    assert accuracy(student, digits) > 0.75


def test_a_student_has_the_given_depth_and_dropout(digits, mlp):
    method = replace(BRIEF, depth=3, dropout=0.25, width=0.5)
    small = method.compress(mlp, digits)
    assert small.architecture.family == MLP((24, 16, 16), 0.25) and not small.training
    assert identical(state(small), state(method.compress(mlp, digits)))
    assert not identical(state(small), state(replace(method, dropout=0.0).compress(mlp, digits)))


# -- misuse ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("settings", "answer"), [
    ({"labelled": 2000}, r"labelled must be between 0 \(all\) and 1079 .* but got 2000\. Choose fewer"),
    ({"omit": 10}, r"omit must be -1 \(none\) or the label of a class of .*7, 8, 9\), but got 10\. Choose one of these"),
    ({"student": "gru", "depth": 2}, r"depth must be 0 or 1 for a GRU student.* but got 2"),
    ({"loss": "attention"}, r"the loss attention needs a teacher with maps .*Set loss to soft or relational")])
def test_what_makes_no_sense_is_refused_with_a_remedy(settings, answer, digits, mlp):
    with pytest.raises(ValueError, match=f"Distill: {answer}"):
        replace(BRIEF, **settings).compress(mlp, digits)


@pytest.mark.parametrize("student", ["cnn", "resnet", "gru"])
def test_a_student_that_cannot_read_tables_is_refused(student):
    data = toy_data((6,))
    teacher = build(Architecture(MLP((9,)), data.shape, 3))
    with pytest.raises(ValueError, match=r"needs images or sequences, but an example has shape \(6,\)\. Choose mlp"):
        replace(BRIEF, student=student).compress(teacher, data)


@pytest.mark.parametrize(("settings", "answer"), [
    ({"width": 0.0}, "width must be between 0.002 and 2.0, but got 0.0"),
    ({"alpha": 1.5}, "alpha must be between 0.0 and 1.0"),
    ({"temperature": 0.1}, "temperature must be between 0.5 and 64.0"),
    ({"loss": "magic"}, "loss must be one of soft, logits"),
    ({"student": "logistic"}, "student must be one of same, mlp, cnn, resnet, gru"),
    ({"temperatures": "1-200"}, "temperatures must be between 0.5 and 64.0, but got 200"),
    ({"seeds": 0}, "seeds must be between 1 and 20"), ({"student_seed": 1000}, "student_seed must be between 0 and 999")])
def test_a_setting_out_of_its_range_is_refused(settings, answer):
    with pytest.raises(ValueError, match=f"Distill: {answer}"):
        Distill(**settings)


def test_a_logistic_teacher_has_no_smaller_student_of_its_own_family(digits, trained):
    teacher = trained("logistic(epochs=3)")
    with pytest.raises(ValueError, match="Distill: a student of the family logistic has no hidden layer"):
        BRIEF.compress(teacher, digits)
    small = replace(QUICK, student="mlp", width=0.1).compress(teacher, digits)
    assert small.architecture.family == MLP((30, 10)) and accuracy(small, digits) > 0.6


def test_an_assistant_too_thin_to_be_is_named_as_such(digits, mlp):
    with pytest.raises(ValueError, match="assistant must be"):
        replace(BRIEF, assistant=0.001).compress(mlp, digits)


def test_the_settings_of_a_method_are_all_explained():
    assert all(entry["help"] and entry["label"] for entry in Distill.describe())
    assert [field.name for field in dataclasses.fields(Distill) if field.metadata["of_sweep"]] == ["seeds", "temperatures"]


def test_standardised_students_have_usual_controls_and_fractions_of_temperatures(digits, mlp):
    method = replace(BRIEF, standardised=True, temperature=2.5, temperatures=(0.5, 2.5), seeds=1)
    assert method.control() == replace(method, standardised=False).control() and method.plain()["temperatures"] == "0.5-2.5"
    assert Distill.from_plain({"temperatures": "0.5-2.5"}).temperatures == (0.5, 2.5)
    grid = planned(method, [0.3])
    assert [one.temperature for one in grid if one.alpha] == [2.5, 0.5]
    networks = {one.method: one.network for one in method.candidates(mlp, digits, grid)}
    usual = replace(method, standardised=False)
    assert not identical(state(networks[method.at(0.3)]), state(usual.at(0.3).compress(mlp, digits)))
    assert identical(state(networks[method.at(0.3).control()]), state(usual.at(0.3).control().compress(mlp, digits)))
