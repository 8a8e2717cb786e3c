"""Folds in a real browser, on a page that is drawn again and again by itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.browser.serving import CHROMIUM, serve
from tests.browser.test_app import browser, playwright  # noqa: F401  (fixtures)

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


def test_a_fold_stays_open_that_is_opened_while_another_one_appears(browser: Any, tmp_path: Path):  # noqa: F811
    """Built anew at another place, it was closed, and its click was lost where it came between the two."""
    with serve(Path(__file__).with_name("folds_demo.py"), tmp_path) as address:
        page = browser.new_page()
        page.add_init_script(OPENS)
        page.goto(address)
        page.wait_for_function("window.clicked")
        page.get_by_text("inside two").wait_for()
        page.wait_for_function("Number(/Drawn (\\d+)/.exec(document.body.innerText)?.[1]) >= 8")
        assert page.evaluate("whole()") and page.get_by_text("inside two").is_visible()
        page.close()
