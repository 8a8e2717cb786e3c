"""The Compare page without a browser: what it is asked, what it answers from the store, and what can be done with that."""

from __future__ import annotations

import re
from typing import Any

import pytest

from compress.recipe import Recipe
from tests.pages.explore.test_by_itself import asked  # noqa: F401  (a fixture)
from tests.pages.test_pages import COMPARE, LINK, engine, filled, labels, named, show, words  # noqa: F401  (fixtures)

POINTS, SIZE = "Points below the teacher", "Size of the file in kB"


def answers(shown: Any) -> list[str]:
    """Both answers as HTML."""
    return re.findall(r"ce-finding.*?</div>", words(shown))


def smallest(curve: Any, points_lost: float) -> dict[str, Any]:
    """What the first question wants of a curve."""
    within = [one for one in curve.points if one["accuracy"] >= curve.teacher["card"]["accuracy"] - points_lost / 100]
    return min(within, key=lambda one: one["bytes"])


def test_both_questions_are_answered_from_the_store(show, filled):  # noqa: F811
    shown = show(COMPARE, {**LINK, "at_most": "3", "within": "4kB"})
    assert named(shown.number_input, POINTS).value == 3 and named(shown.number_input, SIZE).value == 4
    first, second = answers(shown)
    point = smallest(filled, 3)
    assert f"<b>{point['bytes'] / 1000:.1f} kB</b>" in first and f"low rank keep {point['dial']}" in first
    best = max((one for one in filled.points if one["bytes"] <= 4_000), key=lambda one: one["accuracy"])
    assert f"<b>{100 * best['accuracy']:.1f} % (" in second and not shown.exception


def test_another_number_is_another_answer_and_is_in_the_link(show, filled):  # noqa: F811
    shown = show(COMPARE, LINK)
    assert not {"at_most", "within"} & set(shown.query_params)
    named(shown.number_input, POINTS).set_value(60.0).run()
    assert f"<b>{smallest(filled, 60)['bytes'] / 1000:.1f} kB</b>" in answers(shown)[0]
    assert shown.query_params["at_most"] == "60" and not shown.exception
    named(shown.number_input, SIZE).set_value(0.5).run()
    assert "no network so far" in answers(shown)[1] and shown.query_params["within"] == "500"


def test_an_answer_is_opened_and_pinned(show, filled, engine):  # noqa: F811
    shown = show(COMPARE, {**LINK, "at_most": "3"})
    (link, *_) = [one.proto for one in shown.main.get("page_link") if one.proto.label == "Open"]
    point = smallest(filled, 3)
    assert "Low_rank" in link.page and f"low_rank.keep={point['dial']}" in link.query_string
    next(one for one in shown.button if one.label == "Pin").click().run()
    place = (Recipe.parse(point["recipe"]).key(), filled.teacher["digest"])
    try:
        assert place in engine.store.pins() and "Pinned" in labels(shown.button)
        next(one for one in shown.button if one.label == "Pinned").click().run()
        assert place not in engine.store.pins() and not shown.exception
    finally:
        engine.store.unpin(*place)


def test_a_size_without_a_point_is_measured_by_a_click(show, filled, asked):  # noqa: F811
    sizes = [one["bytes"] for one in filled.points[:2]]
    shown = show(COMPARE, {**LINK, "within": str(round((sizes[0] * sizes[1]) ** 0.5))})
    assert asked == []
    (offer,) = [one for one in shown.button if one.label.startswith("Measure at")]
    assert "Low rank with keep 0.1" in offer.help
    offer.click().run()
    (text,) = asked
    keep = Recipe.parse(text).methods[-1].values["keep"]
    assert 0.1 < keep < 0.3 and "Cancel" in labels(shown.button) and not shown.exception


@pytest.mark.parametrize("link", [{"at_most": "many"}, {"within": "0"}])
def test_a_number_that_makes_no_sense_is_told(show, filled, link):  # noqa: F811
    shown = show(COMPARE, {**LINK, **link})
    assert next(iter(link)) in shown.warning[0].value and not shown.exception
