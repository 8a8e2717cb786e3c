"""Folds on a page that is drawn again by itself; the upper one comes later, and its drawing takes a moment."""

from __future__ import annotations

import time
from collections.abc import Iterator

import streamlit as st

from pages.ui.explore import folds

LATE = 4  # drawings before the upper fold is there


class Slowly(list[folds.Fold]):
    """A list that takes a moment between one fold and the next, as a page with large charts does."""

    def __iter__(self) -> Iterator[folds.Fold]:
        for fold in super().__iter__():
            yield fold
            time.sleep(0.25)


@st.fragment(run_every=0.2)
def page() -> None:
    number = st.session_state["number"] = st.session_state.get("number", 0) + 1
    st.write(f"Drawn {number} times")
    folds.draw(Slowly([folds.Fold("One", (lambda: st.write("inside one")) if number >= LATE else None),
                       folds.Fold("Two", lambda: st.write("inside two"))]), "demo")


page()
