"""What a visitor sees when a page fails: one sentence with the place of the report, and the way to the other pages."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit import error_util
from streamlit.testing.v1 import AppTest

from pages.ui.shell import frame, mishap, session
from tests.compress.helpers import ROOT

CATCH = mishap.catch  # before the tests of pages take it away


@pytest.fixture
def caught(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Errors become sentences, as in the program; the folder of the log."""
    monkeypatch.setenv("COMPRESS_HOME", str(tmp_path))
    monkeypatch.setattr(error_util, "show_uncaught_app_exception", None)  # restored afterwards
    CATCH()
    return tmp_path


def one_page(script: Callable[[], None]) -> AppTest:
    return AppTest.from_function(script, default_timeout=60).run()


def test_an_unexpected_error_is_a_sentence_and_the_report_is_in_the_log(caught: Path) -> None:
    def page() -> None:
        import streamlit as st

        st.sidebar.markdown("the way")
        st.markdown("before")
        {"a": 1}["<b>b</b>"]

    shown = one_page(page)
    assert not shown.exception and [text.value for text in shown.sidebar.markdown] == ["the way"]
    (told,) = shown.error
    report = (caught / "errors.log").read_text()
    assert "KeyError: '<b>b</b>'" in report and "Traceback" in report
    assert told.value.startswith("This page could not be drawn to its end. An unexpected KeyError")
    assert "<b>" not in told.value
    assert f"report {report.split()[1]} in " in told.value and str(caught.name) in told.value


def test_an_error_in_a_callback_is_a_sentence_too(caught: Path) -> None:
    def page() -> None:
        import streamlit as st

        st.button("Go", on_click=lambda: 1 / 0)

    shown = one_page(page)
    shown.button[0].click().run()
    assert not shown.exception and "could not be drawn" in shown.error[0].value
    assert "ZeroDivisionError" in (caught / "errors.log").read_text()


def test_a_sentence_of_this_program_is_shown_itself(caught: Path) -> None:
    def page() -> None:
        from compress.recipe import Step

        Step.parse("low rank(")

    told = one_page(page).error[0].value
    assert "is not a name with settings; write it like" in told and "The whole report" in told
    assert "ValueError" in (caught / "errors.log").read_text()


def test_a_home_that_cannot_be_made_is_a_page_and_after_the_repair_a_reload_works(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "home").write_text("in the way")
    monkeypatch.setenv("COMPRESS_HOME", str(tmp_path / "home"))
    session.engine.clear()
    try:
        shown = AppTest.from_file(str(ROOT / "app.py"), default_timeout=90).run()
        assert not shown.exception and "COMPRESS_HOME" in shown.error[0].value and not shown.title
        assert len(shown.sidebar.get("page_link")) == len(frame.PAGES)
        (tmp_path / "home").unlink()
        shown.run()
        assert not shown.exception and not shown.error and shown.title
        session.engine().close()
    finally:
        session.engine.clear()
