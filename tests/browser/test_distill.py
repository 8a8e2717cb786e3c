"""The Distill page in a real browser: students that grow, the temperature dial, the map, the teacher's place."""

from __future__ import annotations

import re
from typing import Any

import pytest

from compress.curves.store import Store
from tests.browser.serving import CHROMIUM, App
from tests.browser.visitor import (
    SMALL,
    button,
    chart,
    heading,
    link,
    note_the_hero,
    noted_heroes,
    playwright,
    settled,
    unfold,
    wait_for_link,
    wait_for_points,
)
from tests.pages.samples import measure

pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason=f"no browser at {CHROMIUM}")
STEP = "distill(epochs=3,seeds=2,temperatures=1-8)"
WIDTHS = (0.12, 0.3, 0.6)


@pytest.fixture(scope="module")
def taught(app: App, prepared: None) -> dict[str, str]:
    """The link to finished students."""
    measure(Store(app.home / "store.sqlite"), STEP, WIDTHS)
    return {**SMALL, "epochs": "3", "seeds": "2", "temperatures": "1-8", "width": "0.3"}


def temperature(page: Any) -> Any:
    return page.get_by_role("slider", name="Temperature")


BAR = "Math.max(...document.querySelector('[data-chart=outputs] .js-plotly-plot')._fullData[0].y)"


def first_bar(page: Any) -> float:
    """Height of the teacher's tallest bar."""
    return page.evaluate(BAR)


def wait_for_bar(page: Any, condition: str, height: float) -> float:
    """Waits until the teacher's tallest bar is so high; returns how high."""
    page.wait_for_function(f"height => {BAR} {condition}", arg=height)
    return first_bar(page)


def test_students_and_controls_grow_from_the_first_epoch_on(visit, app):
    page = visit("Distill", seed="41")
    note_the_hero(page)
    button(page, "^Only 50 labels").click()
    wait_for_points(page, 2)
    unfold(page, "Learned only with the teacher")
    page.get_by_text("validation examples are right in every seed with the teacher").wait_for()
    unfold(page, "What the teacher's outputs add")
    settled(page, 4)
    seen = set(noted_heroes(page))
    assert sum("controls on labels alone" in text for text in seen) > 2, seen
    wait_for_points(page, 7)
    playwright.expect(page.get_by_text("Over 3 seeds. The map")).to_be_visible()
    playwright.expect(chart(page, "^Gain over the control at each width: ")).to_have_count(1)
    playwright.expect(button(page, "^Cancel$")).to_have_count(0)
    stored = [point for point in Store(app.home / "store.sqlite").all_points() if point["seed"] == 41]
    assert {point["method"] for point in stored} == {"teacher", "distill"} and len(stored) > 80


def test_the_temperature_dial_softens_the_outputs_without_the_server(visit, taught):
    page = visit("Distill", **taught)
    unfold(page, "Dark knowledge")
    settled(page, 4)
    temperature(page).scroll_into_view_if_needed()
    before = first_bar(page)
    temperature(page).press("Home")
    sharp = wait_for_bar(page, "> height", before)
    temperature(page).press("End")
    soft = wait_for_bar(page, "< height", sharp / 1.5)
    assert link(page).get("distill.temperature", "4.0") == "4.0"
    box = temperature(page).bounding_box()
    page.mouse.move(box["x"] + box["width"] - 8, box["y"] + box["height"] / 2)
    page.mouse.down()
    sent = len(page.sent)
    page.mouse.move(box["x"] + box["width"] * 0.2, box["y"] + box["height"] / 2, steps=5)
    wait_for_bar(page, "> height", soft)
    assert len(page.sent) == sent
    page.mouse.up()


def test_another_example_shows_other_outputs(visit, taught):
    page = visit("Distill", **taught)
    unfold(page, "Dark knowledge")
    settled(page, 4)
    before = first_bar(page)
    button(page, "^Another example$").click()
    page.get_by_text("2 of 20 on which").wait_for()
    wait_for_bar(page, "!== height", before)


def test_a_click_on_the_map_takes_the_dial_and_the_temperature_there(visit, taught):
    page = visit("Distill", **taught)
    unfold(page, "What the teacher's outputs add")
    settled(page, 4)
    page.locator("[data-chart=map]").scroll_into_view_if_needed()
    page.mouse.click(*page.evaluate(
        """() => { const graph = document.querySelector('[data-chart=map] .js-plotly-plot');
        const { xaxis, yaxis } = graph._fullLayout, box = graph.getBoundingClientRect();
        return [box.left + xaxis._offset + xaxis.d2p('60 %'), box.top + yaxis._offset + yaxis.d2p('T = 8')]; }"""))
    wait_for_link(page, **{"distill.temperature": "8.0", "distill.width": "0.6"})


def test_a_student_takes_the_teachers_place_on_every_page_and_gives_it_back(visit, app, taught):
    page = visit("Distill", **taught)
    settled(page, 2)
    button(page, "^Put this student in the teacher's place$").click()
    sidebar = page.get_by_role("region", name="Sidebar")
    sidebar.get_by_text("In the teacher's place").wait_for()
    sidebar.get_by_role("link", name="Low rank").click()
    heading(page, "Low rank").wait_for()
    button(page, "^Measure the curve$").click()
    wait_for_points(page, 21)
    playwright.expect(button(page, "^Cancel$")).to_have_count(0)
    page.wait_for_url(re.compile(r"start=distill(\(|%28)"))
    chain = [point for point in Store(app.home / "store.sqlite").all_points() if point["method"] == "distill+low_rank"]
    assert len(chain) == 21 and all("width=0.3" in point["recipe"] for point in chain)
    button(page, "^Back to the teacher$").click()
    page.wait_for_url(lambda address: "start=" not in address)
    playwright.expect(sidebar.get_by_text("In the teacher's place")).to_have_count(0)


def test_teaching_can_be_cancelled(visit):
    page = visit("Distill", seed="42", **{**SMALL, "epochs": "2000"})
    button(page, "^Measure the curve$").click()
    wait_for_points(page, 2)
    button(page, "^Cancel$").first.click()
    page.get_by_text("Cancelled. What was finished is kept").wait_for()
    playwright.expect(button(page, "^Cancel$")).to_have_count(0)
    button(page, "^Measure the curve$").wait_for()
