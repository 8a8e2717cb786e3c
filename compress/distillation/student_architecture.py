"""The architecture of a student: the teacher's family or another one, with fewer units or layers."""

from __future__ import annotations

import dataclasses

from compress.networks.families import MLP, Architecture, EmbeddingBag, Family, Recurrent, TokenFamily, family
from compress.networks.graph.architecture import GraphArchitecture

SAME = "same"
ALONGSIDE = ("inner",)  # sizes of which there must be as many as of the family's first sizes, whatever the depth


def student_architecture(teacher: Architecture, name: str, width: float, depth: int, dropout: float) -> Architecture:
    """The student's architecture for the teacher's data.

    Args:
        name: a family, or "same" for the teacher's; a network of the user's own is of none: its student is a multilayer
            perceptron then, or an embedding bag if it reads tokens. A family other than the teacher's has its default sizes
            (MLP 300-100, LeNet-5, GRU 64, ResNet 16-32-64) as the full width.
        width: share of each hidden size; a layer keeps at least one unit.
        depth: hidden layers of an MLP, convolutions of a CNN or blocks of a ResNet; 0 keeps their number. A deeper student
            repeats the last size.
        dropout: of an MLP student; other families have no dropout.

    Raises:
        ValueError: the family has no hidden layer, cannot have this depth, or cannot read these examples.
    """
    same = _same(teacher)
    start = same if name in (SAME, same.name) else _other(same, family(name))
    sizes = {field: value for field, value in start.sizes(teacher.shape).items() if value}
    if not sizes:
        raise ValueError(f"Distill: a student of the family {start.name} has no hidden layer that can be made narrower. "
                         f"{_remedy(start.name, len(teacher.shape) > 1)}.")
    if depth > 1 and isinstance(start, Recurrent):
        raise ValueError(f"Distill: depth must be 0 or 1 for a GRU student, which has one recurrent layer, but got {depth}. "
                         "Set depth to 0.")
    if depth and isinstance(start, TokenFamily):
        raise ValueError(f"Distill: depth must be 0 for a student of the family {start.name}, which keeps its layers, but "
                         f"got {depth}. Set depth to 0.")
    if depth:
        first = next(iter(sizes))
        sizes |= {field: _of_depth(sizes[field], depth) for field in (first, *ALONGSIDE) if field in sizes}
    thinner = {field: tuple(max(1, round(size * width)) for size in value) for field, value in sizes.items()}
    return Architecture(_with(start, thinner, dropout), teacher.shape, teacher.classes)


def _same(teacher: Architecture) -> Family:
    """The teacher's family; for a network of the user's own a perceptron, or an embedding bag if it reads tokens."""
    if not isinstance(teacher, GraphArchitecture):
        return teacher.family
    return EmbeddingBag() if teacher.reads_whole else MLP()


def _other(teacher: Family, wanted: Family) -> Family:
    """A family other than the teacher's, its table as long as the teacher's. Raises ValueError if it cannot read what the
    teacher reads."""
    if teacher.reads != wanted.reads:
        raise ValueError(f"Distill: a student of the family {wanted.name} reads {wanted.reads}, but its teacher reads "
                         f"{teacher.reads}. Set student to same.")
    if isinstance(teacher, TokenFamily) and isinstance(wanted, TokenFamily):
        return dataclasses.replace(wanted, vocabulary=teacher.vocabulary)
    return wanted


def _remedy(name: str, has_places: bool) -> str:
    """name: of the family without hidden layers; has_places: whether examples are images or sequences."""
    if name != "mlp":
        return "Set student to mlp, or choose a teacher with hidden layers"
    others = "set student to resnet or gru, or " if has_places else ""
    return f"This mlp has hidden=none: {others}choose a teacher with hidden layers, for example mlp(hidden=300-100)"


def _of_depth(sizes: tuple[int, ...], depth: int) -> tuple[int, ...]:
    return (*sizes, *[sizes[-1]] * depth)[:depth]


def _with(start: Family, sizes: dict[str, tuple[int, ...]], dropout: float) -> Family:
    options = {"dropout": dropout} if hasattr(start, "dropout") else {}
    return dataclasses.replace(start, **sizes, **options)
