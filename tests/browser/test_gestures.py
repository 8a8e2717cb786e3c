"""One gesture is one job: whatever begins work is clicked twice here, on a slow processor."""

from __future__ import annotations

import re
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from compress.curves.store import Store
from tests.browser.serving import App
from tests.browser.visitor import SMALL, arrive, button, playwright, unfold, watched


@pytest.fixture
def slow(browser: Any) -> Iterator[Any]:
    """A page of a browser whose processor is slowed four times."""
    page = watched(browser.new_context(viewport={"width": 1280, "height": 900}).new_page())
    page.context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": 4})
    yield page
    assert page.problems == []
    page.context.close()


def twice(page: Any, name: str) -> None:
    """Clicks a button twice, as a hand does that takes a single click for too little."""
    button(page, name).first.evaluate("""(button) => new Promise((done) => {
      button.click();
      setTimeout(() => { button.click(); done(); }, 300);
    })""")


def jobs(app: App) -> Counter[str]:
    """How many jobs of each kind there ever were."""
    with closing(sqlite3.connect(app.home / "store.sqlite")) as store:
        return Counter(kind for (kind,) in store.execute("SELECT kind FROM jobs"))


def test_a_teacher_is_trained_once_by_a_button_and_by_a_chip(slow, app):
    page, before = arrive(slow, app.address, "Teacher", **SMALL, seed="51"), jobs(app)
    twice(page, "^Train this teacher$")
    page.get_by_text("This teacher is trained").wait_for()
    twice(page, "^Logistic regression$")
    page.get_by_role("heading", name="64-10 on Digits 8x8").wait_for()
    page.get_by_text("This teacher is trained").wait_for()
    assert jobs(app) - before == Counter(teacher=2)


def test_a_curve_and_the_map_of_speeds_are_measured_once(slow, app):
    page, before = arrive(slow, app.address, "Prune", **SMALL, seed="52"), jobs(app)
    twice(page, "^Measure the curve$")
    page.get_by_text("stops of the dial are measured").wait_for()
    unfold(page, "Where does it really get faster?")
    twice(page, "Measure it on this machine")
    button(page, "^Cancel$").first.click()
    page.get_by_text("Cancelled. What was finished is kept").wait_for()
    assert jobs(app) - before == Counter(curve=1, speed=1)


def test_a_final_report_opens_the_test_split_once(slow, app, curve):
    store = Store(app.home / "store.sqlite")
    point = next(one for one in store.all_points() if one["method"] == "low_rank" and one["seed"] == 0)
    store.pin(point["key"], point["reference"], "")
    page, before = arrive(slow, app.address, "Compare", data="digits"), jobs(app)
    twice(page, "^Final report: test the 1 pinned")
    page.get_by_text(re.compile("^Final report on .* test examples")).wait_for()
    playwright.expect(page.get_by_text("Test set used once")).to_be_visible()
    assert jobs(app) - before == Counter(final=1)
