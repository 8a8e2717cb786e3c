"""How long a search may take: in minutes, or in networks that it measures (the same on every machine)."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from compress.progress import Live, Progress, Reporter
from compress.settings import checked

_MINUTES = {"name": "minutes", "type": "float", "low": 0.05, "high": 24 * 60, "choices": None, "default": 3}
_MEASUREMENTS = {"name": "measurements", "type": "int", "low": 0, "high": 100_000, "choices": None, "default": 40}
_FRESH = {"name": "fresh", "type": "int", "low": 0, "high": 20, "choices": None, "default": 2}
KEPT_BACK = 0.2  # of the minutes, for the fresh seeds


class OutOfTime(Exception):
    """The minutes are over; what was begun is left."""


@dataclass(frozen=True)
class Budget:
    """Minutes, of which a fifth is kept back for the fresh seeds; or, if above 0, networks measured.

    Raises:
        ValueError: neither is in its range.
    """

    minutes: float = 3.0
    measurements: int = 0

    def __post_init__(self) -> None:
        checked(_MINUTES, self.minutes)
        checked(_MEASUREMENTS, self.measurements)

    @classmethod
    def of_options(cls, minutes: Any, measurements: Any = 0) -> Budget:
        """From numbers or texts. Raises ValueError as the class does, and for what is no number."""
        return cls(checked(_MINUTES, minutes), checked(_MEASUREMENTS, measurements))

    @property
    def unit(self) -> str:
        """seconds or measurements."""
        return "measurements" if self.measurements else "seconds"

    @property
    def amount(self) -> float:
        """Of searching, in this unit."""
        return self.measurements or self.seconds

    @property
    def seconds(self) -> float:
        """Of searching."""
        return 60 * self.minutes - self.kept_back

    @property
    def kept_back(self) -> float:
        """Seconds for the fresh seeds; 0 where networks are counted."""
        return 0.0 if self.measurements else 60 * self.minutes * KEPT_BACK


def checked_fresh(value: Any) -> int:
    """How many fresh seeds, from a number or a text. Raises ValueError for another one than 0 to 20."""
    return int(checked(_FRESH, value))


class Clock:
    """The budget of a search at work, and its progress."""

    def __init__(self, budget: Budget, report: Reporter, clock: Callable[[], float] = time.monotonic) -> None:
        self.budget, self.report, self._clock = budget, report, clock
        self._began, self.counted = clock(), 0
        self._last: tuple[str, Live | None] = ("searching", None)

    @property
    def seconds(self) -> float:
        """Since the search began."""
        return self._clock() - self._began

    @property
    def share(self) -> float:
        """Of the budget that is spent."""
        done = self.counted / self.budget.measurements if self.budget.measurements else self.seconds / self.budget.seconds
        return min(1.0, done)

    @property
    def is_over(self) -> bool:
        """Whether the search has to end."""
        return self.share >= 1.0

    @property
    def is_past_end(self) -> bool:
        """Whether the minutes are over that were kept back, too."""
        return not self.budget.measurements and self.seconds >= 60 * self.budget.minutes

    def count(self) -> None:
        """A network was measured."""
        self.counted += 1

    def show(self, text: str, live: Live | None) -> None:
        """Reports what stands; raises Cancelled as a Reporter does."""
        self._last = text, live
        self.report(min(0.999, self.share), text, live)

    def reporter(self, doing: str) -> Reporter:
        """For one piece of work, whose own share says nothing about the search's. Its reports raise OutOfTime when the
        minutes of searching are over."""

        def write(progress: Progress) -> None:
            if not self.budget.measurements and self.is_over:
                raise OutOfTime
            self.report(min(0.999, self.share), f"{self._last[0]}; {doing}: {progress.text}", self._last[1])

        return Reporter(write, exclusive=self.report.exclusive)

    def bounded(self, report: Reporter) -> Reporter:
        """The same reporter, whose reports raise OutOfTime when all minutes are over."""

        def write(progress: Progress) -> None:
            if self.is_past_end:
                raise OutOfTime
            report.write(progress)

        return replace(report, write=write)
