"""The plane of the Compare page, and the panel of what is opened on it: a click draws the panel alone."""

from __future__ import annotations

from typing import Any

import streamlit as st

from pages.ui.all_methods import compare, opened, panel, plane_controls, questions
from pages.ui.liveplot import liveplot
from pages.ui.shell import plot_events, session
from pages.ui.shell.choice import Card

Row = dict[str, Any]
PLANE, CLICKS = "compare.plane", "compare.clicks"


@st.fragment
def draw(chosen: list[Row]) -> None:
    """Draws the rows that the filters let through, and what stands above them."""
    drawn, x, y = plane_controls.draw(chosen)
    liveplot([compare.plane(drawn, x, y, questions.limits(chosen))], key=PLANE, reports_to=CLICKS)
    session.finish()


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
    panel.draw(networks, known)
    session.finish()
