"""What tests in a real browser share: the browser, the app, and visitors.

tests.browser.visitor needs Playwright, and is imported where a fixture uses it: without Playwright, these tests are skipped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from compress.curves.store import Store
from tests.browser.serving import CHROMIUM, CHROMIUM_ARGUMENTS, App, serve_app
from tests.pages.samples import measure


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """One app for all tests of a file but those that kill it. What a test measures stays there: each one that trains or
    measures has a seed of its own."""
    from tests.browser.visitor import OFFLINE

    with serve_app(tmp_path_factory.mktemp("app"), COMPRESS_AT_ONCE="no", **OFFLINE) as started:
        yield started


@pytest.fixture(scope="module")
def curve(app: App, prepared: None) -> dict[str, str]:
    """The link to a finished curve."""
    from tests.browser.visitor import SMALL

    measure(Store(app.home / "store.sqlite"), "low_rank(scheme=plain)", (0.05, 0.1, 0.3, 0.6, 0.9))
    return {**SMALL, "low_rank.scheme": "plain", "low_rank.keep": "0.3"}


@pytest.fixture(scope="package")
def browser() -> Iterator[Any]:
    """Started once; without Playwright, or without Chromium, tests that ask for it are skipped."""
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    if not CHROMIUM.exists():
        pytest.skip(f"no browser at {CHROMIUM}")
    with playwright.sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=str(CHROMIUM), args=CHROMIUM_ARGUMENTS)
        playwright.expect.set_options(timeout=90_000)
        yield started
        started.close()


@pytest.fixture(scope="module")
def context(browser: Any) -> Iterator[Any]:
    """One cache for most tests; each of their pages is a visitor of its own all the same."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, color_scheme="light")
    yield context
    context.close()


@pytest.fixture
def visit(context: Any, app: App) -> Iterator[Callable[..., Any]]:
    """visit("Low_rank", keep="0.3"): a new visitor at this link. No page may end with an error in its console."""
    from tests.browser.visitor import arrive, problems_of, watched

    opened = []

    def go(path: str, **link: str) -> Any:
        opened.append(watched(context.new_page()))
        return arrive(opened[-1], app.address, path, **link)

    yield go
    for page in opened:
        assert problems_of(page) == []
        page.close()


@pytest.fixture(scope="module")
def alive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """An app that measures by itself, as it does for every visitor."""
    from tests.browser.visitor import OFFLINE

    with serve_app(tmp_path_factory.mktemp("alive"), **OFFLINE) as started:
        yield started


@pytest.fixture
def visitor(browser: Any) -> Iterator[Any]:
    """A page of a small window; it may not end with an error in its console."""
    from tests.browser.visitor import watched

    context = browser.new_context(viewport={"width": 1280, "height": 720}, color_scheme="light")
    page = watched(context.new_page())
    yield page
    assert page.problems == []
    context.close()
