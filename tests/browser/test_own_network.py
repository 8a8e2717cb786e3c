"""A network from one's own disk becomes the teacher of every page."""

from __future__ import annotations

import pytest

from tests.compress.networks.onnx.graphs import made, node, numbers

pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
from tests.browser.visitor import button, heading, playwright, settled, wait_for_link


def test_a_network_is_looked_at_added_measured_and_removed(visit):
    page = visit("Your_data")
    page.get_by_text("A network", exact=True).first.click()
    page.get_by_text("takes the teacher's place").wait_for()
    contents = made([node("Flatten", "x", "f"), node("MatMul", "f w", "scores")], [numbers("w", 64, 10)], ("n", 1, 8, 8),
                    ("n", 10))
    mine = {"name": "mine.onnx", "mimeType": "application/x", "buffer": contents}
    page.locator("input[type=file][accept*=onnx]").set_input_files(mine)  # the uploader of data may still be there
    page.get_by_text("What can be done with each layer").wait_for()
    page.get_by_text("no more than by chance").wait_for()
    button(page, "Add and use it").click()
    page.get_by_text("and the teacher on every page").wait_for()
    settled(page)
    wait_for_link(page, teacher="own")
    page.get_by_role("link", name="See it on the data").click()
    heading(page, "Teacher").wait_for()
    button(page, "Measure this network").click()
    page.get_by_text("Which classes are confused").wait_for()
    page.get_by_text("mine on Digits 8x8").wait_for()
    page.go_back()
    heading(page, "Your data").wait_for()
    settled(page)
    button(page, "Race all methods on it").click()
    heading(page, "How small can this network get").wait_for()
    button(page, "^Cancel$").first.click()  # so it has begun, without another click
    playwright.expect(button(page, "^Cancel$")).to_have_count(0)
    page.go_back()
    heading(page, "Your data").wait_for()
    settled(page)
    button(page, "^Remove").click()
    button(page, "^Remove it").click()
    playwright.expect(page.get_by_text("Networks that were added")).to_have_count(0)
