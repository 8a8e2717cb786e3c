"""The first page's race: one button, one sentence, one plane, and the way to each method's page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import streamlit as st

from compress.curves.race_plan import POINTS_LOST, Ahead, Entry, unit
from compress.curves.store import ACTIVE
from compress.service.requests import RaceRequest
from pages.ui.all_methods import race_state
from pages.ui.all_methods.compare import pareto
from pages.ui.all_methods.race_state import RaceState
from pages.ui.charts import outside, palette, race_charts, setting_words, words
from pages.ui.liveplot import liveplot
from pages.ui.shell import plot_events, records, session, tray, widgets
from pages.ui.shell.choice import Card, network_in_words
from pages.ui.shell.frame import Page
from pages.ui.shell.gesture import begins
from pages.ui.shell.method_links import page_of

POLL = 0.3
BEGIN = "Race all methods"
FILL = {"least": 300, "most": 560, "beside": 345}  # pixels that the rest of the first page needs
EXAMPLE_FILL = {"least": 300, "most": 640, "beside": 260}  # pixels that the rest of Compare's first view needs


def draw(page: Page) -> None:
    """Draws the whole race; looks at the store a few times a second while it runs."""
    polls = race_state.look_up(page.known).running
    st.fragment(_race, run_every=POLL if polls else None)(page, polls)


def _race(page: Page, polls: bool) -> None:
    own = race_state.look_up(page.known)
    if own.running != polls:
        st.rerun()
    state = _shown(own, page)
    clicked = session.remembered("race.clicked")
    if clicked:
        _open(clicked, state, page.known)
    _sentence(state)
    _button(own, state, page)
    plane, beside = st.columns([2.2, 1], gap="medium")
    with plane:
        liveplot([chart_of(state, budget())], key="race.plane", on_select=plot_events.on_selected(
            "race.plane", lambda key: session.remember("race.clicked", key)))
    with beside, st.container(key="race-list"):
        _list(state, page.known)
    session.finish()


def _shown(own: RaceState, page: Page) -> RaceState:
    """The race of what is chosen, or the one that comes with the program. A finished race of the same network is shown
    until this one is begun here: some points of it may be known from a method's page, and would look like a poor race."""
    if own.job or not own.missing:
        return own
    shipped = race_state.shipped(page.known, own)
    return own if own.points and shipped.recipe != own.recipe else shipped


def example(page: Page) -> None:
    """The plane of the race that comes with the program, for a page that has nothing measured here to show yet."""
    state = race_state.shipped(page.known, race_state.look_up(page.known))
    st.caption(outside.markdown("Nothing was measured here yet: this race came with the program. Every network that you "
                                f"measure will be on this plane. ({state.shipped.removesuffix('.')}.)"))
    plane, beside = st.columns([2.2, 1], gap="medium")
    with plane:
        liveplot([{**chart_of(state, budget()), "fill": EXAMPLE_FILL}], key="race.example")
    with beside, st.container(key="race-list"):
        _list(state, page.known)


def offer(rows: Sequence[dict[str, Any]], known: Card) -> None:
    """On Compare: the progress of the race of the sidebar's network, or a button that begins it where nothing is measured
    of that network. The page is drawn again for every new point.

    Args:
        rows: of all points, as compare.everything() has them.
    """
    own = race_state.look_up(known)
    if own.running:
        st.fragment(_wait_for, run_every=1.0)(race_state.job_key(own.recipe), session.store().points_stamp())
        return
    teacher = records.teacher_record(own.recipe)
    is_measured = teacher and any(row["reference"] == teacher["digest"] and row["method"] != "teacher" for row in rows)
    begun = session.remembered("race.offered") == race_state.job_key(own.recipe)
    if not own.missing or (is_measured and not begun):
        return
    tray.outcome(own.job)
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="race-offer"):
        st.button(BEGIN if not is_measured else _offer(own, own), type="primary", icon=":material/sports_score:",
                  **begins("race.offer", race_state.job_key(own.recipe), partial(_start_here, own)))
        if not is_measured:
            name = network_in_words(session.choice(), known)
            st.caption(outside.markdown(f"Nothing of {name} is measured yet. The race answers both questions."))


def _start_here(own: RaceState) -> None:
    session.remember("race.offered", race_state.job_key(own.recipe))
    begin(own)


def _wait_for(key: str, stamp: Any) -> None:
    job = session.store().latest_job(key)
    if job is None or job["state"] not in ACTIVE or session.store().points_stamp() != stamp:
        st.rerun()
    tray.progress(job, "race.offer", beside=False)


def budget() -> float:
    """How many percentage points below the teacher are allowed."""
    return session.view().points_lost


def chart_of(state: RaceState, points_lost: float) -> dict[str, Any]:
    """The plane of a race."""
    seen: set[str] = set()
    curves = []
    for entry, points in zip(state.entries, state.curves, strict=True):
        curves.append(race_charts.Curve(entry.name, entry.words, points, entry.name in seen))
        seen.add(entry.name)
    found = state.ahead(points_lost)
    chart = race_charts.plane(curves, state.reference, pareto(state.points), points_lost, found and found.point,
                              _training(state))
    return {**chart, "fill": FILL}


def sentence(state: RaceState, points_lost: float) -> str:
    """What follows the budget in the sentence, as HTML."""
    found = state.ahead(points_lost)
    said = ("the teacher is trained first." if not state.reference else "no smaller network so far." if not found else
            _smallest(found, state.reference))
    return f"{unit(points_lost)} below the teacher<span class='ce-finding'>: {said}</span>"


def _smallest(found: Ahead, reference: dict[str, Any]) -> str:
    return (f"smallest <b>{words.size(found.point['bytes'])}</b>, <b>{_times(found.point, reference)}</b>, by "
            f"<b>{found.entry.words}</b>")


def _times(point: dict[str, Any], reference: dict[str, Any]) -> str:
    return words.times_smaller(point["bytes"], reference["bytes"]).removesuffix(" smaller")


def _training(state: RaceState) -> list[tuple[float, float]]:
    """Students that are trained now: bytes and accuracy of those that learn from the teacher."""
    live = state.job["live"] if state.running and state.job else None
    if not live or live[-1]["kind"] != "students":
        return []
    return [(one["bytes"], one["accuracy"]) for one in live[-1]["students"] if one["alpha"] and one["accuracy"] is not None]


def _sentence(state: RaceState) -> None:
    def change(points: float) -> None:
        session.show(replace(session.view(), points_lost=points))

    with st.container(horizontal=True, vertical_alignment="center", gap="small", wrap=False,
                      key="race-sentence"):
        st.html("<span class='ce-race ce-nowrap'>At most</span>", width="content")
        st.segmented_control("Points lost at most", POINTS_LOST, format_func=lambda points: f"{points:g}", required=True,
                             label_visibility="collapsed", **widgets.bound_chips("race.budget", budget(), change))
        st.html(f"<span class='ce-race'>{sentence(state, budget())}</span>")


def _button(own: RaceState, state: RaceState, page: Page) -> None:
    """The button with what is shown, or the progress of the race."""
    if own.running:
        with st.container(key="race-progress"):
            tray.progress(own.job, "race")
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="medium", key="race-begin"):
        if own.missing:
            st.button(_offer(own, state), type="primary", icon=":material/sports_score:",
                      **begins("race.start", race_state.job_key(own.recipe), partial(begin, own)))
        st.caption(_provenance(own, state, page))
    tray.outcome(own.job if own.missing else None)


def _offer(own: RaceState, state: RaceState) -> str:
    if state.shipped or not own.points:
        return BEGIN
    return f"Measure the {own.missing} left" if own.missing > 1 else "Measure the last one"


def _provenance(own: RaceState, state: RaceState, page: Page) -> str:
    """Which race is on the screen, as Markdown."""
    if not state.shipped:
        count = len(state.points)
        return outside.markdown(f"{count} {'network' if count == 1 else 'networks'}, measured here on {page.data['title']}, "
                                f"{state.reference['examples']:,} validation examples." if state.reference else "")
    same = state.recipe == own.recipe
    lead = "Comes with the program" if same else "Not raced yet on the sidebar's network. Shown meanwhile"
    return outside.markdown(f"{lead}: {state.shipped}")


def begin(own: RaceState) -> None:
    """Submits the race of what is chosen."""
    session.submit(RaceRequest(own.recipe.text()), race_state.job_key(own.recipe), "Race")


def _list(state: RaceState, known: Card) -> None:
    """Each curve in its colour with its smallest network within the budget, which leads to the method's page."""
    st.html(f"<div class='ce-race-head'>The smallest within {budget():g} {unit(budget())}</div>")
    for entry, point in state.best(budget()):
        with st.container(horizontal=True, vertical_alignment="center", gap="xxsmall", wrap=False):
            st.html(_swatch(entry, state), width="content")
            path, link = _place(entry, point, state, known)
            st.page_link(path, label=_row(entry, point, state), query_params=link)
    for name, reason in (state.refused or {}).items():
        st.caption(outside.markdown(f"Out of the race: {name}. {reason}"))


def _row(entry: Entry, point: dict[str, Any] | None, state: RaceState) -> str:
    if not point or not state.reference:
        return f"{entry.words} · none so far"
    return f"**{words.size(point['bytes'])}** {_times(point, state.reference)} · {entry.words}"


def _swatch(entry: Entry, state: RaceState) -> str:
    later = next(one for one in state.entries if one.name == entry.name) is not entry
    colour = palette.of_method(entry.name)
    return f"<span class='ce-swatch' style='border-color:{colour};background:{'transparent' if later else colour}'></span>"


def _place(entry: Entry, point: dict[str, Any] | None, state: RaceState, known: Card) -> tuple[str, dict[str, str]]:
    """The page of an entry's method, at a point or at its most accurate one."""
    points = next(points for one, points in zip(state.entries, state.curves, strict=True) if one is entry)
    point = point or max(points, key=lambda one: one["accuracy"], default=None)
    value = entry.keys[point["id"]] if point else entry.values[0]
    path, link = page_of(entry.request.at(entry.dial, value), session.choice(), known)
    return path, {**link, **session.view().to_link()}


def _open(key: str, state: RaceState, known: Card) -> None:
    """The page of a point that was clicked, which is remembered until then: another rerun may end this one at any line."""
    for entry, points in zip(state.entries, state.curves, strict=True):
        point = next((one for one in points if one["id"] == key), None)
        if point:
            path, link = _place(entry, point, state, known)
            session.forget("race.clicked")
            st.switch_page(path, query_params=link)
    session.forget("race.clicked")


def budgets(known: Card, field: list[Entry]) -> list[dict[str, str]]:
    """What each curve measures: one row for each."""
    return [_budget(entry, known["methods"][entry.name]) for entry in field]


def _budget(entry: Entry, card: Card) -> dict[str, str]:
    dial = setting_words.dial(card)
    changed = setting_words.changed_settings(entry.request.methods[-1], card)
    return {"curve": entry.words, "settings": ", ".join(changed) or "all at their defaults",
            "dial": dial["label"], "networks": ", ".join(setting_words.value(dial, value) for value in entry.values)}
