"""Who comes in: nobody without the password, nobody from another address, and nothing is drawn or started before."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from pages.ui.shell import door, session
from tests.compress.helpers import ROOT

PAGES = ["app.py", *(str(path.relative_to(ROOT)) for path in sorted((ROOT / "pages").glob("*.py")))]
SECRET = "träumerei-7"
KINDS = ("title", "markdown", "caption", "warning", "info", "selectbox", "number_input", "multiselect", "dataframe")


@pytest.fixture
def closed(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], AppTest]:
    """closed(page): this page as a new visitor sees it, whose app must not be started."""
    monkeypatch.setenv(door.PASSWORD, SECRET)
    monkeypatch.setattr(door, "PAUSE", 0.05)
    monkeypatch.setattr(session, "engine", lambda: pytest.fail("the app was started"))

    def draw(page: str) -> AppTest:
        shown = AppTest.from_file(str(ROOT / "app.py"), default_timeout=30)
        if page != "app.py":
            shown.switch_page(page)
        return shown.run()

    return draw


def drawn(shown: AppTest) -> dict[str, list[Any]]:
    """What is on the page, by kind."""
    return {kind: [element.value for element in shown.get(kind)] for kind in KINDS if len(shown.get(kind))}


@pytest.mark.parametrize("page", PAGES)
def test_no_page_shows_or_starts_anything_before_the_password(closed, page):
    shown = closed(page)
    assert not shown.exception and drawn(shown) == {"title": ["Compression Explorer"]}
    assert [one.label for one in shown.text_input] == ["Password"] and [one.label for one in shown.button] == ["Enter"]
    assert not shown.get("page_link") and not shown.get("bidi_component")


@pytest.mark.parametrize("given", ["", "x", SECRET[:-1], SECRET + " ", SECRET.upper(), "\u0000"])
def test_a_wrong_password_is_refused(closed, given):
    shown = closed("app.py")
    shown.text_input[0].input(given)
    shown.button[0].click().run()
    assert "not the password" in shown.error[0].value and drawn(shown) == {"title": ["Compression Explorer"]}


def test_the_right_password_is_asked_for_once_a_session(closed, monkeypatch):
    started = []

    def engine() -> None:
        started.append(1)
        st.stop()

    shown = closed("app.py")
    monkeypatch.setattr(session, "engine", engine)
    shown.text_input[0].input(SECRET)
    shown.button[0].click().run()
    assert started and not shown.text_input and not shown.error
    assert not shown.switch_page("pages/8_Compare.py").run().text_input
    assert [one.label for one in closed("app.py").text_input] == ["Password"], "another visitor is asked"


def test_an_empty_password_opens_nothing(closed, monkeypatch):
    monkeypatch.setenv(door.PASSWORD, "")
    shown = closed("app.py")
    assert "set but empty" in shown.error[0].value and not shown.text_input and not drawn(shown)


def test_wrong_attempts_wait_for_each_other(monkeypatch):
    monkeypatch.setattr(door, "PAUSE", 0.1)
    began = time.monotonic()
    attempts = [threading.Thread(target=door.is_right, args=[str(number), SECRET]) for number in range(5)]
    for attempt in attempts:
        attempt.start()
    for attempt in attempts:
        attempt.join()
    assert time.monotonic() - began >= 0.5
    assert door.is_right(SECRET, SECRET)


@pytest.mark.parametrize(("origin", "host", "foreign"), [
    ("http://127.0.0.1:8501", "127.0.0.1:8501", ""), ("https://lab.example", "lab.example", ""),
    (None, "127.0.0.1:8501", ""),
    ("https://allowed.example", "127.0.0.1:8501", ""), ("http://localhost:9999", "localhost:8501", "http://localhost:9999"),
    ("http://127.0.0.1:8501", "localhost:8501", "http://127.0.0.1:8501"), ("null", "localhost:8501", "null"),
    ("http://evil.example", "localhost:8501", "http://evil.example"), ("http://evil.example", None, "http://evil.example")])
def test_a_page_of_another_address_is_told_apart(origin, host, foreign):
    assert door.foreign_page(origin, host, ["https://allowed.example"]) == foreign


@pytest.fixture
def login(monkeypatch: pytest.MonkeyPatch) -> Callable[..., AppTest]:
    """login(auth): the first page of an app whose secrets have this section."""
    monkeypatch.delenv(door.PASSWORD, raising=False)
    monkeypatch.setattr(session, "engine", lambda: pytest.fail("the app was started"))

    def draw(**auth: Any) -> AppTest:
        shown = AppTest.from_file(str(ROOT / "app.py"), default_timeout=30)
        shown.secrets["auth"] = {"redirect_uri": "http://localhost/oauth2callback", "cookie_secret": "x", **auth}
        return shown.run()

    return draw


def test_a_login_without_its_package_says_what_to_install(login, monkeypatch):
    monkeypatch.setattr(door.importlib.util, "find_spec", lambda name: None)
    shown = login()
    assert "streamlit[auth]" in shown.error[0].value and not drawn(shown)


@pytest.mark.parametrize(("auth", "offered"), [
    ({"client_id": "a"}, ["Log in"]), ({"google": {"client_id": "a"}, "lab": {"client_id": "b"}},
                                       ["Log in with google", "Log in with lab"])])
def test_nothing_is_shown_before_the_login(login, monkeypatch, auth, offered):
    monkeypatch.setattr(door.importlib.util, "find_spec", lambda name: name)
    shown = login(**auth)
    assert drawn(shown) == {"title": ["Compression Explorer"]} and [one.label for one in shown.button] == offered
