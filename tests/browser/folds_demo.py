"""Folds on a page that is drawn again by itself: the first one comes later, and its drawing takes a moment. Below them, what
one fold shows is large and comes late, as charts do."""

from __future__ import annotations

import time
from collections.abc import Iterator

import streamlit as st

from pages.ui.explore import folds
from pages.ui.shell.look import steady_press
from pages.ui.shell.look.style import STYLE

LATE = 4  # drawings before the upper fold is there


class Slowly(list[folds.Fold]):
    """A list that takes a moment between one fold and the next, as a page with large charts does."""

    def __iter__(self) -> Iterator[folds.Fold]:
        for fold in super().__iter__():
            yield fold
            time.sleep(0.25)


def large() -> None:
    time.sleep(0.5)
    st.html("<div style='height: 300px'>inside large</div>")


@st.fragment(run_every=0.2)
def drawn_again() -> None:
    number = st.session_state["number"] = st.session_state.get("number", 0) + 1
    st.write(f"Drawn {number} times")
    folds.draw(Slowly([folds.Fold("One", (lambda: st.write("inside one")) if number >= LATE else None),
                       folds.Fold("Two", lambda: st.write("inside two"))]), "demo")


st.html(STYLE + steady_press.script(), unsafe_allow_javascript=True)
drawn_again()
folds.draw([folds.Fold("Large", large), folds.Fold("Below", lambda: st.write("inside below"))], "press")
