"""Exploring a method: its settings at the left, the accuracy-size curve with the dial at the right, the inside below.

Every page about one method is this with a MethodPage of its own.
"""

from __future__ import annotations

from typing import Any

import streamlit as st

from compress.curves.store import ACTIVE
from compress.recipe import BASELINE, Recipe
from compress.service.requests import CurveRequest
from pages.ui.charts import charts, outside, teacher_charts
from pages.ui.explore import by_itself, controls, exports, first_stop
from pages.ui.explore.curve_state import CurveState, look_up, missing
from pages.ui.explore.method_page import MethodPage, Preset
from pages.ui.liveplot import liveplot
from pages.ui.shell import session, tray
from pages.ui.shell.choice import Card, spelled_out, without_conflict
from pages.ui.shell.frame import part

OTHERS = 3  # curves beside the one on the screen; more would hide it
GONE = ("<b>The file of the point at the dial is gone, or it was changed</b>, so that it cannot be downloaded. "
        "Measure it again with the button at the left.")


def explore(own: MethodPage) -> None:
    """Draws the whole exploration of one method."""
    _begin(own)
    left, right = st.columns([1, 3.4], gap="large")
    with left:
        with part("presets"):
            _presets(own)
        with part("settings"):
            _settings(own)
            _measure_button(own, look_up(own.card))
    with right:
        waits = own.waits(look_up(own.card))
        st.fragment(_results, run_every=0.25 if waits else None)(own)


def submit(card: Card) -> bool:
    """Starts (or resumes) measuring the curve on the screen; False if that is refused. This session leaves the run that it
    had started from this page for other settings, which ends unless others wait for it."""
    state, name = look_up(card), f"job.{card['name']}"
    key, before = session.job_key(state.request.curve(card["dial"])), session.remembered(name)
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


def _begin(own: MethodPage) -> None:
    """Measures by itself what is missing, as on the first visit, after a link, and when a setting was changed. Where all is
    measured, the dial gets its first stop."""
    state = look_up(own.card)
    if not state.running and not _offer(state):
        first_stop.place(state)
    work = f"{session.job_key(state.request.curve(own.card['dial']))} {state.values}"
    if not _offer(state) or not by_itself.may_begin(own.page.data, state.job, work):
        return
    by_itself.begun(work)
    if not submit(own.card):
        st.warning(outside.markdown(session.forget("refusal")), icon=":material/hourglass_disabled:")


def _presets(own: MethodPage) -> None:
    st.caption("Start with one of these")
    for preset in own.presets:
        st.button(preset.title, help=preset.text, key=f"preset.{own.method}.{preset.title}", width="stretch",
                  on_click=_take, args=[preset, own])


def _take(preset: Preset, own: MethodPage) -> None:
    """A preset sets everything it names, the other settings of the method go to their defaults, and it starts."""
    settings = spelled_out(own.card["settings"], preset.settings, own.method)
    session.choose_with(data=preset.data, teacher=preset.teacher, known=own.page.known)
    choice = session.choice().with_method(own.method, **settings)
    session.choose(choice.with_dial(own.method, own.card["dial"] in preset.settings))
    submit(own.card)


def _settings(own: MethodPage) -> None:
    card, method = own.card, own.method

    def change(name: str, value: Any) -> None:
        notices: list[str] = []
        session.choose(without_conflict(session.choice().with_method(method, **{name: value}), card, notices))
        session.remember("conflict", " ".join(notices))

    conflict = session.forget("conflict")
    if conflict:
        st.warning(outside.markdown(conflict), icon=":material/tune:")
    entries = [entry for entry in card["settings"] if entry["name"] != card["dial"]]
    values = session.choice().methods[method]
    controls.form(entries[:own.open_settings], values, method, change)
    if entries[own.open_settings:]:
        with st.expander("More settings"):
            controls.form(entries[own.open_settings:], values, method, change)


def _measure_button(own: MethodPage, state: CurveState) -> None:
    st.toggle("Measure at once", key=session.bound("live", by_itself.is_on()),
              on_change=lambda: session.remember("live", session.current("live")))
    st.caption("Whatever is missing for what is chosen is measured without a click.")
    words = "" if state.running else _offer(state)
    if words:
        st.button(words, type="primary", key=f"measure.{own.method}", width="stretch", on_click=submit, args=[own.card])
    st.caption(f"The dial is at the right, above the curve. Each of its {len(state.values)} stops is a network, or a data "
               "file, of its own.")


def _offer(state: CurveState) -> str:
    """What the button measures, in words; "" where everything is measured."""
    if not state.plan or not state.points:
        return "Measure the curve"
    left = missing(state)
    if not left:
        return ""
    stopped = state.job and state.job["state"] in ("interrupted", "cancelled", "failed")
    points = "1 point" if left == 1 else f"{left} points"
    return f"Resume ({points} left)" if stopped else f"Measure the {points} left"


def _results(own: MethodPage) -> None:
    state, method = look_up(own.card), own.method
    waits, waited = own.waits(state), session.remembered(f"running.{method}", False)
    session.remember(f"running.{method}", waits)
    if state.running:
        tray.progress(state.job, f"page.{method}")
    else:
        tray.outcome(state.job)
    if state.running and not state.teacher:
        epochs = state.recipe.teacher.values["epochs"]
        liveplot([teacher_charts.training(state.job["live"], epochs, "First the teacher is trained; it is kept for every "
                                          "later curve")], key=f"teacher.{method}")
    elif state.teacher:
        sentences = [sentence for sentence in (GONE if state.file_is_gone else "", *own.notices(state)) if sentence]
        if sentences:
            st.html(f"<div class='ce-notice'>{' '.join(sentences)}</div>")
        _hero(own, state)
        own.below(state)
        if state.point:
            with part("exports"):
                exports.draw(state, method)
    else:
        st.info("Nothing measured yet for this data set, teacher and settings. Choose a preset, or press "
                "**Measure the curve** at the left.", icon=":material/arrow_back:")
    session.finish()
    if waited and not waits:
        st.rerun()


def _hero(own: MethodPage, state: CurveState) -> None:
    entry = next(entry for entry in own.card["settings"] if entry["name"] == own.card["dial"])
    key = f"hero.{own.method}"
    dial = {"name": entry["name"], "label": entry["label"], "help": entry["help"], "values": list(state.values),
            "labels": [own.label(value) for value in state.values], "readout": own.readout(state),
            "index": charts.nearest(state.values, state.dial)}
    liveplot([own.hero(state, _others(own, state)), *(own.inside(state) if state.view else [])], key=key, dial=dial,
             on_dial=session.on_release(key, state.values, own.select),
             on_select=session.on_selected(key, own.select))


def _others(own: MethodPage, state: CurveState) -> dict[str, list[dict]]:
    """Up to three curves to compare with: the plan's baselines by their labels, then the newest complete ones of this method
    and teacher by their names, or else by what differs in their settings. A line through the few points of a run that was
    cancelled would look like a measured curve."""
    if not state.teacher:
        return {}
    curves = session.store().curves(state.chain, state.teacher["digest"])
    baselines = {key: label for key, label in _baselines(state).items() if key in curves}
    known, found = {*baselines, state.recipe.curve(own.card["dial"]).key()}, {}
    for key, points in reversed(curves.items()):
        other = Recipe.parse(points[0]["recipe"])
        if len(found) + len(baselines) >= OTHERS:
            break
        if key not in known and _settings_of(other) == _settings_of(state.recipe) and _is_complete(key, points, state):
            name = own.curve_name(other)
            found.setdefault(name if name != own.curve_name(state.recipe) else _difference(state, other), points)
    return {**dict(reversed(found.items())), **{label: curves[key] for key, label in baselines.items()}}


def _is_complete(key: str, points: list[dict], state: CurveState) -> bool:
    """Whether a curve has a point at every value of the dial that was asked for, and these make a line."""
    wanted = (session.store().view(key, state.teacher["digest"]) or {}).get("values", ()) if state.teacher else ()
    return len(wanted) > 2 and {point["dial"] for point in points} >= set(wanted)


def _baselines(state: CurveState) -> dict[str, str]:
    """Curve key -> label of the baselines in the plan."""
    runs = state.plan.runs if state.plan else ()
    return {Recipe.parse(run.recipe).curve(state.card["dial"]).key(): run.label for run in runs if run.role == BASELINE}


def _settings_of(recipe: Recipe) -> list[set[str]]:
    """Names of each method's settings: those of points that another version of this program kept may be others."""
    return [set(step.values) for step in recipe.methods]


def _difference(state: CurveState, other: Recipe) -> str:
    """The settings of another curve that are not this one's."""
    return ", ".join(str(value) if isinstance(value, str) else f"{name.replace('_', ' ')} {value}"
                     for step, own in zip(other.curve(state.card["dial"]).methods, state.recipe.methods, strict=True)
                     for name, value in step.settings if own.values.get(name) != value)
