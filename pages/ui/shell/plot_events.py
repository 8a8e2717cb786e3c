"""Callbacks for a live plot and its dial."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pages.ui.shell import widgets


def on_selected(key: str, act: Callable[[Any], None]) -> Callable[[], None]:
    """A callback for a live plot: calls act with the customdata of the point that was clicked."""
    def clicked() -> None:
        selected = (widgets.current(key) or {}).get("selected")
        if selected is not None:
            act(selected)

    return clicked


def on_release(key: str, values: list[Any], act: Callable[[Any], None]) -> Callable[[], None]:
    """A callback for a live dial: calls act with the value at the index the browser reports."""
    def released() -> None:
        index = (widgets.current(key) or {}).get("dial")
        if index is not None and 0 <= index < len(values):
            act(values[index])

    return released
