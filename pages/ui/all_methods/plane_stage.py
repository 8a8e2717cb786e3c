"""The plane of the Compare page and the panel of what is opened on it: a click redraws these two alone."""

from __future__ import annotations

from typing import Any

import streamlit as st

from pages.ui.all_methods import compare, opened, panel, plane_controls, questions
from pages.ui.liveplot import liveplot
from pages.ui.shell import plot_events, session
from pages.ui.shell.choice import Card

Row = dict[str, Any]
LETTERED = 1_000  # networks, up to which the plane is drawn anew with the letters of those that are opened


def draw(everything: list[Row], chosen: list[Row], known: Card) -> None:
    """Draws both.

    Args:
        everything: all rows; chosen: those that the filters let through.
    """
    st.fragment(_draw)(everything, chosen, known, session.store().pins())


def _draw(everything: list[Row], chosen: list[Row], known: Card, pins: dict[tuple[str, str], Row]) -> None:
    if session.store().pins() != pins:  # they are drawn outside too
        st.rerun()
    networks = opened.look_up(everything, session.filters().opened)
    drawn, x, y = plane_controls.draw(chosen)
    names = [network.row["id"] for network in networks] if len(drawn) <= LETTERED else []
    liveplot([compare.plane(drawn, names, x, y, questions.limits(chosen))], key="compare.plane",
             on_select=plot_events.on_selected("compare.plane", panel.take))
    panel.draw(networks, known)
    session.finish()
