"""The final report, opened from disk in Chromium without a network: its charts are drawn, and it prints."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from compress.shell.of_reports import reported
from tests.browser.serving import CHROMIUM

playwright = pytest.importorskip("playwright.sync_api")
pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason="there is no Chromium here")


@pytest.fixture(scope="module")
def written(measured, tmp_path_factory) -> Any:
    """A report on a teacher and a smaller network."""
    curve = measured("low_rank", (0.1, 0.3))
    file = tmp_path_factory.mktemp("report") / "report.html"
    reported("digits", [curve.recipe.reference().text(), curve.points[0]["recipe"]], str(file), curve.store)
    return file


@pytest.fixture
def page(written, browser) -> Iterator[Any]:
    """The report in a browser that is offline, with all that it complains of."""
    page = browser.new_context(offline=True, viewport={"width": 1280, "height": 900}).new_page()
    page.problems = []
    page.on("console", lambda message: page.problems.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: page.problems.append(str(error)))
    page.on("request", lambda request: page.problems.append(request.url)
            if request.url.partition(":")[0] not in ("file", "data", "blob") else None)
    page.goto(written.as_uri())
    yield page
    page.context.close()


def test_a_report_draws_its_charts_and_pictures_from_disk(page) -> None:
    page.wait_for_function("document.querySelectorAll('.chart .main-svg').length >= 2", timeout=60_000)
    assert page.evaluate("[...document.images].every(one => one.complete && one.naturalWidth > 0)")
    playwright.expect(page.locator("img").first).to_be_visible()
    assert page.problems == []
    before = page.evaluate("document.querySelector('#plane')._fullLayout.xaxis.range.slice()")
    page.evaluate("Plotly.relayout('plane', {'xaxis.range': [3, 4]})")
    assert page.evaluate("document.querySelector('#plane')._fullLayout.xaxis.range") == [3, 4] != before
    assert page.pdf(format="A4")[:4] == b"%PDF"
