"""Many students trained at once, each as if it were alone.

Students that read the same batches are a group (student_groups.py); all groups go one epoch at a time, so that accuracies
of all students arrive after each epoch. Initial weights, batches and dropout noise of a student depend on the student's seed
alone, never on the other students of the run.

On a CPU the promise is for every bit: with the same number of threads a student has the same weights in any company and
alone, so that a point that is measured later, by itself, is the point of the whole curve. A group is trained side by side
(training/side_by_side.py); with a loss on more than the logits it is one student. On a GPU a group is one tensor program
(training/stack.py), where the weights in different companies differ by rounding, which training can magnify.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor

from compress.data.datasets import Dataset
from compress.data.tensors import on_device
from compress.distillation.objective import StackedObjective
from compress.distillation.student_groups import Student, waves
from compress.networks.families import Network, build
from compress.progress import Live, Reporter, no_report
from compress.training.batches import batches, batches_in, has_batch_norm
from compress.training.loop import Training, optimizer_of, steps_of
from compress.training.memory_needs import require_training
from compress.training.side_by_side import SideBySide
from compress.training.stack import Stack
from compress.training.threads import training_threads, trains_on_one_thread


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
    every = list(waves(students, plan, stacked=torch.device(device).type != "cpu"))
    for number, wave in enumerate(every):
        part = report.part(number / len(every), (number + 1) / len(every))
        groups = [_Group([students[place] for place in members], data, plan, steps, torch.device(device))
                  for members in wave]
        _run(groups, wave, plan, part, on_epoch)
        for members, group in zip(wave, groups, strict=True):
            trained.update(zip(members, group.finished(), strict=True))
    return [trained[place] for place in range(len(students))]


def _run(groups: list[_Group], wave: list[list[int]], plan: Training, report: Reporter, on_epoch: OnEpoch | None) -> None:
    """One epoch of every group, then the next epoch of every group."""
    epoch, text = 0, f"epoch {{}} of {plan.epochs}, {sum(map(len, wave))} students at once"
    while any(group.done < group.total for group in groups):
        epoch += 1
        for number, group in enumerate(groups):
            if group.done == group.total:
                continue
            share = (number / len(groups) + epoch - 1) / plan.epochs
            group.epoch(partial(report, min(1.0, share), text.format(epoch)))
            live = on_epoch(epoch, dict(zip(wave[number], group.history[-1], strict=True))) if on_epoch else None
            report(min(1.0, ((number + 1) / len(groups) + epoch - 1) / plan.epochs), text.format(epoch), live)


class _Group:
    """Students that read the same batches: in one stack, or on a CPU side by side."""

    def __init__(self, students: list[Student], data: Dataset, plan: Training, steps: int | None,
                 device: torch.device) -> None:
        first = students[0]
        networks = [build(student.architecture, student.seed) for student in students]
        side_by_side = device.type == "cpu" and all(student.is_closed for student in students)
        self.stack: Stack | SideBySide = SideBySide(networks) if side_by_side else Stack(networks, device)
        self.objective = StackedObjective(self.stack, [student.objective for student in students],
                                          [student.targets for student in students], first.seed)
        self.on_one_thread = trains_on_one_thread(first.architecture, plan.batch)
        self.inputs, self.labels = on_device(data.train, device)
        self.validation_inputs, self.validation_labels = on_device(data.validation, device)
        self.shown = self.validation_labels != first.unseen
        self.labelled = None if first.labelled is None else first.labelled.to(device)
        rows = torch.arange(len(self.inputs)) if first.rows is None else first.rows
        joined = has_batch_norm(networks[0])
        self.batches, self.seed = _batches(rows.to(device), plan.batch, first.seed, joined), first.seed
        self.total = steps_of(plan, len(self.inputs), steps, joined)
        self.per_epoch = batches_in(len(self.inputs), plan.batch, joined)
        self.optimizer = optimizer_of([*self.stack.trained, *(tensor.data for tensor in self.objective.regressors)], plan)
        self.schedule = torch.optim.lr_scheduler.CosineAnnealingLR(self.optimizer, max(1, self.total))
        self.done = 0
        self.history: list[list[float]] = []
        self.best: Any = self.stack.snapshot()  # in the form that this kind of stack takes back
        self.best_accuracy = torch.full((len(students),), -1.0, device=device)
        self.best_epoch = torch.zeros(len(students), dtype=torch.long, device=device)
        self.diverged: list[int | None] = [None] * len(students)

    def epoch(self, report: Callable[[], None]) -> None:
        """As many steps as one pass over the whole training split has, then validation."""
        with training_threads(self.on_one_thread):
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
        labels = self.labels.index_select(0, rows)
        labelled = None if self.labelled is None else self.labelled[rows]
        noise_seed = self.seed * 1_000_003 + self.done
        if isinstance(self.stack, SideBySide):
            logits = self.stack.forward(batch, noise_seed)
            self.stack.backward(self.objective.gradient(logits, labels, labelled, rows))
        else:
            with torch.autocast(batch.device.type, torch.bfloat16) if batch.is_cuda else nullcontext():
                outputs = self.stack.forward(batch, True, noise_seed)
            self.optimizer.zero_grad(set_to_none=True)
            self.objective.backward(outputs.float(), labels, labelled, rows)
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
