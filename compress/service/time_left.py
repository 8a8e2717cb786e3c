"""How long jobs still take, with the turns of the others, and how that is said; the same in pages and in the shell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class AtWork:
    """A running job. left: seconds of computing that it still needs, or None where that is not known."""

    number: int
    session: str
    left: float | None


def until_ends(jobs: Sequence[AtWork]) -> dict[int, float]:
    """Number -> seconds until each job ends, for jobs whose own work is known.

    Sessions have equal shares of the time and the jobs of a session equal parts of its share (service/turns.py), so that
    the others go faster when one has ended. A job of unknown length keeps its share all along.
    """
    left = {job.number: job.left for job in jobs}
    running, now, ends = list(jobs), 0.0, {}
    while any(left[job.number] is not None for job in running):
        sessions = Counter(job.session for job in running)
        parts = {job.number: len(sessions) * sessions[job.session] for job in running}  # it computes one second in so many
        first = min((one for one in running if left[one.number] is not None),
                    key=lambda one: (left[one.number] or 0.0) * parts[one.number])
        passed = (left[first.number] or 0.0) * parts[first.number]
        now, ends[first.number] = now + passed, now + passed
        running.remove(first)
        for job in running:
            needed = left[job.number]
            if needed is not None:
                left[job.number] = max(0.0, needed - passed / parts[job.number])
    return ends


def in_words(seconds: float | None) -> str:
    """about 1 min 20 s left; nearly done; no estimate yet."""
    if seconds is None:
        return "no estimate yet"
    return f"about {duration(seconds)} left" if seconds >= 1 else "nearly done"


def duration(seconds: float) -> str:
    """8 s, 1 min 20 s, 2 h 5 min."""
    seconds = max(0, round(seconds))
    if seconds >= 3600:
        return f"{seconds // 3600} h {seconds % 3600 // 60} min"
    return f"{seconds} s" if seconds < 60 else f"{seconds // 60} min {seconds % 60} s"
