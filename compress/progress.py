"""How work tells how far it is, and how it learns that it is no longer wanted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


class Cancelled(Exception):
    """The user no longer wants this work; what is finished is kept."""


@dataclass(frozen=True)
class Progress:
    """A share of the work done (0 to 1), what is being done in words, and live numbers for a chart."""

    share: float
    text: str
    live: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Reporter:
    """Given to every long piece of work: report(share, text) reports, and raises Cancelled if it should stop."""

    write: Callable[[Progress], None] = lambda progress: None
    is_cancelled: Callable[[], bool] = lambda: False
    low: float = 0.0
    high: float = 1.0

    def __call__(self, share: float, text: str, **live: Any) -> None:
        self.write(Progress(self.low + (self.high - self.low) * share, text, live))
        if self.is_cancelled():
            raise Cancelled(text)

    def part(self, low: float, high: float) -> Reporter:
        """A Reporter for a stretch of this work: its 0 to 1 is our low to high."""
        width = self.high - self.low
        return Reporter(self.write, self.is_cancelled, self.low + width * low, self.low + width * high)


no_report = Reporter()
