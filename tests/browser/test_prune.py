"""The Prune page in a real browser: a preset, the dial that moves every chart, and the break-even map on demand."""

from __future__ import annotations

from typing import Any

import pytest

from compress.curves.store import Store
from tests.browser.serving import CHROMIUM, App
from tests.browser.visitor import SMALL, button, chart, playwright, settled, unfold, wait_for_points
from tests.pages.samples import measure

pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason=f"no browser at {CHROMIUM}")


@pytest.fixture(scope="module")
def pruned(app: App, prepared: None) -> dict[str, str]:
    """The link to a finished curve."""
    measure(Store(app.home / "store.sqlite"), "prune", (0.25, 0.5, 0.75, 0.9))
    return {**SMALL, "sparsity": "0.5"}


def coloured(page: Any, condition: str, other: float = 0) -> float:
    """Waits until a number of weights of the layer in the histogram are drawn as remaining; returns this number."""
    return page.wait_for_function(f"""other => {{
        const drawn = document.querySelector('[data-chart=histogram] .js-plotly-plot')._fullData[1].y;
        const many = [...drawn].reduce((sum, one) => sum + one, 0);
        return {condition} ? many : null; }}""", arg=other).json_value()


def test_a_preset_draws_the_curve_and_all_that_is_inside(visit, app):
    page = visit("Prune", seed="43")
    button(page, "^Digits in a second").click()
    wait_for_points(page, 18)
    for title in ("What is saved", "Layer by layer", "Which weights remain"):
        unfold(page, title)
    settled(page, 7)
    for words in ("^File, multiply-adds and time", "^File size over the share", "^Histogram of the weights",
                  "^Number of weights connected to", "^Accuracy over the share removed from one layer"):
        playwright.expect(chart(page, words)).to_have_count(1)
    playwright.expect(page.get_by_text("Rows are a layer's outputs, columns its inputs")).to_be_visible()
    assert wait_for_points(page, 18) == 18 and page.problems == []


def test_the_dial_thins_the_histogram_without_the_server(visit, pruned):
    page = visit("Prune", **pruned)
    settled(page, 2)
    dial = page.get_by_role("slider", name="Share removed")
    before = coloured(page, "many > 0")
    dial.press("End")
    few = coloured(page, "0 < many && many < other", before)
    dial.press("Home")
    coloured(page, "many > 2 * other", few)


def test_the_break_even_map_is_measured_when_asked_for(visit, pruned):
    page = visit("Prune", **pruned)
    unfold(page, "Where does it really get faster?")
    button(page, "^(timer )?Measure it on this machine").click()
    chart(page, "^Speed-up of whole units").first.wait_for(timeout=90_000)
    settled(page, 5)
    playwright.expect(chart(page, "^Speed-up of")).to_have_count(3)
    playwright.expect(page.get_by_text("Timed on")).to_be_visible()
    assert page.problems == []
