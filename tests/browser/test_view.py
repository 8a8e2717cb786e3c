"""Lecture and theme in a real browser: what is hidden, how large type is, and that the browser keeps a theme."""

from __future__ import annotations

import pytest

from tests.browser.serving import CHROMIUM
from tests.browser.visitor import wait_for_link

playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")

pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason=f"no browser at {CHROMIUM}")

SIZE = "parseFloat(getComputedStyle(document.querySelector('h1')).fontSize)"


def type_size(page) -> float:
    return page.evaluate(SIZE)


def wait_for_type_size(page, size: float) -> None:
    page.wait_for_function(f"size => Math.abs({SIZE} - size) < 0.01", arg=size)


def test_a_lecture_hides_parts_and_makes_type_and_chart_larger_and_is_left_again(visit):
    page = visit("", hide="findings")
    sidebar, chart = page.get_by_test_id("stSidebar"), page.locator(".lp-frame:not(.lp-waiting)").first
    chart.wait_for()
    playwright.expect(page.locator(".ce-notice")).to_be_hidden()
    size, height = type_size(page), chart.bounding_box()["height"]
    page.get_by_role("button", name="Lecture", exact=True).click()
    leave = page.get_by_role("button", name="Leave the lecture")
    leave.wait_for()
    playwright.expect(sidebar).to_be_hidden()
    wait_for_link(page, show="lecture", hide="findings")
    page.wait_for_function("parseFloat(getComputedStyle(document.querySelector('.lp-frame .xtick text')).fontSize) > 20")
    wait_for_type_size(page, 1.3 * size)
    assert chart.bounding_box()["height"] == pytest.approx(1.3 * height, 1)
    page.wait_for_function("document.fullscreenElement !== null")
    leave.click()
    sidebar.wait_for()
    page.wait_for_url(lambda address: "show=" not in address)
    wait_for_type_size(page, size)


def test_a_theme_is_kept_for_every_page_until_the_system_decides_again(visit):
    page = visit("")
    # While the page is loaded anew there is no app in it.
    dark = ("(app => app ? getComputedStyle(app).backgroundColor === 'rgb(16, 21, 28)' : null)"
            "(document.querySelector('.stApp'))")
    assert not page.evaluate(dark)
    page.get_by_role("button", name="Theme: Dark").click()
    page.wait_for_function(dark)
    page.goto(page.url.split("?")[0] + "Handbook")
    page.get_by_role("button", name="Theme: Dark", pressed=True).wait_for()
    page.wait_for_function(dark)
    page.get_by_role("button", name="Theme: as the system has it").click()
    page.wait_for_function(f"({dark}) === false")


def test_on_a_phone_the_title_is_below_the_toolbar_and_charts_come_before_settings(visit):
    page = visit("Teacher", seed="45")
    page.set_viewport_size({"width": 390, "height": 844})
    header, title = page.get_by_test_id("stHeader").bounding_box(), page.get_by_role("heading", level=1)
    assert title.bounding_box()["y"] >= header["y"] + header["height"]
    settings = page.locator(".st-key-part-settings").bounding_box()
    assert page.get_by_text("not trained yet").bounding_box()["y"] < settings["y"]


def test_in_print_there_is_the_page_alone_and_nothing_of_it_is_cut(visit):
    page = visit("")
    page.locator(".lp-frame:not(.lp-waiting)").first.wait_for()
    page.emulate_media(media="print")
    playwright.expect(page.get_by_test_id("stSidebar")).to_be_hidden()
    playwright.expect(page.get_by_test_id("stButton").filter(visible=True)).to_have_count(0)
    main = page.get_by_test_id("stMain")
    assert main.evaluate("node => node.scrollHeight <= node.clientHeight && getComputedStyle(node).overflow === 'visible'")
    page.emulate_media(media="screen")
