"""What a race measures and who is ahead, from plain data alone."""

from __future__ import annotations

from typing import Any

import pytest

from compress.curves.race_plan import Entry, ahead, checked_budget, entries, is_within, sentence, smallest
from compress.recipe import Recipe

TEACHER = {"accuracy": 0.95, "bytes": 100_000}
RECIPE = Recipe.parse("digits/mlp(hidden=16)/0")


def card(name: str, *race: dict[str, Any]) -> dict[str, Any]:
    settings = [{"name": "share", "of_sweep": False}, {"name": "scheme", "of_sweep": False},
                {"name": "seeds", "of_sweep": True}]
    return {"name": name, "title": name.title(), "dial": "share", "settings": settings, "race": list(race)}


def entrant(label: str, effort: int = 1, **settings: Any) -> dict[str, Any]:
    return {"label": label, "settings": {"share": 0.5, "scheme": "plain", "seeds": 3, **settings}, "values": [0.1, 0.2],
            "effort": effort}


def point(accuracy: float, size: int) -> dict[str, Any]:
    return {"accuracy": accuracy, "bytes": size}


def test_every_method_enters_with_its_easiest_curve_before_any_enters_its_others() -> None:
    cards = {"cut": card("cut", entrant("trained", 3), entrant("bare")), "none": card("none"),
             "fold": card("fold", entrant("", 4)), "sum": card("sum", entrant("twice", 2), entrant("once", 2))}
    found = entries(RECIPE, cards)
    assert [entry.words for entry in found] == ["cut (bare)", "sum (twice)", "fold", "sum (once)", "cut (trained)"]


def test_an_entrys_points_lack_the_settings_that_only_add_runs() -> None:
    (entry,) = entries(RECIPE, {"cut": card("cut", entrant("", scheme="fine"))})
    assert entry.request.text() == "digits/mlp(hidden=16)/cut(scheme=fine,seeds=3,share=0.1)/0"
    assert entry.keys == {Recipe.parse(f"digits/mlp(hidden=16)/cut(scheme=fine,share={value})/0").key(): value
                          for value in (0.1, 0.2)}


def test_a_race_follows_what_is_in_the_teachers_place() -> None:
    (entry,) = entries(Recipe.parse("digits/mlp/distill(width=0.2)/0"), {"cut": card("cut", entrant(""))})
    assert [step.name for step in entry.request.methods] == ["distill", "cut"]


@pytest.mark.parametrize(("accuracy", "size", "within"), [
    (0.94, 99_999, True), (0.95 - 0.01, 99_999, True), (0.9399, 99_999, False), (0.96, 100_000, False)])
def test_the_budget_is_kept_to_the_last_example_and_a_larger_file_never_wins(accuracy: float, size: int,
                                                                             within: bool) -> None:
    assert is_within(point(accuracy, size), TEACHER, 1.0) == within


def test_the_smallest_within_the_budget_is_ahead_whatever_curve_has_it() -> None:
    first, second = entries(RECIPE, {"cut": card("cut", entrant("")), "fold": card("fold", entrant("twice"))})
    curves: list[tuple[Entry, list[dict[str, Any]]]] = [
        (first, [point(0.95, 50_000), point(0.90, 1_000)]), (second, [point(0.941, 40_000), point(0.945, 40_000)])]
    found = ahead(curves, TEACHER, 1.0)
    assert found and found.entry is second and found.point["accuracy"] == 0.945
    assert sentence(found, TEACHER, 1.0) == ("At most 1 point below the teacher: smallest 40.0 kB, 2.5x, by "
                                             "fold (twice).")
    wide = ahead(curves, TEACHER, 5.0)
    assert wide and wide.point["bytes"] == 1_000 and "At most 5 points" in sentence(wide, TEACHER, 5.0)


def test_without_a_point_within_the_budget_nobody_is_ahead() -> None:
    (entry,) = entries(RECIPE, {"cut": card("cut", entrant(""))})
    assert smallest([], TEACHER, 1.0) is None
    found = ahead([(entry, [point(0.5, 10)])], TEACHER, 0.5)
    assert sentence(found, TEACHER, 0.5) == "At most 0.5 points below the teacher: no smaller network yet."


@pytest.mark.parametrize("text", ["-1", "101", "nan", "much", ""])
def test_a_budget_that_is_none_is_refused_by_its_name(text: str) -> None:
    with pytest.raises(ValueError, match=r"--points-lost must be a number between 0 and 100, but got .*For example"):
        checked_budget(text, "--points-lost")
    assert checked_budget("2.5") == 2.5
