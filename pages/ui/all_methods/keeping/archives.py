"""Networks as one archive: those that are shown are taken along, those of an archive are added."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import streamlit as st

from compress.curves import archive
from pages.ui.all_methods.keeping import deleting
from pages.ui.charts import outside, words
from pages.ui.own_data import command
from pages.ui.shell import session

Row = dict[str, Any]
TITLE = "Archives: take networks along, add those of others"
MOST_BYTES = 200_000_000  # of the files of an archive that is made here
SHARED = "Several people may use this app: its owner alone adds networks, by `python -m compress points --load FILE`."
ADDED = "archive.added"  # of the archive that was added last: its number, what was said of it, whether it was refused


def draw(chosen: list[Row]) -> None:
    """Both ways."""
    left, right = st.columns(2, gap="medium")
    with left:
        _take(chosen)
    with right:
        if deleting.is_allowed():
            _add()
        else:
            st.caption(SHARED)


def _take(chosen: list[Row]) -> None:
    """The networks that the filters let through."""
    networks = "1 network" if len(chosen) == 1 else f"{len(chosen):,} networks"
    st.markdown(f"**The {networks} shown**, with teachers, points and notes. The filters choose others; those that are "
                "pinned alone are offered below, under Pinned.")
    reason = why_not(chosen)
    places = {(row["key"], row["reference"]) for row in chosen}
    st.download_button(f"Archive of {networks}", lambda: archive.packed(session.store(), places), "networks.zip",
                       "application/zip", icon=":material/inventory_2:", on_click="ignore", disabled=bool(reason),
                       key="archive.shown")
    st.caption(reason or f"About {words.size(_length(chosen))}. `points --load` adds them to another store.")


def why_not(chosen: list[Row]) -> str:
    """Why the rows are no archive, in a sentence; "" where they are one."""
    if not chosen:
        return "Nothing is shown."
    length = _length(chosen)
    if length > MOST_BYTES:
        return (f"Their files take {words.size(length)}, and an archive made here has at most {words.size(MOST_BYTES)}: "
                "choose fewer with the filters, or pin them and use `python -m compress points --save`.")
    files = session.store().artefacts
    gone = sum(not files.has(digest) for digest in _digests(chosen))
    return f"{gone} of their files are missing or damaged. Measure those networks again." if gone else ""


def _digests(chosen: list[Row]) -> dict[str, int]:
    """Digest of each file that the archive has -> its length, 0 for a teacher's that is not shown."""
    return {**{row["reference"]: 0 for row in chosen}, **{row["digest"]: row["bytes"] for row in chosen}}


def _length(chosen: list[Row]) -> int:
    return sum(_digests(chosen).values())


def _add() -> None:
    """An archive that the visitor has; it is read once."""
    given = st.file_uploader("Add the networks of an archive", type="zip", key="archive.file")
    if given is None:
        session.forget(ADDED)
        return
    known, text, is_refused = session.remembered(ADDED, ("", "", False))
    if known != given.file_id:
        try:
            with st.spinner("Reading"):
                text, is_refused = added(given.getvalue()), False
        except ValueError as error:
            text, is_refused = str(error), True
        session.remember(ADDED, (given.file_id, text, is_refused))
        if not is_refused:
            st.rerun()  # the page above shows them too
    say = st.error if is_refused else st.success
    say(outside.markdown(text), icon=":material/report:" if is_refused else ":material/check_circle:")


def added(contents: bytes) -> str:
    """Adds the networks of an archive to the store; returns how many were new, in words. Raises ValueError with the sentence
    that refuses it whole."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "networks.zip"
        path.write_bytes(contents)
        new = command.printed("points", "--load", str(path), remedy="Add fewer networks at a time.")["new"]
    if not new:
        return "All networks of the archive were here already."
    networks = f"{new} networks are" if new > 1 else "1 network is"
    return f"{networks} added. The page shows those that the filters let through."
