"""How a page is shown: whatever a link says ends in a valid view and plain sentences, and links restore it."""

from __future__ import annotations

import pytest

from compress.service.description import description
from pages.ui.shell.look import style, view
from pages.ui.shell.look.view import PARTS, View

LESSONS = {"ranks": 6, "zeros": 5}


def read(**parameters: str) -> tuple[View, list[str]]:
    notices: list[str] = []
    return view.from_link(parameters, LESSONS, notices), notices


@pytest.mark.parametrize("shown", [View(), View(("sidebar", "exports")), View(lecture=True),
                                   View(("presets",), True, "ranks", 6), View(points_lost=0.5)])
def test_a_link_restores_the_view(shown):
    assert read(**shown.to_link()) == (shown, [])


def test_hidden_parts_are_read_in_any_order_and_once():
    assert read(hide="settings, sidebar,settings,")[0].hidden == ("sidebar", "settings")
    assert read(hide="")[0] == View()


def test_what_a_link_asks_for_in_vain_is_said():
    shown, notices = read(hide="sidebar,foo,<b>", show="huge", lesson="nope", step="2", points="3")
    assert shown == View(("sidebar",))
    told = " ".join(notices)
    assert len(notices) == 4 and "'foo, <b>'" in told and all(part in told for part in PARTS)
    assert "show=huge" in told and "'nope'" in told and "ranks, zeros" in told
    assert "points=3" in told and "0.5, 1, 2, 5" in told


@pytest.mark.parametrize("step", ["0", "7", "x", "-1", "1.5", "٣", "9" * 500])
def test_a_step_that_a_lesson_does_not_have_is_its_first(step):
    shown, (notice,) = read(lesson="ranks", step=step)
    assert (shown.lesson, shown.step) == ("ranks", 1) and "1 to 6" in notice and len(notice) < 200


def test_a_lesson_without_a_step_begins_and_a_step_without_a_lesson_is_left_out():
    assert read(lesson="zeros") == (View(lesson="zeros", step=1), [])
    shown, notices = read(step="3")
    assert shown == View() and len(notices) == 1
    assert View(("sidebar",), False, "zeros", 2).outside_lessons() == View(("sidebar",))


def test_no_setting_has_the_name_of_a_parameter():
    """Links of before METHOD.NAME have bare names."""
    names = {entry["name"] for card in description()["methods"].values() for entry in card["settings"]}
    assert "keep" in names and not names & {*view.PARAMETERS}


def test_a_lecture_hides_sidebar_and_settings_and_scales_the_page():
    lecture = View(lecture=True)
    assert [part for part in PARTS if not lecture.shows(part)] == ["sidebar", "settings"]
    rules = style.of_view(lecture)
    assert "--ce-scale: 1.3" in rules and style.PLACES["sidebar"] in rules and style.PLACES["exports"] not in rules
    assert style.of_view(View()) == "" and set(style.PLACES) == set(PARTS)
