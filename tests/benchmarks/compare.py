"""How long the Compare page takes with 5,000 points, in a real browser: python -m tests.benchmarks.compare

The store holds points of real curves (with all that is kept of each), repeated under other seeds with other sizes and
accuracies. A visit is timed from the request to the frame after the plane was drawn; five visits at once to the last one.
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

from playwright.sync_api import Page, sync_playwright

from compress.curves.store import Store
from compress.points.statistics import wilson
from compress.recipe import Recipe
from tests.benchmarks.report import show
from tests.benchmarks.timing import spread, table
from tests.browser.serving import CHROMIUM, CHROMIUM_ARGUMENTS, serve_app
from tests.pages.samples import measure

POINTS, VISITS, TOGETHER, ROUNDS = 5_000, 5, 5, 3
CURVES = (("low_rank", (0.05, 0.1, 0.3, 0.6, 0.9)), ("prune", (0.25, 0.5, 0.75, 0.9, 0.95)),
          ("sparse_code(atoms=32,block=8)", (1, 2, 3)), ("distill(epochs=2,seeds=1,temperatures=none)", (0.2, 0.4, 0.6)))
BARS = {1: 2.0, TOGETHER: 6.0}  # seconds
PAINTED = """count => document.querySelector('[data-chart=plane] .js-plotly-plot')?.data?.reduce(
    (sum, trace) => sum + (trace.customdata?.length || 0), 0) === count"""


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
            at_once(browser, app.address, 1)
            alone = [at_once(browser, app.address, 1) for _ in range(VISITS)]
            together = [at_once(browser, app.address, TOGETHER) for _ in range(ROUNDS)]
        browser.close()
    return table(("what", "median (fastest-slowest)", "bar", "kept"), [
        _row(f"Compare with {POINTS:,} points, one visit", alone, BARS[1]),
        _row(f"the same, {TOGETHER} visits at once, to the last", together, BARS[TOGETHER])])


def _row(what: str, seconds: list[float], bar: float) -> list[str]:
    return [what, f"{spread(seconds)} s", f"{bar:g} s", "yes" if sorted(seconds)[len(seconds) // 2] <= bar else "NO"]


def at_once(browser: Any, address: str, visitors: int) -> float:
    """Seconds until the plane of the last visitor is painted."""
    pages: list[Page] = [browser.new_page(viewport={"width": 1280, "height": 900}) for _ in range(visitors)]
    began = time.perf_counter()
    for page in pages:
        page.goto(f"{address}/Compare?data=digits", wait_until="commit")
    for page in pages:
        page.wait_for_function(PAINTED, arg=POINTS, timeout=120_000)
        page.evaluate("new Promise((next) => requestAnimationFrame(() => requestAnimationFrame(next)))")
    spent = time.perf_counter() - began
    for page in pages:
        page.close()
    return spent


PARTS = {"visits": visits}

if __name__ == "__main__":
    show(PARTS)
