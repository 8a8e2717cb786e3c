"""The strip of presets under the title: each shows something worth seeing with one click; the active one is marked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import streamlit as st

from pages.ui.charts import outside
from pages.ui.shell import session
from pages.ui.shell.choice import Card, spelled_out, teacher_named

if TYPE_CHECKING:
    from collections.abc import Callable

    from pages.ui.explore.method_page import MethodPage


@dataclass(frozen=True)
class Preset:
    """A button that shows something worth seeing: what to choose, and why."""

    title: str
    text: str
    settings: dict[str, Any]
    data: str | None = None
    teacher: str | None = None


def draw(own: MethodPage, take: Callable[[Preset], None]) -> None:
    """The chips, and one line about the active one."""
    active = next((preset for preset in own.presets if is_active(preset, own)), None)
    with st.container(horizontal=True, gap="xsmall", key="ce-chips"):
        for preset in own.presets:
            st.button(preset.title, key=f"preset.{own.method}.{preset.title}", on_click=take, args=[preset],
                      type="primary" if preset is active else "secondary")
    text = active.text if active else "Your own settings. A preset above leads back to one that was tried."
    st.html(f"<div class='ce-preset'>{outside.html(text)}</div>")


def is_active(preset: Preset, own: MethodPage) -> bool:
    """Whether what is chosen is what the preset sets; where it leaves the dial alone, the dial may stand anywhere."""
    choice, values = session.choice(), settings_of(preset, own.card)
    if own.card["dial"] not in preset.settings:
        values = {**values, own.card["dial"]: choice.methods[own.method][own.card["dial"]]}
    teacher = preset.teacher is None or choice.teacher == teacher_named(preset.teacher, own.page.known)
    return teacher and preset.data in (None, choice.data) and choice.methods[own.method] == values


def settings_of(preset: Preset, card: Card) -> dict[str, Any]:
    """Every setting of the method under a preset: those that it does not name are at their defaults."""
    return spelled_out(card["settings"], preset.settings, card["name"])
