"""Which layer a page looks into: remembered for the visitor, chosen from a list."""

from __future__ import annotations

from functools import partial

import streamlit as st

from pages.ui.charts import outside
from pages.ui.shell import session, widgets


def chosen(name: str, count: int, otherwise: int = 0) -> int:
    """The number of the layer that was chosen last, among so many; otherwise this one, if this network has no such layer or
    none was chosen."""
    return session.remembered_place(name, count, otherwise)


def choose(name: str, label: str, titles: list[str], otherwise: int = 0, collapsed: bool = False) -> bool:
    """A list of layers to choose from, its label only for screen readers if `collapsed`; returns whether there is a choice:
    one layer needs none. otherwise: the layer that is shown until one is chosen."""
    if len(titles) < 2:
        return False

    now = chosen(name, len(titles), otherwise)
    st.selectbox(label, format_func=lambda place: outside.name(titles[place]),
                 label_visibility="collapsed" if collapsed else "visible",
                 **widgets.bound_choice(f"{name}.chosen", range(len(titles)), now, partial(session.remember, name)))
    return True
