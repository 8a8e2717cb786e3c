"""The plane of the Compare page, and the panel of what is opened on it: a click draws the panel alone."""

from __future__ import annotations

from typing import Any

import streamlit as st

from pages.ui.all_methods import axes, compare, opened, panel, plane_controls, questions
from pages.ui.all_methods.axes import Measure
from pages.ui.all_methods.keeping import gone
from pages.ui.all_methods.map import chart, tree
from pages.ui.charts.charts import Chart
from pages.ui.liveplot import liveplot
from pages.ui.shell import plot_events, session
from pages.ui.shell.choice import Card
from pages.ui.shell.filters import MAP

Row = dict[str, Any]
PLANE, CLICKS = "compare.plane", "compare.clicks"


@st.fragment
def draw(chosen: list[Row], known: Card) -> None:
    """Draws the rows that the filters let through, on the plane or as the map, and what stands above them."""
    measured, filters = plane_controls.draw(chosen), session.filters()
    measures = plane_controls.measures_of(filters)
    if filters.drawn == MAP:
        shown = _map(measured, measures, known)
    else:
        y, x = measures
        shown = compare.plane(axes.folded(measured, x, y) if filters.folded else measured, x, y, questions.limits(chosen))
    liveplot([shown], key=PLANE, reports_to=CLICKS)
    session.finish()


def _map(measured: list[Row], measures: list[Measure], known: Card) -> Chart:
    """The map, whose seeds are always one mark, and a sentence where some of its branches are left out."""
    rows = axes.folded(measured, *measures)
    found, opened_now = tree.branches(rows, known["methods"]), session.filters().opened
    wanted = {row["id"] for row in rows if row["pinned"] or row["id"] in opened_now}
    kept = tree.most_telling(found, wanted | {row["id"] for row in compare.pareto(rows)})
    if len(kept) < len(found):
        st.caption(f"{len(kept)} of {len(found):,} branches are drawn: first those with networks that are opened, pinned or "
                   "on the Pareto front, then those with the most networks. The filters choose others.")
    return chart.chart(kept, *measures)


def draw_panel(everything: list[Row], known: Card) -> None:
    """Draws the panel of what is opened, whatever the filters let through."""
    store = session.store()
    st.fragment(_panel)(everything, known, (store.points_stamp(), store.pins()))


def _panel(everything: list[Row], known: Card, stored: tuple[Any, ...]) -> None:
    store = session.store()
    if (store.points_stamp(), store.pins()) != stored:  # the rest of the page shows these too
        st.rerun()
    networks = opened.look_up(everything, session.filters().opened)
    with st.container(key="compare-clicks"):  # it takes no room: what was clicked on the plane arrives here
        liveplot([], key=CLICKS, on_select=plot_events.on_selected(CLICKS, panel.take), letters={
            "of": PLANE, "marks": [[network.row["id"], network.letter] for network in networks]})
    with st.container():  # what follows keeps its place
        gone.notice(everything, [network.row["id"] for network in networks], panel.close)
    panel.draw(networks, known)
    session.finish()
