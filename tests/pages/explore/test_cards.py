"""Large figures in a row: text is text, and a teacher's card names what everything is compared with."""

from __future__ import annotations

from pages.ui.explore import cards
from tests.pages.explore.test_pictures import NASTY, Reader


def test_figures_are_text_and_never_markup():
    page = Reader(cards.row([(NASTY, "what"), ("97 %", NASTY)]))
    assert {tag for tag, _ in page.tags} == {"div", "b", "span"}
    assert page.text == NASTY + "what" + "97 %" + NASTY


def test_a_teachers_card_names_its_accuracy_and_the_length_of_its_file(measured):
    curve = measured("low_rank", (0.1, 0.3))
    card = curve.teacher["card"]
    figures = dict((name, figure) for figure, name in cards.of_teacher(card))
    assert figures["size of its file; all other files are compared with it"] == f"{card['bytes'] / 1000:.1f} kB"
    right = f"accuracy, {card['correct']} of {card['examples']} validation examples (95 % interval)"
    assert figures[right].startswith(f"{100 * card['correct'] / card['examples']:.1f} %")
