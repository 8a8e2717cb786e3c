"""One gesture is one job: a button that begins work, clicked twice, begins it once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from compress.curves.store import ACTIVE
from pages.ui.shell import session


def begins(element: str, work: str, act: Callable[[], Any]) -> dict[str, Any]:
    """`key` and `on_click` of a button that begins work.

    The second click of a double click comes when the first one's job runs, which it joins, or has ended already where the
    browser is slow. So each job makes another button of it, and a click on an earlier one begins nothing. Whoever clicks
    while another visitor's job runs takes part in that.

    Args:
        element: name of the button; work: the key of its jobs.
        act: begins it.
    """
    seen = _number(session.store().latest_job(work))

    def clicked() -> None:
        job = session.store().latest_job(work)
        if _number(job) == seen or (job and job["state"] in ACTIVE):
            with session.joining(job):
                act()

    return {"key": f"{element}.{seen}", "on_click": clicked}


def _number(job: dict[str, Any] | None) -> int:
    """A job's number, 0 for none."""
    return int(job["id"]) if job else 0
