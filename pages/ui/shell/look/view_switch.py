"""Buttons for a lecture (full screen, larger type) and for the theme: light, dark, or as the system has it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import streamlit as st

_CSS = """
.vs-root { display: flex; flex-wrap: wrap; gap: 0.5rem; align-items: center; font-family: var(--st-font); }
.vs-root button { cursor: pointer; color: var(--st-text-color); background: transparent; font: inherit;
  border: 1px solid color-mix(in srgb, var(--st-text-color) 25%, transparent); min-height: 2rem; padding: 0 0.6rem; }
.vs-root button:hover { border-color: var(--st-primary-color); color: var(--st-primary-color); }
.vs-root button:focus-visible { outline: 2px solid var(--st-primary-color); outline-offset: 1px; }
.vs-lecture { border-radius: 0.5rem; font-size: 0.9rem; }
.vs-themes { display: flex; }
.vs-themes button { font-size: 1rem; line-height: 1; min-width: 2.1rem; }
.vs-themes button:first-child { border-radius: 0.5rem 0 0 0.5rem; }
.vs-themes button:last-child { border-radius: 0 0.5rem 0.5rem 0; }
.vs-themes button + button { border-left: 0; }
.vs-themes button[aria-pressed=true] { background: color-mix(in srgb, var(--st-primary-color) 18%, transparent); }
"""
# Registered once, at import: a registration in each run would be a new component each time.
_component = st.components.v2.component("compression_explorer_view_switch", html="<div class='vs-root'></div>", css=_CSS,
                                        js=(Path(__file__).parent / "view_switch.js").read_text(encoding="utf-8"))


def draw(key: str, lecture: bool, pages: list[str], turned: Callable[[], None]) -> None:
    """The buttons.

    Args:
        lecture: whether the page is shown for a lecture now.
        pages: the addresses of the app's pages, relative to its root.
        turned: called when a lecture begins or ends.
    """
    # A tuple: for a list, Streamlit would load pandas and pyarrow, to see whether it is a table.
    _component(key=key, data={"lecture": lecture, "pages": tuple(pages)}, on_lecture_change=turned)
