"""Small perceptrons train on one thread, in any company; the process has its threads back afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import pytest
import torch
from torch import Tensor, nn

from compress.distillation.objective import KDObjective, TeacherTargets
from compress.distillation.student_groups import Student, groups
from compress.networks.families import CNN, MLP, Architecture, Family, Logistic, build
from compress.training.loop import Training, train
from compress.training.threads import training_threads, trains_on_one_thread
from tests.compress.helpers import toy_data


@pytest.fixture
def three_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize(("family", "shape", "batch", "one"), [
    (MLP((300, 100)), (1, 28, 28), 64, True), (Logistic(), (1, 28, 28), 64, True),
    (MLP((1200, 1200)), (1, 28, 28), 64, False), (MLP((300, 100)), (1, 28, 28), 4096, False),
    (CNN(), (1, 28, 28), 64, False)])
def test_small_steps_of_dense_layers_are_for_one_thread(family: Family, shape: tuple[int, ...], batch: int,
                                                        one: bool) -> None:
    assert trains_on_one_thread(Architecture(family, shape, 10), batch) is one


@pytest.mark.usefixtures("three_threads")
def test_the_threads_are_given_back_after_an_error() -> None:
    with pytest.raises(KeyError), training_threads(True):
        assert torch.get_num_threads() == 1
        raise KeyError
    with training_threads(False):
        assert torch.get_num_threads() == 3


class Counter(nn.Module):
    """Passes its inputs on and notes the number of threads."""

    found: ClassVar[set[int]] = set()

    def forward(self, batch: Tensor) -> Tensor:
        self.found.add(torch.get_num_threads())
        return batch


@pytest.mark.usefixtures("three_threads")
@pytest.mark.parametrize(("family", "threads"), [(MLP((8,)), 1), (CNN((2,), (4,)), 3)])
def test_a_network_is_trained_and_judged_on_its_threads(family: Family, threads: int) -> None:
    Counter.found.clear()
    data = toy_data((1, 8, 8))
    network = build(Architecture(family, data.shape, 3)).append(Counter())
    train(network, data, Training(epochs=1))
    assert Counter.found == {threads} and torch.get_num_threads() == 3


def test_students_of_one_group_have_the_same_number_of_threads() -> None:
    data = toy_data((1, 8, 8))
    teacher = build(Architecture(MLP((4,)), data.shape, 3)).eval()
    targets = TeacherTargets(teacher, torch.tensor(data.train.inputs), "soft")
    students = [Student(Architecture(MLP((width, width)), data.shape, 3), 0, KDObjective(0.9, 4.0), targets)
                for width in (4, 8, 4096)]
    found = list(groups(students, Training(batch=32), stacked=False))
    assert sorted(map(sorted, found)) == [[0, 1], [2]]
