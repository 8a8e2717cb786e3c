"""The Compare page's two questions, with numbers to change, and what the store answers for each teacher."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import streamlit as st

from compress.curves.race_plan import unit
from compress.curves.store import ACTIVE
from compress.recipe import Recipe
from compress.search.target import Target, spaced_size
from compress.service.requests import PointsRequest
from compress.service.snippet import loading, snippet
from pages.ui.all_methods import answers, by_method
from pages.ui.all_methods.answers import Group, Proposal
from pages.ui.all_methods.axes import MEASURES, Measure
from pages.ui.charts import outside, words
from pages.ui.explore import exports, folds
from pages.ui.explore.folds import Fold
from pages.ui.shell import records, session, tray, widgets
from pages.ui.shell.choice import Card
from pages.ui.shell.gesture import begins
from pages.ui.shell.method_links import PAGE_OF, page_of

Row = dict[str, Any]
SHOWN = 1  # teachers whose answers are on the screen; the others are folded
KEPT = "compare.proposal"  # job key of what was asked for, and for which size


def draw(rows: list[Row], known: Card) -> None:
    """Both questions with their answers, from these rows."""
    found = answers.groups(rows, session.choice().recipe())
    if not found:
        return
    filters = session.filters()
    with st.container(key="questions"):
        for name, asked in (("lost", filters.lost), ("size", filters.size)):
            with st.container(border=True, gap="xsmall", key=f"question-{name}"):
                _number(name, asked)
                for group in found[:SHOWN]:
                    _answer(name, asked, group, known, several=len(found) > 1)
                others = partial(_others, name, asked, found[SHOWN:], known) if found[SHOWN:] else None
                folds.draw([Fold("Other teachers", others)], f"question-{name}")


def limits(rows: list[Row]) -> list[tuple[Measure, float]]:
    """Both numbers as lines on the plane: a size, and an accuracy where all networks have one teacher."""
    filters, found = session.filters(), answers.groups(rows)
    lines = [(MEASURES["bytes"], float(filters.size.bytes or 0))]
    if len(found) == 1:
        lines.append((MEASURES["accuracy"], found[0].teacher["accuracy"] - (filters.lost.points_lost or 0) / 100))
    return lines


def _others(name: str, asked: Target, found: list[Group], known: Card) -> None:
    for group in found:
        _answer(name, asked, group, known, several=True)


def _number(name: str, asked: Target) -> None:
    """A question, whose number is a field."""
    before, after, field = (("Smallest, at most", f"{unit(asked.points_lost or 0)} lost", _points)
                            if name == "lost" else ("Most accurate, within", "kB", _kilobytes))
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", key=f"ask-{name}"):
        st.html(f"<span class='ce-ask ce-nowrap'>{before}</span>", width="content")
        field(asked)
        st.html(f"<span class='ce-ask ce-nowrap'>{after}</span>", width="content")


def _points(asked: Target) -> None:
    st.number_input("Points below the teacher", 0.0, 100.0, step=0.5, format="%g", label_visibility="collapsed", width=80,
                    **widgets.bound("question.lost", float(asked.points_lost or 0), _asking("lost", lambda value: Target(
                        points_lost=value))))


def _kilobytes(asked: Target) -> None:
    st.number_input("Size of the file in kB", 0.001, 1e9, step=1.0, format="%g", label_visibility="collapsed", width=80,
                    **widgets.bound("question.size", (asked.bytes or 0) / 1000, _asking("size", lambda value: Target(
                        bytes=max(1, round(1000 * value))))))


def _asking(name: str, target: Callable[[float], Target]) -> Callable[[float], None]:
    return lambda value: session.narrow(replace(session.filters(), **{name: target(value)}))


def _answer(name: str, asked: Target, group: Group, known: Card, several: bool) -> None:
    row = answers.answer(group, asked)
    of_whom = f"<span class='ce-whose'>{outside.html(group.title)}</span>" if several else ""
    st.html(f"<div class='ce-answer ce-finding'>{of_whom}{answers.in_words(row, group.teacher)}.</div>")
    key = f"{name}.{group.teacher['reference']}"
    with st.container(horizontal=True, gap="xsmall", vertical_alignment="center", key=f"answer-{key}"):
        if row and row is not group.teacher:
            buttons(row, known, f"answer.{key}")
            code(row, known)
        if asked.bytes is not None:
            _offer(group, asked.bytes, known, key)
    if asked.bytes is not None:
        by_method.draw(group, asked)


def buttons(row: Row, known: Card, key: str) -> None:
    """Open, pin and download a network, in the container that is open."""
    recipe = Recipe.parse(row["recipe"])
    if recipe.methods and recipe.methods[-1].name in PAGE_OF:
        path, link = page_of(recipe, session.choice(), known)
        st.page_link(path, label="Open", icon=":material/open_in_new:", query_params={**link, **session.view().to_link()},
                     width="content")
    pinned = bool(row["pinned"])
    st.button("Pinned" if pinned else "Pin", key=f"{key}.pin", icon=":material/keep:", on_click=_turn_pin, args=[row],
              help="Pinned networks are listed below, can carry a note, and are tested by the final report.")
    files = session.store().artefacts
    is_there = files.has(row["digest"])
    st.download_button("File", lambda: files.contents(row["digest"]), key=f"{key}.file", icon=":material/download:",
                       file_name=exports.file_name(recipe, row["bytes"], known), on_click="ignore", disabled=not is_there,
                       help="Downloads the network's file." if is_there else
                       "Its file is missing or damaged. Measure it again.")


def code(row: Row, known: Card) -> None:
    """How a network's file is read, and how the network is made again, behind a button."""
    recipe = Recipe.parse(row["recipe"])
    with st.popover("Code", help="Reads the file; makes the network again."):
        st.caption("Reads the downloaded file, prints its accuracy and what it predicts for five examples:")
        st.code(loading(exports.file_name(recipe, row["bytes"], known), recipe.data), language="python")
        st.caption("Makes the same network again:")
        st.code(snippet(recipe, known["methods"]), language="python")


def _turn_pin(row: Row) -> None:
    if row["pinned"]:
        session.store().unpin(row["key"], row["reference"])
    else:
        session.store().pin(row["key"], row["reference"], "")


def _offer(group: Group, size: int, known: Card, key: str) -> None:
    """A button for what no curve has at this size yet, or the progress of what was asked for."""
    kept = session.remembered(f"{KEPT}.{key}")
    job = session.store().latest_job(kept) if kept else None
    if job and job["state"] in ACTIVE:
        st.fragment(_wait_for, run_every=0.4)(kept, key)
        return
    tray.outcome(job)
    made = answers.proposals(group, size, known)
    if made:
        work = records.job_key(made[0].recipe.reference(), f"at {size}")
        several = f"Measure {len(made)} methods at" if len(made) > 1 else "Measure at"
        st.button(f"{several} {spaced_size(size)}", icon=":material/add_circle:",
                  **begins(f"propose.{key}", work, partial(_measure, made, work, key)),
                  help="Between two files that are measured, by which the accuracy is about: "
                       + "; ".join(f"{one.title}, {one.stop}: {words.percent(one.accuracy)}" for one in made))


def _measure(made: Sequence[Proposal], job: str, key: str) -> None:
    session.remember(f"{KEPT}.{key}", job)
    session.submit(PointsRequest(tuple(one.recipe.text() for one in made)), job,
                   made[0].title if len(made) == 1 else f"{len(made)} methods at one size")


def _wait_for(kept: str, key: str) -> None:
    job = session.store().latest_job(kept)
    if job["state"] not in ACTIVE:
        st.rerun()
    tray.progress(job, f"propose.{key}", beside=False)
