"""What a page begins without being asked: it measures what is missing for what is chosen, once."""

from __future__ import annotations

import os
from typing import Any

from pages.ui.shell import records, session
from pages.ui.shell.choice import Card

ENDED_WELL = (None, "done")


def is_on() -> bool:
    """Whether pages measure by themselves: as the visitor wants it, and before that unless COMPRESS_AT_ONCE is no."""
    return bool(session.remembered("live", os.environ.get("COMPRESS_AT_ONCE") != "no"))


def may_begin(data: Card, job: dict[str, Any] | None, work: str) -> bool:
    """Whether a page may begin this work now: it has not done so before, nothing of it runs or was cancelled or failed, and
    nothing has to be downloaded for it. A run that this visitor left for other settings is begun again on return.

    Args:
        data: the data set's card.
        job: the newest job of the work, or None.
        work: names what is measured; the same text is begun once.
    """
    if not is_on() or data.get("problem") or _needs_download(data):
        return False
    if job and job["id"] in session.remembered("left for others", frozenset()):
        return True
    return (job and job["state"]) in ENDED_WELL and work not in session.remembered("begun", frozenset())


def begun(work: str) -> None:
    """Remembers that a page has begun this work."""
    session.remember("begun", session.remembered("begun", frozenset()) | {work})


def left_for_others(job: int) -> None:
    """Remembers that this visitor left a run because other settings were chosen."""
    session.remember("left for others", session.remembered("left for others", frozenset()) | {job})


def wanted_again(job: int) -> None:
    """The opposite of left_for_others()."""
    session.remember("left for others", session.remembered("left for others", frozenset()) - {job})


def _needs_download(data: Card) -> bool:
    return bool(data["online"]) and not records.data_digest(data["name"])
