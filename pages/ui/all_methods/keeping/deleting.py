"""Deleting networks on the Compare page, and undoing it. Where several people share the app, its owner alone deletes, from a
shell."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import streamlit as st

from compress.curves.deleted_table import DAYS
from compress.recipe import Recipe
from pages.ui.charts import outside, setting_words, words
from pages.ui.shell import door, session
from pages.ui.shell.choice import Card

Row = dict[str, Any]
TITLE = "Deleted networks: restore them"
LAST, REFUSED = "deleted.last", "deleted.refused"  # of this visitor
RULE = (f"Deleted networks can be restored with file, pin and note for {DAYS} days. After that, the next start of the app "
        "removes them with their files; a run that the disk allowance leaves no room for does so earlier. Files that "
        "another network needs stay.")
SHARED = "Several people may use this app: its owner alone deletes networks, by `python -m compress points --delete`."


def is_allowed() -> bool:
    """Whether visitors may delete."""
    return not door.is_shared()


def delete(rows: Sequence[Row]) -> None:
    """Deletes networks, and takes them out of the panel."""
    places = [(row["key"], row["reference"]) for row in rows]
    try:
        gone = session.store().delete_points(places)
    except ValueError as refusal:
        session.remember(REFUSED, str(refusal))
        return
    session.remember(LAST, gone)
    filters, names = session.filters(), {f"{key}/{reference}" for key, reference in gone}
    session.narrow(replace(filters, opened=tuple(one for one in filters.opened if one not in names)))


def button(row: Row, key: str) -> None:
    """Deletes one network; nothing for a teacher, or where it is not allowed."""
    if row["method"] != "teacher" and is_allowed():
        st.button("Delete", key=f"{key}.delete", icon=":material/delete:", on_click=delete, args=[[row]],
                  help=f"It can be restored for {DAYS} days.")


def notice() -> None:
    """What this visitor has just deleted, with the way back."""
    refusal = session.forget(REFUSED)
    if refusal:
        st.error(outside.markdown(refusal), icon=":material/report:")
    last = session.remembered(LAST, [])
    if not last:
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="deleted-notice"):
        st.markdown(f":material/delete: {_networks(len(last))} deleted.", width="content")
        st.button("Undo", key="deleted.undo", icon=":material/undo:", on_click=restore, args=[last])
        st.button("Leave it so", key="deleted.leave", type="tertiary", on_click=session.forget, args=[LAST])


def restore(places: Sequence[tuple[str, str]]) -> None:
    """Brings networks back."""
    session.store().restore_points(places)
    if not {*places}.isdisjoint(session.remembered(LAST, [])):
        session.forget(LAST)


def list_deleted(known: Card) -> None:
    """Every deleted network with the day until which it can be restored, and a box for that."""
    found = session.store().deleted_points()
    if not is_allowed():
        st.caption(SHARED)
        return
    if not found:
        st.caption(f"Nothing is deleted. {RULE}")
        return
    shown = columns_of(found, known)
    key = f"deleted.table.{hash(tuple((row['key'], row['deleted']) for row in found))}"
    edited = st.data_editor(shown, hide_index=True, disabled=list(shown)[1:], key=key,
                            height=min(35 * len(found) + 38, 320))
    places = [(row["key"], row["reference"]) for row in found]
    ticked = [place for place, is_ticked in zip(places, edited["restore"], strict=True) if is_ticked]
    with st.container(horizontal=True, gap="small"):
        st.button(f"Restore the {len(ticked)} ticked" if ticked else "Restore those that are ticked", disabled=not ticked,
                  key="deleted.restore", icon=":material/undo:", on_click=restore, args=[ticked])
        st.button(f"Restore all {len(found)}" if len(found) > 1 else "Restore it", key="deleted.restore.all",
                  on_click=restore, args=[places])
    st.caption(RULE)


def columns_of(found: Sequence[Row], known: Card) -> dict[str, list[Any]]:
    """The table of deleted networks column by column."""
    recipes = [Recipe.parse(row["recipe"]) for row in found]
    return {"restore": [False] * len(found), "data": [outside.cell(outside.name(row["data"])) for row in found],
            "network": [outside.cell(setting_words.methods_in_words(recipe.methods, known["methods"]))
                        for recipe in recipes],
            "accuracy": [words.accuracy(row) for row in found], "size": [words.size(row["bytes"]) for row in found],
            "note": [outside.cell(row["note"] or "") for row in found],
            "deleted": [_day(row["deleted"]) for row in found],
            "can be restored until": [_day(row["until"]) for row in found]}


def _networks(count: int) -> str:
    return "1 network is" if count == 1 else f"{count} networks are"


def _day(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(seconds))
