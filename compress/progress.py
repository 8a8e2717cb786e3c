"""Progress of long work: reports of the share done, and cancellation."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise
from typing import Any, ClassVar

from compress.workload import Phase, Task


class Cancelled(Exception):
    """The user cancelled this work; finished results are kept."""


@dataclass(frozen=True)
class Live:
    """Base of the data that a chart shows during work; `kind` names the class in plain data."""

    kind: ClassVar[str]

    def plain(self) -> dict[str, Any]:
        """JSON-able, the kind among the fields."""
        return {"kind": self.kind, **dataclasses.asdict(self)}


@dataclass(frozen=True)
class EpochDone(Live):
    """One network after an epoch: mean training loss, accuracy in training and on validation, seconds since the start."""

    kind = "epoch"
    epoch: int
    loss: float
    train_accuracy: float
    accuracy: float
    seconds: float


@dataclass(frozen=True)
class StudentSoFar:
    """A student in training: bytes of its file, its settings, and its accuracy on validation (None: diverged)."""

    bytes: int
    width: float
    temperature: float
    seed: int
    alpha: float
    assistant: float
    accuracy: float | None


@dataclass(frozen=True)
class StudentsSoFar(Live):
    """All students that are trained together, after an epoch."""

    kind = "students"
    epoch: int
    students: tuple[StudentSoFar, ...]


@dataclass(frozen=True)
class DictionarySoFar(Live):
    """A dictionary after some iterations of learning.

    Attributes:
        nonzeros: of a signal at most; errors, used, found: for each iteration so far the relative error, the mean number of
            non-zeros, and the share of planted atoms found (where atoms were planted).
        usage: how many signals use each atom, falling; atoms: encoded images of these atoms, or "".
    """

    kind = "dictionary"
    nonzeros: int
    errors: tuple[float, ...]
    used: tuple[float, ...]
    found: tuple[float, ...] = ()
    usage: tuple[int, ...] = ()
    atoms: str = ""


@dataclass(frozen=True)
class LayersSoFar(Live):
    """The layers whose spectra are known: title, shape, ranks and singular values of each, as in the inside view
    of low rank. count: of all layers; values: of the dial, one for each rank."""

    kind = "layers"
    count: int
    values: tuple[float, ...]
    layers: tuple[dict[str, Any], ...]


@dataclass(frozen=True)
class Progress:
    """The share of the work done (0 to 1), a description of the present step, and data for a chart."""

    share: float
    text: str
    live: Live | None = None


@dataclass(frozen=True)
class Reporter:
    """Given to every long piece of work: report(share, text) reports, and raises Cancelled if it should stop.

    Attributes:
        low, high: this work's place in the whole, from 0 to 1, where nobody measures how long each part takes.
        exclusive: with report.exclusive("teacher", key) as waited: work whose result others can use. A second piece of work
            of this name and key, in the same process, waits until the first has ended, and is told True; Cancelled can be
            raised while it waits.
        task: in a workload that measures how long each kind of work takes; begin, end: this work's place in the task.
    """

    write: Callable[[Progress], None] = lambda progress: None
    is_cancelled: Callable[[], bool] = lambda: False
    low: float = 0.0
    high: float = 1.0
    exclusive: Callable[[str, str], AbstractContextManager[bool]] = lambda name, key: nullcontext(False)
    task: Task | None = None
    begin: float = 0.0
    end: float = 1.0

    def __call__(self, share: float, text: str, live: Live | None = None) -> None:
        if self.task is not None:
            self.task.reach(self.begin + (self.end - self.begin) * share)
        self.write(Progress(self.low + (self.high - self.low) * share, text, live))
        if self.is_cancelled():
            raise Cancelled(text)

    def part(self, low: float, high: float) -> Reporter:
        """A Reporter for a stretch of this work whose length is known: its 0 to 1 is our low to high."""
        width, length = self.high - self.low, self.end - self.begin
        return replace(self, low=self.low + width * low, high=self.low + width * high,
                       begin=self.begin + length * low, end=self.begin + length * high)

    def phases(self, *phases: Phase, in_order: bool = True) -> list[Reporter]:
        """A Reporter for each phase of this work. How long a unit of each takes is measured, never guessed.

        Args:
            in_order: whether each phase has ended where the next begins.
        """
        total = sum(phase.units for phase in phases) or 1.0
        ends = list(accumulate((phase.units / total for phase in phases), initial=0.0))
        parts = ([self.part(low, high) for low, high in pairwise(ends)] if in_order else
                 self._side_by_side([phase.units / total for phase in phases]))
        if self.task is None or self.task.parts or (self.begin, self.end) != (0.0, 1.0):
            return parts  # nobody measures, or this is a stretch of a task that another already divides
        tasks = self.task.split(phases, in_order)
        return [replace(part, task=task, begin=0.0, end=1.0) for part, task in zip(parts, tasks, strict=True)]

    def _side_by_side(self, weights: list[float]) -> list[Reporter]:
        """A Reporter for each of several pieces of work that take turns: they report the sum of their shares."""
        done = [0.0] * len(weights)

        def writer(place: int) -> Callable[[Progress], None]:
            def write(progress: Progress) -> None:
                done[place] = max(done[place], weights[place] * progress.share)
                self.write(replace(progress, share=self.low + (self.high - self.low) * sum(done)))

            return write

        return [replace(self, write=writer(place), low=0.0, high=1.0) for place in range(len(weights))]

    def each(self, name: str, count: int) -> list[Reporter]:
        """A Reporter for each of several pieces of work of one kind."""
        return self.phases(*[Phase(name)] * count)


no_report = Reporter()
