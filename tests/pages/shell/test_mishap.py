"""What a visitor sees when a page fails: one sentence with the place of the report, and the way to the other pages."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit import error_util
from streamlit.testing.v1 import AppTest

from pages.ui.shell import frame, mishap, session
from tests.compress.helpers import ROOT, python

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


def test_an_error_of_the_imports_of_the_first_page_is_a_sentence_too(tmp_path: Path) -> None:
    """In a process of its own, where no page was drawn before."""
    page, home = tmp_path / "page.py", tmp_path / "home"
    page.write_text("from pages.ui.charts import charts\nfrom pages.ui.explore import no_such_part\n")
    seen = python("-c", f"from streamlit.testing.v1 import AppTest\nshown = AppTest.from_file({str(page)!r}).run()\n"
                  "print(len(shown.exception), *(error.value for error in shown.error))", check=True,
                  COMPRESS_HOME=str(home))
    assert seen.stdout.startswith("0 This page could not be drawn to its end. An unexpected ImportError")
    assert "no_such_part" not in seen.stdout and "no_such_part" in (home / "errors.log").read_text()
