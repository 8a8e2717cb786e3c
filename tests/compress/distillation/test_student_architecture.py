"""A student is its teacher with fewer units, fewer layers, or another family's network altogether."""

from __future__ import annotations

import dataclasses
import re

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from compress.distillation.student_architecture import SAME, student_architecture
from compress.methods.distill import Distill
from compress.networks.families import CNN, MLP, Architecture, Family, Logistic, Recurrent, ResNet, build

IMAGE, SMALL, SEQUENCE, TABLE = (1, 28, 28), (3, 8, 8), (2, 40), (12,)
SHAPES = {"image": IMAGE, "colours": SMALL, "sequence": SEQUENCE, "table": TABLE}


def student(teacher: Family, shape: tuple[int, ...] = IMAGE, name: str = SAME, width: float = 1.0, depth: int = 0,
            dropout: float = 0.0) -> Family:
    made = student_architecture(Architecture(teacher, shape, 7), name, width, depth, dropout)
    assert (made.shape, made.classes) == (shape, 7)
    return made.family


@pytest.mark.parametrize(("teacher", "shape", "thinner"), [
    (MLP((40, 20)), TABLE, MLP((10, 5))), (MLP((40, 2)), IMAGE, MLP((10, 1))),
    (CNN((8, 16), (40, 12)), IMAGE, CNN((2, 4), (10, 3))), (CNN(), IMAGE, CNN((2, 4), (30, 21))),
    (CNN((8, 12, 4)), SEQUENCE, CNN((2, 3, 1))), (CNN((8, 12), (40,)), SEQUENCE, CNN((2, 3), (10,))),
    (CNN(), SEQUENCE, CNN((6, 6, 6))), (ResNet((16, 24)), SMALL, ResNet((4, 6))),
    (ResNet((16, 24), (8, 2)), SMALL, ResNet((4, 6), (2, 1))),
    (Recurrent((20,), False), SEQUENCE, Recurrent((5,), False)), (Recurrent((20,)), IMAGE, Recurrent((5,)))])
def test_the_width_is_the_share_of_every_hidden_size(teacher, shape, thinner):
    assert student(teacher, shape, width=0.25) == thinner


@given(st.floats(0.002, 2.0), st.lists(st.integers(1, 400), min_size=1, max_size=4))
def test_every_layer_keeps_one_unit_and_is_never_more_than_half_a_unit_off(width, hidden):
    found = student(MLP(tuple(hidden)), TABLE, width=width).hidden
    assert len(found) == len(hidden) and min(found) >= 1
    assert all(size == 1 or abs(size - width * full) <= 0.5 for size, full in zip(found, hidden, strict=True))


@pytest.mark.parametrize("teacher", [MLP((40, 20)), CNN((3, 5), (20, 9)), ResNet((4, 8)), Recurrent((9,), False)])
def test_a_student_of_width_one_is_the_teachers_twin(teacher):
    assert student(teacher, SMALL) == teacher
    assert student(teacher, SMALL, teacher.name) == teacher


@pytest.mark.parametrize(("teacher", "shape", "depth", "cut"), [
    (MLP((40, 20)), TABLE, 1, MLP((40,))), (MLP((40, 20)), TABLE, 2, MLP((40, 20))),
    (MLP((40, 20)), TABLE, 4, MLP((40, 20, 20, 20))), (CNN((8, 16), (40, 12)), IMAGE, 1, CNN((8,), (40, 12))),
    (CNN((8, 4), (40,)), SEQUENCE, 3, CNN((8, 4, 4), (40,))), (ResNet((4, 8, 16)), SMALL, 2, ResNet((4, 8))),
    (ResNet((4, 8)), SMALL, 3, ResNet((4, 8, 8))), (ResNet((4, 8), (3, 5)), SMALL, 3, ResNet((4, 8, 8), (3, 5, 5))),
    (ResNet((4, 8), (3, 5)), SMALL, 1, ResNet((4,), (3,))), (Recurrent((20,)), SEQUENCE, 1, Recurrent((20,)))])
def test_the_depth_cuts_off_the_last_layers_or_repeats_them(teacher, shape, depth, cut):
    assert student(teacher, shape, depth=depth) == cut


def test_a_repeated_layer_is_thinner_too():
    assert student(MLP((40, 20)), TABLE, width=0.1, depth=3) == MLP((4, 2, 2))


@pytest.mark.parametrize(("teacher", "shape", "name", "expected"), [
    (CNN((32, 64), (9,)), IMAGE, "mlp", MLP((30, 10))), (Logistic(), TABLE, "mlp", MLP((30, 10))),
    (MLP((7,)), IMAGE, "cnn", CNN((1, 2), (12, 8))), (MLP((7,)), SEQUENCE, "cnn", CNN((2, 2, 2))),
    (CNN(), SMALL, "resnet", ResNet((2, 3, 6))), (ResNet(), SEQUENCE, "gru", Recurrent((6,)))])
def test_another_family_starts_from_its_own_sizes(teacher, shape, name, expected):
    assert student(teacher, shape, name, width=0.1) == expected


@pytest.mark.parametrize("own", [0.0, 0.5])
def test_dropout_is_the_students_not_the_teachers(own):
    assert student(MLP((9,), 0.3), TABLE, dropout=own).dropout == own
    assert student(CNN(), IMAGE, "mlp", dropout=own).dropout == own


@pytest.mark.parametrize("teacher", [CNN(), ResNet(), Recurrent()])
def test_only_a_perceptron_has_dropout(teacher):
    made = student_architecture(Architecture(teacher, SMALL, 3), SAME, 0.5, 0, 0.4)
    assert "dropout" not in made.plain()
    assert not any(isinstance(module, torch.nn.Dropout) for module in build(made).modules())


@pytest.mark.parametrize("width", [0.002, 0.3, 1.5])
@pytest.mark.parametrize(("name", "kind"), [
    *(("mlp", kind) for kind in SHAPES), *((name, kind) for name in ("cnn", "resnet", "gru") for kind in SHAPES
                                           if kind != "table")])
def test_a_student_answers_for_examples_of_its_shape(name, kind, width):
    shape = SHAPES[kind]
    made = student_architecture(Architecture(Logistic(), shape, 7), name, width, 0, 0.2 if name == "mlp" else 0.0)
    outputs = build(made, 3).eval()(torch.randn(5, *shape, generator=torch.Generator().manual_seed(0)))
    assert outputs.shape == (5, 7) and outputs.isfinite().all()


@pytest.mark.parametrize(("teacher", "depth"), [(MLP((40, 20)), 4), (CNN(), 1), (ResNet((8, 16, 32)), 2),
                                                (ResNet((8, 16), (5, 9)), 3), (Recurrent((9,)), 1)])
def test_a_student_of_another_depth_can_be_built(teacher, depth):
    made = student_architecture(Architecture(teacher, SMALL, 7), SAME, 0.4, depth, 0.0)
    assert build(made).eval()(torch.zeros(2, *SMALL)).shape == (2, 7)


@pytest.mark.parametrize(("teacher", "name", "shape", "remedy"), [
    (Logistic(), SAME, TABLE, "Set student to mlp, or choose a teacher with hidden layers"),
    (Logistic(), "logistic", TABLE, "Set student to mlp, or choose a teacher with hidden layers"),
    (MLP(()), SAME, TABLE, r"hidden=none: choose a teacher with hidden layers, for example mlp\(hidden=300-100\)"),
    (MLP(()), "mlp", SMALL, "hidden=none: set student to resnet or gru, or choose a teacher")])
def test_a_family_without_hidden_layers_has_no_thinner_student(teacher, name, shape, remedy):
    with pytest.raises(ValueError, match=f"a student of the family {teacher.name} has no hidden layer that can be "
                                         rf"made narrower\. .*{remedy}"):
        student(teacher, shape, name)


@pytest.mark.parametrize(("teacher", "shape", "name"), [(Logistic(), TABLE, "mlp"), (MLP(()), SMALL, "resnet"),
                                                        (MLP(()), SMALL, "gru"), (MLP((300, 100)), TABLE, SAME)])
def test_the_remedies_for_a_family_without_hidden_layers_work(teacher, shape, name):
    assert build(student_architecture(Architecture(teacher, shape, 7), name, 0.5, 0, 0.0))


def test_the_remedy_names_a_setting_that_there_is():
    with pytest.raises(ValueError) as caught:
        student(Logistic(), TABLE)
    named = re.search(r"Set (\w+) to (\w+)", str(caught.value))
    assert named[1] in {field.name for field in dataclasses.fields(Distill)}
    assert getattr(Distill(**{named[1]: named[2]}), named[1]) == named[2]
    assert student(Logistic(), TABLE, named[2], width=0.1) == MLP((30, 10))


@pytest.mark.parametrize("teacher", [Recurrent((20,)), CNN()])
def test_a_recurrent_student_has_one_layer(teacher):
    with pytest.raises(ValueError, match="depth must be 0 or 1 for a GRU student, which has one recurrent layer, but got 2"):
        student(teacher, SEQUENCE, "gru", depth=2)
