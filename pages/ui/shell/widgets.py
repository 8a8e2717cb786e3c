"""What widgets show and what they answer: the values of widgets in Streamlit's state."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import streamlit as st

AGAIN = 15.0  # seconds from a widget's first drawing, or a change, in which every run tells the browser its value


def bound(key: str, value: Any, act: Callable[[Any], None]) -> dict[str, Any]:
    """`key` and `on_change` of a widget that shows this value, so that every widget shows the choice. act: called with the
    widget's value when the visitor has changed it.

    A widget that another page drew under the same key is a new one here: without this, it starts at its default. Where the
    page changes what a widget shows (a preset, a link), its key changes too: a browser that asks for a run of the page
    before it shows the new value sends the old one along, which Streamlit would take for a change by the visitor.

    The value is told again for a moment: where a second run of the page follows at once, what the first one told the browser
    is dropped on the way, and the browser would show, and send as the visitor's change, the widget's own default.
    """
    drawn, turns = st.session_state["drawn"], st.session_state.setdefault("turns", {})
    name = _key(key)
    if key in drawn and name in st.session_state and st.session_state[name] != value:
        turns[key] = turns.get(key, 0) + 1
        name = _key(key)
    since, now = st.session_state.setdefault("told since", {}), time.monotonic()
    if key not in drawn or name not in st.session_state:
        since[name] = now
        drawn.add(key)
    if now - since.get(name, now) < AGAIN:
        st.session_state[name] = value
    st.session_state.setdefault("told", {})[name] = value

    def changed() -> None:
        now, told = st.session_state[name], st.session_state["told"]
        if now != told[name]:
            told[name] = now
            since[name] = time.monotonic()  # a run that was under way may have told the value of before once more
            act(now)

    return {"key": name, "on_change": changed}


def _key(key: str) -> str:
    turn = st.session_state["turns"].get(key, 0)
    return f"{key}.{turn}" if turn else key


def current(key: str) -> Any:
    """A widget's value, inside its callback, where the page never sets it; None before it has one."""
    return st.session_state.get(key)


def restore(key: str, value: Any) -> None:
    """Gives a widget its value where Streamlit has forgotten it, as it does when one run of the page leaves it out."""
    if key not in st.session_state:
        st.session_state[key] = value
