"""Folds under a page: what is in one is drawn when it is opened, and each stays as the visitor left it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import streamlit as st

from pages.ui.explore.curve_state import CurveState
from pages.ui.shell import session, widgets
from pages.ui.shell.choice import Choice


@dataclass(frozen=True)
class Fold:
    """A group of charts or pictures.

    Attributes:
        title: the same for as long as the fold is on the page.
        draw: draws what is in it; None while there is nothing, and then the fold is not shown.
        icon: before the title, by Streamlit's name.
    """

    title: str
    draw: Callable[[], None] | None
    icon: str | None = None


def of_point(draw: Callable[[CurveState], None], state: CurveState) -> Callable[[], None]:
    """What draws a fold about the point at the dial, or says that there is none yet."""
    return partial(draw, state) if state.point else partial(st.caption, "Shown when this stop of the dial is measured.")


def draw(folds: list[Fold], page: str) -> None:
    """One fold under the other, each at a place of its own, which it keeps while another one comes or goes.

    A browser builds anew, closed, what has moved to another place of the page, and for a moment neither of the two is
    there: a click on it would be lost.

    Args:
        folds: none yet, or all that this page may ever show, in the same order every time.
        page: whose folds they are.
    """
    for fold in folds:
        place, key = st.container(), key_of(fold.title, page)
        if fold.draw is None:
            continue
        widgets.restore(key, is_open(fold.title, page))
        with place.expander(fold.title, icon=fold.icon, key=key, on_change="rerun") as opened:
            session.remember(f"open.{key}", opened.open)
            if opened.open:
                fold.draw()


def alone(draw: Callable[[], None]) -> None:
    """Draws a part of a fold, which a choice within it draws anew by itself, not all of the stage. Where something in it
    changes what the page is about, such as a click on a point that turns the dial, the whole page follows."""
    st.fragment(_alone)(draw, session.choice())


def _alone(draw: Callable[[], None], choice: Choice) -> None:
    """choice: when the part was drawn with the rest."""
    if session.choice() != choice:
        st.rerun()
    with session.store().reading():
        draw()


def is_open(title: str, page: str) -> bool:
    """Whether a fold was open when it was last drawn."""
    return bool(session.remembered(f"open.{key_of(title, page)}", False))


def leave_open(title: str, page: str) -> None:
    """A fold that was not drawn yet will be open when it is."""
    session.remember(f"open.{key_of(title, page)}", True)


def key_of(title: str, page: str) -> str:
    """The name of a fold's element."""
    return f"fold.{page}.{title}"
