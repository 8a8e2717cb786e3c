"""Running jobs: the tray in the sidebar, and the progress line of a page, with a button for who may end the job."""

from __future__ import annotations

from typing import Any

import streamlit as st

from compress.curves.store import ACTIVE
from compress.service.participants import Part
from pages.ui.charts import outside
from pages.ui.shell import job_words, session

Job = dict[str, Any]


def draw() -> None:
    """The sidebar's tray: polls only while something runs."""
    if session.store().jobs_at_work():
        st.fragment(_tray, run_every=1.0)()


def progress(job: Job, key: str, beside: bool = True) -> None:
    """Share done, what is being done, how long it will take, and a button that cancels it, if the session may: in one line,
    or the button below. Who sees it takes part in the job."""
    session.see(job["id"])
    part = session.part(job["id"])
    bar, button = st.columns([5, 1], vertical_alignment="center") if beside else (st.container(), st.container())
    bar.progress(min(1.0, job["share"] or 0.0), text=sentence(job, session.store().jobs_at_work()))
    _cancel(job, part, f"{key}.cancel.{job['id']}", button)
    if part.left:
        st.caption("You have left this run. Another session also waits for it; it goes on.")
    elif not part.may_leave:
        st.caption("Another session started this run; its points are shared.")


def outcome(job: Job | None) -> None:
    """Says why the newest job of this page ended early, if it did."""
    if not job or job["state"] in ("done", *ACTIVE):
        return
    if job["state"] == "failed":
        st.error(outside.markdown(job["error"] or "The job failed without a message."), icon=":material/error:")
    elif job["state"] == "cancelled":
        st.info("Cancelled. What was finished is kept; continue whenever you like.", icon=":material/pause_circle:")
    else:
        st.warning("This job was interrupted when the program stopped. What was finished is kept; resume it below.",
                   icon=":material/restart_alt:")


def _tray() -> None:
    active = session.store().jobs_at_work()
    if not active:
        st.rerun()
    st.caption("Running")
    for job in active:
        part = session.part(job["id"])
        if part.submitted and not part.left:
            session.see(job["id"])
        st.progress(min(1.0, job["share"] or 0.0), text=sentence(job, active))
        if part.submitted:
            _cancel(job, part, f"tray.cancel.{job['id']}", st)


def sentence(job: Job, active: list[Job]) -> str:
    """What a job is doing, as Markdown. active: all queued and running jobs."""
    return outside.markdown(job_words.sentence(job, active))


def _cancel(job: Job, part: Part, key: str, place: Any) -> None:
    if part.may_leave:
        shared = "Another session also waits for this run; it goes on without you." if part.others else None
        place.button("Cancel", key=key, on_click=session.leave, args=[job["id"]], width="stretch", help=shared)
