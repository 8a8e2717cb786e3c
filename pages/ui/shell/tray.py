"""Running jobs: the tray in the sidebar, and the progress line with an ETA and a cancel button on a page."""

from __future__ import annotations

import time
from typing import Any

import streamlit as st

from compress.curves.store import ACTIVE
from pages.ui.charts import outside, words
from pages.ui.shell import session

Job = dict[str, Any]


def draw() -> None:
    """The sidebar's tray: polls only while something runs."""
    active = session.store().active_jobs()
    if active:
        st.fragment(_tray, run_every=1.0)()


def progress(job: Job, key: str) -> None:
    """One line: share done, what is being done, how long it will take, and a button that stops it."""
    bar, button = st.columns([5, 1], vertical_alignment="center")
    bar.progress(min(1.0, job["share"] or 0.0), text=sentence(job))
    button.button("Cancel", key=f"{key}.cancel.{job['id']}", on_click=session.engine().cancel, args=[job["id"]],
                  width="stretch")


def sentence(job: Job) -> str:
    """What a job is doing and its remaining time, as Markdown."""
    if job["state"] == "queued":
        return outside.markdown(f"{job['title']}: waiting for its turn")
    return outside.markdown(f"{job['title']}: {job['text']}{_remaining(job)}")


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


def _remaining(job: Job) -> str:
    share, started = job["share"] or 0.0, job["started"]
    if not started or share < 0.05:
        return ""
    spent = max(0.0, job["updated"] - started)
    left = spent / share * (1 - share) - (time.time() - job["updated"])
    return f" · about {words.duration(left)} left" if left >= 1 else " · nearly done"


def _tray() -> None:
    active = session.store().active_jobs()
    if not active:
        st.rerun()
    st.caption("Running")
    for job in active:
        st.progress(min(1.0, job["share"] or 0.0), text=sentence(job))
        st.button("Cancel", key=f"tray.cancel.{job['id']}", on_click=session.engine().cancel, args=[job["id"]])
