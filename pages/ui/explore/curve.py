"""Exploring a method: its settings at the left, the accuracy-size curve with the dial at the right, the inside below.

Every page about one method is this with its own presets, inside charts and words.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import streamlit as st

from compress.recipe import Recipe
from compress.service.requests import CurveRequest
from pages.ui.charts import charts, teacher_charts
from pages.ui.explore import controls, exports
from pages.ui.explore.shown import Shown
from pages.ui.liveplot import liveplot
from pages.ui.shell import session, tray
from pages.ui.shell.choice import Card, point_recipe, spelled_out, without_conflict
from pages.ui.shell.frame import Page


@dataclass(frozen=True)
class Preset:
    """A button that shows something worth seeing: what to choose, and why."""

    title: str
    text: str
    settings: dict[str, Any]
    data: str | None = None
    teacher: str | None = None


@dataclass(frozen=True)
class Story:
    """What a page says about its method.

    Attributes:
        inside: charts of what happens inside, under the hero and moved by the same dial.
        notice: sentences about these very results, above the hero (HTML).
        below: pictures and the like, under the charts.
        label: a dial value in words.
        hero: the accuracy-size chart, where a method has more to show on it than its curve.
        missing: how many points are not there yet, where a curve has others beside it that it is judged by.
        readout: the dial's line for each of its values while their points are not there yet.
        select: what a click on a chart's point does, given its customdata.
        name: a recipe's curve in the legend, where its last word alone does not report.
        busy: whether another job of this page runs, whose end is to be waited for.
        shown: how many settings stand beside the dial, the rest being folded away.
    """

    inside: Callable[[Shown], list[charts.Chart]]
    notice: Callable[[Shown], list[str]]
    below: Callable[[Shown], None]
    label: Callable[[Any], str]
    hero: Callable[[Shown], charts.Chart] | None = None
    missing: Callable[[Shown], int] | None = None
    readout: Callable[[Shown], list[str | None]] | None = None
    select: Callable[[Any], None] | None = None
    name: Callable[[Recipe], str] | None = None
    busy: Callable[[Shown], bool] | None = None
    shown: int = 3

    def waits(self, now: Shown) -> bool:
        """Whether something on the page is about to change by itself."""
        return now.running or (self.busy is not None and self.busy(now))


def explore(page: Page, method: str, presets: tuple[Preset, ...], story: Story) -> None:
    """Draws the whole exploration of one method."""
    card = page.known["methods"][method]
    left, right = st.columns([1, 3.4], gap="large")
    with left:
        _presets(presets, method, page)
        _settings(card, method, story.shown)
        now = shown(card, method)
        _measure_buttons(now, method, story.missing(now) if story.missing and now.teacher else now.missing)
    with right:
        waits = story.waits(shown(card, method))
        st.fragment(_results, run_every=0.25 if waits else None)(card, method, story)


def shown(card: Card, method: str) -> Shown:
    """Looks everything up in the store; cheap enough for every tick."""
    request = session.choice().request(card)
    recipe = point_recipe(request, card)
    store, curve = session.store(), recipe.curve(card["dial"])
    teacher = session.teacher_record(recipe)
    digest = teacher["digest"] if teacher else ""
    view = (store.view(curve.key(), digest) or {}) if teacher else {}
    plan = store.plan(request.curve(card["dial"]).key(), digest) if teacher else None
    dial = recipe.methods[-1].values[card["dial"]]
    if plan and view and dial in dict(plan.invalid):
        dial = view["values"][charts.nearest(view["values"], dial)]
        recipe = recipe.at(card["dial"], dial)
    values = sorted({*view.get("values", card["values"]), dial})
    reference = teacher and teacher["card"]
    if card["applies_to"] == "data":
        reference = {**view["reference"], "title": card["reference"]} if "reference" in view else None
    points = store.points(curve.key(), digest) if teacher else []
    return Shown(card, recipe, values, [point for point in points if point["dial"] in values],
                 reference, view, store.latest_job(request.curve(card["dial"]).key()), teacher, request,
                 _start(request, digest), plan)


def submit(card: Card, method: str) -> None:
    """Starts (or resumes) measuring the curve on the screen; a running job of this page for other settings stops."""
    now = shown(card, method)
    curve = now.request.curve(card["dial"])
    before = session.remembered(f"job.{method}")
    number = session.engine().submit(CurveRequest(now.request.text(), tuple(now.values)), curve.key(), card["title"])
    if before is not None and before != number:
        session.engine().cancel(before)
    session.remember(f"job.{method}", number)


def _presets(presets: tuple[Preset, ...], method: str, page: Page) -> None:
    st.caption("Start with one of these")
    for preset in presets:
        st.button(preset.title, help=preset.text, key=f"preset.{method}.{preset.title}", width="stretch",
                  on_click=_take, args=[preset, method, page])


def _take(preset: Preset, method: str, page: Page) -> None:
    """A preset sets everything it names, the other settings of the method go to their defaults, and it starts."""
    card = page.known["methods"][method]
    session.choose_with(data=preset.data, teacher=preset.teacher, known=page.known)
    session.choose(session.choice().with_method(method, **spelled_out(card["settings"], preset.settings, method)))
    submit(card, method)


def _start(request: Recipe, digest: str) -> dict | None:
    """The measured point that the last method starts from, where that is not the teacher."""
    before = replace(request, methods=request.methods[:-1])
    return session.store().point(before.key(), digest) if before.methods else None


def _settings(card: Card, method: str, beside: int) -> None:
    def change(name: str, value: Any) -> None:
        notices: list[str] = []
        session.choose(without_conflict(session.choice().with_method(method, **{name: value}), card, notices))
        session.remember("conflict", " ".join(notices))
        if session.remembered("live", True) and session.remembered(f"job.{method}") is not None:
            submit(card, method)

    conflict = session.forget("conflict")
    if conflict:
        st.warning(conflict, icon=":material/tune:")
    entries = [entry for entry in card["settings"] if entry["name"] != card["dial"]]
    values = session.choice().methods[method]
    controls.form(entries[:beside], values, f"{method}", change)
    if entries[beside:]:
        with st.expander("More settings"):
            controls.form(entries[beside:], values, f"{method}", change)


def _measure_buttons(now: Shown, method: str, missing: int) -> None:
    st.toggle("Measure at once", key=session.bound("live", session.remembered("live", True)),
              on_change=lambda: session.remember("live", session.current("live")))
    st.caption("After the first curve, measure again whenever a setting changes.")
    if missing and not now.running:
        words = "Measure the curve" if not now.points else f"Measure the {missing} points left"
        if now.job and now.job["state"] in ("interrupted", "cancelled", "failed") and now.points:
            words = f"Resume ({missing} points left)"
        st.button(words, type="primary", key=f"measure.{method}", width="stretch", on_click=submit,
                  args=[now.card, method])
    st.caption(f"The dial is at the right, above the curve. Each of its {len(now.values)} stops is a network, or a data "
               "file, of its own.")


def _results(card: Card, method: str, story: Story) -> None:
    now = shown(card, method)
    waits, waited = story.waits(now), session.remembered(f"running.{method}", False)
    session.remember(f"running.{method}", waits)
    if now.running:
        tray.progress(now.job, f"page.{method}")
    else:
        tray.outcome(now.job)
    if now.running and not now.teacher:
        epochs = now.recipe.teacher.values["epochs"]
        liveplot([teacher_charts.training(now.job["live"], epochs, "First the teacher is trained; it is kept for every "
                                          "later curve")], key=f"teacher.{method}")
    elif now.teacher:
        sentences = [sentence for sentence in story.notice(now) if sentence]
        if sentences:
            st.html(f"<div class='ce-notice'>{' '.join(sentences)}</div>")
        _hero(now, method, story)
        story.below(now)
        if now.point:
            exports.draw(now, method)
    else:
        st.info("Nothing measured yet for this data set, teacher and settings. Choose a preset, or press "
                "**Measure the curve** at the left.", icon=":material/arrow_back:")
    session.finish()
    if waited and not waits:
        st.rerun()


def _hero(now: Shown, method: str, story: Story) -> None:
    dial_card = next(entry for entry in now.card["settings"] if entry["name"] == now.card["dial"])
    key = f"hero.{method}"
    hero = story.hero(now) if story.hero else charts.accuracy_size(
        now.points, now.reference, method=method, values=now.values,
        name=story.name(now.recipe) if story.name else _curve_name(now), others=_others(now, story.name),
        subject="data file" if now.card["applies_to"] == "data" else "file", start=now.start)
    dial = charts.dial_of(now.points, now.reference, now.values, [story.label(value) for value in now.values],
                          name=now.card["dial"], label=dial_card["label"], help=dial_card["help"], current=now.dial)
    if story.readout:
        dial["readout"] = [told or early for told, early in zip(dial["readout"], story.readout(now), strict=True)]

    def turn(value: Any) -> None:
        session.choose(session.choice().with_method(method, **{now.card["dial"]: value}))

    liveplot([hero, *(story.inside(now) if now.view else [])], key=key, dial=dial,
             on_dial=session.on_release(key, now.values, turn),
             on_select=session.on_selected(key, story.select) if story.select else None)


def _curve_name(now: Shown) -> str:
    words = [value for value in now.recipe.methods[-1].values.values() if isinstance(value, str)]
    return f"{now.card['title']}: {words[-1]}" if words else now.card["title"]


def _others(now: Shown, name: Callable[[Recipe], str] | None = None) -> dict[str, list[dict]]:
    """Up to three other curves of this method and teacher, by their names or else by what differs in their settings."""
    if not now.teacher:
        return {}
    own_key = now.recipe.curve(now.card["dial"]).key()
    found: dict[str, list[dict]] = {}
    for key, points in session.store().curves(now.chain, now.teacher["digest"]).items():
        other = Recipe.parse(points[0]["recipe"])
        if key != own_key and len(points) > 2 and _settings_of(other) == _settings_of(now.recipe):
            called = name(other) if name and name(other) != name(now.recipe) else _difference(now, other)
            found.pop(called, None)
            found[called] = points
    return dict(list(found.items())[-3:])


def _settings_of(recipe: Recipe) -> list[set[str]]:
    """Names of each method's settings: those of points that another version of this program kept may be others."""
    return [set(step.values) for step in recipe.methods]


def _difference(now: Shown, other: Recipe) -> str:
    """The settings of another curve that are not this one's."""
    return ", ".join(str(value) if isinstance(value, str) else f"{name.replace('_', ' ')} {value}"
                     for step, own in zip(other.curve(now.card["dial"]).methods, now.recipe.methods, strict=True)
                     for name, value in step.settings if own.values.get(name) != value)
