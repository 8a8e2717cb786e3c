"""Which students are trained together: those that read the same batches, as many as fit into memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from compress.distillation.objective import CLOSED_FORM, KDObjective, TeacherTargets
from compress.layers.base import is_dense
from compress.networks.families import Architecture, Network
from compress.training.loop import Training
from compress.training.memory_needs import COPIES, footprint
from compress.training.stack import leaves, structure
from compress.training.threads import trains_on_one_thread

MOST_PADDING = 1.5  # stored numbers of a group, padding included, over the numbers of its networks
FREE_PADDING = 50_000  # padded numbers that cost less than a second group
WAVE_BYTES = 1 << 30  # memory of all groups that are trained at the same time
GROUP_BYTES = 48 << 20  # activations of a group on a CPU: more of them exceed the processor's caches and cost time


@dataclass(frozen=True, eq=False)
class Student:
    """One student to be trained.

    Attributes:
        seed: of the initial weights, the order of batches and the dropout noise.
        targets: the teacher's outputs on all training examples.
        rows: (k,) indices into train of the examples that are read; all of them if None.
        labelled: (n,) of 0 and 1, 1 for training examples whose label may be used; all if None.
        unseen: number of a class that the student is never shown; its validation examples are not used to choose the best
            epoch either. -1 for none.
    """

    architecture: Architecture
    seed: int
    objective: KDObjective
    targets: TeacherTargets
    rows: Tensor | None = None
    labelled: Tensor | None = None
    unseen: int = -1

    @property
    def is_closed(self) -> bool:
        """Whether the gradient of the student's loss is one of the logits alone, in closed form."""
        return self.objective.alpha == 0 or self.objective.loss in CLOSED_FORM


def waves(students: Sequence[Student], plan: Training, stacked: bool) -> Iterator[list[list[int]]]:
    """Groups of students (by their places) that fit into memory together; `stacked` as for groups()."""
    wave: list[list[int]] = []
    taken = 0
    for members in groups(students, plan, stacked):
        size = sum(sum(_footprint(students[place].architecture, plan.batch)) for place in members)
        if wave and taken + size > WAVE_BYTES:
            yield wave
            wave, taken = [], 0
        wave.append(members)
        taken += size
    yield wave


def groups(students: Sequence[Student], plan: Training, stacked: bool) -> Iterator[list[int]]:
    """Students with the same batches, structure and number of threads, few enough for the memory.

    Args:
        stacked: whether a group will be one tensor program (on a GPU): its students are then of like size. Otherwise
            students whose loss is not closed are alone.
    """
    kinds: dict[tuple[object, ...], list[int]] = {}
    for place, student in enumerate(students):
        objective = student.objective
        # A control shares the stack of its student where that costs nothing: not with losses on hidden features.
        shares = objective.alpha > 0 or objective.loss in CLOSED_FORM
        teacher_term = (objective.loss, objective.strength) if shares else None
        key = (_kind(student.architecture), student.seed, teacher_term, _contents(student.rows),
               _contents(student.labelled), student.unseen, student.targets.sizes,
               None if stacked or student.is_closed else place,
               not stacked and trains_on_one_thread(student.architecture, plan.batch))
        kinds.setdefault(key, []).append(place)
    for members in kinds.values():
        yield from _by_size(members, students, plan, stacked)


def _by_size(members: list[int], students: Sequence[Student], plan: Training, stacked: bool) -> Iterator[list[int]]:
    """Members by rising size; a new group begins where padding would cost too much or the memory is full."""
    sizes = {place: _sizes(students[place].architecture) for place in members}
    most = WAVE_BYTES if stacked else GROUP_BYTES
    group: list[int] = []
    for place in sorted(members, key=lambda one: sum(sizes[one])):
        wider = [*group, place]
        real = sum(sum(sizes[one]) for one in wider)
        padded = sum(sizes[one][0] for one in wider) + len(wider) * sizes[place][1]
        weights, activations = (len(wider) * one for one in _footprint(students[place].architecture, plan.batch))
        full = weights + activations > WAVE_BYTES or activations > most
        if group and (full or (stacked and padded > MOST_PADDING * real + FREE_PADDING)):
            yield group
            wider = [place]
        group = wider
    yield group


@lru_cache(maxsize=4096)
def _sizes(architecture: Architecture) -> tuple[int, int]:
    """Parameters of the first layer, which is never padded, and of the rest, which may be."""
    network = _structure_of(architecture)
    first = next((module for _, module in leaves(network) if list(module.parameters())), None)
    shared = sum(weight.numel() for weight in first.parameters()) if first is not None and is_dense(first) else 0
    return shared, sum(weight.numel() for weight in network.parameters()) - shared


@lru_cache(maxsize=4096)
def _footprint(architecture: Architecture, batch: int) -> tuple[int, int]:
    """Bytes, roughly, of a student in training: of the copies of its weights, and of its layers' outputs."""
    weights, outputs = footprint(architecture)
    return 4 * COPIES * weights, 4 * batch * outputs


@lru_cache(maxsize=4096)
def _kind(architecture: Architecture) -> tuple[object, ...]:
    """What the architectures of one stack have in common: everything but the layers' sizes."""
    sizes = architecture.family.sizes(architecture.shape)
    others = tuple((name, value) for name, value in vars(architecture.family).items() if name not in sizes)
    depths = tuple(len(value) for value in sizes.values())
    return architecture.family.name, others, depths, structure(_structure_of(architecture))


def _structure_of(architecture: Architecture) -> Network:
    """The network without memory for its weights."""
    with torch.device("meta"):
        return architecture.fresh()


def _contents(tensor: Tensor | None) -> bytes | None:
    return None if tensor is None else tensor.cpu().numpy().tobytes()
