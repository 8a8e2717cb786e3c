"""Beside the stage: what is being measured or can be, and the settings; those that seldom matter are in a drawer."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import streamlit as st

from pages.ui.charts import outside
from pages.ui.explore import by_itself
from pages.ui.explore.curve_state import CurveState, look_up
from pages.ui.explore.method_page import MethodPage
from pages.ui.explore.settings import controls
from pages.ui.shell import records, session, tray, widgets
from pages.ui.shell.choice import without_conflict
from pages.ui.shell.gesture import begins


def draw(own: MethodPage, state: CurveState, offered: str, submit: Callable[[], Any]) -> None:
    """The work of this page, then its settings.

    Args:
        state: of the whole page.
        offered: what can be measured, in words; "" where nothing is missing.
        submit: begins it.
    """
    with st.container(key="ce-work"):
        if state.running:
            st.fragment(_progress, run_every=0.5)(own)
        else:
            _measure(own, state, offered, submit)
    _settings(own)


def _progress(own: MethodPage) -> None:
    state = look_up(own.card)
    if state.running:
        tray.progress(state.job, f"page.{own.method}", beside=False)


def _measure(own: MethodPage, state: CurveState, offered: str, submit: Callable[[], Any]) -> None:
    if offered:
        key = records.job_key(state.request.curve(own.card["dial"]))
        st.button(offered, type="primary", width="stretch", **begins(f"measure.{own.method}", key, submit))
    else:
        st.caption(f"All {len(state.points)} stops of the dial are measured.")
    st.toggle("Measure at once", help="Whatever is missing for what is chosen is measured without a click.",
              **widgets.bound("live", by_itself.is_on(), partial(session.remember, "live")))


def _settings(own: MethodPage) -> None:
    card, method = own.card, own.method

    def change(name: str, value: Any) -> None:
        notices: list[str] = []
        session.choose(without_conflict(session.choice().with_method(method, **{name: value}), card, notices))
        session.remember("conflict", " ".join(notices))

    conflict = session.forget("conflict")
    if conflict:
        st.warning(outside.markdown(conflict), icon=":material/tune:")
    choice = session.choice()
    values, family = choice.methods[method], "" if choice.start else choice.teacher.name
    entries = controls.with_effect([entry for entry in card["settings"] if entry["name"] != card["dial"]], values, family,
                                   own.page.data["kind"])
    controls.form(entries[:own.open_settings], values, method, change, brief=True, method=card)
    others = entries[own.open_settings:]
    if others:
        turned = sum(values[entry["name"]] != entry["default"] for entry in others)
        with st.popover(f"More settings ({turned} changed)" if turned else "More settings", icon=":material/tune:",
                        width="stretch", key=f"drawer.{method}"):
            # Keys of their own: a widget drawn elsewhere under the same key would start at its default, and report that.
            controls.form(others, values, f"{method}.drawer", change, method=card)
