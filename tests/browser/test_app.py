"""The whole program in a real browser: links, live curves, the dial, and what survives a reload or a kill."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from compress.curves.store import Store
from tests.browser.serving import CHROMIUM, App, serve_app
from tests.browser.visitor import (
    SMALL,
    arrive,
    button,
    chart,
    dial_says,
    heading,
    link,
    note_the_hero,
    noted_heroes,
    playwright,
    problems_of,
    select,
    settings,
    settled,
    slider,
    unfold,
    wait_for_link,
    wait_for_points,
    watched,
)

pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason=f"no browser at {CHROMIUM}")

# Points that take a moment each: a curve of them can be interrupted.
SLOW = {**SMALL, "recovery_steps": "500"}
STOPS, CHARTS = 21, 2  # of the low-rank page


def stored(app: App, seed: int) -> dict[float, float]:
    """Dial value -> when its point was measured, of the curve with this seed."""
    measured = Store(app.home / "store.sqlite").all_points()
    return {point["dial"]: point["created"] for point in measured if point["seed"] == seed and point["method"] == "low_rank"}


def test_a_link_restores_the_controls_and_the_dial(visit, curve):
    page = visit("Low_rank", **curve)
    playwright.expect(select(page, "Scheme")).to_have_value("plain")
    dial_says(slider(page), "30 %, ")
    wait_for_link(page, **curve)


def test_a_value_out_of_range_is_moved_with_a_notice(visit):
    page = visit("Low_rank", keep="5")
    page.get_by_text("between 0.001 and 1.0; 5 was lowered to 1.0").wait_for()
    page.wait_for_url(re.compile("keep=1.0"))


def test_markup_in_a_link_is_shown_as_text(visit):
    page = visit("Low_rank", **{"![a](http://picture.example/a.png)": "<img src=http://b.example/b.png>"})
    page.get_by_text("is not a setting of this page").wait_for()
    settled(page)
    playwright.expect(page.locator("img[src*='example']")).to_have_count(0)


def test_back_restores_what_was_chosen_before(visit, curve):
    page = visit("Low_rank", **{**curve, "low_rank.scheme": "whitened"})
    select(page, "Scheme").click()
    page.get_by_role("option", name="plain").click()
    page.wait_for_url(re.compile("scheme=plain"))
    settled(page)
    page.go_back()
    page.wait_for_url(lambda address: "scheme=plain" not in address)
    playwright.expect(select(page, "Scheme")).to_have_value("whitened")


def test_each_back_of_the_browser_leaves_a_page(visit, curve):
    page = visit("Low_rank", **curve)
    sidebar = page.get_by_role("region", name="Sidebar")
    for name in ("Teacher", "Prune"):
        sidebar.get_by_role("link", name=name).click()
        heading(page, f"^{name}$").wait_for()
        page.wait_for_url(re.compile(rf"/{name}\?.*data=digits"))
        settled(page)
    for name, shown in (("Teacher", "^Teacher$"), ("Low_rank", "^Low rank$")):
        page.go_back()
        page.wait_for_url(re.compile(f"/{name}"))
        heading(page, shown).wait_for()
        settled(page)
    dial_says(slider(page), "30 %, ")
    page.wait_for_url(lambda address: settings(address) == curve)
    page.go_back()
    page.wait_for_url("about:blank")


def test_what_is_chosen_goes_along_to_the_next_page(visit):
    page = visit("Low_rank", data="mnist1d", scheme="plain")
    for name, title in (("Teacher", "Teacher"), ("Start", "How small"), ("Low rank", "Low rank")):
        page.get_by_role("region", name="Sidebar").get_by_role("link", name=name).click()
        heading(page, title).wait_for()
        playwright.expect(select(page, "Data set")).to_have_value("MNIST-1D")
    playwright.expect(select(page, "Scheme")).to_have_value("plain")


def test_a_preset_trains_a_teacher_and_describes_it(visit):
    page = visit("Teacher", seed="20")
    button(page, "^LeNet-300-100$").click()
    page.get_by_role("heading", name="64-300-100-10 on Digits 8x8").wait_for()
    chart(page, "^Training curves after 20 of 20 epochs").wait_for()
    chart(page, r"^Confusion matrix: \d+ right and \d+ wrong").wait_for()
    playwright.expect(button(page, "^Cancel$")).to_have_count(0)
    playwright.expect(button(page, "Train this teacher")).to_have_count(0)


def test_training_is_watched_and_can_be_stopped(visit):
    page = visit("Teacher", seed="21", **{**SMALL, "t.epochs": "2000"})
    button(page, "^Train this teacher$").click()
    seen = wait_for_epochs(page, 1)
    assert wait_for_epochs(page, seen + 1) > seen
    button(page, "^Cancel$").first.click()
    page.get_by_text("Training was cancelled; this is the network of epoch").wait_for()
    button(page, "^Train it to the end$").wait_for()
    assert seen < wait_for_epochs(page, seen) < 2000


def wait_for_epochs(page: Any, least: int) -> int:
    """Waits until the training chart shows so many epochs."""
    page.wait_for_function(
        """least => [...document.querySelectorAll('[role=img][aria-label^="Training curves"]')].some(
            frame => Number(/after (\\d+) of/.exec(frame.ariaLabel)?.[1]) >= least)""", arg=least)
    return int(re.search(r"after (\d+) of", chart(page, "^Training curves").get_attribute("aria-label"))[1])


def test_points_arrive_while_the_curve_is_measured(visit):
    page = visit("Low_rank", seed="22")
    note_the_hero(page)
    button(page, "^Digits in a second$").click()
    assert wait_for_points(page, STOPS) == STOPS
    playwright.expect(button(page, "^Cancel$")).to_have_count(0)
    counts = [int(found[1]) for text in noted_heroes(page) if (found := re.search(r": (\d+) points", text))]
    assert any(0 < count < STOPS for count in counts) and counts == sorted(counts)
    unfold(page, "Why?")
    playwright.expect(page.get_by_text("The smallest file within one point")).to_be_visible()


def test_the_dial_moves_the_marks_without_the_server_and_writes_the_link_on_release(visit, curve):
    page = visit("Low_rank", **curve)
    settled(page, CHARTS)
    slider(page).scroll_into_view_if_needed()
    box, sent = slider(page).bounding_box(), len(page.sent)
    height = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] * 0.5, height)
    page.mouse.down()
    seen = []
    for share in (0.3, 0.95):
        page.mouse.move(box["x"] + box["width"] * share, height, steps=4)
        seen.append((mark(page), slider(page).get_attribute("aria-valuetext")))
    assert len(page.sent) == sent and link(page)["low_rank.keep"] == "0.3"
    assert seen[1][0] > seen[0][0] + 50 and seen[0][1] != seen[1][1]
    page.mouse.up()
    page.wait_for_url(lambda address: "keep=0.3" not in address)
    settled(page)
    playwright.expect(slider(page)).to_have_attribute("aria-valuetext", seen[1][1])
    assert seen[1][1].startswith(f"{100 * float(link(page)['low_rank.keep']):g} %")


def mark(page: Any) -> float:
    """Where the moving mark of the accuracy-size chart stands, once it is drawn and stands still."""
    page.wait_for_function(
        "document.querySelector('[role=img][aria-label^=\"Accuracy against file size\"] .lp-overlay path')")
    for _ in range(100):
        place, later = across(page), across(page)
        if place is not None and place == later:
            return place
    raise AssertionError("the moving mark never stood still")


def across(page: Any) -> float | None:
    """Two frames from now."""
    return page.evaluate(
        """async () => {
          for (let frame = 0; frame < 2; frame += 1) await new Promise(requestAnimationFrame);
          const chart = document.querySelector('[role=img][aria-label^="Accuracy against file size"]');
          return chart.querySelector('.lp-overlay path')?.getBoundingClientRect().x ?? null;
        }""")


def test_the_keyboard_turns_the_dial(visit, curve):
    page = visit("Low_rank", **curve)
    dial_says(slider(page), "30 %, ")
    slider(page).focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_url(re.compile("keep=0.6"))
    dial_says(slider(page), "60 %, ")


def test_cancelling_keeps_points_and_offers_to_resume(visit, app):
    page = visit("Low_rank", seed="31", **SLOW)
    button(page, "^Measure the curve$").click()
    wait_for_points(page, 2)
    button(page, "^Cancel$").first.click()
    button(page, r"^Resume \(\d+ points left\)$").wait_for()
    page.get_by_text("Cancelled. What was finished is kept").wait_for()
    kept = stored(app, 31)
    assert 2 <= len(kept) < STOPS and wait_for_points(page, len(kept)) == len(kept)
    playwright.expect(button(page, "^Resume")).to_contain_text(f"({STOPS - len(kept)} points left)")


def test_a_second_tab_sees_a_job_survives_a_reload_and_cannot_cancel_it(visit, context, app):
    long = {**SLOW, "recovery_steps": "4000"}  # still at work when nobody has looked on for 10 s
    page = visit("Low_rank", seed="32", **long)
    button(page, "^Measure the curve$").click()
    seen = wait_for_points(page, 2)
    other = visit("Low_rank", seed="32", **long)
    assert wait_for_points(other, seen) >= seen
    other.reload()
    assert wait_for_points(other, seen) >= seen and wait_for_points(page, seen + 1)
    other.get_by_text("Another session started this run; its points are shared").first.wait_for()
    settled(other)
    playwright.expect(button(other, "^Cancel$"), "nobody cancels another session's run").to_have_count(0)
    button(page, "^Cancel$").first.click()
    playwright.expect(button(page, "^Cancel$")).to_have_count(0)
    other.goto("about:blank")
    button(page, "^Resume").first.wait_for(timeout=90_000)  # the run ends some 10 s after nobody looks on any more
    assert len(stored(app, 32)) >= seen + 1


def test_a_killed_worker_is_replaced_and_the_curve_resumes(visit, app):
    page = visit("Low_rank", seed="33", **{**SLOW, "recovery_steps": "150"})
    button(page, "^Measure the curve$").click()
    wait_for_points(page, 2)
    killed = app.worker()
    os.kill(killed, signal.SIGKILL)
    page.get_by_text("The compute process was killed from outside").wait_for()
    kept = stored(app, 33)
    assert 2 <= len(kept) < STOPS
    button(page, "^Resume").click()
    assert wait_for_points(page, STOPS) == STOPS
    playwright.expect(button(page, "^Cancel$")).to_have_count(0)
    assert app.worker() != killed
    finished = stored(app, 33)
    assert len(finished) == STOPS and finished.items() >= kept.items()  # nothing was measured twice
    playwright.expect(button(page, "^Resume")).to_have_count(0)


def test_a_killed_app_has_lost_no_finished_point(browser, tmp_path):
    with serve_app(tmp_path, COMPRESS_AT_ONCE="no") as first:
        page = arrive(watched(browser.new_page()), first.address, "Low_rank", seed="34", **SLOW)
        button(page, "^Measure the curve$").click()
        seen, worker = wait_for_points(page, 2), first.worker()
        first.process.kill()
        first.process.wait()
        page.close()
    wait_for_end(worker)
    kept = stored(first, 34)
    assert seen <= len(kept) < STOPS
    with serve_app(tmp_path, COMPRESS_AT_ONCE="no") as second:
        page = arrive(watched(browser.new_page()), second.address, "Low_rank", seed="34", **SLOW)
        page.get_by_text("This job was interrupted").wait_for()
        assert wait_for_points(page, len(kept)) == len(kept)
        button(page, "^Resume").click()
        wait_for_points(page, len(kept) + 2)
        assert stored(second, 34).items() >= kept.items()
        assert problems_of(page) == []
        page.close()


def wait_for_end(process: int) -> None:
    """Returns once the process is gone: a worker ends by itself when its app does."""
    for _ in range(600):
        if not Path(f"/proc/{process}").exists():
            return
        time.sleep(0.1)
    raise AssertionError(f"the worker {process} outlived its app")


def test_the_system_theme_is_followed(visit, curve):
    page = visit("Low_rank", **curve)
    settled(page, CHARTS)
    before = text_colour(page)
    page.emulate_media(color_scheme="dark")
    page.wait_for_function("before => getComputedStyle(document.querySelector('h1')).color !== before", arg=before)
    after = text_colour(page)
    page.wait_for_function(
        """colour => [...document.querySelectorAll('[role=img][aria-label] .xtick text')].every(
            text => getComputedStyle(text).fill === colour)""", arg=after)
    settled(page, CHARTS)
    assert before != after
    playwright.expect(page.get_by_role("img", name=re.compile(".")).locator(".xtick")).not_to_have_count(0)


def text_colour(page: Any) -> str:
    return page.evaluate("getComputedStyle(document.querySelector('h1')).color")


@pytest.mark.parametrize(("path", "name"), [("Teacher", "^Train this teacher$"), ("Low_rank", "^Measure the curve$")])
def test_a_data_set_that_cannot_be_fetched_ends_in_one_clear_sentence(visit, path, name):
    page = visit(path, data="openml:mnist_784:1")
    button(page, name).click()
    message = page.get_by_role("alert").filter(has_text="could not be downloaded")
    playwright.expect(message).to_have_count(1)
    playwright.expect(message).to_contain_text("need no download")
    playwright.expect(message).not_to_contain_text("Error")
    button(page, name).wait_for()


def typed(box: Any, text: str, kept: Callable[[], bool]) -> None:
    """Types a text until the app has kept it: what is typed while a page is drawn anew can be lost."""
    for _ in range(5):
        box.fill(text)
        box.press("Enter")
        began = time.monotonic()
        while time.monotonic() - began < 5:
            if kept():
                return
            time.sleep(0.1)
    raise AssertionError(f"{text!r} was typed five times and never kept")


def clicked_until(page: Any, wanted: Any) -> None:
    """Clicks on a low-rank point of Compare's plane (which is zoomed, so that some are outside) until something is seen:
    while the page is drawn, the plane can move between the look at its place and the click."""
    plane = page.locator("[role=img][aria-label*='on a plane']")
    for _ in range(5):
        plane.evaluate("frame => frame.scrollIntoView({block: 'center'})")
        place = plane.evaluate(
            """frame => { const graph = frame.querySelector('.js-plotly-plot');
            const { xaxis, yaxis } = graph._fullLayout, box = graph.getBoundingClientRect();
            const inside = (axis, value) => axis.d2p(value) >= 0 && axis.d2p(value) <= axis._length;
            return graph.data.filter(one => one.name.startsWith('Low rank'))
              .flatMap(one => one.x.map((x, at) => [x, one.y[at]]))
              .filter(([x, y]) => inside(xaxis, x) && inside(yaxis, y))
              .map(([x, y]) => [box.left + xaxis._offset + xaxis.d2p(x), box.top + yaxis._offset + yaxis.d2p(y)])[0]; }""")
        page.mouse.move(*place)
        page.wait_for_timeout(300)  # Plotly knows what is under a pointer that has rested
        page.mouse.click(*place)
        began = time.monotonic()
        while time.monotonic() - began < 15:
            if wanted.count():
                return
            time.sleep(0.1)
    raise AssertionError("five clicks on a point opened nothing")


def test_a_click_on_a_point_opens_it_and_there_it_is_pinned_with_a_note_that_stays(visit, curve, app):
    page, store = visit("Compare", data="digits"), Store(app.home / "store.sqlite")
    settled(page, 1)
    opened = page.locator(".st-key-panel")
    clicked_until(page, opened.get_by_role("button", name="Close"))
    playwright.expect(page.locator("[data-chart=plane] .lp-letters text")).to_have_text("A")
    button(opened, "Pin$").click()
    note = page.get_by_role("textbox", name="Note")
    typed(note, "the knee of the curve", lambda: "the knee of the curve" in {one["note"] for one in store.all_points()})
    page.reload()
    playwright.expect(page.get_by_role("textbox", name="Note")).to_have_value("the knee of the curve")
    button(page, "^Unpin$").click()
    page.get_by_text("Pin the points that you want to talk about").wait_for()


def test_the_help_of_a_setting_leads_to_its_line_in_the_handbook(visit):
    page = visit("Handbook")
    page.goto(f"{page.url.split('?')[0]}#prune.allocation")
    page.reload()
    line = page.locator("tr.ce-asked")
    line.wait_for()
    playwright.expect(line).to_be_in_viewport()
    playwright.expect(line.locator("strong").first).to_have_text("allocation")
