"""Folds in a real browser, on a page that is drawn again and again by itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.serving import CHROMIUM, serve

playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")

pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason=f"no browser at {CHROMIUM}")

# Opens the lower fold at the very moment when the upper one appears, and tells whether it is the element that it was.
OPENS = """(() => {
  const fold = name => [...document.querySelectorAll("details")].find(
    one => one.querySelector("summary p")?.innerText === name);
  let first;
  new MutationObserver(() => {
    first = first ?? fold("Two");
    if (!fold("One") || window.clicked) return;
    window.clicked = true;
    first.querySelector("summary").click();
    new MutationObserver(() => { window.closed = window.closed || !first.open || !first.isConnected; }).observe(
      document, { subtree: true, childList: true, attributes: true });
  }).observe(document, { subtree: true, childList: true });
  window.whole = () => first.isConnected && first === fold("Two") && !window.closed;
})();"""


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serve(Path(__file__).with_name("folds_demo.py"), tmp_path_factory.mktemp("folds")) as served:
        yield served


def test_a_fold_stays_open_that_is_opened_while_another_one_appears(browser: Any, address: str):
    """Built anew at another place, it was closed, and its click was lost where it came between the two."""
    page = browser.new_page()
    page.add_init_script(OPENS)
    page.goto(address)
    page.wait_for_function("window.clicked")
    page.get_by_text("inside two").wait_for()
    page.wait_for_function("Number(/Drawn (\\d+)/.exec(document.body.innerText)?.[1]) >= 8")
    playwright.expect(page.get_by_text("inside two")).to_be_visible()
    assert page.evaluate("whole()")
    page.close()


def test_a_press_counts_for_the_fold_that_moves_away_before_it_ends(browser: Any, address: str):
    """The browser alone sends the click to what has come under the pointer, and the fold stays closed."""
    page = browser.new_page(viewport={"width": 1000, "height": 1200})
    page.goto(address)
    page.locator("summary", has_text="One").wait_for()
    press(page, "Large")
    page.mouse.up()
    height = press(page, "Below")
    page.get_by_text("inside large").wait_for()
    page.wait_for_function("y => document.elementFromPoint(200, y).closest('summary') === null", arg=height)
    page.mouse.up()
    page.get_by_text("inside below").wait_for()
    press(page, "Below")  # who moves away from what was pressed does not want it
    page.mouse.move(600, 20)
    page.mouse.up()
    press(page, "Large")
    page.mouse.up()
    page.get_by_text("inside large").wait_for(state="detached")
    playwright.expect(page.get_by_text("inside below")).to_be_visible()
    page.close()


def press(page: Any, title: str) -> float:
    """Presses the button of the mouse on a fold; returns at what height."""
    box = page.locator("summary", has_text=title).bounding_box()
    height = box["y"] + box["height"] / 2
    page.mouse.move(200, height)
    page.mouse.down()
    return float(height)
