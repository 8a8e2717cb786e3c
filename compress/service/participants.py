"""Which browser sessions still take part in a job."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

SIGN_OF_LIFE = 10.0  # seconds for which a session that looked at a job counts
SEEN_EVERY = 3.0  # seconds between two signs of life in the store
Present = Callable[[str], bool | None]


@dataclass(frozen=True)
class Part:
    """What a session has to do with a job.

    Attributes:
        submitted: it asked for the job; left: it no longer wants it; others: how many other sessions take part, and how many
            of these submitted the job.
    """

    submitted: bool
    left: bool
    others: int
    other_submitters: int

    @property
    def may_leave(self) -> bool:
        """Whether it has a button to cancel the job: its own, or one that nobody who takes part has submitted."""
        return not self.left and (self.submitted or self.other_submitters == 0)


def part_of(session: str, rows: Collection[dict[str, Any]], present: Present) -> Part:
    """The part of a session in a job with these participants (rows as JobTable.participants() has them)."""
    own = next((row for row in rows if row["session"] == session), None)
    others = [row for row in rows if row["session"] != session and takes_part(row, present)]
    return Part(bool(own and own["submitted"]), bool(own and own["left"]), len(others),
                sum(row["submitted"] for row in others))


def takes_part(row: dict[str, Any], present: Present) -> bool:
    """Whether a participant still counts: it has not left, and its browser is there or was a moment ago.

    Who submitted the job counts as long as the browser is connected, whatever page it shows. Who only looks at it counts
    while it looks.
    """
    if row["left"] is not None:
        return False
    connected = present(row["session"]) if row["submitted"] else None
    return time.time() - row["seen"] <= SIGN_OF_LIFE if connected is None else connected


def end_is_wanted(rows: Collection[dict[str, Any]], present: Present) -> bool:
    """Whether somebody has left, nobody takes part any more, and nobody waits for it elsewhere: who submitted a job and
    closed the browser comes back for it. The session that a tab had before it was reloaded vanished before the tab left."""
    left = max((row["left"] or 0.0 for row in rows), default=0.0)
    waits = any(row["submitted"] and row["left"] is None and row["seen"] > left + SIGN_OF_LIFE for row in rows)
    return left > 0 and not waits and not any(takes_part(row, present) for row in rows)


def most_jobs() -> int:
    """How many unfinished jobs a session may have: COMPRESS_SESSION_JOBS, or 8.

    Raises:
        ValueError: the variable is not a whole number from 1.
    """
    wanted = os.environ.get("COMPRESS_SESSION_JOBS") or "8"
    if not wanted.isdecimal() or int(wanted) < 1:
        raise ValueError(f"COMPRESS_SESSION_JOBS must be a whole number from 1, but got {wanted!r}. Unset it for 8.")
    return int(wanted)
