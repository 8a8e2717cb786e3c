"""How long work still takes: what is left of each kind, in units, at the pace measured for that kind.

A workload is a tree of tasks. Each has a kind and a number of units (epochs, networks, layers), and parts or a share that
is done. The pace of a kind, in seconds a unit, is measured in this workload where some of it is done, else taken from
earlier ones; a kind of which nothing is known makes the whole unknown. A guess is never shown as an estimate.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

PRIOR = 0.05  # an earlier pace weighs as much as this part of a task of the kind
ENOUGH, SECONDS = 0.1, 0.5  # of the only task of a kind, or seconds of it, before its pace is believed
NEARLY = 0.99  # the largest share before the end
FEWEST = 2  # ended tasks of a kind that has several: the first is often an extreme, a dial's end at which nothing is trained
UNSEEN = 9.0  # a phase of unknown pace counts as at least so many times the seconds that it has taken
SHORT = 0.05  # seconds; phases below say nothing about the length of others


@dataclass(frozen=True)
class Phase:
    """A task to come.

    Attributes:
        name: of its kind among the parts of one task, "" for none of its own; units: of work in it.
        brief: whether it counts as nothing while its pace is not known, and does not hide what is known of the others.
    """

    name: str
    units: float = 1.0
    brief: bool = False


@dataclass(frozen=True)
class Outlook:
    """The share of the work done (0 to 1, never falling), and the seconds left, or None while some pace is not known."""

    share: float
    left: float | None


class Task:
    """A piece of work in a workload.

    Attributes:
        kind: all its names from the root; units: of this kind; done: the share that was reported.
        seconds: spent outside of parts; ended: nothing of it is left, even if done is below 1 (training may stop early).
        in_order: whether a part ends where a later one begins; brief: as of a Phase.
    """

    def __init__(self, of: Workload, kind: str, units: float) -> None:
        self.of, self.kind, self.units = of, kind, units
        self.done, self.seconds, self.ended = 0.0, 0.0, False
        self.parts: list[Task] = []
        self.in_order, self.brief = True, False
        self.whole: Task | None = None
        self.place = 0  # among the parts of the whole

    def split(self, phases: Sequence[Phase], in_order: bool = True) -> list[Task]:
        """Makes parts of a task that has none."""
        self.parts, self.in_order = [self.of.task(self, phase) for phase in phases], in_order
        for place, part in enumerate(self.parts):
            part.whole, part.place = self, place
        return self.parts

    def reach(self, done: float) -> None:
        """Reports the share of this task that is done."""
        self.of.reach(self, done)

    @property
    def spent(self) -> float:
        """Seconds, those of its parts among them."""
        return self.seconds + sum(part.spent for part in self.parts)

    @property
    def is_done(self) -> bool:
        """Whether it has ended, or all its parts have."""
        return self.ended or (bool(self.parts) and all(part.is_done for part in self.parts))

    def end(self) -> None:
        """Nothing of it is left."""
        self.ended = True
        for part in self.parts:
            part.end()


class Workload:
    """All work of a job, with the time that each part has taken."""

    def __init__(self, paces: Mapping[str, float] | None = None, clock: Callable[[], float] = time.monotonic,
                 name: str = "") -> None:
        """
        Args:
            paces: kind -> seconds a unit, of earlier workloads. clock: seconds in which this work was done.
            name: of the machine's part that works; the first word of every kind.
        """
        self._paces, self._clock = paces or {}, clock
        self._kinds: dict[str, list[Task]] = {}
        self.root = Task(self, name, 1.0)
        self._at, self._last, self._shown = self.root, clock(), 0.0

    def task(self, whole: Task, phase: Phase) -> Task:
        """A new part of a task."""
        kind = f"{whole.kind} / {phase.name}" if phase.name else whole.kind
        made = Task(self, kind, max(phase.units, 1e-9))
        made.brief = phase.brief
        if phase.name:
            self._kinds.setdefault(kind, []).append(made)
        return made

    def reach(self, task: Task, done: float) -> None:
        """The time since the last report belongs to this task if it has advanced, else to the one reported before."""
        now = self._clock()
        (task if done > task.done else self._at).seconds += now - self._last
        task.done, self._at, self._last = max(task.done, done), task, now
        if task.done >= 1.0:
            task.end()
        while task.whole is not None:
            for part in task.whole.parts[:task.place] if task.whole.in_order else ():
                if not part.ended:
                    part.end()
            task = task.whole

    def outlook(self) -> Outlook:
        """What is done and what is left, as of the last report."""
        paces: dict[str, float | None] = {}
        left = self._left(self.root, paces)
        spent = self.root.spent
        whole = self._whole(self.root, paces) if left is None else spent + left
        self._shown = max(self._shown, min(NEARLY, spent / whole if whole > 0 else 0.0))
        return Outlook(self._shown, left)

    def measured(self) -> dict[str, float]:
        """Kind -> seconds a unit, of everything that this workload has measured."""
        found = {kind: self._own(tasks) for kind, tasks in self._kinds.items()}
        return {kind: seconds / units for kind, (seconds, units) in found.items() if units > 0}

    def _whole(self, task: Task, paces: dict[str, float | None]) -> float:
        """Seconds of all of a task. Where the pace of a part is unknown, the part counts as long as the mean of those known,
        by units where these are of one kind, and never as nearly done. It only draws a bar, and errs towards a bar that is
        short."""
        left = self._left(task, paces)
        if left is not None:
            return task.spent + left
        if not task.parts:
            return UNSEEN * task.spent
        known = [(part.spent + left, self._size(part)) for part in task.parts
                 if (left := self._left(part, paces)) is not None and part.spent + left > SHORT]
        seconds = sum(span for span, _ in known)
        mean = seconds / sum(size for _, size in known) if known else 0.0
        unknown = [part for part in task.parts if self._left(part, paces) is None]
        return seconds + sum(max(mean * self._size(part), self._whole(part, paces)) for part in unknown)

    @staticmethod
    def _size(part: Task) -> float:
        """Of one of several parts: units, if they have a common kind, which is then the whole's."""
        return part.units if part.whole is not None and part.kind == part.whole.kind else 1.0

    def _left(self, task: Task, paces: dict[str, float | None]) -> float | None:
        if task.ended:
            return 0.0
        if task.parts:
            parts = [self._left(part, paces) for part in task.parts]
            return sum(left for left in parts if left is not None) if None not in parts else None
        pace = self._pace(task.kind, paces)
        if pace is None:
            return 0.0 if task.brief else None
        return pace * task.units * (1 - task.done)

    def _pace(self, kind: str, paces: dict[str, float | None]) -> float | None:
        """Seconds a unit of a kind, or None."""
        if kind not in paces:
            tasks = self._kinds.get(kind, [])
            seconds, units = self._own(tasks)
            if not units and tasks and tasks[0].parts and (left := self._left(tasks[0], paces)) is not None:
                seconds, units = tasks[0].spent + left, tasks[0].units  # the first of its kind, which has not ended
            size = tasks[0].units if tasks else 1.0
            earlier = self._paces.get(kind)
            if earlier is not None:
                seconds, units = seconds + PRIOR * size * earlier, units + PRIOR * size
            believed = earlier is not None or self._is_enough(tasks, seconds, units / size)
            paces[kind] = seconds / units if units > 0 and believed else None
        return paces[kind]

    @staticmethod
    def _is_enough(tasks: Sequence[Task], seconds: float, share: float) -> bool:
        """Whether what is done of these tasks tells their pace. share: of a task of this kind."""
        if len(tasks) > 1:
            return sum(task.is_done for task in tasks) >= FEWEST
        return seconds >= SECONDS or share >= ENOUGH

    def _own(self, tasks: Sequence[Task]) -> tuple[float, float]:
        """(seconds, units) of what is done of these tasks of one kind. Of tasks with parts, the ended ones."""
        done = [task for task in tasks if (task.ended if task.parts else task.done > 0 or task.ended)]
        if len(done) > 2 and done[0].ended:
            del done[0]  # the first also loads libraries, compiles kernels and fills caches
        return (sum(task.spent for task in done),
                sum(task.units * (task.done if task.done > 0 and not task.parts else 1.0) for task in done))
