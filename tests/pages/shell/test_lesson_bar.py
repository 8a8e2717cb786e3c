"""A lesson on the real pages: what its bar says, predictions, and the way from step to step."""

from __future__ import annotations

import pytest

from pages.ui.lessons import LESSONS
from tests.pages.test_pages import DISTILL, LOW_RANK, TEACHERS, engine, labels, named, show

__all__ = ["engine", "show"]  # fixtures: the pages' own engine, and a page as a new visitor sees it
LESSON = LESSONS["break-even-rank"]
TAKEN = {**LESSON.steps[0].link, "lesson": "break-even-rank"}


@pytest.fixture(autouse=True)
def quiet(monkeypatch):
    monkeypatch.setenv("COMPRESS_AT_ONCE", "no")  # nothing is measured here


def said(shown) -> str:
    return " ".join(element.value for element in [*shown.markdown, *shown.caption])


def test_every_lesson_begins_on_its_first_page(show):
    shown = show("pages/9_Lessons.py")
    assert [element.value for element in shown.subheader] == [lesson.title for lesson in LESSONS.values()]
    shown = shown.button(key="begin.break-even-rank").click().run()
    assert shown.title[0].value == "Teacher" and "step 1 of 6" in said(shown) and not shown.warning
    assert shown.query_params["lesson"] == "break-even-rank" and shown.query_params["step"] == "1"


def test_a_prediction_is_explained_only_after_an_answer(show):
    shown, question = show(TEACHERS, TAKEN), LESSON.steps[0].question
    assert question.text in said(shown) and question.why not in said(shown)
    shown = named(shown.button, question.choices[0]).click().run()
    assert question.why in said(shown) and f"Right is: {question.choices[question.right]}" in said(shown)
    assert question.choices[0] not in labels(shown.button)


def test_next_and_back_set_the_pages_state_as_their_links_say(show):
    shown = named(show(TEACHERS, {**TAKEN, "hide": "exports"}).button, "Next").click().run()
    assert shown.title[0].value == "Low rank" and LESSON.steps[1].title in said(shown)
    wanted = {**LESSON.steps[1].link, "lesson": "break-even-rank", "step": "2", "hide": "exports"}
    assert {name: shown.query_params[name] for name in wanted} == wanted
    assert not shown.warning and "Show this step" not in labels(shown.button)
    shown = named(shown.switch_page(LOW_RANK).button, "Next").click().run()  # a test's page does not follow by itself
    assert shown.query_params["low_rank.keep"] == "0.5" and "step 3 of 6" in said(shown)
    shown = named(named(shown.button, "Back").click().run().button, "Back").click().run()
    assert shown.title[0].value == "Teacher" and named(shown.button, "Back").disabled


def test_an_address_of_a_lesson_and_a_step_alone_shows_what_the_step_shows(show):
    shown = show(LOW_RANK, {"lesson": "break-even-rank", "step": "3"})
    assert "step 3 of 6" in said(shown) and "Show this step" not in labels(shown.button) and not shown.warning
    assert set(shown.query_params) == {"lesson", "step"}, "an address that was opened stays: Back leads to the page before"
    shown = named(shown.button, "Next").click().run()
    assert shown.query_params["low_rank.keep"] == LESSON.steps[3].link["low_rank.keep"]


@pytest.mark.parametrize("page", ["app.py", DISTILL], ids=["the first page", "another page"])
def test_such_an_address_of_another_page_leads_to_the_steps_page(show, page):
    shown = show(page, {"lesson": "break-even-rank", "step": "3", "hide": "exports"})
    assert shown.title[0].value == "Low rank" and shown.query_params["low_rank.keep"] == "0.5" and not shown.warning
    assert shown.query_params["hide"] == "exports" and "Show this step" not in labels(shown.button)


def test_what_such_an_address_says_itself_goes_before_the_step(show):
    shown = show(LOW_RANK, {"lesson": "break-even-rank", "step": "3", "low_rank.keep": "0.3"})
    assert "Show this step" in labels(shown.button)
    assert shown.session_state["choice"].methods["low_rank"]["keep"] == 0.3


def test_such_an_address_puts_the_steps_method_on_the_screen_and_another_method_is_not_the_step(show):
    shown = show("pages/5_Sparse_code.py", {"lesson": "atoms-of-digits", "step": "2"})
    assert "Show this step" not in labels(shown.button) and shown.session_state["active"] == "data_codes"
    shown = named(shown.segmented_control, "What is compressed").set_value("sparse_code").run()
    assert "Show this step" in labels(shown.button)


def test_whoever_wandered_off_finds_the_way_back_to_the_step(show):
    shown = show(LOW_RANK, {**LESSON.steps[2].link, "low_rank.keep": "0.3", "lesson": "break-even-rank", "step": "3"})
    shown = named(shown.button, "Show this step").click().run()
    assert shown.query_params["low_rank.keep"] == "0.5" and "Show this step" not in labels(shown.button)
    shown = named(shown.switch_page(DISTILL).run().button, "Show this step").click().run()
    assert shown.title[0].value == "Low rank" and "step 3 of 6" in said(shown)


def test_a_lesson_ends_after_its_last_step_or_when_it_is_left(show):
    last = {**LESSON.steps[-1].link, "lesson": "break-even-rank", "step": "6"}
    shown = named(show(LOW_RANK, last).button, "Finish").click().run()
    assert shown.title[0].value == "Lessons" and "lesson" not in shown.query_params
    shown = named(show(LOW_RANK, last).button, "Leave the lesson").click().run()
    assert shown.title[0].value == "Low rank" and "step 6" not in said(shown) and "lesson" not in shown.query_params
    assert shown.query_params["low_rank.keep"] == "0.06"
