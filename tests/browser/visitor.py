"""What a visitor does and sees, for tests in a real browser."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from compress.recipe import Step
from tests.pages.samples import TEACHER

playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")

PATIENCE = 90_000
PAGES = ["", "Your_data", "Teacher", "Distill", "Low_rank", "Prune", "Sparse_code", "Quantize", "Chains", "Compare",
         "Lessons", "Handbook"]
HEADINGS = ["How small can this network get", "Your data", "Teacher", "Distill", "Low rank", "Prune", "Sparse code",
            "Quantize", "Chains", "Compare", "Lessons", "Handbook"]
SMALL = {"data": "digits", "teacher": "mlp", **{f"t.{name}": str(value) for name, value in Step.parse(TEACHER).settings}}
# An address where nobody answers: whoever asks for something from outside fails at once.
OFFLINE = {"http_proxy": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9", "no_proxy": "127.0.0.1,localhost",
           "COMPRESS_DOWNLOAD_SECONDS": "3"}


def watched(page: Any) -> Any:
    """Collects errors of the console, requests to other hosts, and what is sent to the server."""
    page.problems, page.sent = [], []
    page.set_default_timeout(PATIENCE)
    page.on("console", lambda message: page.problems.extend(problem(message)))
    page.on("pageerror", lambda error: page.problems.append(str(error)))
    page.on("request", lambda request: page.problems.extend(foreign(request.url)))
    page.on("websocket", lambda socket: socket.on("framesent", lambda frame: page.sent.append(len(frame))))
    return page


def problem(message: Any) -> list[str]:
    return [f"{message.text} ({message.location['url']})"] if message.type == "error" else []


def foreign(address: str) -> list[str]:
    parts = urlsplit(address)
    return [] if parts.scheme in ("data", "blob") or parts.hostname == "127.0.0.1" else [f"asked for {address}"]


def arrive(page: Any, address: str, path: str, **link: str) -> Any:
    """Opens a link and waits until the page is drawn."""
    page.goto(f"{address}/{path}" + (f"?{urlencode(link)}" if link else ""))
    heading(page, HEADINGS[PAGES.index(path)]).wait_for()
    settled(page)
    return page


def heading(page: Any, text: str) -> Any:
    return page.get_by_role("heading", level=1, name=re.compile(text))


def button(page: Any, name: str) -> Any:
    return page.get_by_role("button", name=re.compile(name))


def select(page: Any, name: str) -> Any:
    return page.get_by_role("combobox", name=name, exact=True)


def slider(page: Any) -> Any:
    return page.get_by_role("slider", name="Share kept")


def settled(page: Any, charts: int = 0) -> None:
    """Waits until no script runs, there are so many charts, and each one has been drawn."""
    page.wait_for_function(
        """least => { const frames = [...document.querySelectorAll('[role=img][aria-label]')];
        return document.querySelector('.stApp')?.dataset.testScriptState === 'notRunning'
          && frames.length >= least && frames.every(frame => frame.querySelector('.main-svg')); }""", arg=charts)


def unfold(page: Any, title: str) -> None:
    """Opens a fold under the stage and waits for what is in it."""
    page.locator("summary", has_text=title).click()
    page.locator("details[open]", has_text=title).wait_for()
    settled(page)


def settings(address: str) -> dict[str, str]:
    """What an address says."""
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}


def link(page: Any) -> dict[str, str]:
    """What the address bar says now."""
    return settings(page.url)


def wait_for_link(page: Any, **wanted: str) -> None:
    """Waits until the address bar says these settings, among others."""
    page.wait_for_url(lambda address: settings(address).items() >= wanted.items())


def dial_says(dial: Any, text: str) -> None:
    """Waits until the dial is at the stop whose words begin with this text."""
    playwright.expect(dial).to_have_attribute("aria-valuetext", re.compile(f"^{re.escape(text)}"))


def problems_of(page: Any) -> list[str]:
    """What the console has complained of until now, and a page that shows a traceback."""
    return [*page.problems, *(["a traceback is shown"] if "Traceback" in page.content() else [])]


def chart(page: Any, alt: str) -> Any:
    return page.get_by_role("img", name=re.compile(alt))


def note_the_hero(page: Any) -> None:
    """From now on, keeps every text that the chart of accuracy against size has, however short it is there."""
    page.evaluate("""() => { window.heroes = [];
      const note = () => document.querySelectorAll('[role=img][aria-label^="Accuracy against file size"]').forEach((one) => {
        if (one.ariaLabel !== window.heroes.at(-1)) window.heroes.push(one.ariaLabel); });
      note();
      new MutationObserver(note).observe(document.body, { subtree: true, childList: true, attributes: true,
                                                          attributeFilter: ["aria-label"] }); }""")


def noted_heroes(page: Any) -> list[str]:
    """These texts, oldest first."""
    return page.evaluate("window.heroes")


def wait_for_points(page: Any, least: int) -> int:
    """Waits until the curve has so many points; returns how many."""
    found = page.wait_for_function(
        """least => [...document.querySelectorAll('[role=img][aria-label^="Accuracy against file size"]')].map(
            frame => Number(/: (\\d+) points/.exec(frame.ariaLabel)?.[1])).find(points => points >= least)""", arg=least)
    return int(found.json_value())


def ends(page: Any, *selectors: str) -> list[float]:
    """Where elements end, in pixels from the window's top."""
    boxes = [page.locator(selector).first.bounding_box() for selector in selectors]
    return [box["y"] + box["height"] for box in boxes]
