"""A setting's plain description -> the widget that fits it, with its one line of help beside it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import streamlit as st

from compress.settings import checked, spelled
from pages.ui.charts import outside, setting_words
from pages.ui.explore.settings.help import of_setting
from pages.ui.shell import session, widgets
from pages.ui.shell.choice import Card

Change = Callable[[str, Any], None]
Turned = Callable[[Any], None]


def form(entries: list[Card], values: dict[str, Any], key: str, change: Change, brief: bool = False,
         method: Card | None = None) -> None:
    """One widget a setting; change(name, value) is called when the user turns one.

    Args:
        brief: the help of each is behind a question mark instead of under it.
        method: the card of the method whose settings these are, if they are a method's.
    """
    for entry in entries:
        field(entry, values[entry["name"]], f"{key}.{entry['name']}", change, brief, method)


def with_effect(entries: list[Card], values: dict[str, Any], family: str, kind: str) -> list[Card]:
    """The settings that have an effect beside the others' values, those that are not at their defaults in any case.

    Args:
        family: of the network that is compressed, or "" where it is not known; kind: of the data.
    """
    beside = {**values, "family": family, "kind": kind}
    return [entry for entry in entries if values[entry["name"]] != entry["default"] or not any(
        beside[name] in without for name, without in entry.get("idle", {}).items())]


def field(entry: Card, value: Any, key: str, change: Change, brief: bool = False, method: Card | None = None) -> None:
    """The widget of one setting. Its truth is the choice: the value given here is what it shows."""
    draw = {"bool": _toggle, "str": _words, "int": _number, "float": _number, "sizes": _typed, "numbers": _typed,
            "label": _typed}[entry["type"]]
    said = of_setting(entry, value, method)
    draw(entry, value, key, partial(change, entry["name"]), said if brief else None)
    if not brief:
        st.caption(said)


def _toggle(entry: Card, value: bool, key: str, turned: Turned, tip: str | None) -> None:
    st.toggle(entry["label"], help=tip, **widgets.bound(key, value, turned))


def _words(entry: Card, value: str, key: str, turned: Turned, tip: str | None) -> None:
    choices = entry["choices"]
    if sum(len(choice) + 3 for choice in choices) <= 20:
        st.segmented_control(entry["label"], choices, format_func=setting_words.choice, help=tip, required=True,
                             **widgets.bound_chips(key, value, turned))
    else:
        st.selectbox(entry["label"], format_func=setting_words.choice, help=tip,
                     **widgets.bound_choice(key, choices, value, turned))


def _number(entry: Card, value: float, key: str, turned: Turned, tip: str | None) -> None:
    whole = entry["type"] == "int"
    step = entry["step"] or (1 if whole else max(float(entry["low"] or 0), 10.0 ** -6))
    kind = int if whole else float
    st.number_input(entry["label"], kind(entry["low"]), kind(entry["high"]), step=kind(step), help=tip,
                    format="%d" if whole else "%g", **widgets.bound(key, kind(value), turned))


def _typed(entry: Card, value: int | str, key: str, turned: Turned, tip: str | None) -> None:
    def typed(text: str) -> None:
        try:
            turned(spelled(checked(entry, text)))
        except ValueError as error:
            session.remember(f"wrong.{key}", str(error))

    st.text_input(entry["label"], help=tip, **widgets.bound(key, str(value), typed))
    wrong = session.forget(f"wrong.{key}")
    if wrong:
        st.warning(outside.markdown(f"{wrong} The last good value, {value}, stays in force."))
