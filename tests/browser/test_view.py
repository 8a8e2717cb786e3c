"""Lecture and theme in a real browser: what is hidden, how large type is, and that the browser keeps a theme."""

from __future__ import annotations

import pytest

from tests.browser.serving import CHROMIUM
from tests.browser.test_app import app, browser, context, visit

playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")

pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason=f"no browser at {CHROMIUM}")

__all__ = ["app", "browser", "context", "visit"]  # fixtures: the whole program, and a visitor of it


def type_size(page) -> float:
    return page.evaluate("parseFloat(getComputedStyle(document.querySelector('h1')).fontSize)")


def test_a_lecture_hides_parts_and_makes_type_and_chart_larger_and_is_left_again(visit):
    page = visit("", hide="findings")
    sidebar, chart = page.get_by_test_id("stSidebar"), page.locator(".lp-frame:not(.lp-waiting)").first
    chart.wait_for()
    assert not page.locator(".ce-notice").is_visible()
    size, height = type_size(page), chart.bounding_box()["height"]
    page.get_by_role("button", name="Lecture", exact=True).click()
    leave = page.get_by_role("button", name="Leave the lecture")
    leave.wait_for()
    assert not sidebar.is_visible() and "show=lecture" in page.url and "hide=findings" in page.url
    page.wait_for_function("parseFloat(getComputedStyle(document.querySelector('.lp-frame .xtick text')).fontSize) > 20")
    assert type_size(page) == pytest.approx(1.3 * size) and chart.bounding_box()["height"] == pytest.approx(1.3 * height, 1)
    assert page.evaluate("document.fullscreenElement !== null")
    leave.click()
    sidebar.wait_for()
    assert "show=" not in page.url and type_size(page) == pytest.approx(size)


def test_a_theme_is_kept_for_every_page_until_the_system_decides_again(visit):
    page = visit("")
    dark = "getComputedStyle(document.querySelector('.stApp')).backgroundColor === 'rgb(16, 21, 28)'"
    assert not page.evaluate(dark)
    page.get_by_role("button", name="Theme: Dark").click()
    page.wait_for_function(dark)
    page.goto(page.url.split("?")[0] + "Handbook")
    page.get_by_role("button", name="Theme: Dark", pressed=True).wait_for()
    assert page.evaluate(dark)
    page.get_by_role("button", name="Theme: as the system has it").click()
    page.wait_for_function(f"!({dark})")
