"""The stage of a method's page in a real browser: alive at the first visit, whole above the fold, still under a drag."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from typing import Any

import pytest

from tests.browser.serving import CHROMIUM, App
from tests.browser.visitor import SMALL, arrive, button, ends, playwright, select, settled, unfold, wait_for_points

pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason=f"no browser at {CHROMIUM}")


def test_a_first_visit_measures_the_curve_and_all_of_the_stage_is_in_the_window(visitor, alive):
    page = arrive(visitor, alive.address, "Low_rank", **SMALL)
    wait_for_points(page, 21)
    page.get_by_text("All 21 stops of the dial are measured").wait_for()
    settled(page, 2)
    places = ends(page, "h1", ".st-key-ce-chips", ".ce-verdict", ".lp-dial", "[data-chart=accuracy-size]")
    assert places == sorted(places) and places[-1] <= 725, places
    playwright.expect(page.get_by_role("slider", name="Share kept"), "the dial starts at the best stop, not at the default"
                      ).not_to_have_attribute("aria-valuetext", re.compile("^15 %"))


def test_the_dial_stands_still_while_it_is_dragged_and_moves_what_is_unfolded(visitor, alive):
    page = arrive(visitor, alive.address, "Low_rank", **SMALL, **{"low_rank.keep": "0.3"})
    wait_for_points(page, 21)
    unfold(page, "Energy and error at each rank")
    settled(page, 4)
    select(page, "Layer in the error chart").click()
    page.get_by_role("option", name=re.compile("^3 ")).click()  # this part of the fold alone is drawn again
    page.get_by_role("heading", name=re.compile("layer 3 ")).wait_for()
    dial = page.get_by_role("slider", name="Share kept")
    dial.scroll_into_view_if_needed()
    box, still = dial.bounding_box(), page.locator(".lp-dial").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    figures, *marks = shown(page, "true")
    seen = {figures}
    for share, moved in ((0.02, "<"), (0.3, ">"), (0.6, ">"), (0.98, ">")):
        page.mouse.move(box["x"] + box["width"] * share, box["y"] + box["height"] / 2, steps=3)
        figures, *marks = shown(page, f"figures !== before[0] && marks.every((mark, at) => mark {moved} before[at + 1])",
                                [figures, *marks])
        assert page.locator(".lp-dial").bounding_box() == still
        seen.add(figures)
    page.mouse.up()
    assert len(seen) == 5, "the figures change with every move"
    page.wait_for_url(re.compile("keep=0.9"))


def shown(page: Any, condition: str, before: list[Any] | None = None) -> list[Any]:
    """Waits until the figures beside the dial and how far right the first moving mark of each of two charts stands fulfil a
    condition; returns all three."""
    return page.wait_for_function(
        f"""before => {{ const figures = document.querySelector('.lp-tiles').innerText;
          const marks = ['spectra', 'energies'].map((name) => document.querySelector(
            `[data-chart=${{name}}] .lp-overlay path`)?.getBoundingClientRect().x);
          return marks.every((mark) => mark !== undefined) && {condition} ? [figures, ...marks] : null; }}""",
        arg=before).json_value()


def test_on_a_phone_the_title_is_free_and_the_hero_comes_before_the_settings(visitor, alive):
    visitor.set_viewport_size({"width": 390, "height": 844})
    page = arrive(visitor, alive.address, "Low_rank", **SMALL, **{"low_rank.keep": "0.3"})
    wait_for_points(page, 21)
    title = page.locator("h1").bounding_box()
    opener = page.get_by_test_id("stExpandSidebarButton").bounding_box()
    assert title["y"] >= opener["y"] + opener["height"] - 8
    hero, settings = ends(page, "[data-chart=accuracy-size]", "[data-testid=stColumn]:has(.st-key-ce-work)")
    assert hero < settings
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    for words in (".lp-dial-below span", ".lp-tile span", ".ce-preset"):
        assert page.locator(words).evaluate_all("all => all.every(one => one.scrollWidth <= one.clientWidth + 1)"), words
    ticks = page.locator("[data-chart=accuracy-size] .xtick text")
    turned = ticks.evaluate_all("all => all.filter(one => /rotate\\((?!0)/.test(one.getAttribute('transform')))")
    assert ticks.count() >= 3 and turned == []


def jobs(app: App) -> list[tuple[str, str, str]]:
    """State, kind and request of all jobs there ever were, oldest first."""
    with closing(sqlite3.connect(app.home / "store.sqlite")) as store:
        return store.execute("SELECT state, kind, request FROM jobs ORDER BY id").fetchall()


def test_on_a_slow_processor_one_gesture_is_one_job_that_is_not_cancelled(visitor, alive):
    """Reruns of the page overlap here. A chip changes data set and settings at once; its page then measures by itself."""
    page = arrive(visitor, alive.address, "Sparse_code", method="data_codes")
    page.get_by_text("stops of the dial are measured").wait_for()
    visitor.context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": 6})
    before = len(jobs(alive))
    button(page, "^Photograph patches$").click()
    page.locator('[role=img][aria-label^="Accuracy"][aria-label*="points"]').first.wait_for()
    page.wait_for_url(re.compile("data=photographs"))
    page.get_by_text("stops of the dial are measured").wait_for(state="hidden")
    page.wait_for_timeout(3_000)
    assert len(jobs(alive)) == before + 1
    button(page, "^Recover a planted dictionary$").click()  # before the first is through
    page.get_by_text("stops of the dial are measured").wait_for()
    of_gestures = jobs(alive)[before:]
    assert len(of_gestures) == 2 and of_gestures[-1][0] == "done", of_gestures
