"""Compare in a real browser: a search grows and is stopped, networks are deleted and restored, archives go down and up."""

from __future__ import annotations

import re
from typing import Any

import pytest

from compress.curves.store import Store
from tests.browser.serving import CHROMIUM
from tests.browser.visitor import button, chart, playwright, settled, unfold, wait_for_link

pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason=f"no browser at {CHROMIUM}")
FOUND = """document.querySelector('[data-chart=search] .js-plotly-plot')?.data.find(
    (one) => one.name === 'measured now')?.x?.length || 0"""
TABLE, ARCHIVES = "All points in a table", "Archives: take networks along"


def shows(page: Any, count: int) -> None:
    """Waits until the plane has so many networks."""
    playwright.expect(chart(page, f"^{count} networks on a plane")).to_be_visible()


def on_plane(page: Any) -> int:
    text = chart(page, "networks on a plane").get_attribute("aria-label")
    return int(re.match(r"\d+", text or "")[0])  # type: ignore[index]


def tick(page: Any, row: int, column: int) -> None:
    """Clicks a box of the table of all points, a canvas whose first two columns are boxes."""
    table = page.get_by_test_id("stDataFrame")
    table.scroll_into_view_if_needed()
    place, cell = table.bounding_box(), page.get_by_test_id(f"glide-cell-{column}-{row}")
    was = cell.inner_text()
    page.mouse.click(place["x"] + (44, 127)[column], place["y"] + 35 * (row + 1) + 17)
    playwright.expect(cell).not_to_have_text(was)


def test_a_search_grows_is_stopped_and_its_answer_is_opened(visit, curve):
    of_teacher = {name: value for name, value in curve.items() if not name.startswith("low_rank")}
    page = visit("Compare", **of_teacher, at_most="3", minutes="1")
    button(page, "^Search$").click()
    page.wait_for_function(f"{FOUND} > 0")
    first = page.evaluate(FOUND)
    page.wait_for_function(f"{FOUND} > {first}")
    page.get_by_test_id("stMain").get_by_role("button", name="Cancel").click()
    page.get_by_text("Cancelled. What was finished is kept").wait_for()
    playwright.expect(button(page, "^Search on$")).to_be_enabled()
    page.get_by_text("The smallest file at most 3 points below the teacher").wait_for()
    page.locator(".st-key-answer-search").get_by_role("link", name="Open").click()
    page.wait_for_url(lambda address: "/Compare" not in address)
    settled(page)
    wait_for_link(page, data="digits", **{"t.hidden": of_teacher["t.hidden"]})


def test_ticked_rows_stay_ticked_while_another_is_pinned_and_are_deleted_with_undo(visit, curve):
    page = visit("Compare", **{name: value for name, value in curve.items() if not name.startswith("low_rank")})
    before = on_plane(page)
    unfold(page, TABLE)
    tick(page, 1, column=1)
    playwright.expect(button(page, "Delete the 1 ticked")).to_be_enabled()
    tick(page, 2, column=0)
    playwright.expect(button(page, "^Unpin$")).to_have_count(1)
    playwright.expect(button(page, "Delete the 1 ticked")).to_be_enabled()
    button(page, "^Unpin$").click()
    button(page, "Delete the 1 ticked").click()
    page.get_by_text("1 network is deleted.").wait_for()
    shows(page, before - 1)
    button(page, "^Undo$").click()
    shows(page, before)
    playwright.expect(button(page, "Delete those that are ticked")).to_be_disabled()


def test_an_archive_goes_down_and_brings_deleted_networks_back(visit, app, curve):
    store = Store(app.home / "store.sqlite")
    page = visit("Compare", **{name: value for name, value in curve.items() if not name.startswith("low_rank")})
    before = on_plane(page)
    unfold(page, ARCHIVES)
    with page.expect_download() as download:
        button(page, "^.*Archive of .* networks").click()
    contents = download.value.path().read_bytes()
    gone = [(one["key"], one["reference"]) for one in store.all_points() if one["method"] == "low_rank"][:2]
    assert store.delete_points(gone) == gone
    archive = {"name": "networks.zip", "mimeType": "application/zip", "buffer": contents[:-60]}
    page.locator("input[type=file]").set_input_files(archive)
    page.get_by_text("The archive was refused whole").wait_for()
    shows(page, before - 2)
    page.locator("input[type=file]").set_input_files({**archive, "buffer": contents})
    page.get_by_text("2 networks are added").wait_for()
    shows(page, before)
