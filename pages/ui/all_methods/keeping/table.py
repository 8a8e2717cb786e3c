"""Every point that the filters let through in a table: sorted, pinned and deleted there."""

from __future__ import annotations

from typing import Any

import streamlit as st

from pages.ui.all_methods.keeping import deleting
from pages.ui.charts import words
from pages.ui.explore import exports
from pages.ui.shell import session, widgets

Row = dict[str, Any]
# The table's cells are numbers, by which it is sorted; these are the units in which they are shown.
FORMATS = {name: st.column_config.NumberColumn(format=format, help=help) for name, format, help in (
    ("accuracy", "%.1f %%", "On the validation examples."), ("±", "± %.1f", words.INTERVAL),
    ("size", "%.1f kB", "Length of the network's file; 1 kB is 1,000 bytes."),
    ("times smaller", "%.2f×", "The teacher's file divided by this one."),
    ("parameters", "localized", "Numbers in the network."),
    ("multiply-adds", "localized", "For one example."), ("time", "%.2f×", "For a batch, as a part of the teacher's time."))}
TITLE = "All points in a table: sort it, tick rows to pin or delete them"
PIN, DELETE = "pinned", "delete"  # columns of boxes
TICKED = "compare.table.ticked"  # identities of the rows that this visitor has ticked to delete
BEGUN = "compare.table.begun"  # the key of the table on the screen, and what was ticked when it was first drawn


def draw(chosen: list[Row]) -> None:
    """A box of the first column pins a row; those of the second are deleted together."""
    # Other rows, or other pins, are another table, in whose boxes everything ticked before is ticked from the start.
    key = f"compare.table.{hash(tuple((row['id'], bool(row['pinned'])) for row in chosen))}"
    shown = columns_of(chosen)
    if deleting.is_allowed():
        begun = _ticked_at_first(key)
        shown = {PIN: shown.pop(PIN), DELETE: [row["id"] in begun for row in chosen], **shown}
    fixed = [name for name in shown if name not in (PIN, DELETE)]
    edited = st.data_editor(shown, hide_index=True, disabled=fixed, height=320, key=key, on_change=_ticked,
                            args=[key, chosen], column_config=FORMATS)
    ticked = [row for row, is_ticked in zip(chosen, edited.get(DELETE, ()), strict=False) if is_ticked]
    with st.container(horizontal=True, gap="small"):
        columns = ("data", "teacher", "method", *exports.COLUMNS, "note")
        st.download_button("These points as CSV", lambda: exports.table_of(chosen, columns), "points.csv", "text/csv",
                           icon=":material/table:", on_click="ignore")
        if deleting.is_allowed():
            st.button(f"Delete the {len(ticked)} ticked" if ticked else "Delete those that are ticked", disabled=not ticked,
                      key="compare.table.delete", icon=":material/delete:", on_click=_delete, args=[ticked])


def _delete(ticked: list[Row]) -> None:
    """Deletes rows, which are not ticked when they are restored."""
    deleting.delete(ticked)
    session.remember(TICKED, session.remembered(TICKED, frozenset()) - {row["id"] for row in ticked})


def _ticked_at_first(key: str) -> frozenset[str]:
    """What was ticked when a table was first drawn: as long as it is on the screen, its boxes begin with that."""
    begun, ticked = session.remembered(BEGUN, ("", frozenset()))
    if begun != key:
        ticked = session.remembered(TICKED, frozenset())
        session.remember(BEGUN, (key, ticked))
    return ticked


def columns_of(chosen: list[Row]) -> dict[str, list[Any]]:
    """The table column by column, which Streamlit takes as it is."""
    return {"pinned": [bool(row["pinned"]) for row in chosen], "data": [row["data_title"] for row in chosen],
            "teacher": [row["teacher_title"] for row in chosen], "method": [row["method_title"] for row in chosen],
            "settings": [row["settings"] for row in chosen],
            "accuracy": [100 * row["accuracy"] for row in chosen],
            "±": [50 * (row["accuracy_high"] - row["accuracy_low"]) for row in chosen],
            "size": [row["bytes"] / 1000 for row in chosen], "times smaller": [row["smaller"] for row in chosen],
            "parameters": [row["parameters"] for row in chosen], "multiply-adds": [row["macs"] for row in chosen],
            "time": [row["latency"] for row in chosen],
            "seed": [row["seed"] for row in chosen]}


def _ticked(key: str, chosen: list[Row]) -> None:
    """A box of the table was ticked or cleared."""
    ticked = session.remembered(TICKED, frozenset())
    for place, edit in widgets.current(key)["edited_rows"].items():
        row = chosen[int(place)]
        if DELETE in edit:
            ticked = ticked | {row["id"]} if edit[DELETE] else ticked - {row["id"]}
        if edit.get(PIN) and not row["pinned"]:
            session.store().pin(row["key"], row["reference"], "")
        elif edit.get(PIN) is False and row["pinned"]:
            session.store().unpin(row["key"], row["reference"])
    session.remember(TICKED, ticked)
