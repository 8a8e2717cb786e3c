"""The steps of a chain as cards in a row: settings, place, whether it has the dial, and why it is refused."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import streamlit as st

from pages.ui.chains.chained import MOST, Chained, first_step
from pages.ui.chains.state import ChainState
from pages.ui.charts import outside, palette, setting_words
from pages.ui.explore.settings import controls
from pages.ui.shell import session
from pages.ui.shell.choice import Card
from pages.ui.shell.frame import Page

OPEN = {"distill": ("epochs",), "low_rank": ("scheme",), "prune": ("recovery_epochs",), "quantize": ("scheme",),
        "sparse_code": ("atoms",)}
ACROSS = 4  # cards in a row


def draw(state: ChainState, page: Page, work: Callable[[], None]) -> None:
    """All cards, and at the end what can be added, with the work of the page. work: draws that."""
    count = len(state.chained.steps)
    across = st.columns([3] * min(count, ACROSS) + [2.2], gap="small")
    for place in range(min(count, ACROSS)):
        with across[place], st.container(border=True, key=f"chain-card-{place}"):
            _card(state, place, page)
    with across[-1], st.container(key="chain-work"):
        _add(state, page.known)
        work()
    if count > ACROSS:
        rest = st.columns([3] * (count - ACROSS) + [3] * (2 * ACROSS - count) + [2.2], gap="small")
        for place in range(ACROSS, count):
            with rest[place - ACROSS], st.container(border=True, key=f"chain-card-{place}"):
                _card(state, place, page)


def _card(state: ChainState, place: int, page: Page) -> None:
    card, own = state.cards[place], state.chained
    count, has_dial = len(own.steps), place == own.dial_place
    with st.container(horizontal=True, vertical_alignment="center", gap="xxsmall", wrap=False):
        colour = palette.of_method(card["name"])
        st.html(f"<span class='ce-swatch' style='border-color:{colour};background:{colour}'></span>"
                f" <b>{place + 1} {outside.html(card['title'])}</b>")
        st.button("Dial", key=f"chain.{place}.dial", type="primary" if has_dial else "secondary",
                  help="This step has the dial" if has_dial else "Give the dial to this step",
                  on_click=lambda: session.remember("chained", Chained(own.steps, place + 1)))
        _button(place, "left", "arrow_back", "Earlier", place == 0, lambda: own.moving(place, -1))
        _button(place, "right", "arrow_forward", "Later", place == count - 1, lambda: own.moving(place, 1))
        _button(place, "out", "close", "Remove this step", count == 1, lambda: own.removing(place))
    _settings(state, place, page)
    reason = next((reason for step, reason in state.refused.values() if step == place + 1), "")
    if reason and not state.missing and not state.last:
        st.error(outside.markdown(reason), icon=":material/block:")
    elif reason:
        entry = setting_words.dial(state.card)
        values = [setting_words.value(entry, value) for value, (step, _) in state.refused.items() if step == place + 1]
        st.caption(outside.markdown(f"Left out, {', '.join(values)}: {reason}"))


def _button(place: int, name: str, icon: str, tip: str, disabled: bool, make: Any) -> None:
    st.button("", icon=f":material/{icon}:", key=f"chain.{place}.{name}", help=tip, disabled=disabled, type="tertiary",
              on_click=lambda: session.remember("chained", make()))


def _settings(state: ChainState, place: int, page: Page) -> None:
    card, own = state.cards[place], state.chained
    values = own.steps[place].values
    entries = [entry for entry in card["settings"] if entry["name"] in values]
    family = page.choice.teacher.name if place == 0 else ""
    shown = controls.with_effect(entries, values, family, page.data["kind"])
    dial = next(entry for entry in entries if entry["name"] == card["dial"])
    open_ones = [entry for entry in shown if entry["name"] in OPEN.get(card["name"], ("recovery_epochs",))]
    key = f"chain.{place}.{card['name']}"
    change = partial(_change, own, place, card)
    others = [entry for entry in shown if entry is not dial and entry not in open_ones[:1]]
    turned = setting_words.changed_settings(own.steps[place], card, but=tuple(entry["name"] for entry in open_ones[:1]))
    left, middle, right = st.columns([5, 5, 2.6], gap="small", vertical_alignment="bottom")
    with left:
        controls.field(dial, values[dial["name"]], f"{key}.{dial['name']}", change, brief=True, method=card)
    with middle:
        controls.form(open_ones[:1], values, key, change, brief=True, method=card)
    with right, st.popover("", icon=":material/settings:", key=f"{key}.drawer", width="stretch",
                           help="More settings: " + (outside.markdown(", ".join(turned)) or "all at their defaults")):
        controls.form(others, values, f"{key}.drawer", change, method=card)


def _change(own: Chained, place: int, card: Card, name: str, value: Any) -> None:
    notices: list[str] = []
    session.remember("chained", own.having(place, card, notices, **{name: value}))
    if notices:
        session.remember("refusal", " ".join(notices))


def _add(state: ChainState, known: Card) -> None:
    able = {name: card["title"] for name, card in known["methods"].items() if card["applies_to"] == "network"}
    with st.popover("Add a step", icon=":material/add:", width="stretch", disabled=len(state.chained.steps) >= MOST):
        for name, title in able.items():
            st.button(title, key=f"chain.add.{name}", width="stretch", on_click=lambda name=name: session.remember(
                "chained", state.chained.adding(first_step(known["methods"][name]))))
    start = tuple(step.unstored() for step in session.choice().start)
    own = state.chained.steps
    if start and own[:len(start)] != start and all(step.name in able for step in start) and len(start) + len(own) <= MOST:
        st.button("Begin with what is in the teacher's place", key="chain.start", width="stretch",
                  help="The chain is made on the teacher itself; this puts the sidebar's steps before it.",
                  on_click=lambda: session.remember("chained", state.chained.after(start)))
