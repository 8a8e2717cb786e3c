"""Data of one's own: files are looked at, read as one chooses, and become a data set of every page."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import streamlit as st

from pages.ui.charts import outside
from pages.ui.own_data import adding, files, listed, preview
from pages.ui.own_data.files import File, Reading
from pages.ui.shell import session, widgets
from pages.ui.shell.frame import Page

FORMS = ("A table (CSV, TSV, Parquet) with a column of classes · a ZIP with one folder of pictures for each class · an NPZ "
         "file, or two NPY files · two IDX files")
TEXT_READINGS = {"counts": "counts of its words", "words": "tokens, in their order", "pairs": "tokens and pairs"}
SIDES = (0, 16, 28, 32, 48, 64)  # pixels of a picture; 0: as it is


def draw(page: Page) -> None:
    """The whole part of the page."""
    refused = session.forget("own.refusal")
    if refused:
        st.error(outside.markdown(refused), icon=":material/report:")
    beside, main = st.columns([1, 3], gap="large")
    with beside:
        own = given()
    with main:
        if not own:
            st.markdown("**An example:** a table of 150 flowers. Your own files are shown like this before they are used.")
        shown = own or [files.example()]
        about = looked_at(shown, reading_of(shown))
        if about:
            preview.draw(about)
    with beside:
        if about:
            adding.draw(shown, choices(about), about["problem"])
    listed.draw(page)


def given() -> list[File]:
    """The visitor's files; none until some are chosen."""
    chosen = st.file_uploader("Your files", accept_multiple_files=True, key="own.files",
                              help=f"{FORMS}. They stay on the machine that this app runs on.")
    if not chosen:
        st.caption(FORMS)
    return [File(one.name, one.getvalue()) for one in chosen or []]


def reading_of(own: list[File]) -> Reading:
    """How the files are to be read: choices that were made for other files do not count."""
    key = files.key(own, Reading())
    if session.remembered("own.files") != key:
        session.remember("own.files", key)
        session.remember("own.reading", Reading())
    return session.remembered("own.reading", Reading())


def looked_at(own: list[File], reading: Reading) -> dict[str, Any] | None:
    """What is in the files, read once; None where they cannot be used, which is said."""
    key, (known, about) = files.key(own, reading), session.remembered("own.preview", ("", None))
    if known != key:
        try:
            with st.spinner("Reading"):
                about = files.look(own, reading)
        except ValueError as error:
            st.error(outside.markdown(error), icon=":material/report:")
            return None
        session.remember("own.preview", (key, about))
    return about


def choices(about: dict[str, Any]) -> Reading:
    """How the files are read, as the kind of the data lets one choose."""
    reading = session.remembered("own.reading", Reading())

    def change(**changed: object) -> None:
        session.remember("own.reading", replace(reading, **changed))

    if about["could_label"]:
        names = about["could_label"] if about["label"] in about["could_label"] else [about["label"], *about["could_label"]]
        st.selectbox("Column with the classes", format_func=outside.name,
                     **widgets.bound_choice("own.label", names, about["label"], lambda name: change(label=name)))
    if any(column["type"] == "text" for column in about["columns"]):
        st.selectbox("How the column of text is read", format_func=TEXT_READINGS.__getitem__,
                     help="Counts are features beside the other columns. Tokens are read by networks with an "
                     "embedding table; the other columns are left out then.",
                     **widgets.bound_choice("own.text", TEXT_READINGS, reading.text, lambda text: change(text=text)))
        if reading.text == "counts":
            st.select_slider("Features that count the words of a text", [128, 256, 512, 1024, 2048, 4096],
                             **widgets.bound("own.words", reading.words, lambda count: change(words=count)))
    if about["kind"] == "image" and about["pictures"]:
        st.selectbox("Height and width of the pictures",
                     format_func=lambda side: f"{side} pixels" if side else "as they are, up to 64; otherwise 32",
                     **widgets.bound_choice("own.side", SIDES, reading.side, lambda side: change(side=side)))
    return reading
