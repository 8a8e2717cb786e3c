"""Takes the README's pictures anew: python -m tests.benchmarks.pictures [race | prune | photographs]

Each page measures its curve in Chromium, with an empty cache folder. race.png and prune.png are what a visitor sees without
scrolling, race.png with the race that comes with the program; photographs.png reaches from the rebuilt photographs to the
first rows of atoms.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlencode

from playwright.sync_api import Locator, Page, sync_playwright

from tests.browser.serving import CHROMIUM, CHROMIUM_ARGUMENTS, ROOT, serve_app

WIDTH, HEIGHT, PATIENCE = 1500, 960, 240_000
LENET = {"data": "mnist5k", "teacher": "mlp"}


def main(wanted: list[str]) -> None:
    """Writes .github/NAME.png of the wanted pictures, or of all."""
    with sync_playwright() as driver, tempfile.TemporaryDirectory() as home, serve_app(Path(home)) as app:
        browser = driver.chromium.launch(executable_path=str(CHROMIUM), args=CHROMIUM_ARGUMENTS)
        for name in wanted or PICTURES:
            page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme="light")
            page.set_default_timeout(PATIENCE)
            PICTURES[name](page, app.address, ROOT / ".github" / f"{name}.png")
            page.close()


def race(page: Page, address: str, target: Path) -> None:
    """The first page at the first visit."""
    page.goto(address)
    page.locator(".lp-frame:not(.lp-waiting)").first.wait_for()
    page.wait_for_timeout(4_000)
    page.screenshot(path=target)


def prune(page: Page, address: str, target: Path) -> None:
    """The Prune page: 95 % of LeNet-300-100's weights removed by second order, the others refitted."""
    link = {**LENET, "prune.criterion": "second_order", "prune.sparsity": "0.95"}
    page.goto(f"{address}/Prune?{urlencode(link)}")
    measured(page, 18)
    page.screenshot(path=target)


def photographs(page: Page, address: str, target: Path) -> None:
    """Part of the Sparse code page: photographs from 4 of 128 atoms for each tile of 8x8."""
    page.set_viewport_size({"width": 1440, "height": 4000})
    page.goto(f"{address}/Sparse_code?method=data_codes")
    page.get_by_role("button", name="Photograph patches").click()
    measured(page, 7)
    folds = [page.locator("summary", has_text=name) for name in ("A part of the photographs", "The atoms, most used first")]
    for fold in folds:
        fold.click()
    page.wait_for_timeout(2_000)  # what is in them is drawn when they are opened
    first, last = (edges(fold) for fold in folds)
    page.screenshot(path=target, clip={"x": first["x"] - 12, "y": first["y"] - 8, "width": first["width"] + 24,
                                       "height": last["y"] - first["y"] + 330})


def measured(page: Page, points: int) -> None:
    """Waits until the curve has all its points and nothing is running, and everything is drawn."""
    page.locator(f'[role=img][aria-label*=": {points} points"]').first.wait_for()
    page.wait_for_function("![...document.querySelectorAll('button')].some((one) => one.innerText.includes('Cancel'))")
    page.reload()  # from the top, and everything from the store
    page.locator(f'[role=img][aria-label*=": {points} points"]').first.wait_for()
    page.wait_for_timeout(4_000)  # charts draw themselves one after the other


def edges(found: Locator) -> dict[str, float]:
    """Where a fold's title is drawn: x, y, width, height in pixels."""
    box = found.bounding_box()
    if box is None:
        raise ValueError("The fold is not drawn; look at the page in a browser.")
    return dict(box)


PICTURES: dict[str, Callable[[Page, str, Path], None]] = {"race": race, "prune": prune, "photographs": photographs}

if __name__ == "__main__":
    main(sys.argv[1:])
