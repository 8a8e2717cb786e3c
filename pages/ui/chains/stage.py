"""The stage of the Chains page: what to notice, the dial, the staircase beside the bytes after each step, folds."""

from __future__ import annotations

from functools import partial
from itertools import pairwise
from typing import Any

import streamlit as st

from compress.points.statistics import mcnemar
from compress.recipe import Recipe
from pages.ui.chains import takeaway
from pages.ui.chains.state import ChainState, job_key, look_up, submit
from pages.ui.charts import charts, outside, setting_words, teacher_charts, waterfall, words
from pages.ui.charts.chains import stairs
from pages.ui.explore import by_itself, folds, notice
from pages.ui.explore.folds import Fold
from pages.ui.explore.method_page import HERO_FILL
from pages.ui.liveplot import liveplot
from pages.ui.shell import plot_events, session, tray
from pages.ui.shell.frame import Page, part
from pages.ui.shell.gesture import begins

DIAL = "dial.chain"
BESIDE = 170  # pixels of the cards, which other pages do not have
FILL = {**HERO_FILL, "least": 270, "beside": HERO_FILL["beside"] + BESIDE}


def begin(state: ChainState, page: Page) -> None:
    """Measures by itself what is missing, once."""
    if state.missing == state.deleted or state.running:
        return
    work = f"chain {state.chain.view_key} {state.values}"
    if by_itself.may_begin(page.data, state.job, work):
        by_itself.begun(work)
        submit(state)


def work(state: ChainState, page: Page) -> None:
    """What can be measured, or the progress of it."""
    if state.running and state.job:
        st.fragment(_progress, run_every=0.5)(page)
    elif state.missing:
        stopped = state.job and state.job["state"] in ("interrupted", "cancelled", "failed")
        count = f"{state.missing} network{'s' if state.missing > 1 else ''}"
        st.button(f"Resume ({count} left)" if stopped else f"Measure {count}", type="primary",
                  width="stretch", **begins("chain.measure", job_key(state.chain), partial(submit, state)))
    else:
        st.caption(f"All {len(state.last)} stops are measured." if state.last else "Nothing can be measured.")


def _progress(page: Page) -> None:
    state = look_up(page.known)
    if state.running and state.job:
        tray.progress(state.job, "chain", beside=False)


def draw(state: ChainState, page: Page) -> None:
    """Draws everything, again and again while something is about to change by itself."""
    st.fragment(_stage, run_every=0.3 if state.running else None)(page, [state])


def _stage(page: Page, first: list[ChainState]) -> None:
    """first: the state of the whole page, at its first drawing. A page that were drawn again at once would leave the browser
    no time to show its widgets."""
    state = first.pop() if first else look_up(page.known)
    if not state.running and session.remembered("chain.running", False):
        session.remember("chain.running", False)
        st.rerun()
    session.remember("chain.running", state.running)
    outcome, shown, below = st.container(), st.container(), st.container()  # each keeps its place: see folds.draw()
    if not state.running and not (state.refused and not state.last):
        with outcome:
            tray.outcome(state.job if state.missing else None)
    told = sentences(state)
    with shown:
        st.html(f"<div class='ce-notice ce-verdict'>{_above(told)}</div>")
        _dial(state)
        _charts(state, page)
    with below:
        _below(state, told[2:], page)
    session.finish()


def _charts(state: ChainState, page: Page) -> None:
    """The staircase, or the teacher's training while there is nothing else, beside the bytes after each step."""
    left, right = st.columns([3, 2], gap="medium")
    entry = setting_words.dial(state.card)
    stops = [setting_words.setting(entry, value) for value in state.values]
    chart = stairs.staircase(state.steps, state.held, state.values, state.reference, stops)
    with left:
        if state.reference or not state.running:
            liveplot([{**chart, "fill": FILL}], key="chain.stairs", follows=DIAL,
                     on_select=plot_events.on_selected("chain.stairs", lambda value: _turn(value, page)))
        elif state.job and (epochs := state.chain.recipe.teacher.values.get("epochs")):  # your own network is not trained
            liveplot([{**teacher_charts.training(state.job["live"], epochs), "fill": FILL}], key="chain.teacher")
    taken = stairs.taken(state.steps, state.held, state.reference)
    with right:
        if taken:
            liveplot([{**taken, "fill": FILL}], key="chain.taken", follows=DIAL)


def _above(told: list[str]) -> str:
    """Two sentences over the dial; where the window is low, one."""
    return f"{told[0]} <span class='ce-second'>{' '.join(told[1:2])}</span>" if told else "&nbsp;"


def _label(state: ChainState) -> str:
    return f"{state.card['title']}, {setting_words.dial(state.card)['label'].lower()}"


def _dial(state: ChainState) -> None:
    ends = [points[-1] if points else None for points in state.held]
    entry, reference = setting_words.dial(state.card), state.reference
    dial = {"name": state.chain.dial, "label": _label(state), "help": entry["help"], "values": list(state.values),
            "labels": [setting_words.value(entry, value) for value in state.values],
            "readout": [end and charts.readout(end, reference) for end in ends],
            "tiles": [end and charts.tiles(end, reference) for end in ends], "tileNames": list(charts.TILES),
            "index": state.values.index(state.dial)}
    with st.container(key="ce-dial"):
        liveplot([], key=DIAL, dial=dial,
                 on_dial=plot_events.on_release(DIAL, state.values, lambda value: _set(state, value)))


def _set(state: ChainState, value: Any) -> None:
    own = state.chained
    session.remember("chained", own.having(own.dial_place, state.card, [], **{state.chain.dial: value}))


def _turn(value: Any, page: Page) -> None:
    """A point of another stop was clicked; a browser sends 8 for 8.0."""
    state = look_up(page.known)
    _set(state, min(state.values, key=lambda one: abs(one - value)))


def _below(state: ChainState, told: list[str], page: Page) -> None:
    inside = [points and points[-1]["inside"].get("waterfall") for points in state.held]

    def more() -> None:
        st.html(f"<div class='ce-notice'>{' '.join(told)}</div>")

    def held() -> None:
        liveplot(waterfall.charts_of(inside, state.cards[-1]["name"]), key="chain.bytes", follows=DIAL)

    folds.draw([Fold("Why?", more if told else None),
                Fold("Where the bytes of the last file go", held if any(inside) else None)], "chain")
    if state.point:
        with part("exports"):
            takeaway.draw(state, page.known)


def sentences(state: ChainState) -> list[str]:
    """The whole chain against the teacher, and what each step took and cost, with paired tests."""
    points, reference = state.here, state.reference
    if not points or not reference or not state.teacher:
        is_trained = "epochs" in state.chain.recipe.teacher.values
        waiting = "Measuring the first points…" if reference else (
            f"{'The teacher is trained' if is_trained else 'Your network is read'} first; every later curve uses it.")
        return [waiting] if state.running else []
    found = [notice.of_point(points[-1], reference, "teacher", _p_value(state.recipe.reference(), state.recipe, state))]
    names = [outside.html(title.lower()) for _, title in state.steps]
    smaller = [f"{name} {words.times_smaller(after['bytes'], before['bytes'])}"
               for name, (before, after) in zip(names, pairwise([reference, *points]), strict=True)]
    found.append(f"Step by step: {', then '.join(smaller)}.")
    recipes = [state.recipe.reference(), *state.chain.stairs(state.dial)]
    for name, (before, after), (one, other) in zip(names, pairwise([reference, *points]), pairwise(recipes), strict=True):
        lost = before["accuracy"] - after["accuracy"]
        if not lost:
            found.append(f"{name.capitalize()} changes no accuracy.")
            continue
        p = _p_value(one, other, state)
        doubt = "a significant difference" if p < 0.05 else "within noise"
        found.append(f"After {name} it is <b>{words.points_lost(lost)}</b> than before that step ({doubt}, paired test, "
                     f"p = {p:.2g}).")
    return found


def _p_value(first: Recipe, second: Recipe, state: ChainState) -> float:
    store, digest, labels = session.store(), (state.teacher or {})["digest"], (state.teacher or {})["card"]["labels"]
    ours, theirs, _ = notice.paired(store.predictions(first.key(), digest), store.predictions(second.key(), digest), labels)
    return mcnemar(ours, theirs)
