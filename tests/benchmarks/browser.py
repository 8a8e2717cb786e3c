"""What a visitor waits for, in a real browser: python -m tests.benchmarks.browser

Everything is timed inside the page, from the event of the mouse or the dial to the frame after the change was drawn; the
start of the app from its command to the first page. What Streamlit, or the browser, takes for nothing at all stands beside.
The machine should be idle.
"""

from __future__ import annotations

import os
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

from tests.benchmarks.report import show
from tests.benchmarks.timing import spread, table
from tests.browser.plain_browser import plain_browser, plain_page
from tests.browser.serving import CHROMIUM, CHROMIUM_ARGUMENTS, serve, serve_app

STARTS, TEACHERS, CURVES, TURNS, DIALS = 3, 3, 3, 10, 40
STOPS = 21
EMPTY = "the same, an empty page of Streamlit"
SCRIPT = """
import streamlit as st

@st.fragment
def part():
    st.markdown(f"part {st.selectbox('Part', ['one', 'two'])}")

st.title("Empty")
st.markdown(f"page {st.selectbox('Page', ['one', 'two'])}")
part()
"""
# Installed in every page: asked(condition) answers with the milliseconds from the next mouse button's release to the
# second frame after the condition is first true.
CLOCK = """
window.asked = (condition) => new Promise((answer, fail) => {
  const holds = new Function(`return ${condition}`);
  document.addEventListener('pointerup', () => {
    const start = performance.now();
    const look = () => {
      if (performance.now() - start > 60000) return fail(new Error(`never drawn: ${condition}`));
      if (!holds()) return requestAnimationFrame(look);
      requestAnimationFrame(() => requestAnimationFrame(() => answer(performance.now() - start)));
    };
    requestAnimationFrame(look);
  }, { capture: true, once: true });
});
window.curve = () => document.querySelector('[role=img][aria-label^="Accuracy against file size"] .js-plotly-plot');
// The curve on the screen is drawn with a wide line, those that it is compared with are thin.
window.drawn = (name) => curve()?.data?.some(
  (trace) => trace.name === name && trace.line?.width === 3 && trace.x.length > 0);
"""
SWING = """
async (count) => {
  const input = document.querySelector('input[type=range]'), times = [];
  const frame = () => new Promise(requestAnimationFrame);
  input.dispatchEvent(new PointerEvent('pointerdown', { bubbles: true }));
  for (let step = 0; step < count; step += 1) {
    await new Promise((resume) => setTimeout(resume, 25 + 7 * (step % 5)));
    input.value = step % (Number(input.max) + 1);
    const start = performance.now();
    input.dispatchEvent(new Event('input', { bubbles: true }));
    await frame();
    await frame();
    times.push(performance.now() - start);
  }
  window.dispatchEvent(new PointerEvent('pointerup'));
  return times;
}
"""


def waits() -> str:
    """One table and the machine's load; progress on standard error."""
    before = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder:
        begun = starts(Path(folder))
        with sync_playwright() as driver:
            browser = driver.chromium.launch(executable_path=str(CHROMIUM), args=CHROMIUM_ARGUMENTS)
            page, part, dial = empty(browser, Path(folder))
            rows = [*begun, *visits(browser, Path(folder), page, part, dial)]
            browser.close()
    load = f"Load of the machine (1 min) before: {before:.1f}, at the end: {os.getloadavg()[0]:.1f}."
    return f"{table(('what', 'median (fastest-slowest)', 'bar', 'kept'), rows)}\n\n{load}"


def starts(folder: Path) -> list[list[str]]:
    """From the command to the first page, with an empty cache folder and with a used one; nothing is in the browser's
    cache, which a visitor pays for once."""
    times: dict[str, list[float]] = {}
    with plain_browser(folder / "browser") as browser:
        for number in range(STARTS):
            home = folder / f"start{number}"
            home.mkdir()
            for start in ("first start", "later start"):
                began = time.perf_counter()
                with serve_app(home) as app, plain_page(browser, app.address) as page:
                    for shown, selector in (("the first page", "h1"), ("its chart", ".main-svg")):
                        page.wait_for(selector)
                        times.setdefault(f"{start} of the app to {shown}", []).append(time.perf_counter() - began)
                        say(f"{start} to {shown} {time.perf_counter() - began:.1f} s")
            (home / "empty.py").write_text(SCRIPT)
            began = time.perf_counter()
            with serve(home / "empty.py", home) as address, plain_page(browser, address) as page:
                page.wait_for("h1")
                times.setdefault(EMPTY, []).append(time.perf_counter() - began)
    return [bare(what, seconds, "s") if what == EMPTY else row(what, seconds, 3.0, "s") for what, seconds in times.items()]


def empty(browser: Any, folder: Path) -> tuple[list[float], list[float], list[float]]:
    """Milliseconds from a choice to the paint where there is nothing else: of a page of Streamlit, of a part of it, and of a
    dial that moves nothing."""
    script = folder / "empty.py"
    script.write_text(SCRIPT)
    page = browser.new_page(viewport={"width": 1280, "height": 900}, color_scheme="light")
    page.set_content("<input type=range max=20>")
    dial = page.evaluate(SWING, DIALS)
    page.add_init_script(CLOCK)
    with serve(script, folder) as address:
        page.goto(address)
        page.get_by_role("combobox", name="Part").wait_for()
        times = [[choose(page, name, value, f"document.body.innerText.includes('{name.lower()} {value}')")
                  for value in ("two", "one") * (TURNS // 2)] for name in ("Page", "Part")]
    page.close()
    return times[0], times[1], dial


def visits(browser: Any, folder: Path, page_alone: list[float], part_alone: list[float],
           dial_alone: list[float]) -> list[list[str]]:
    """One visitor after the other on one app whose worker is warm; beside it what empty() measured."""
    with serve_app(folder, COMPRESS_AT_ONCE="no") as app:
        fresh, kept = [], []
        for seed in range(TEACHERS):
            page = browser.new_page(viewport={"width": 1280, "height": 900}, color_scheme="light")
            page.add_init_script(CLOCK)
            page.goto(f"{app.address}/?seed={seed}")
            page.wait_for_function("document.querySelector('.main-svg')")
            page.get_by_role("region", name="Sidebar").get_by_role("link", name="Low rank").click()
            preset = page.get_by_role("button", name="Digits in a second")
            preset.wait_for()
            fresh.append(timed(page, "drawn('Low rank, whitened')", preset.click) / 1000)
            say(f"first point {fresh[-1]:.2f} s, teacher included")
            finished(page)
            for scheme in ("plain", "centred", "randomized")[:CURVES]:
                choose(page, "Scheme", scheme)
                measure = page.get_by_role("button", name="Measure the curve")
                measure.wait_for()
                kept.append(timed(page, f"drawn('Low rank, {scheme}')", measure.click) / 1000)
                say(f"first point {kept[-1]:.2f} s")
                finished(page)
        page.locator("summary", has_text="Energy and error at each rank").click()
        page.locator("[data-chart=energies] .main-svg").first.wait_for()
        dial = page.evaluate(SWING, DIALS)
        still(page)
        selects = [choose(page, "Scheme", name, f"drawn('Low rank, {name}')")
                   for name in ("plain", "whitened") * (TURNS // 2)]
        layers = [choose(page, "Layer in the error chart", re.compile(rf"^{layer} "), "[...document.querySelectorAll("
                         f"'[role=heading]')].some((one) => one.textContent.includes('layer {layer} '))")
                  for layer in (3, 1) * (TURNS // 2)]
    return [row("click to first point, digits, teacher included", fresh, 1.0, "s"),
            row("click to first point, digits, teacher trained before", kept, 0.4, "s"),
            row("dial to paint, four charts", dial, 16.0, "ms"),
            bare("the same, a dial that moves nothing", dial_alone, "ms"),
            row("scheme (a whole page) to paint", selects, 120.0, "ms"),
            bare(EMPTY, page_alone, "ms"),
            row("layer of the error chart (its part of a page) to paint", layers, 120.0, "ms"),
            bare("the same, a part of an empty page of Streamlit", part_alone, "ms")]


def timed(page: Page, condition: str, act: Callable[[], Any]) -> float:
    """Milliseconds from the mouse button's release, in `act`, to the paint of what the condition waits for."""
    page.evaluate("(condition) => { window.answer = asked(condition); }", condition)
    act()
    return page.evaluate("window.answer")


def choose(page: Page, label: str, option: Any, condition: str = "true") -> float:
    """Picks an option of a select; the time counts from the release over the option."""
    still(page)
    wanted = page.get_by_role("option", name=option)
    while not wanted.is_visible():  # what arrives from the server closes an open list
        page.get_by_role("combobox", name=label, exact=True).click()
        still(page)
    return timed(page, condition, wanted.click)


def still(page: Page) -> None:
    """Waits until the server has had nothing to do for a while: a page that is drawn anew closes an open list."""
    page.evaluate(
        """async () => {
          for (let quiet = 0; quiet < 30; quiet += 1) {
            await new Promise(requestAnimationFrame);
            if (document.querySelector('.stApp').dataset.testScriptState !== 'notRunning') quiet = 0;
          }
        }""")


def finished(page: Page) -> None:
    """Waits until the whole curve is measured."""
    page.wait_for_function(
        "count => curve()?.closest('[role=img]').ariaLabel.includes(`: ${count} points`)", arg=STOPS, timeout=120_000)
    page.wait_for_function("![...document.querySelectorAll('button')].some((one) => one.innerText === 'Cancel')")


def row(what: str, values: list[float], bar: float, unit: str) -> list[str]:
    kept = "yes" if statistics.median(values) <= bar else "NO"
    return [what, f"{spread(values)} {unit}", f"{bar:g} {unit}", kept]


def bare(what: str, values: list[float], unit: str) -> list[str]:
    """A row of what is beyond us."""
    return [what, f"{spread(values)} {unit}", "", ""]


def say(text: str) -> None:
    sys.stderr.write(text + "\n")


PARTS = {"waits": waits}

if __name__ == "__main__":
    show(PARTS)
