"""The Compare page's filters: data sets, teachers, methods, and any setting of a method."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import streamlit as st

from pages.ui.charts import outside, setting_words
from pages.ui.shell import session, widgets
from pages.ui.shell.choice import Card

Row = dict[str, Any]
LABELS = {"data": "Data sets", "teacher": "Teachers", "method": "Methods"}


def chosen(everything: list[Row], known: Card) -> list[Row]:
    """Draws the filters, which are in the link, and returns the rows that they let through. Data sets are the sidebar's
    until others are chosen, and again when the sidebar's changes."""
    rows, gone = everything, []
    place = st.popover(_label(everything), icon=":material/filter_alt:", width="stretch")
    with place:
        for name, label in LABELS.items():
            options = sorted({row[f"{name}_title"] for row in everything})
            wanted = _wanted(name, everything)
            gone += [one for one in wanted if one not in options]
            picked = [one for one in wanted if one in options]
            st.multiselect(label, options, placeholder=f"all {label.lower()}",
                           **widgets.bound_chips(f"compare.{name}", picked, partial(_narrow, name)))
            if picked:
                rows = [row for row in rows if row[f"{name}_title"] in picked]
        rows = _of_settings(rows, gone, known)
    with st.container():
        if gone:
            st.warning(outside.markdown(f"Nothing is measured of {', '.join(gone)}, which a filter of the link names."))
        if session.filters().data is None and not _of_sidebar(everything):
            st.caption(f"Nothing is measured on {outside.markdown(session.choice().data)} yet: all data sets are shown.")
    return rows


def _label(everything: list[Row]) -> str:
    """What is shown now, in a few words: the only data set by its name, other filters by their number."""
    data, filters = _wanted("data", everything), session.filters()
    named = data[0] if len(data) == 1 else f"{len(data)} data sets" if data else "All data sets"
    others = sum(bool(getattr(filters, name)) for name in ("teacher", "method", "setting"))
    more = f", {others} more {'filter' if others == 1 else 'filters'}" if others else ""
    return outside.markdown(f"{named}{more}")


def _of_settings(rows: list[Row], gone: list[str], known: Card) -> list[Row]:
    """The rows with the chosen settings, one of those that are chosen of each; and teachers. Those of which nothing is
    measured are added to gone."""
    options = settings_of(rows)
    wanted = session.filters().setting or ()
    gone += [one for one in wanted if one not in options]
    picked = [one for one in wanted if one in options]
    st.multiselect("Settings", options, placeholder="all settings", format_func=lambda text: in_words(text, known),
                   **widgets.bound_chips("compare.setting", picked, partial(_narrow, "setting")))
    return with_settings(rows, picked)


def settings_of(rows: list[Row]) -> list[str]:
    """METHOD.NAME=VALUE of every setting that has several values among these rows."""
    found: dict[str, set[str]] = {}
    for values in {row["values"] for row in rows}:
        for text in values:
            found.setdefault(text.partition("=")[0], set()).add(text)
    return sorted(text for texts in found.values() if len(texts) > 1 for text in texts)


def in_words(text: str, known: Card) -> str:
    """A setting as settings_of() spells it, as pages name it: Pruning: criterion second order."""
    name, _, value = text.partition("=")
    method, _, setting = name.partition(".")
    card = known["methods"].get(method)
    entry = next((entry for entry in card["settings"] if entry["name"] == setting), None) if card else None
    return f"{card['title']}: {setting_words.setting(entry, setting_words.read(entry, value))}" if card and entry else text


def with_settings(rows: list[Row], picked: list[str]) -> list[Row]:
    """The rows that have one of the picked values of every picked setting, and teachers."""
    wanted: dict[str, set[str]] = {}
    for text in picked:
        wanted.setdefault(text.partition("=")[0], set()).add(text)
    return [row for row in rows
            if row["method"] == "teacher" or all(texts & set(row["values"]) for texts in wanted.values())]


def _wanted(name: str, everything: list[Row]) -> list[str]:
    titles = getattr(session.filters(), name)
    return _of_sidebar(everything) if titles is None and name == "data" else list(titles or ())


def _narrow(name: str, titles: list[str]) -> None:
    session.narrow(replace(session.filters(), **{name: tuple(titles)}))


def _of_sidebar(everything: list[Row]) -> list[str]:
    """Titles of the sidebar's data set, if anything is measured on it."""
    return sorted({row["data_title"] for row in everything if row["data"] == session.choice().data})
