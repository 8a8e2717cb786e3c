"""What stands above the plane of the Compare page: whether networks are drawn on a plane or as a map, and over what."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import streamlit as st

from compress.points import predicted
from pages.ui.all_methods import axes
from pages.ui.all_methods.axes import Measure
from pages.ui.charts import outside
from pages.ui.shell import session, widgets
from pages.ui.shell.filters import AXES, MAP, PLANE, RECALL, Filters

Row = dict[str, Any]
MOST_CLASSES = 50  # that are offered as measures
FORMS = {PLANE: "Plane", MAP: "Model map"}
LABELS = {PLANE: {"y": "Up", "x": "Across"}, MAP: {"x": "Across", "mark": "Size of a mark", "colour": "Colour of a mark"}}


def draw(rows: list[Row]) -> list[Row]:
    """Draws the controls; returns the rows of which everything is known that they are drawn over."""
    filters = session.filters()
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="plane-controls"):
        st.segmented_control("How networks are drawn", list(FORMS), format_func=FORMS.__getitem__, required=True,
                             label_visibility="collapsed",
                             **widgets.bound_chips("plane.form", filters.drawn, _turning("drawn")))
        with st.popover("What is drawn", icon=":material/tune:"):
            _choices(filters, _card(rows))
    measures = measures_of(session.filters())
    rows = [*map(dict, rows)] if any(one.key.startswith(RECALL) for one in measures) else rows
    for one in measures:
        if one.key.startswith(RECALL):
            _add_recall(rows, one)
    known = [row for row in rows if all(one.of(row) is not None for one in measures)]
    if len(known) < len(rows):
        st.caption(f"{len(rows) - len(known):,} of {len(rows):,} networks are not drawn: not all of the chosen quantities "
                   "were measured.")
    return known


def measures_of(filters: Filters) -> list[Measure]:
    """What networks are drawn over, in the order of the controls."""
    return [axes.measure(getattr(filters, field)) for field in LABELS[filters.drawn]]


def _choices(filters: Filters, card: Row) -> None:
    offered = [*AXES, *(f"{RECALL}{name}" for name in card.get("classes", [])[:MOST_CLASSES])]
    for field, label in LABELS[filters.drawn].items():
        value = getattr(filters, field)
        st.selectbox(label, format_func=lambda name: outside.name(axes.measure(name).title), **widgets.bound_choice(
            f"plane.{field}", dict.fromkeys([*offered, value]), value, _turning(field)))
    if filters.drawn == PLANE:
        st.toggle("Seeds as one point", help="Networks that differ in the seed alone become one mark at their means, with "
                  "the range of both measures.", **widgets.bound("plane.fold", filters.folded, _turning("folded")))


def _turning(field: str) -> Callable[[Any], None]:
    return lambda value: session.narrow(replace(session.filters(), **{field: value}))


def _card(rows: list[Row]) -> Row:
    """The card of a teacher of these rows, whose classes are offered; {} without rows."""
    return _teachers(rows[:1]).get(rows[0]["reference"], {}) if rows else {}


def _teachers(rows: list[Row]) -> dict[str, Row]:
    """Digest of a teacher's file -> its card."""
    found = (session.store().teacher_of(digest) for digest in {row["reference"] for row in rows})
    return {one["digest"]: one["card"] for one in found if one}


def _add_recall(rows: list[Row], one: Measure) -> None:
    """Adds the recall of a class to each row whose teacher knows the class."""
    name = one.key.removeprefix(RECALL)
    for reference, card in _teachers(rows).items():
        if name not in card.get("classes", []) or "labels" not in card:
            continue
        number = card["classes"].index(name)
        places = [place for place, label in enumerate(card["labels"]) if label == number]
        made = session.store().predictions_against(reference)
        for row in rows:
            if row["reference"] == reference and places and row["key"] in made:
                guesses = predicted.classes_of(made[row["key"]])
                row[one.key] = sum(guesses[place] == number for place in places) / len(places)
