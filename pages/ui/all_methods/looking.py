"""Looking into networks of the panel: what needs torch is made once by the worker, and kept as a view."""

from __future__ import annotations

from functools import partial

import streamlit as st

from compress.curves.store import ACTIVE
from compress.service.requests import InspectRequest, Request
from pages.ui.all_methods.opened import Opened
from pages.ui.explore import by_itself
from pages.ui.shell import session, tray
from pages.ui.shell.gesture import begins

POLL = 0.4


def ready(networks: list[Opened]) -> bool:
    """Whether all of them have been looked into; otherwise draws the progress of that, or a button that begins it."""
    missing = [one for one in networks if one.inside is None]
    for network in missing:
        what = InspectRequest(network.recipe.data, network.row["digest"], network.row["reference"])
        key = f"inspect {network.row['digest']} {network.row['reference']}"
        wait_or_offer(what, key, f"Look into {network.letter}", by_itself.is_on())
    return not missing


def wait_or_offer(what: Request, key: str, label: str, begin: bool) -> None:
    """The progress of a job, or a button for it. begin: whether it begins without a click, the first time."""
    job = session.store().latest_job(key)
    if job is None and begin and session.submit(what, key, label) is not None:
        job = session.store().latest_job(key)
    if job and job["state"] in ACTIVE:
        st.fragment(_wait_for, run_every=POLL)(key)
        return
    tray.outcome(job)
    st.button(label, icon=":material/search:", **begins(f"begin.{key}", key, partial(session.submit, what, key, label)))


def _wait_for(key: str) -> None:
    job = session.store().latest_job(key)
    if job["state"] not in ACTIVE:
        st.rerun()
    tray.progress(job, f"wait.{key}")
