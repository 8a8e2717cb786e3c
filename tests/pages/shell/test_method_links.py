"""The page of a network's method, by a link that restores its settings."""

from __future__ import annotations

from compress.curves.race_plan import entries
from compress.recipe import Recipe, Step
from pages.ui.shell.choice import first_choice
from pages.ui.shell.links import from_link
from pages.ui.shell.method_links import COMPARE, PAGE_OF, page_of
from tests.compress.helpers import ROOT


def test_every_curve_of_a_race_leads_to_a_page_that_restores_it(known):
    choice = first_choice(known)
    for entry in entries(choice.started(), known["methods"]):
        value = entry.values[-1]
        path, link = page_of(entry.request.at(entry.dial, value), choice, known)
        assert (ROOT / path).exists() and all(isinstance(text, str) for text in link.values())
        restored, notices = from_link(link, known, (entry.name,), choice)
        assert notices == []
        assert restored.request(known["methods"][entry.name]) == entry.request.at(entry.dial, value)


def test_what_stood_in_the_teachers_place_is_in_the_link(known):
    choice = first_choice(known)
    student = Step.of("distill", {name: value for name, value in choice.methods["distill"].items()
                                  if name not in ("seeds", "temperatures")})
    recipe = Recipe(choice.data, choice.teacher, (student, Step.of("prune", choice.methods["prune"])), 3)
    _, link = page_of(recipe, choice, known)
    restored, notices = from_link(link, known, ("prune",), choice)
    assert (restored.start, restored.seed, notices) == ((student,), 3, [])


def test_a_method_without_a_page_is_shown_on_compare(known):
    choice = first_choice(known)
    path, link = page_of(Recipe("digits", choice.teacher, (Step.of("round", {"digits": 2}),), 0), choice, known)
    assert path == COMPARE and link["data"] == "digits"


def test_every_method_of_the_program_has_its_page(known):
    assert set(PAGE_OF) == set(known["methods"]) and all((ROOT / path).exists() for path in PAGE_OF.values())
