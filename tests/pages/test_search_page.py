"""The search on the Compare page without a browser: asked, under way, answered."""

from __future__ import annotations

from typing import Any

import pytest

from compress.search.found import MEASURED, SKIPPED, Found, Fresh, SearchSoFar, Tried, view_key
from compress.search.target import Target
from pages.ui.all_methods import search, search_state
from tests.pages.explore.test_by_itself import asked  # noqa: F401  (a fixture)
from tests.pages.test_compare_page import smallest
from tests.pages.test_pages import COMPARE, LINK, component, engine, filled, labels, named, show, words  # noqa: F401

WANTED, MINUTES = "Search all methods and chains for", "Minutes"
FOLD = f"Compare.{search.TITLE}"


@pytest.fixture
def found(engine, filled) -> Any:  # noqa: F811
    """A search that is kept for at most 3 points lost: one point measured, one recipe skipped, one fresh seed."""
    target, recipe = Target(points_lost=3.0), filled.recipe.reference()
    best = smallest(filled, 3)
    made = Found(target.text(), (Tried(best["recipe"], MEASURED, best["bytes"], best["accuracy"]),
                                 Tried(best["recipe"], SKIPPED, 9_000, None, "at least 9.0 kB, and 4.0 kB is found")), 3,
                 60.0, best["recipe"], (Fresh(1, 0.8, 4.0, best["bytes"]),),
                 notices=("The notes of this search were damaged.",))
    key = view_key(recipe, target)
    engine.store.save_view(key, filled.teacher["digest"], made.plain())
    yield made
    engine.store.save_view(key, filled.teacher["digest"], {})


def test_a_search_is_asked_for_with_the_pages_numbers(show, filled, asked, engine):  # noqa: F811
    shown = show(COMPARE, {**LINK, "at_most": "3", "within": "4kB"}, opened=[FOLD])
    named(shown.selectbox, WANTED).select("both").run()
    named(shown.selectbox, MINUTES).select("6").run()
    assert [shown.query_params[name] for name in ("search", "speed", "minutes")] == ["both", "any", "6"]
    next(one for one in shown.button if one.label == "Search").click().run()
    (job,) = engine.store.active_jobs()
    assert job["request"] == {"recipe": filled.recipe.reference().text(), "target": "at_most=3,within=4kB", "minutes": 6.0,
                              "fresh": 2}
    assert asked == [filled.recipe.reference().text()] and not shown.exception
    assert "Cancel" in labels(shown.button) and next(one for one in shown.button if one.label == "Search").disabled


def test_a_link_opens_the_search_that_it_describes(show, filled, asked, engine):  # noqa: F811
    shown = show(COMPARE, {**LINK, "at_most": "3", "search": "both", "speed": "0.5", "minutes": "15"})
    assert named(shown.selectbox, WANTED).value == "both" and named(shown.selectbox, MINUTES).value == "15"
    next(one for one in shown.button if one.label == "Search").click().run()
    (job,) = engine.store.active_jobs()
    assert (job["request"]["target"], job["request"]["minutes"]) == ("at_most=3,within=20kB,latency=0.5", 15.0)


def test_the_answer_stands_with_its_luck_and_what_was_tried(show, filled, found):  # noqa: F811
    shown = show(COMPARE, {**LINK, "at_most": "3"}, opened=[FOLD])
    best = smallest(filled, 3)
    answer = next(text for text in words(shown).split("<div") if "The smallest file at most 3 points below" in text)
    assert f"<b>{best['bytes'] / 1000:.1f} kB</b>" in answer and f"Low rank (share kept {100 * best['dial']:g} %" in answer
    captions = " ".join(one.value for one in shown.caption)
    assert "with 1 fresh seed, of the teacher too, it loses 4" in captions and "misses the limit" in captions
    assert "The notes of this search were damaged" in shown.warning[0].value
    assert "Tried: 2 recipes, 1 measured, 1 could not meet the target" in captions
    assert "What was tried" in labels(shown.expander) and not shown.main.dataframe
    chart = component(shown, "search.plane")["charts"]["search"]
    now = next(trace for trace in chart["figure"]["data"] if trace.get("name") == "measured now")
    assert (now["x"], now["y"]) == ([best["bytes"]], [best["accuracy"]])
    assert "Search on" in labels(shown.button) and not shown.exception


def test_other_numbers_are_another_search(show, filled, found):  # noqa: F811
    shown = show(COMPARE, {**LINK, "at_most": "4"}, opened=[FOLD])
    assert "Search" in labels(shown.button) and "Search on" not in labels(shown.button)


def test_what_was_tried_is_a_table_the_newest_first(filled, found, known):  # noqa: F811
    table = search_state.table(found, known)
    assert table["outcome"] == ["not measured", "measured"] and table["#"] == [2, 1]
    assert table["why"][0] == "at least 9.0 kB, and 4.0 kB is found" and table["accuracy"][0] is None
    assert table["recipe"][1].startswith("Low rank (share kept ")


def test_progress_of_a_search_is_plain_data():
    live = SearchSoFar(3, 1, ((5, 0.5),), (5, 0.5))
    assert live.plain() == {"kind": "search", "measured": 3, "skipped": 1, "front": ((5, 0.5),), "best": (5, 0.5)}
