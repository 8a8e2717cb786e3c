"""Which layer a page looks into: remembered for the visitor, chosen from a list."""

from __future__ import annotations

import streamlit as st

from pages.ui.charts import outside
from pages.ui.shell import session


def chosen(name: str, count: int) -> int:
    """The number of the layer that was chosen last, among so many; the first if this network has no such layer."""
    return session.remembered_place(name, count)


def choose(name: str, label: str, titles: list[str]) -> None:
    """A list of layers to choose from."""
    def change() -> None:
        session.remember(name, session.current(f"{name}.chosen"))

    st.selectbox(label, range(len(titles)), on_change=change, format_func=lambda place: outside.name(titles[place]),
                 key=session.bound(f"{name}.chosen", chosen(name, len(titles))))
