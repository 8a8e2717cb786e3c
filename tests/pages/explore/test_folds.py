"""Folds under a page: each has a place of its own, and stays as the visitor left it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from streamlit.testing.v1 import AppTest

from pages.ui.explore import folds
from tests.pages.test_pages import LINK, LOW_RANK, engine, filled, show  # noqa: F401  (fixtures)


def page() -> None:
    import streamlit as st

    from pages.ui.explore import folds

    wanted = None if st.session_state.get("without") else lambda: st.write("inside one")
    folds.draw([folds.Fold("One", wanted), folds.Fold("Two", lambda: st.write("inside two"))], "test")


def places(node: Any, path: tuple[int, ...] = ()) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Label and place of every expander below a node."""
    for number, child in getattr(node, "children", {}).items():
        if child.type == "expander":
            yield child.label, (*path, number)
        yield from places(child, (*path, number))


def test_a_fold_is_computed_when_it_is_open():
    shown = AppTest.from_function(page).run()
    assert [one.label for one in shown.expander] == ["One", "Two"] and not shown.markdown
    shown.session_state["fold.test.Two"] = True
    assert [one.value for one in shown.run().markdown] == ["inside two"]


def test_a_fold_that_one_run_left_out_is_open_again_and_its_neighbour_keeps_its_place():
    shown = AppTest.from_function(page)
    shown.session_state["fold.test.One"] = True
    before = dict(places(shown.run().main))
    assert [one.value for one in shown.markdown] == ["inside one"]
    shown.session_state["without"] = True
    assert dict(places(shown.run().main)) == {"Two": before["Two"]}
    shown.session_state["without"] = False
    assert dict(places(shown.run().main)) == before
    assert [one.value for one in shown.markdown] == ["inside one"]


def test_folds_of_a_page_keep_their_places_whatever_is_measured(show, filled):  # noqa: F811
    at_a_point, at_none = (dict(places(show(LOW_RANK, {**LINK, "keep": keep}).main)) for keep in ("0.3", "0.45"))
    assert {"Why?", "Energy and error at each rank", "Where the bytes go"} <= set(at_a_point)
    assert set(at_none) < set(at_a_point) and at_none.items() <= at_a_point.items()


def test_a_part_that_is_drawn_alone_has_the_page_follow_what_it_changes(engine, monkeypatch):  # noqa: F811
    drawn: list[str] = []
    monkeypatch.setattr(folds.session, "choice", lambda: "before")
    folds._alone(lambda: drawn.append("part"), "before")
    monkeypatch.setattr(folds.session, "choice", lambda: "after")
    monkeypatch.setattr(folds.st, "rerun", lambda: drawn.append("page"))
    folds._alone(lambda: None, "before")
    assert drawn == ["part", "page"]
