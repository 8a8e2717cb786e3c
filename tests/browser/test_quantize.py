"""The Quantize page in a real browser: alive at the first visit, a dial that moves the levels, a preset that does what it
says."""

from __future__ import annotations

import re

import pytest

from compress.curves.store import Store
from compress.methods.quantize import Quantize
from tests.browser.serving import CHROMIUM, App
from tests.browser.visitor import SMALL, arrive, button, ends, playwright, settled, wait_for_points
from tests.pages.samples import measure

pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason=f"no browser at {CHROMIUM}")


@pytest.fixture(scope="module")
def rounded(app: App, prepared: None) -> dict[str, str]:
    """The link to a finished curve."""
    measure(Store(app.home / "store.sqlite"), "quantize(compared=false)", (2, 5, 16))
    return {**SMALL, "quantize.compared": "false", "quantize.levels": "5"}


LEVELS = "document.querySelector('[data-chart=levels] .js-plotly-plot')._fullData[1].x.length"
"""How many levels are drawn in the histogram."""


def test_a_first_visit_measures_the_curve_and_all_of_the_stage_is_in_the_window(visitor, alive):
    page = arrive(visitor, alive.address, "Quantize", **SMALL, **{"quantize.compared": "false"})
    wait_for_points(page, len(Quantize.values))
    page.get_by_text(f"All {len(Quantize.values)} stops of the dial are measured").wait_for()
    settled(page, 2)
    places = ends(page, "h1", ".st-key-ce-chips", ".ce-verdict", ".lp-dial", "[data-chart=levels]")
    assert places == sorted(places) and places[-1] <= 725, places
    playwright.expect(page.get_by_text(re.compile(r"^Levels · [\d.]+ bits?$"))).to_be_visible()


def test_the_dial_moves_the_levels_without_the_server(visit, rounded):
    page = visit("Quantize", **rounded)
    settled(page, 2)
    dial = page.get_by_role("slider", name="Levels")
    dial.press("Home")
    page.wait_for_function(f"{LEVELS} === 2")
    page.wait_for_url(re.compile("levels=2"))
    settled(page, 2)
    sent = len(page.sent)
    box = dial.bounding_box()
    page.mouse.move(box["x"] + 12, box["y"] + box["height"] / 2)
    page.mouse.down()
    seen = []
    for share in (0.2, 0.5, 0.98):
        page.mouse.move(box["x"] + box["width"] * share, box["y"] + box["height"] / 2, steps=3)
        seen.append(page.evaluate(LEVELS))
    page.wait_for_function(f"{LEVELS} > 5")
    assert len(page.sent) == sent, "while it is held, nothing goes to the server"
    page.mouse.up()
    assert seen == sorted(seen)


def test_a_setting_that_leaves_the_drawer_keeps_its_value(visit, rounded):
    """Other settings have an effect with another scheme, so that the first ones are others: these are drawn elsewhere."""
    page = visit("Quantize", **rounded, **{"quantize.correction": "4"})
    settled(page)
    page.get_by_role("combobox", name="Scheme").click()
    page.get_by_role("option", name="codebook").click()
    page.wait_for_url(re.compile("scheme=codebook"))
    rank = page.get_by_role("spinbutton", name="Rank of a correction")
    playwright.expect(rank).to_be_visible()
    settled(page)
    playwright.expect(rank).to_have_value("4")
    page.wait_for_url(re.compile("correction=4"))


def test_a_preset_sets_the_settings_that_it_names_and_measures(visit, rounded):
    page = visit("Quantize", **rounded, **{"quantize.scheme": "codebook"})
    button(page, "^Digits in a second").click()
    page.wait_for_url(re.compile(r"^(?!.*(codebook|hidden)).*data=digits"))
    wait_for_points(page, 1)
    assert page.problems == []
