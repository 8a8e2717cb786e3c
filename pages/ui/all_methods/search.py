"""Search: a question with numbers, some minutes, one button; the front grows on a plane, and an answer stands below."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import streamlit as st

from compress.curves.race_plan import unit
from compress.recipe import Recipe
from compress.search import found as finding
from compress.search.target import FRONT, spaced_size
from compress.service.requests import SolveRequest
from pages.ui.all_methods import questions, search_state
from pages.ui.all_methods.compare import pareto
from pages.ui.all_methods.search_state import Row, SearchState
from pages.ui.charts import outside, words
from pages.ui.charts.search import plane
from pages.ui.explore import folds
from pages.ui.explore.folds import Fold
from pages.ui.liveplot import liveplot
from pages.ui.shell import filters as filters_of
from pages.ui.shell import session, tray, widgets
from pages.ui.shell.choice import Card, network_in_words
from pages.ui.shell.filters import BOTH, LOST, SEARCHES, SIZE, WHEREVER

POLL = 0.5
OPENED_ONCE = "search.opened"
TITLE = "Search all methods and chains for a better one"
MINUTES = sorted(SEARCHES["minutes"], key=int)
SPEEDS = {WHEREVER: "at any speed", "1": "not slower", "0.5": "in half the time", "0.25": "in a quarter"}
FORMATS = {"size": st.column_config.NumberColumn("size, kB", format="%.1f"), "accuracy": st.column_config.NumberColumn(
    "accuracy, %", format="%.1f"), "why": st.column_config.TextColumn(width="large"),
    "recipe": st.column_config.TextColumn(width="large")}


def draw(rows: Sequence[Row], known: Card) -> None:
    """Draws the whole search; looks at the store twice a second while it runs.

    Args:
        rows: of all points, as compare.everything() has them.
    """
    polls = search_state.look_up(session.filters().target, rows, known).running
    with st.container(border=True, gap="xsmall", key="search"):
        st.fragment(_search, run_every=POLL if polls else None)(rows, known, polls)


def _search(rows: Sequence[Row], known: Card, polls: bool) -> None:
    state = search_state.look_up(session.filters().target, rows, known)
    if state.running != polls:
        st.rerun()
    with st.container():  # above the button with which the search goes on
        if not state.running:
            tray.outcome(state.job)
    _ask(state, known)
    with st.container():
        if state.running:
            tray.progress(state.job or {}, "search")
    if state.found and state.reference:
        _show(state, known)


def shown_by_link() -> None:
    """The fold of the search is open at first where a link describes a search."""
    if session.filters().is_search and session.remembered(OPENED_ONCE) is None:
        folds.leave_open(TITLE, "Compare")
    session.remember(OPENED_ONCE, True)


# -- the question ------------------------------------------------------------------------------------------------


def _ask(state: SearchState, known: Card) -> None:
    filters = session.filters()
    lost = f"at most {filters.lost.points_lost or 0:g} {unit(filters.lost.points_lost or 0)} below"
    size = f"within {spaced_size(filters.size.bytes or 1)}"
    names = {LOST: f"smallest, {lost}", SIZE: f"most accurate, {size}", BOTH: f"smallest, {lost}, {size}",
             filters_of.FRONT: "whole front" if filters.speed == WHEREVER else "most accurate"}
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="search-ask"):
        st.selectbox("Search all methods and chains for", format_func=names.__getitem__, width=330, **_kept("search", names))
        st.selectbox("Speed", format_func=SPEEDS.__getitem__, width=165, **_kept("speed", SPEEDS))
        st.selectbox("Minutes", width=110, **_kept("minutes", MINUTES))
        st.button(_offer(state), type="primary", icon=":material/travel_explore:", key="search.start", on_click=_start,
                  args=[state], disabled=state.running)
    st.caption(outside.markdown(
        f"On the network of the sidebar, {network_in_words(session.choice(), known)}. All networks that are measured of "
        "this teacher are candidates. All choices are made on validation."))


def _kept(name: str, options: Iterable[Any]) -> dict[str, Any]:
    """A list of options of which the chosen one is part of the page's link."""
    return widgets.bound_choice(f"search.{name}", options, getattr(session.filters(), name),
                                lambda value: session.narrow(replace(session.filters(), **{name: value})))


def _offer(state: SearchState) -> str:
    return "Search on" if state.found and state.found.tried else "Search"


def _start(state: SearchState) -> None:
    minutes = float(session.filters().minutes)
    folds.leave_open(TITLE, "Compare")  # on an empty page the search stands alone, and its first network changes that
    session.submit(SolveRequest(state.recipe.text(), state.target.text(), minutes),
                   search_state.job_key(state.recipe, state.target), "Search")


# -- what was found ----------------------------------------------------------------------------------------------


def _show(state: SearchState, known: Card) -> None:
    found, best = state.found, state.best
    assert found is not None and state.reference is not None
    with st.container():
        for sentence in found.notices:
            st.warning(outside.markdown(sentence), icon=":material/healing:")
    st.html(f"<div class='ce-answer ce-finding'>{answer(state, known)}</div>")
    with st.container():
        if best:
            with st.container(horizontal=True, gap="xsmall", vertical_alignment="center", key="answer-search"):
                questions.buttons(best, known, "search.best")
        if caution := luck(state):
            st.caption(outside.markdown(caution))
    liveplot([plane.plane(state.measured, state.earlier, state.reference, pareto(state.points), state.target, best)],
             key="search.plane")
    st.caption(_counted(found))
    folds.draw([Fold("What was tried", partial(_tried, state, known))], "search")


def answer(state: SearchState, known: Card) -> str:
    """The answer as HTML."""
    question = state.target.question()
    best, reference = state.best, state.reference
    asked = f"{question[:1].upper()}{question[1:]}"
    if state.target.goal == FRONT and state.points:
        return f"{asked}: <b>{len(pareto(state.points))}</b> networks on the front."
    if best is None or reference is None:
        return f"{asked}: no network so far."
    return (f"{asked}: <b>{words.size(best['bytes'])}</b>, <b>{words.times_smaller(best['bytes'], reference['bytes'])}</b>, "
            f"<b>{words.accuracy_range(best)}</b>, {words.points_lost(reference['accuracy'] - best['accuracy'])}, by "
            f"<b>{outside.html(search_state.title_of(Recipe.parse(best['recipe']), known))}</b>.")


def luck(state: SearchState) -> str:
    """The winner's curse in words; "" while nothing can be said."""
    found, best = state.found, state.best
    if not found or not best or not state.reference or state.running:
        return ""
    if not found.fresh or found.best != best["recipe"]:
        return ("It was chosen as the best of many on the same validation examples, and was not measured with fresh seeds: "
                "search on, and pin it for the final report.")
    lost = 100 * (state.reference["accuracy"] - best["accuracy"])
    return finding.luck(state.target, lost, found.fresh, len(state.points)) + " Pin it for the final report."


def _tried(state: SearchState, known: Card) -> None:
    assert state.found is not None
    st.dataframe(search_state.table(state.found, known), hide_index=True, height=280, column_config=FORMATS)


def _counted(found: finding.Found) -> str:
    """What was tried: 31 recipes, 16 measured, 14 not worth it."""
    skipped = sum(one.state == finding.SKIPPED for one in found.tried)
    ended = "; nothing is left to try" if found.ended else ""
    return (f"Tried: {len(found.tried)} recipes, {found.measured} measured, {skipped} could not meet the target"
            f"{ended}")
