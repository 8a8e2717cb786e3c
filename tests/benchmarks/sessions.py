"""Many visitors on one app, and a worker after many jobs: python -m tests.benchmarks.sessions [PART]

Part `classroom`: twenty browsers on one app, ten different curves, two browsers on each. All begin within a few seconds;
each page has to show its own choice, and its first point about when the others have theirs. Part `worker`: the memory of the
worker after five jobs and after forty, each with a teacher and a curve of its own, over several data sets.
"""

from __future__ import annotations

import re
import sqlite3
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

from compress.curves.store import ACTIVE, Store
from compress.service.engine import LocalEngine
from compress.service.requests import CurveRequest
from tests.benchmarks.report import show
from tests.benchmarks.timing import table
from tests.browser.serving import CHROMIUM, CHROMIUM_ARGUMENTS, App, serve_app

BROWSERS, CURVES = 20, 10
JOBS, EARLY = 40, 5
LIMIT = 300.0
MEGABYTE = 1_000_000
DATA = ("digits", "mnist1d", "mnist5k")
DRAWN = """() => {
  const chart = document.querySelector('[role=img][aria-label^="Accuracy against file size"] .js-plotly-plot');
  return Boolean(chart?.data?.some((trace) => trace.name?.startsWith('Low rank') && trace.x.length > 0));
}"""


def classroom() -> str:
    """One table; progress on standard error."""
    with (tempfile.TemporaryDirectory() as folder, sync_playwright() as driver,
          serve_app(Path(folder), COMPRESS_AT_ONCE="no") as app):
        browser = driver.chromium.launch(executable_path=str(CHROMIUM), args=CHROMIUM_ARGUMENTS)
        first = opened(browser, app, 99)
        first.get_by_role("button", name="Measure the curve").click(timeout=LIMIT * 1000)
        first_points([first])  # everything that the app loads once is there
        first.get_by_role("button", name="Cancel").first.wait_for(state="hidden", timeout=LIMIT * 1000)
        alone = resident(app.process.pid)
        pages = [opened(browser, app, number % CURVES) for number in range(BROWSERS)]
        for page in pages:
            page.get_by_role("button", name="Measure the curve").wait_for(timeout=LIMIT * 1000)
        for page in pages:
            page.get_by_role("button", name="Measure the curve").click()
        waits = first_points(pages)
        own = sum(f"seed={number % CURVES}" in page.url for number, page in enumerate(pages))
        together = resident(app.process.pid)
        browser.close()
        locked = (Path(folder) / "server.log").read_text() + (Path(folder) / "worker.log").read_text()
        jobs = count(Path(folder), "jobs") - 1
    middle, last = statistics.median(waits), max(waits)
    each = (together - alone) / BROWSERS / MEGABYTE
    return table(("what", "measured", "bar", "kept"), [
        ["pages that show their own choice", f"{own} of {BROWSERS}", f"{BROWSERS}", kept(own == BROWSERS)],
        ["runs for them", f"{jobs}", f"{CURVES}", kept(jobs == CURVES)],
        ["from the click to the first point: median, last", f"{middle:.1f} s, {last:.1f} s",
         "last within 10 s of the median", kept(last - middle <= 10)],
        ["'locked' in the logs", f"{locked.count('locked')}", "0", kept("locked" not in locked)],
        ["memory of the app for each session", f"{each:.1f} MB", "3 MB", kept(each < 3)]])


def worker() -> str:
    """One table; progress on standard error."""
    with tempfile.TemporaryDirectory() as folder:
        engine = LocalEngine(Store(Path(folder) / "store.sqlite"))
        engine.description(LIMIT)
        sizes = []
        for number in range(JOBS):
            recipe = f"{DATA[number % len(DATA)]}/mlp(epochs=2,hidden=64)/low_rank(recovery_steps=8)/{number}"
            job = engine.submit(CurveRequest(recipe, (0.1, 0.2, 0.4)), recipe, "a curve", f"session {number}")
            while (state := engine.store.job(job)["state"]) in ACTIVE:
                time.sleep(0.05)
            if state != "done":
                raise RuntimeError(f"{recipe}: {engine.store.job(job)['error']}")
            time.sleep(0.2)  # it gives memory back after its answer
            sizes.append(resident(engine.process.pid))
            say(f"job {number + 1}: {sizes[-1] / MEGABYTE:.0f} MB")
        engine.close()
    early, late = sizes[EARLY - 1], sizes[-1]
    return table(("memory of the worker after job", "MB", "bar", "kept"), [
        [f"{EARLY}", f"{early / MEGABYTE:.0f}", "", ""],
        [f"{JOBS}", f"{late / MEGABYTE:.0f}", "at most 10 % more", kept(late <= 1.1 * early)]])


def opened(browser: Any, app: App, seed: int) -> Page:
    """A visitor of its own on the page of low rank, with a teacher of its seed."""
    page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    page.goto(f"{app.address}/Low_rank?seed={seed}&t.epochs=5", timeout=LIMIT * 1000)
    return page


def first_points(pages: list[Page]) -> list[float]:
    """Seconds from the last click until each page has drawn a point, looked at in turn."""
    began, waits = time.perf_counter(), dict.fromkeys(range(len(pages)), 0.0)
    left = set(waits)
    while left:
        if time.perf_counter() - began > LIMIT:
            raise TimeoutError(f"pages {sorted(left)} have no point")
        for number in sorted(left):
            if pages[number].evaluate(DRAWN):
                waits[number] = time.perf_counter() - began
                left.discard(number)
        time.sleep(0.1)
    say(" ".join(f"{wait:.1f}" for wait in waits.values()))
    return list(waits.values())


def resident(process: int) -> int:
    """Bytes of memory that a process occupies."""
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{process}/status").read_text())
    return int(found[1]) * 1024 if found else 0


def count(home: Path, table_name: str) -> int:
    connection = sqlite3.connect(home / "store.sqlite")
    found = connection.execute(f"SELECT COUNT(*) FROM {table_name}").fetchone()[0]
    connection.close()
    return int(found)


def kept(holds: bool) -> str:
    return "yes" if holds else "NO"


def say(text: str) -> None:
    sys.stderr.write(text + "\n")


PARTS = {"classroom": classroom, "worker": worker}

if __name__ == "__main__":
    show(PARTS)
