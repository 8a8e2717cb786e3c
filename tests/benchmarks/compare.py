"""How long the Compare page takes with 5,000 points, in a real browser: python -m tests.benchmarks.compare

The store holds points of real curves (with all that is kept of each), repeated under other seeds with other sizes and
accuracies. A visit is timed from the click on Compare, in a browser that has the app open, to the frame after the plane was
drawn; five visits at once to the last one. Beside that, a browser that opens the page as its first: then the app's own
programs (Streamlit's, plotly.js) are loaded too, and a page without charts is the measure of what that alone takes.
"""

from __future__ import annotations

import json
import random
import sqlite3
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from compress.curves.store import Store
from compress.points.statistics import wilson
from compress.recipe import Recipe
from tests.benchmarks.report import show
from tests.benchmarks.timing import spread, table
from tests.browser.serving import CHROMIUM, CHROMIUM_ARGUMENTS, serve_app
from tests.pages.samples import measure

POINTS = 5_000
CURVES = (("low_rank", (0.05, 0.1, 0.3, 0.6, 0.9)), ("prune", (0.25, 0.5, 0.75, 0.9, 0.95)),
          ("sparse_code(atoms=32,block=8)", (1, 2, 3)), ("distill(epochs=2,seeds=1,temperatures=none)", (0.2, 0.4, 0.6)))
HANDBOOK = "document.querySelector('h1')?.textContent === 'Handbook'"
PAINTED = """count => document.querySelector('[data-chart=plane] .js-plotly-plot')?.data?.reduce(
    (sum, trace) => sum + (trace.customdata?.length || 0), 0) === count"""

PLACE = """() => { const graph = document.querySelector('[data-chart=plane] .js-plotly-plot');
    const { xaxis, yaxis } = graph._fullLayout, box = graph.getBoundingClientRect();
    const trace = graph.data.find(one => one.customdata?.length > 100);
    const high = trace.y.indexOf(Math.max(...trace.y));
    return [box.left + xaxis._offset + xaxis.d2p(trace.x[high]), box.top + yaxis._offset + yaxis.d2p(trace.y[high])]; }"""


def fill(store: Store, count: int = POINTS) -> None:
    """Real curves, and their points again under other seeds until there are as many as are wanted."""
    for method, values in CURVES:
        measure(store, method, values)
    numbers = random.Random(0)
    with sqlite3.connect(store.path) as connection:
        connection.row_factory = sqlite3.Row
        originals = [dict(row) for row in connection.execute("SELECT * FROM points")]
        roles = {(row["key"], row["reference"]): dict(row) for row in connection.execute("SELECT * FROM roles")}
        for number in range(count - len(originals)):
            original = originals[number % len(originals)]
            row = repeated(original, 1 + number // len(originals), numbers)
            insert(connection, "points", row)
            role = roles.get((original["key"], original["reference"]))
            if role:
                insert(connection, "roles", {**role, "key": row["key"]})


def repeated(row: dict[str, Any], seed: int, numbers: random.Random) -> dict[str, Any]:
    """A row of the table of points under another seed: a recipe, a size and an accuracy of its own."""
    point = json.loads(row["point"])
    recipe = replace(Recipe.parse(point["recipe"]), seed=seed)
    correct = round(point["examples"] * min(1.0, max(0.0, point["accuracy"] + numbers.gauss(0, 0.02))))
    low, high = wilson(correct, point["examples"])
    own = {**point, "recipe": recipe.text(), "seed": seed, "accuracy": correct / point["examples"], "accuracy_low": low,
           "accuracy_high": high, "bytes": max(200, round(point["bytes"] * numbers.lognormvariate(0, 0.3)))}
    return {**row, "key": recipe.key(), "curve": f"{row['curve']}.{seed}", "point": json.dumps(own)}


def insert(connection: sqlite3.Connection, table: str, row: dict[str, Any]) -> None:
    """One row, whatever columns the table has."""
    connection.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})", list(row.values()))


def visits() -> str:
    """One table: a visit alone, and several at once."""
    with sync_playwright() as driver, tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder) / "store.sqlite")
        fill(store)
        browser = driver.chromium.launch(executable_path=str(CHROMIUM), args=CHROMIUM_ARGUMENTS)
        with serve_app(Path(folder)) as app:
            measured = [_row(what, [timed(browser, app.address, visitors) for _ in range(rounds)], bar)
                        for what, timed, visitors, rounds, bar in MEASURED]
        browser.close()
    return table(("what", "median (fastest-slowest)", "bar", "kept"), measured)


def _row(what: str, seconds: list[float], bar: float | None) -> list[str]:
    kept = "" if bar is None else "yes" if sorted(seconds)[len(seconds) // 2] <= bar else "NO"
    return [what, f"{spread(seconds)} s", "" if bar is None else f"{bar:g} s", kept]


def clicked(browser: Browser, address: str, visitors: int) -> float:
    """Seconds from the clicks on Compare to the last visitor's plane; every browser has the app open, on the first page."""
    pages = [_visitor(browser) for _ in range(visitors)]
    for page in pages:
        page.goto(f"{address}/?data=digits", wait_until="commit")
        page.wait_for_selector(".js-plotly-plot .main-svg", timeout=120_000)
    pages[0].wait_for_timeout(3_000)
    began = time.perf_counter()
    for page in pages:
        page.get_by_role("link", name="Compare").first.evaluate("link => link.click()")
    return _until(pages, began, PAINTED)


def opened(browser: Browser, address: str, visitors: int) -> float:
    """Seconds until the plane of the last visitor is painted, in browsers that never saw the app."""
    pages, began = [_visitor(browser) for _ in range(visitors)], time.perf_counter()
    for page in pages:
        page.goto(f"{address}/Compare?data=digits", wait_until="commit")
    return _until(pages, began, PAINTED)


def frame_alone(browser: Browser, address: str, visitors: int) -> float:
    """The same of a page without charts."""
    pages, began = [_visitor(browser) for _ in range(visitors)], time.perf_counter()
    for page in pages:
        page.goto(f"{address}/Handbook?data=digits", wait_until="commit")
    return _until(pages, began, HANDBOOK)


def selected(browser: Browser, address: str, visitors: int) -> float:
    """Seconds from the click on a point, of a page that is painted, to the frame in which its panel stands there."""
    (page,) = pages = [_visitor(browser)]
    page.goto(f"{address}/Compare?data=digits", wait_until="commit")
    page.wait_for_function(PAINTED, arg=POINTS, timeout=120_000)
    page.wait_for_timeout(1_500)
    page.locator("[data-chart=plane]").evaluate("frame => frame.scrollIntoView({block: 'center'})")
    page.wait_for_timeout(300)
    place = page.evaluate(PLACE)
    page.mouse.move(*place)
    page.wait_for_timeout(300)
    began = time.perf_counter()
    page.mouse.click(*place)
    page.wait_for_selector(".st-key-panel", state="attached")
    page.evaluate("new Promise((next) => requestAnimationFrame(() => requestAnimationFrame(next)))")
    spent = time.perf_counter() - began
    for one in pages:
        one.close()
    return spent


def _visitor(browser: Browser) -> Page:
    return browser.new_page(viewport={"width": 1280, "height": 900})


def _until(pages: list[Page], began: float, holds: str) -> float:
    for page in pages:
        page.wait_for_function(holds, arg=POINTS, timeout=120_000)
        page.evaluate("new Promise((next) => requestAnimationFrame(() => requestAnimationFrame(next)))")
    spent = time.perf_counter() - began
    for page in pages:
        page.close()
    return spent


# What, how it is timed, how many visitors at once, how often, and the bar in seconds.
MEASURED = (
    ("(the first visits of all)", opened, 1, 1, None),
    (f"Compare with {POINTS:,} points, from the click", clicked, 1, 5, 2.0),
    ("the same, 5 visitors at once, to the last", clicked, 5, 3, 6.0),
    ("from a click on a point to its panel", selected, 1, 5, 0.3),
    ("opened in a new browser", opened, 1, 5, None),
    ("the same, 5 new browsers at once, to the last", opened, 5, 3, None),
    ("a page without charts in a new browser", frame_alone, 1, 5, None),
    ("the same, 5 new browsers at once, to the last", frame_alone, 5, 3, None),
)
PARTS = {"visits": visits}

if __name__ == "__main__":
    show(PARTS)
