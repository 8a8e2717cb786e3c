"""Batch normalisation never gets one lone example, however many there are."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from torch import Tensor

from compress.data.datasets import Dataset, Split
from compress.distillation.joint_training import train_students
from compress.distillation.objective import KDObjective, TeacherTargets
from compress.distillation.student_groups import Student
from compress.methods.distill import Distill
from compress.methods.prune import Prune
from compress.networks.families import Architecture, Network, build, family
from compress.training.batches import batches, batches_in, has_batch_norm, refusal
from compress.training.loop import Training, steps_of, train
from tests.compress.helpers import identical, state, toy_data

SMALL = {"resnet": {"channels": "4-4-4"}, "mlp": {"hidden": "8"}}


def data_of(examples: int, shape: tuple[int, ...] = (1, 4, 4)) -> Dataset:
    """Images whose training split has this many examples."""
    data = toy_data(shape, examples=400)
    train, calibration = (Split(split.inputs[:count], split.labels[:count]) for split, count in
                          ((data.train, examples), (data.calibration, min(64, examples))))
    return dataclasses.replace(data, train=train, calibration=calibration)


def network(name: str, data: Dataset, seed: int = 0) -> Network:
    return build(Architecture(family(name, SMALL[name]), data.shape, len(data.classes)), seed)


@pytest.mark.parametrize("joined", [False, True])
@pytest.mark.parametrize("size", [1, 2, 3, 64])
@pytest.mark.parametrize("count", [1, 2, 3, 63, 64, 65, 128, 129, 130])
def test_every_row_is_in_one_batch_and_none_is_alone(count: int, size: int, joined: bool) -> None:
    order = torch.randperm(count)
    found = batches(order, size, joined)
    assert torch.equal(torch.cat(found), order) and len(found) == batches_in(count, size, joined)
    assert all(len(batch) == size for batch in found[:-1])
    if not joined:
        assert [len(batch) for batch in found] == [len(batch) for batch in order.split(size)]
    elif size > 1 and count > 1:
        assert all(1 < len(batch) <= size + 1 for batch in found)


class Sizes:
    """The objective, which writes down the length of every batch."""

    def __init__(self) -> None:
        self.seen: list[int] = []

    def __call__(self, logits: Tensor, labels: Tensor, rows: Tensor) -> Tensor:
        self.seen.append(len(rows))
        return torch.nn.functional.cross_entropy(logits, labels)


@pytest.mark.parametrize(("name", "expected"), [("resnet", [64, 65]), ("mlp", [64, 64, 1])])
def test_the_last_example_joins_the_batch_before_it(name: str, expected: list[int]) -> None:
    data, sizes = data_of(129), Sizes()
    start = network(name, data)
    done = train(start, data, Training(epochs=2), objective=sizes)
    assert sizes.seen == expected * 2 and len(done.history) == 2
    assert steps_of(Training(epochs=2), 129, joined=has_batch_norm(start)) == len(sizes.seen)


@pytest.mark.parametrize("name", ["resnet", "mlp"])
@pytest.mark.parametrize("labelled", [0, 65])
def test_students_read_the_batches_of_a_network_alone(name: str, labelled: int) -> None:
    """A student on labels alone, in a stack of two, ends with the weights of the one loop."""
    data = data_of(65)
    architecture, plan = network(name, data).architecture, Training(epochs=3, learning_rate=0.01)
    targets = TeacherTargets(network("mlp", data), torch.tensor(data.train.inputs), "soft")
    rows = torch.arange(65) if labelled else None
    students = [Student(architecture, 5, KDObjective(alpha, 2.0, "soft", 1.0), targets, rows) for alpha in (0.0, 0.5)]
    control, _ = train_students(students, data, plan)
    alone = train(build(architecture, 5), data, plan, seed=5)
    expected, found = state(alone.network), state(control.network)
    assert control.accuracies == pytest.approx([entry["accuracy"] for entry in alone.history], abs=0.02)
    assert all(torch.allclose(found[key], expected[key], atol=2e-3) for key in expected if "tracked" not in key)


def test_a_student_of_65_examples_can_be_trained_in_every_epoch() -> None:
    data = data_of(129)
    method = Distill(student="resnet", width=0.1, labelled=65, unlabelled=False, epochs=2, temperatures=(), seeds=1)
    teacher = network("mlp", data)
    assert method.invalid_reason(teacher, data) == ""
    (candidate,) = method.candidates(teacher, data, [method])
    assert torch.isfinite(candidate.network(torch.tensor(data.validation.inputs))).all()


@pytest.mark.parametrize(("pattern", "schedule"), [("unstructured", "one_shot"), ("unstructured", "gradual"),
                                                   ("units", "one_shot")])
def test_pruning_trains_again_with_a_lone_last_example(pattern: str, schedule: str) -> None:
    data = data_of(65)
    method = Prune(sparsity=0.5, recovery_epochs=2, recovery_batch=32, schedule=schedule, pattern=pattern)
    small = method.compress(network("resnet", data).eval(), data)
    assert torch.isfinite(small(torch.tensor(data.validation.inputs))).all()


def test_batches_of_one_are_refused_by_the_name_of_the_setting() -> None:
    data = data_of(65)
    teacher, plain = network("resnet", data).eval(), network("mlp", data).eval()
    with pytest.raises(ValueError, match=r"Training: batch must be at least 2 for .* batch normalisation.* but got 1"):
        train(teacher, data, Training(epochs=1, batch=1))
    assert "Distill: batch must be at least 2" in Distill(batch=1).invalid_reason(teacher, data)
    assert "Distill: batch must be at least 2" in Distill(batch=1, student="resnet").invalid_reason(plain, data)
    assert "Distill: labelled must be at least 2" in Distill(labelled=1, alpha=0.0).invalid_reason(teacher, data)
    prune = Prune(recovery_epochs=1, recovery_batch=1)
    assert "Prune: recovery_batch must be at least 2" in prune.invalid_reason(teacher, data)
    assert not Prune(recovery_batch=1).invalid_reason(teacher, data)
    assert not any((Distill(batch=1).invalid_reason(plain, data), Distill(labelled=1).invalid_reason(plain, data),
                    prune.invalid_reason(plain, data)))


def test_batches_of_one_are_taken_where_maps_have_several_places() -> None:
    """Batch normalisation of maps of 4x4 has a variance for each example."""
    data = data_of(9, (1, 4, 4))
    start = build(Architecture(family("resnet", {"channels": "4"}), data.shape, 3))
    assert refusal(start, "Training", "batch", 1) == ""
    assert not identical(state(start), state(train(start, data, Training(epochs=1, batch=1)).network))
