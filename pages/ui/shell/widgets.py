"""What widgets show and what they answer: the values of widgets in Streamlit's state."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import streamlit as st

MISSING = object()  # in the place of the value of a widget that Streamlit has forgotten


def bound(key: str, value: Any, act: Callable[[Any], None]) -> dict[str, Any]:
    """`value`, `key` and `on_change` of a toggle, a slider or a field that shows this value, so that every widget shows the
    choice. act: called with the widget's value when the visitor has changed it.

    The value is the default of the widget, which every run of the page tells the browser: what a single run tells can be
    dropped where the next one follows at once, and the browser would show, and send as the visitor's change, another value.
    Streamlit keeps a widget by its key, whichever its default is. So where the page changes what a widget shows (a preset, a
    link), or left it out for a run, its key changes too: a browser knows nothing of the new widget, and a value of the one
    before that it sends too late is no change by the visitor.
    """
    return {"value": value, **_named(key, value, act)}


def bound_choice(key: str, options: Iterable[Any], value: Any, act: Callable[[Any], None]) -> dict[str, Any]:
    """`options` and `index` as well, of a list of which one is chosen; see `bound`. The value is one of the options."""
    offered = list(options)
    return {"options": offered, "index": offered.index(value), **_named(key, value, act)}


def bound_chips(key: str, value: Any, act: Callable[[Any], None]) -> dict[str, Any]:
    """`default`, `key` and `on_change` of chips and of a list of which several are chosen; see `bound`."""
    return {"default": value, **_named(key, value, act)}


def _named(key: str, value: Any, act: Callable[[Any], None]) -> dict[str, Any]:
    turns, told = st.session_state.setdefault("turns", {}), st.session_state.setdefault("told", {})
    if key in turns and st.session_state.get(_key(key, turns[key]), MISSING) != value:
        turns[key] += 1
    name = _key(key, turns.setdefault(key, 0))
    told[name] = value

    def changed() -> None:
        now = st.session_state[name]
        if now != told[name]:  # not what a browser still sends of a widget that is gone
            told[name] = now
            act(now)

    return {"key": name, "on_change": changed}


def _key(key: str, turn: int) -> str:
    return f"{key}.{turn}" if turn else key


def current(key: str) -> Any:
    """A widget's value, inside its callback, where the page never sets it; None before it has one."""
    return st.session_state.get(key)


def restore(key: str, value: Any) -> None:
    """Gives a widget its value where Streamlit has forgotten it, as it does when one run of the page leaves it out."""
    if key not in st.session_state:
        st.session_state[key] = value
