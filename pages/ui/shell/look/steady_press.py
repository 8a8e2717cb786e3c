"""A press on a button, link or fold counts, though the page moves under the pointer before it ends."""

from __future__ import annotations

from pathlib import Path


def script() -> str:
    """A script element for `st.html`, which acts on the whole page and once only."""
    return f"<script>{(Path(__file__).parent / 'steady_press.js').read_text(encoding='utf-8')}</script>"
