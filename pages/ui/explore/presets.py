"""The strip of presets under the title: each has a small picture and shows something worth seeing with one click; the active
one is marked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from pages.ui.charts import chip_pictures, outside
from pages.ui.explore.method_page import MethodPage, Preset
from pages.ui.shell import session
from pages.ui.shell.choice import Card, spelled_out, steps_named, teacher_named


def draw(own: MethodPage, take: Callable[[Preset], None]) -> None:
    """The chips, and one line about the active one."""
    problems = {card["name"]: card["problem"] for card in own.page.known["datasets"]}
    shown = [preset for preset in own.presets if not problems.get(preset.data or "")]  # without those of missing extras
    dial = own.card["dial"]  # one that sets the dial is marked before one that leaves it alone
    active = next((one for one in sorted(shown, key=lambda one: dial not in one.settings) if is_active(one, own)), None)
    by_title = {preset.title: preset for preset in shown}
    strip({preset.title: preset.text for preset in shown}, {preset.title: preset.picture for preset in shown},
          active and active.title, f"preset.{own.method}", lambda title: take(by_title[title]))


def strip(texts: dict[str, str], drawn: dict[str, str], active: str | None, key: str, take: Callable[[str], None]) -> None:
    """Chips in a row, and under them what the active one shows.

    Args:
        texts: title -> what it shows; drawn: title -> the name of its picture; active: the title of the marked one, or None.
        take: called with a title when its chip is clicked.
    """
    st.html(f"<style>{' '.join(chip_pictures.rule(f'{key}.{title}', name) for title, name in drawn.items())}</style>")
    with st.container(horizontal=True, gap="xsmall", key="ce-chips"):
        for title in texts:
            st.button(title, key=f"{key}.{title}", on_click=take, args=[title],
                      type="primary" if title == active else "secondary")
    st.html(f"<div class='ce-preset'>{outside.html(texts[active]) if active else '&nbsp;'}</div>")


def is_active(preset: Preset, own: MethodPage) -> bool:
    """Whether what is chosen is what the preset sets; where it leaves the dial alone, the dial may stand anywhere."""
    choice, values = session.choice(), settings_of(preset, own.card)
    if own.card["dial"] not in preset.settings:
        values = {**values, own.card["dial"]: choice.methods[own.method][own.card["dial"]]}
    teacher = preset.teacher is None or choice.teacher == teacher_named(preset.teacher, own.page.known)
    start = preset.start is None or choice.start == steps_named(preset.start, own.page.known)
    return teacher and start and preset.data in (None, choice.data) and choice.methods[own.method] == values


def settings_of(preset: Preset, card: Card) -> dict[str, Any]:
    """Every setting of the method under a preset: those that it does not name are at their defaults."""
    return spelled_out(card["settings"], preset.settings, card["name"])
