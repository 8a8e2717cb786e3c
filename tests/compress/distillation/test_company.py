"""A student in any company is bit for bit the student alone: stacks of 1, 2, 7 and 16, other neighbours, another order."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from compress.data.datasets import Dataset, Split
from compress.data.tensors import on_device
from compress.distillation.joint_training import train_students
from compress.distillation.objective import LOSSES, KDObjective, TeacherTargets
from compress.distillation.student_groups import Student
from compress.networks.families import CNN, MLP, Architecture, Family, Network, Recurrent, ResNet, build
from compress.training.loop import Training
from tests.compress.helpers import identical, state

FAMILIES: dict[str, tuple[Family, ...]] = {
    "mlp": tuple(MLP((width, width // 2 + 1), 0.2) for width in (3, 17, 40, 105)),
    "cnn": (CNN((2, 5), (42, 29)), CNN((2, 4), (12, 8)), CNN((6, 16)), CNN((9, 3), (20, 17))),
    "resnet": (ResNet((3, 5)), ResNet((4, 8)), ResNet((6, 6)), ResNet((9, 4))),
    "gru": (Recurrent((22,)), Recurrent((5,)), Recurrent((12,)), Recurrent((33,)))}
PLAN = Training(epochs=2, learning_rate=0.02)


@pytest.fixture(scope="module")
def few(digits: Dataset) -> Dataset:
    """150 training and 90 validation digits: three batches, the last one smaller."""
    train, validation = digits.train, digits.validation
    return replace(digits, train=Split(train.inputs[:150], train.labels[:150]),
                   validation=Split(validation.inputs[:90], validation.labels[:90]))


def company(families: tuple[Family, ...], data: Dataset, count: int, loss: str = "soft") -> list[Student]:
    """Students of all sizes, temperatures and shares of the teacher, with some controls, some standardised, two seeds."""
    inputs = on_device(data.train, torch.device("cpu"))[0]
    teacher = build(Architecture(families[0], data.shape, len(data.classes)), 5)
    targets = TeacherTargets(teacher.eval(), inputs, loss)
    kinds = ((0.9, 4.0), (0.9, 1.0), (0.0, 4.0), (0.5, 20.0))
    return [Student(Architecture(families[number % 4], data.shape, len(data.classes)), 3 * (number == 5),
                    KDObjective(*kinds[(number // 4 + number) % 4], loss, standardised=number % 3 == 1), targets)
            for number in range(count)]


def weights(networks: list[Student], data: Dataset) -> list[dict[str, torch.Tensor]]:
    return [state(trained.network) for trained in train_students(networks, data, PLAN)]


@pytest.mark.parametrize("name", FAMILIES)
def test_a_student_has_the_same_bits_in_every_company(name: str, few: Dataset) -> None:
    students = company(FAMILIES[name], few, 16)
    alone = [weights([one], few)[0] for one in students]
    for chosen in (range(16), range(7), range(9, 16), (4, 0), (15, 8, 3, 12, 0, 1, 2)):
        together = weights([students[place] for place in chosen], few)
        assert all(identical(alone[place], found) for place, found in zip(chosen, together, strict=True))


@pytest.mark.parametrize("loss", LOSSES)
def test_this_holds_for_every_loss(loss: str, few: Dataset) -> None:
    students = company(FAMILIES["cnn"], few, 4, loss)
    together = weights(students, few)
    assert all(identical(weights([one], few)[0], found) for one, found in zip(students, together, strict=True))


def test_this_holds_for_few_labels_and_other_teachers(few: Dataset) -> None:
    students = company(FAMILIES["mlp"], few, 7)
    others = company(FAMILIES["gru"], few, 1)[0].targets
    mask = torch.zeros(150).index_fill_(0, torch.arange(0, 150, 4), 1.0)
    rows = torch.tensor(np.flatnonzero(few.train.labels != 2))
    students = [replace(one, labelled=mask if number % 2 else None, rows=rows if number % 3 else None,
                        targets=others if number in (2, 5) else one.targets) for number, one in enumerate(students)]
    together = weights(students, few)
    assert all(identical(weights([one], few)[0], found) for one, found in zip(students, together, strict=True))


def test_initial_networks_stay_and_results_share_no_memory(few: Dataset) -> None:
    students = company(FAMILIES["mlp"], few, 2)
    first, second = (trained.network for trained in train_students(students, few, PLAN))
    assert not pointers(first) & pointers(second) and len(pointers(first)) == len(list(first.parameters()))
    assert all(parameter.grad is None and parameter.untyped_storage().nbytes() == 4 * parameter.numel()
               for parameter in first.parameters())


def pointers(network: Network) -> set[int]:
    return {parameter.data_ptr() for parameter in network.parameters()}
