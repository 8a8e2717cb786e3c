"""The dial's buttons and keys in a real browser: play, pause, step, and whom a key is meant for."""

from __future__ import annotations

import pytest

from tests.browser.serving import CHROMIUM
from tests.browser.test_liveplot import address, context, page, slider

expect = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed").expect

pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason=f"no browser at {CHROMIUM}")

__all__ = ["address", "context", "page"]  # fixtures: the demo of the chart component


def shown(page, label: str) -> None:
    page.locator(".lp-dial-value", has_text=label).wait_for()


def height(page) -> float:
    return page.locator(".lp-dial").bounding_box()["height"]


def test_play_goes_through_the_measured_stops_and_a_pause_reports_once(page):
    frames, before = len(page.sent), height(page)
    page.get_by_role("button", name="Play the measured stops").click()
    for stop in ("10 of 40", "12 of 40"):  # what is between was not measured
        shown(page, stop)
        assert len(page.sent) == frames and height(page) == before
    page.get_by_role("button", name="Pause").click()
    page.get_by_text("dial=12").wait_for()
    assert len(page.sent) == frames + 1
    page.get_by_role("button", name="One measured stop back").click()
    page.get_by_text("dial=10").wait_for()


def test_the_last_stop_ends_the_play_and_the_next_one_begins_anew(page):
    slider(page).fill("38")
    page.get_by_role("button", name="Play the measured stops").click()
    page.get_by_text("dial=40").wait_for()
    page.get_by_role("button", name="Play the measured stops").click()
    shown(page, "0 of 40")
    slider(page).press("ArrowRight")  # a hand on the dial ends the play
    page.get_by_text("dial=1 ").wait_for()
    page.get_by_role("button", name="Play the measured stops").wait_for()


def test_keys_turn_and_play_the_dial_but_not_from_a_field(page):
    page.keyboard.press("ArrowRight")
    page.get_by_text("dial=9").wait_for()
    page.get_by_role("button", name="more data").focus()
    page.keyboard.press("ArrowLeft")
    page.get_by_text("dial=8").wait_for()
    page.locator("input[type=checkbox]").first.focus()
    page.keyboard.press("ArrowRight")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("Space")
    shown(page, "10 of 40")
    page.keyboard.press("Space")
    page.get_by_text("dial=10").wait_for()
    assert page.evaluate("document.querySelector('[data-testid=stMain]').scrollTop") == 0


def test_nothing_moves_by_itself_where_motion_is_not_wanted(page):
    page.emulate_media(reduced_motion="reduce")
    page.get_by_role("button", name="Play the measured stops").click()
    page.get_by_text("dial=10").wait_for()
    expect(page.get_by_role("button", name="Pause")).to_have_count(0)
    page.emulate_media(reduced_motion="no-preference")
