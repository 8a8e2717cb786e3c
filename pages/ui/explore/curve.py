"""Exploring a method: presets in a strip, the stage with dial, hero and picture, settings and work beside it.

Every page about one method is this with a MethodPage of its own.
"""

from __future__ import annotations

from functools import partial

import streamlit as st

from compress.curves.store import ACTIVE
from compress.service.requests import CurveRequest
from pages.ui.charts import outside
from pages.ui.explore import by_itself, first_stop, presets, rail, stage
from pages.ui.explore.curve_state import CurveState, is_deleted, look_up, missing
from pages.ui.explore.method_page import MethodPage, Preset
from pages.ui.shell import records, session
from pages.ui.shell.choice import Card
from pages.ui.shell.frame import part


def explore(own: MethodPage) -> None:
    """Draws the whole exploration of one method."""
    with session.store().reading():
        with st.container():
            state = _begin(own)
        with part("presets"):
            presets.draw(own, partial(_take, own))
        main, beside = st.columns([4, 1], gap="medium")
        with main:
            stage.draw(own, state)
        with beside, part("settings"):
            rail.draw(own, state, offer(state), partial(submit, own.card))


def submit(card: Card) -> bool:
    """Starts (or resumes) measuring the curve on the screen; False if that is refused. This session leaves the run that it
    had started from this page for other settings, which ends unless others wait for it."""
    state, name = look_up(card), f"job.{card['name']}"
    key, before = records.job_key(state.request.curve(card["dial"])), session.remembered(name)
    session.remember(name, key)  # before it is submitted: a rerun may end this one at any line
    if before is not None and before != key:
        _leave(before)
    if state.job:
        by_itself.wanted_again(state.job["id"])
    return session.submit(CurveRequest(state.request.text(), tuple(state.values)), key, card["title"]) is not None


def _leave(key: str) -> None:
    """This session no longer waits for the run with this key, if it has started it."""
    job = session.store().latest_job(key)
    if job and job["state"] in ACTIVE and session.part(job["id"]).submitted:
        by_itself.left_for_others(job["id"])
        session.leave(job["id"])


def _begin(own: MethodPage) -> CurveState:
    """Measures by itself what is missing, as on the first visit, after a link, and when a setting was changed. Where all is
    measured, the dial gets its first stop. Returns what is known after that."""
    state = look_up(own.card)
    if not offer(state):
        return look_up(own.card) if not state.running and first_stop.place(state) else state
    work = f"{records.job_key(state.request.curve(own.card['dial']))} {state.values}"
    if is_deleted(state) or not by_itself.may_begin(own.page.data, state.job, work):
        return state
    by_itself.begun(work)
    if not submit(own.card):
        st.warning(outside.markdown(session.forget("refusal")), icon=":material/hourglass_disabled:")
    return look_up(own.card)


def _take(own: MethodPage, preset: Preset) -> None:
    """A preset sets everything it names, the other settings of the method go to their defaults, and it starts.

    All in one: another run of the page may end this one between any two changes."""
    settings = presets.settings_of(preset, own.card)
    choice = session.choice().with_preset(preset.data, preset.teacher, own.page.known, preset.start)
    choice = choice.with_method(own.method, **settings)
    session.choose(choice.with_dial(own.method, own.card["dial"] in preset.settings))
    key = records.job_key(session.choice().request(own.card).curve(own.card["dial"]))
    with session.joining(session.store().latest_job(key)):
        if offer(look_up(own.card)):  # a second click may come when all is measured
            submit(own.card)


def offer(state: CurveState) -> str:
    """What the button measures, in words; "" where everything is measured."""
    if not state.plan or not state.points:
        return "Measure the curve"
    left = missing(state)
    if not left:
        return ""
    stopped = state.job and state.job["state"] in ("interrupted", "cancelled", "failed")
    points = "1 point" if left == 1 else f"{left} points"
    return f"Resume ({points} left)" if stopped else f"Measure the {points} left"
