"""The stage of a method's page: a verdict, the dial with its figures, the hero beside a picture, and the rest folded."""

from __future__ import annotations

import re
import time

import streamlit as st

from compress.recipe import BASELINE, Recipe
from pages.ui.charts import charts, marks, outside, teacher_charts, waterfall, words
from pages.ui.explore import exports, folds
from pages.ui.explore.curve_state import CurveState, look_up
from pages.ui.explore.folds import Fold
from pages.ui.explore.method_page import CHOICE_FILL, HERO_FILL, MethodPage
from pages.ui.liveplot import liveplot
from pages.ui.shell import plot_events, session, tray
from pages.ui.shell.frame import part

EVERY = 0.25  # seconds between two looks at a run
MOMENT = 0.2  # seconds that a page waits for the first point of a run that has just begun
OTHERS = 3  # curves beside the one on the screen; more would hide it
ROOM = 180  # characters over the hero; sentences that do not fit are under "Why?"
GONE = ("<b>The file of the point at the dial is gone, or it was changed</b>, so that it cannot be downloaded. "
        "Measure it again with the button at the right.")


def draw(own: MethodPage, state: CurveState) -> None:
    """Draws everything, again and again while something is about to change by itself."""
    state = _with_first_point(own, state)
    waits = own.waits(state)
    st.fragment(_stage, run_every=EVERY if waits else None)(own, waits, [state])


def _with_first_point(own: MethodPage, state: CurveState) -> CurveState:
    """What is known, after a moment in which the first point of a run that has just begun may come: then the page shows it
    at once, in place of the same page without it, and once more after the next look."""
    begun = state.job["id"] if state.job and state.running and state.teacher and not state.points else None
    if begun is None or session.remembered("stage.begun") == begun:
        return state
    session.remember("stage.begun", begun)
    store, end = session.store(), time.monotonic() + MOMENT
    stamp = store.points_stamp()
    while not state.points and time.monotonic() < end:
        time.sleep(0.01)
        if store.points_stamp() != stamp:
            stamp, state = store.points_stamp(), look_up(own.card)
    return state


def _stage(own: MethodPage, waited: bool, first: list[CurveState]) -> None:
    """waited: whether something was about to change when the whole page was drawn; first: what was known then, for the
    first drawing."""
    with session.store().reading():
        state = first.pop() if first else look_up(own.card)
        _parts(own, state)
    session.finish()
    taken = session.choice().start != own.page.choice.start  # in the teacher's place, which the sidebar shows
    if own.waits(state) != waited or taken:
        st.rerun()


def _parts(own: MethodPage, state: CurveState) -> None:
    """From top to bottom. Each part has a place of its own from the start: see folds.draw()."""
    outcome, verdict, dial, shown, live, below = (
        st.container(), st.container(), st.container(key="ce-dial"), st.container(), st.container(), st.container())
    if not state.running:
        with outcome:
            tray.outcome(state.job)
    if state.teacher and state.teacher["card"].get("doubt"):  # a teacher of before has none
        outcome.warning(outside.markdown(state.teacher["card"]["doubt"]))
    if not state.teacher and not state.running:
        verdict.info("Nothing measured yet for this data set, teacher and settings. Choose a preset above, or press "
                     "**Measure the curve** at the right.", icon=":material/arrow_forward:")
        return
    told = _sentences(own, state)
    above = _fitting(told)
    if told:
        verdict.html(f"<div class='ce-notice ce-verdict'>{' '.join(told[:above])}</div>")
    with dial:
        _dial(own, state)
    with shown:
        _charts(own, state)
    with live:
        own.live(state)
    with below:
        _below(own, state, told[above:])


def _sentences(own: MethodPage, state: CurveState) -> list[str]:
    if not state.teacher:
        is_trained = "epochs" in state.recipe.teacher.values
        return [f"{'The teacher is trained' if is_trained else 'Your network is read'} first; every later curve uses it."]
    told = [sentence for sentence in (GONE if state.file_is_gone else "", *own.notices(state)) if sentence]
    measuring = "Measuring more points of the curve…" if state.points else "Measuring the first points…"
    return told or ([measuring] if state.running else [])


def _fitting(told: list[str]) -> int:
    """How many sentences stand above the hero: two where both are short, else one."""
    both = re.sub("<[^>]*>", "", " ".join(told[:2]))
    return 2 if len(both) <= ROOM else 1


def _dial(own: MethodPage, state: CurveState) -> None:
    entry = next(entry for entry in own.card["settings"] if entry["name"] == own.card["dial"])
    dial = {"name": entry["name"], "label": entry["label"], "help": own.hint(), "values": list(state.values),
            "labels": [own.label(value) for value in state.values],
            "captions": [own.caption(value) for value in state.values],
            "readout": own.readout(state) if state.teacher else [],
            "tiles": own.tiles(state) if state.teacher else [None] * len(state.values), "tileNames": list(charts.TILES),
            "index": charts.nearest(state.values, state.dial)}
    liveplot([], key=own.dial_key, dial=dial, on_dial=plot_events.on_release(own.dial_key, state.values, own.select))


def _charts(own: MethodPage, state: CurveState) -> None:
    """The hero and the picture, or the teacher's training while there is nothing else."""
    left, right = st.columns([3, 2], gap="medium")
    with left:
        if state.teacher:
            own.draw("hero", [{**own.hero(state, _others(own, state)), "fill": HERO_FILL}])
        elif epochs := state.recipe.teacher.values.get("epochs"):  # a network of the visitor's own is not trained
            training = teacher_charts.training(state.job["live"], epochs)
            liveplot([{**training, "fill": HERO_FILL}], key=f"teacher.{own.method}")
    with right:
        picture = own.picture(state) if state.view else own.early_picture(state)
        if picture:
            fill = CHOICE_FILL if state.view and own.picture_choice(state) else HERO_FILL
            own.draw("picture", [{**picture, "span": "wide", "fill": fill}])


def _below(own: MethodPage, state: CurveState, told: list[str]) -> None:
    """What is folded away, each fold computed when it is opened, and what can be taken away."""
    why, groups, sizes = st.container(), st.container(), st.container()
    if told:
        with why.expander("Why?", icon=":material/lightbulb:", key=f"why.{own.method}"):
            st.html(f"<div class='ce-notice'>{' '.join(told)}</div>")
    if state.view:
        with groups:
            folds.draw(own.folds(state), own.method)
        with sizes:
            folds.draw([_bytes(own, state)], own.method)
    if state.point:
        own.actions(state)
        with part("exports"):
            exports.draw(state, own.method)


def _bytes(own: MethodPage, state: CurveState) -> Fold:
    """Where the bytes of the files go, on every method's page."""
    held = [point and point["inside"].get("waterfall") for point in marks.at(state.points, state.values)]

    def draw() -> None:
        if state.point and state.point.get("decode_seconds") is not None:
            st.caption(f"The file at the dial was read in {words.duration(state.point['decode_seconds'])}, decoding "
                       "included. The theoretical entropy is of all stored numbers, each by itself.")
        own.draw("bytes", waterfall.charts_of(held, own.method))

    return Fold("Where the bytes go", draw if any(held) else None)


def _others(own: MethodPage, state: CurveState) -> dict[str, list[dict]]:
    """Up to three curves to compare with: the plan's baselines by their labels, then the newest complete ones of this method
    and teacher by their names, or else by what differs in their settings. A line through the few points of a run that was
    cancelled would look like a measured curve."""
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
