"""Many students trained at once, each as if it were alone.

Students that read the same batches (same seed, same examples) are stacked into one tensor program; all groups go one
epoch at a time, so that accuracies of all students arrive after each epoch. Initial weights, batches and dropout
noise of a student depend on the student's seed alone, never on the other students of the run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import lru_cache, partial

import torch
from torch import Tensor

from compress.data.datasets import Dataset
from compress.data.tensors import on_device
from compress.distillation.objective import CLOSED_FORM, KDObjective, StackedObjective, TeacherTargets
from compress.layers.base import is_dense
from compress.networks.families import Architecture, Network, build
from compress.progress import Live, Reporter, no_report
from compress.training.batches import batches, batches_in, has_batch_norm
from compress.training.loop import Training, optimizer_of, steps_of
from compress.training.memory_needs import COPIES, footprint, require_training
from compress.training.stack import Stack, leaves, structure

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


@dataclass(frozen=True, eq=False)
class TrainedStudent:
    """A trained student with the weights of its best epoch on validation, in evaluation mode.

    Attributes:
        accuracies: on validation, one for each epoch.
        diverged: the epoch in which some logit stopped being finite, or None. The network is then the best one before
            that epoch, or has its initial weights (best_epoch 0).
    """

    network: Network
    accuracies: tuple[float, ...]
    best_epoch: int
    diverged: int | None = None


OnEpoch = Callable[[int, dict[int, float]], Live]


def train_students(students: Sequence[Student], data: Dataset, plan: Training, report: Reporter = no_report,
                   device: torch.device | str = "cpu", steps: int | None = None,
                   on_epoch: OnEpoch | None = None) -> list[TrainedStudent]:
    """Trains all students with one plan and returns them in the order given.

    Every student takes the same number of steps, as many as plan.epochs passes over the whole training split have; a
    student with fewer examples reads each of them more often.

    Args:
        plan: optimizer, epochs and batch; patience and shift are not used.
        steps: a budget of steps that ends training earlier.
        on_epoch: called after each epoch of a group with the epoch's number and {index of a student: accuracy}, NaN for
            a diverged student; its result is passed to `report` as live numbers.

    Raises:
        Cancelled: through `report`.
        MemoryShort: a student does not fit.
    """
    for architecture in {student.architecture for student in students}:
        require_training(architecture, plan.batch)  # groups are bounded by WAVE_BYTES, but a single student is not
    trained: dict[int, TrainedStudent] = {}
    joined = any(has_batch_norm(_structure_of(architecture)) for architecture in {one.architecture for one in students})
    total, per_epoch = steps_of(plan, len(data.train), steps, joined), batches_in(len(data.train), plan.batch, joined)
    waves = list(_waves(students, plan, WAVE_BYTES if torch.device(device).type == "cuda" else GROUP_BYTES))
    for number, wave in enumerate(waves):
        part = report.part(number / len(waves), (number + 1) / len(waves))
        groups = [_Group([students[place] for place in members], data, plan, total, per_epoch, torch.device(device))
                  for members in wave]
        _run(groups, wave, total, plan, part, on_epoch)
        for members, group in zip(wave, groups, strict=True):
            trained.update(zip(members, group.finished(), strict=True))
    return [trained[place] for place in range(len(students))]


def _run(groups: list[_Group], wave: list[list[int]], total: int, plan: Training, report: Reporter,
         on_epoch: OnEpoch | None) -> None:
    """One epoch of every group, then the next epoch of every group."""
    epoch, text = 0, f"epoch {{}} of {plan.epochs}, {sum(map(len, wave))} students at once"
    while groups[0].done < total:
        epoch += 1
        for number, group in enumerate(groups):
            share = (number / len(groups) + epoch - 1) / plan.epochs
            group.epoch(partial(report, min(1.0, share), text.format(epoch)))
            live = on_epoch(epoch, dict(zip(wave[number], group.history[-1], strict=True))) if on_epoch else None
            report(min(1.0, ((number + 1) / len(groups) + epoch - 1) / plan.epochs), text.format(epoch), live)


class _Group:
    """Students that read the same batches, in one stack."""

    def __init__(self, students: list[Student], data: Dataset, plan: Training, total: int, per_epoch: int,
                 device: torch.device) -> None:
        first = students[0]
        self.stack = Stack([build(student.architecture, student.seed) for student in students], device)
        self.objective = StackedObjective(self.stack, [student.objective for student in students],
                                          [student.targets for student in students], first.seed)
        self.inputs, self.labels = on_device(data.train, device)
        self.validation_inputs, self.validation_labels = on_device(data.validation, device)
        self.shown = self.validation_labels != first.unseen
        self.labelled = None if first.labelled is None else first.labelled.to(device)
        rows = torch.arange(len(self.inputs)) if first.rows is None else first.rows
        self.batches = _batches(rows.to(device), plan.batch, first.seed, has_batch_norm(self.stack.networks[0]))
        self.per_epoch, self.total, self.seed = per_epoch, total, first.seed
        parameters = [*self.stack.parameters.values(), *self.objective.regressors]
        self.optimizer = optimizer_of([tensor.data for tensor in parameters], plan)
        self.schedule = torch.optim.lr_scheduler.CosineAnnealingLR(self.optimizer, max(1, total))
        self.done = 0
        self.history: list[list[float]] = []
        self.best = self.stack.snapshot()
        self.best_accuracy = torch.full((len(students),), -1.0, device=device)
        self.best_epoch = torch.zeros(len(students), dtype=torch.long, device=device)
        self.diverged: list[int | None] = [None] * len(students)

    def epoch(self, report: Callable[[], None]) -> None:
        """As many steps as one pass over the whole training split has, then validation."""
        for number in range(min(self.per_epoch, self.total - self.done)):
            self._step()
            if number % 16 == 15:
                report()
        self._evaluate()
        report()

    def _step(self) -> None:
        """One optimizer step of all students."""
        rows = next(self.batches)
        batch = self.inputs.index_select(0, rows)  # half the time of [rows]
        with torch.autocast(batch.device.type, torch.bfloat16) if batch.is_cuda else nullcontext():
            outputs = self.stack.forward(batch, True, self.seed * 1_000_003 + self.done)
        labelled = None if self.labelled is None else self.labelled[rows]
        self.optimizer.zero_grad(set_to_none=True)
        self.objective.backward(outputs.float(), self.labels.index_select(0, rows), labelled, rows)
        self.optimizer.step()
        self.schedule.step()
        self.done += 1

    def _evaluate(self) -> None:
        """Validation accuracy of every student; the best weights are stored, diverged students marked."""
        logits = self.stack.logits_of(self.validation_inputs)
        finite = logits.isfinite().all(-1).all(-1)  # a NaN weight makes some example's logits NaN
        right = (logits.argmax(-1) == self.validation_labels).float()
        accuracy, of_shown = right.mean(-1), right[:, self.shown].mean(-1)
        better = finite & (of_shown >= self.best_accuracy)
        self.stack.keep(self.best, better)
        self.best_accuracy = torch.where(better, of_shown, self.best_accuracy)
        epoch = len(self.history) + 1
        self.best_epoch = torch.where(better, torch.full_like(self.best_epoch, epoch), self.best_epoch)
        self.diverged = [before or (None if fine else epoch)
                         for before, fine in zip(self.diverged, finite.tolist(), strict=True)]
        self.history.append([value if diverged is None else float("nan")
                             for value, diverged in zip(accuracy.tolist(), self.diverged, strict=True)])

    def finished(self) -> list[TrainedStudent]:
        """Every student as a network of its own, with its best weights."""
        return [TrainedStudent(self.stack.network(number, self.best), tuple(epoch[number] for epoch in self.history),
                               int(self.best_epoch[number]), self.diverged[number]) for number in range(len(self.stack))]


def _batches(rows: Tensor, batch: int, seed: int, joined: bool) -> Iterator[Tensor]:
    """Endless passes over the rows in random order; the order is drawn as in training.loop.train."""
    generator = torch.Generator().manual_seed(seed)
    while True:
        yield from batches(rows[torch.randperm(len(rows), generator=generator).to(rows.device)], batch, joined)


def _waves(students: Sequence[Student], plan: Training, group_bytes: int = GROUP_BYTES) -> Iterator[list[list[int]]]:
    """Groups of students (by their places) that fit into memory together."""
    wave: list[list[int]] = []
    taken = 0
    for members in _groups(students, plan, group_bytes):
        size = sum(sum(_footprint(students[place].architecture, plan.batch)) for place in members)
        if wave and taken + size > WAVE_BYTES:
            yield wave
            wave, taken = [], 0
        wave.append(members)
        taken += size
    yield wave


def _groups(students: Sequence[Student], plan: Training, group_bytes: int = GROUP_BYTES) -> Iterator[list[int]]:
    """Students with the same batches and structure, of like size, few enough for the memory."""
    kinds: dict[tuple[object, ...], list[int]] = {}
    for place, student in enumerate(students):
        objective = student.objective
        # A control shares the stack of its student where that costs nothing: not with losses on hidden features.
        shares = objective.alpha > 0 or objective.loss in CLOSED_FORM
        teacher_term = (objective.loss, objective.strength) if shares else None
        key = (_kind(student.architecture), student.seed, teacher_term, _contents(student.rows),
               _contents(student.labelled), student.unseen, student.targets.sizes)
        kinds.setdefault(key, []).append(place)
    for members in kinds.values():
        yield from _by_size(members, students, plan, group_bytes)


def _by_size(members: list[int], students: Sequence[Student], plan: Training, group_bytes: int) -> Iterator[list[int]]:
    """Members by rising size; a new group begins where padding would cost too much or the memory is full."""
    sizes = {place: _sizes(students[place].architecture) for place in members}
    group: list[int] = []
    for place in sorted(members, key=lambda one: sum(sizes[one])):
        wider = [*group, place]
        real = sum(sum(sizes[one]) for one in wider)
        padded = sum(sizes[one][0] for one in wider) + len(wider) * sizes[place][1]
        weights, activations = (len(wider) * one for one in _footprint(students[place].architecture, plan.batch))
        full = weights + activations > WAVE_BYTES or activations > group_bytes
        if group and (padded > MOST_PADDING * real + FREE_PADDING or full):
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
