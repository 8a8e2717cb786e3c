"""Progress of long work: reports of the share done, and cancellation."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, ClassVar


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
class Progress:
    """The share of the work done (0 to 1), a description of the present step, and data for a chart."""

    share: float
    text: str
    live: Live | None = None


@dataclass(frozen=True)
class Reporter:
    """Given to every long piece of work: report(share, text) reports, and raises Cancelled if it should stop.

    Attributes:
        exclusive: with report.exclusive("teacher", key) as waited: work whose result others can use. A second piece of work
            of this name and key, in the same process, waits until the first has ended, and is told True; Cancelled can be
            raised while it waits.
    """

    write: Callable[[Progress], None] = lambda progress: None
    is_cancelled: Callable[[], bool] = lambda: False
    low: float = 0.0
    high: float = 1.0
    exclusive: Callable[[str, str], AbstractContextManager[bool]] = lambda name, key: nullcontext(False)

    def __call__(self, share: float, text: str, live: Live | None = None) -> None:
        self.write(Progress(self.low + (self.high - self.low) * share, text, live))
        if self.is_cancelled():
            raise Cancelled(text)

    def part(self, low: float, high: float) -> Reporter:
        """A Reporter for a stretch of this work: its 0 to 1 is our low to high."""
        width = self.high - self.low
        return Reporter(self.write, self.is_cancelled, self.low + width * low, self.low + width * high,
                        self.exclusive)


no_report = Reporter()
