"""A table from one's own disk becomes a data set of every page."""

from __future__ import annotations

import pytest

from tests.browser.serving import CHROMIUM
from tests.browser.visitor import button, chart, heading, playwright, settled, wait_for_link

pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason=f"no browser at {CHROMIUM}")


def table(rows: int) -> bytes:
    lines = [f"{row % 17},{(row * row) % 23},{'owl' if row % 17 > 8 else 'wren'}" for row in range(rows)]
    return "\n".join(["wing,beak,bird", *lines]).encode()


def chosen(page, name: str, contents: bytes) -> None:
    page.locator("input[type=file]").set_input_files({"name": name, "mimeType": "text/csv", "buffer": contents})


def test_a_table_is_looked_at_added_raced_and_removed(visit):
    page = visit("Your_data")
    page.get_by_text("An example:").wait_for()
    chosen(page, "birds.csv", table(391))
    page.get_by_text("391", exact=True).wait_for()
    playwright.expect(page.get_by_role("combobox", name="Column with the classes")).to_have_value("bird")
    button(page, "Add and use it").click()
    page.get_by_text("birds is added and chosen").wait_for()
    settled(page)
    wait_for_link(page, data="local:birds")
    button(page, "Compress a network on it").click()
    heading(page, "How small can this network get").wait_for()
    wait_for_link(page, data="local:birds")
    chart(page, r"^[1-9]\d* networks of").wait_for()
    page.locator(".st-key-race-progress").get_by_role("button", name="Cancel").click()
    button(page, "Measure the").wait_for()
    page.go_back()
    heading(page, "Your data").wait_for()
    settled(page)
    button(page, "^Remove").click()
    button(page, "^Remove it").click()
    playwright.expect(page.get_by_text("birds", exact=True)).to_have_count(0)


def test_a_file_that_is_no_data_is_refused_in_a_sentence(visit):
    page = visit("Your_data")
    chosen(page, "birds.csv", b"wing,bird\n1,owl\n2,wren,3\n")
    page.get_by_text("line 3 has 3 values, but the lines before it have 2").wait_for()
    playwright.expect(button(page, "Add and use it")).to_have_count(0)
