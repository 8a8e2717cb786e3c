"""The race in a real browser: it fills the plane, is cancelled with what it has, and its points lead to their pages."""

from __future__ import annotations

import pytest

from compress.recipe import Step
from tests.browser.serving import CHROMIUM
from tests.browser.visitor import PATIENCE, button, heading
from tests.pages.samples import TEACHER

playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")

pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason=f"no browser at {CHROMIUM}")


LINK = {"data": "digits", "teacher": "mlp", "t.batch": "200",
        **{f"t.{name}": str(value) for name, value in Step.parse(TEACHER).settings}}
DOTS = """(document.querySelector('[data-chart=race] .js-plotly-plot')?.data || []).flatMap(
    (one) => one.customdata || []).length"""


def test_points_arrive_one_click_ends_the_race_and_what_is_there_stays(visit):
    page = visit("", **LINK)
    page.get_by_text("Not raced yet").wait_for()
    button(page, "^Race all methods$").click()
    cancel = page.get_by_test_id("stMain").get_by_role("button", name="Cancel")
    cancel.wait_for()
    page.wait_for_function(f"{DOTS} > 1 && {DOTS} < 20", timeout=PATIENCE)
    cancel.click()
    button(page, "^Measure the .* left$").wait_for()
    left = page.wait_for_function(DOTS).json_value()
    assert 1 < left < 45
    page.get_by_text(f"{left} networks, measured here on").wait_for()
    page.get_by_role("link", name="low rank (greedy)").click()
    heading(page, "Low rank").wait_for()
    page.wait_for_url(lambda address: "low_rank.allocation=greedy" in address and "t.batch=200" in address)


def test_a_click_on_a_point_opens_the_page_of_its_method(visit):
    page = visit("")
    chart = page.locator("[data-chart=race] .lp-frame:not(.lp-waiting)")
    chart.wait_for()
    place = page.evaluate("""() => {
      const graph = document.querySelector('[data-chart=race] .js-plotly-plot'), full = graph._fullLayout;
      const trace = graph.data.find((one) => one.mode === 'markers' && one.name === 'distillation');
      const box = graph.getBoundingClientRect(), last = trace.x.length - 3;
      return [box.left + full.xaxis._offset + full.xaxis.l2p(Math.log10(trace.x[last])),
              box.top + full.yaxis._offset + full.yaxis.l2p(trace.y[last])];
    }""")
    page.mouse.click(*place)
    heading(page, "Distill").wait_for()
    page.wait_for_url(lambda address: "distill.width=0.12" in address and "distill.epochs=30" in address)
