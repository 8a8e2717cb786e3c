"""All pages by a cold link, and a walk over all methods and the presets on digits: the browser's console stays empty, and
every request is answered."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.browser.serving import App
from tests.browser.visitor import (
    HEADINGS,
    PAGES,
    SMALL,
    arrive,
    button,
    heading,
    playwright,
    problems_of,
    select,
    settled,
    watched,
)

# Streamlit looks for its root from a page below it, two requests for each page that is opened by its address: they are not
# found, and it goes on at the root. Nothing in the app can answer them.
SEARCH = re.compile(r"^/\w+/_stcore/(health|host-config)$")
METHODS = {"Low_rank": ("low_rank", "data_svd"), "Sparse_code": ("sparse_code", "data_codes", "activation_codes")}
QUICK = {"low_rank": {}, "data_svd": {"epochs": "1"}, "sparse_code": {"iterations": "1", "atoms": "8"},
         "data_codes": {"epochs": "1", "iterations": "1", "atoms": "16"}, "activation_codes": {"iterations": "1"},
         "distill": {"epochs": "1", "seeds": "1", "temperatures": "none"}, "prune": {}, "quantize": {}}
ONE_METHOD = {"Distill": "distill", "Prune": "prune", "Quantize": "quantize"}


@pytest.fixture
def walker(browser: Any) -> Iterator[Any]:
    """A page whose answers of 400 and above and failed requests are kept beside what is in its console."""
    page = watched(browser.new_context(viewport={"width": 1440, "height": 900}, accept_downloads=True).new_page())
    page.refused = []
    page.on("response", lambda response: page.refused.extend([response.url] if response.status >= 400 else []))
    # A page that is left, and a download, end their requests: these are aborted, not refused.
    page.on("requestfailed", lambda request: page.refused.extend(
        [] if request.failure == "net::ERR_ABORTED" else [f"{request.url}: {request.failure}"]))
    yield page
    page.context.close()


def refused(page: Any, opened: int) -> list[str]:
    """The addresses without an answer, less those of Streamlit's search on so many pages."""
    search = [address for address in page.refused if SEARCH.match(urlsplit(address).path)]
    assert len(search) <= 2 * opened
    return [address for address in page.refused if address not in search]


@pytest.mark.parametrize(("path", "title"), list(zip(PAGES, HEADINGS, strict=True)), ids=HEADINGS)
def test_a_cold_link_to_any_page_shows_it_and_asks_nobody_outside(walker, app, path, title):
    failed = []
    walker.on("requestfailed", lambda request: failed.append(request.url))
    arrive(walker, app.address, path)
    for shown in (heading(walker, title), walker.get_by_role("link", name="Handbook"), select(walker, "Data set")):
        playwright.expect(shown).to_be_visible()
    assert problems_of(walker) == [] and failed == [] and refused(walker, bool(path)) == []


def stops() -> Iterator[tuple[str, dict[str, str]]]:
    """Every page that shows what was measured, with every method of it, quick to measure on digits."""
    for path in sorted(set(PAGES) - {"", "Your_data", "Lessons", "Handbook"}, key=PAGES.index):
        for method in METHODS.get(path, (ONE_METHOD.get(path, ""),)):
            quick = {f"{method}.{name}": value for name, value in QUICK.get(method, {}).items()}
            yield path, {**SMALL, **({"method": method} if path in METHODS else {}), **quick}


def test_a_walk_over_pages_methods_and_presets_leaves_an_empty_console(walker, app: App):
    page, opened, taken = walker, 0, 0
    for path, link in stops():
        arrive(page, app.address, path, **link)
        opened += 1
        if path in {*METHODS, *ONE_METHOD}:
            page.locator(".st-key-ce-chips button").first.wait_for()
        finished(page)
        for preset in page.get_by_role("button", name=re.compile("^(Digits in a second|Digits, 12 components)$")).all():
            preset.click()
            taken += 1
            finished(page)
        for name in ("This point's file", "as CSV"):
            for one in page.locator("[data-testid=stDownloadButton] button").filter(has_text=name).all():
                with page.expect_download() as download:
                    one.click()
                assert download.value.failure() is None, (path, link)
        assert page.problems == [], (path, link)
    assert refused(page, opened) == [] and taken >= 4


def finished(page: Any) -> None:
    """Waits until nothing runs any more and every chart is drawn."""
    settled(page)
    playwright.expect(button(page, "^Cancel$")).to_have_count(0)
    settled(page)
