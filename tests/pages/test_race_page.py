"""The first page without a browser: a race that comes with the program, one's own as far as it is, and one button."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs

import pytest

from compress.curves import sweep
from compress.curves.race_plan import POINTS_LOST, ahead, entries, sentence, smallest
from compress.recipe import Recipe
from compress.service.requests import RaceRequest, request_of
from pages.ui.all_methods import example
from pages.ui.shell import records
from tests.pages.explore.test_by_itself import asked  # noqa: F401  (a fixture)
from tests.pages.samples import TEACHER
from tests.pages.test_pages import LINK, component, engine, labels, named, show, words  # noqa: F401  (fixtures)

BUTTON = "Race all methods"


@pytest.fixture(scope="module")
def measured(engine, prepared, known) -> dict[str, dict[str, Any]]:  # noqa: F811
    """Two values of one curve of a race, in the pages' store: key of a recipe -> point."""
    recipe = sweep.complete(Recipe.parse(f"digits/{TEACHER}/0"))
    entry = next(entry for entry in entries(recipe, known["methods"]) if entry.name == "low_rank")
    list(sweep.run(sweep.sweep_of(entry.request, entry.values[-2:]), engine.store, latency=False))
    return engine.store.points_of(entry.keys, engine.store.teachers(recipe.key())[0]["digest"])


def captions(shown: Any) -> str:
    return " ".join(one.value for one in shown.main.caption)


def dots(shown: Any) -> list[str]:
    """The keys of the points on the plane."""
    return [key for trace in component(shown)["charts"]["race"]["figure"]["data"] for key in trace.get("customdata", [])]


def links(shown: Any) -> dict[str, dict[str, list[str]]]:
    """The words of each page link in the list -> its query parameters."""
    return {one.proto.label: parse_qs(one.proto.query_string) for one in shown.main.get("page_link")
            if " · " in one.proto.label}


def test_with_an_empty_store_the_race_of_the_program_is_shown(show, known):  # noqa: F811
    shown = show("app.py")
    race = example.races()[0]
    assert sorted(dots(shown)) == sorted(race.points)
    assert "Comes with the program" in captions(shown) and race.caption.split(",")[0] in captions(shown)
    assert BUTTON in labels(shown.main.button)


def test_where_nothing_was_measured_compare_shows_the_race_of_the_program(show, engine, monkeypatch):  # noqa: F811
    monkeypatch.setattr(engine.store, "all_points", lambda: [])
    shown = show("pages/8_Compare.py")
    assert sorted(dots(shown)) == sorted(example.races()[0].points)
    assert not shown.exception and "Nothing was measured here yet" in captions(shown)


def test_compare_begins_the_race_of_a_network_of_which_nothing_is_measured(show, engine, asked, monkeypatch):  # noqa: F811
    monkeypatch.setattr(engine.store, "all_points", lambda: [])
    shown = show("pages/8_Compare.py", {**LINK, "seed": "77"})
    assert "Nothing of mlp on Digits 8x8 is measured yet" in captions(shown) and not asked
    next(one for one in shown.main.button if one.label == BUTTON).click().run()
    assert asked == [sweep.complete(Recipe.parse(f"digits/{TEACHER}/77")).text()]
    assert "Cancel" in labels(shown.main.button) and not shown.exception


@pytest.mark.parametrize("points_lost", POINTS_LOST)
def test_the_budget_changes_the_sentence_and_measures_nothing(show, asked, known, points_lost):  # noqa: F811
    shown = show("app.py")
    named(shown.main.segmented_control, "Points lost at most").set_value(points_lost).run()
    race = example.races()[0]
    curves = [(entry, [race.points[key] for key in entry.keys]) for entry in entries(Recipe.parse(race.recipe),
                                                                                    known["methods"])]
    found = ahead(curves, race.reference, points_lost)
    assert found and f"by <b>{found.entry.words}</b>" in words(shown)
    assert f"smallest <b>{found.point['bytes'] / 1000:.1f} kB</b>" in words(shown)
    assert sentence(found, race.reference, points_lost).partition(" below")[0].endswith(
        "point" if points_lost == 1 else "points")
    assert asked == [] and not shown.exception
    assert shown.query_params.get("points") == (None if points_lost == 1 else f"{points_lost:g}")


def test_a_link_has_the_budget(show):  # noqa: F811
    assert named(show("app.py", {"points": "5"}).main.segmented_control, "Points lost at most").value == 5.0


def test_a_race_that_does_not_come_with_the_program_says_whose_is_shown(show):  # noqa: F811
    shown = show("app.py", {"data": "mnist1d"})
    assert "Not raced yet on the sidebar's network" in captions(shown) and dots(shown)
    digits = show("app.py", {"data": "mnist5k"})
    assert "Comes with the program" in captions(digits)
    assert sorted(dots(digits)) == sorted(example.races()[1].points)


def test_what_the_store_has_of_the_race_is_shown_instead(show, measured):  # noqa: F811
    shown = show("app.py", LINK)
    assert sorted(dots(shown)) == sorted(measured)
    assert "2 networks, measured here on Digits 8x8, 359 validation examples" in captions(shown)
    assert any(label.startswith("Measure the ") and label.endswith(" left") for label in labels(shown.main.button))


def test_the_race_of_the_program_stays_while_only_some_of_its_points_are_known_here(show, engine, known,  # noqa: F811
                                                                                    monkeypatch):
    """Points of a method's page are points of the race, too; alone they would look like a poor race."""
    race = example.races()[0]
    some = dict(list(race.points.items())[:3])
    monkeypatch.setattr(records, "teacher_record", lambda recipe: {"digest": "d", "card": race.reference})
    monkeypatch.setattr(engine.store, "points_of", lambda keys, digest: some)
    shown = show("app.py")
    assert sorted(dots(shown)) == sorted(race.points) and BUTTON in labels(shown.main.button)


def test_the_button_starts_one_job_for_all_who_press_it(show, engine, asked, measured):  # noqa: F811
    first, second = show("app.py", LINK), show("app.py", LINK)
    for visitor in (first, second):
        offer = next(label for label in labels(visitor.main.button) if label.startswith("Measure the "))
        named(visitor.main.button, offer).click().run()
        assert "Cancel" in labels(visitor.main.button) and not visitor.exception
    recipe = sweep.complete(Recipe.parse(f"digits/{TEACHER}/0"))
    assert asked == [recipe.text()]
    (job,) = engine.store.active_jobs()
    assert request_of(job["kind"], {"recipe": asked[0]}) == RaceRequest(recipe.text())


def test_each_curve_leads_to_its_page_with_the_settings_of_its_smallest_network(show, known):  # noqa: F811
    found = links(show("app.py"))
    (pruned,) = [link for label, link in found.items() if "pruning (gradual)" in label]
    assert pruned["method"] == ["prune"] and pruned["prune.schedule"] == ["gradual"]
    race = example.races()[0]
    (entry,) = [entry for entry in entries(Recipe.parse(race.recipe), known["methods"]) if entry.label == "gradual"]
    best = smallest([{**race.points[key], "dial": value} for key, value in entry.keys.items()], race.reference, 1.0)
    assert best and pruned["prune.sparsity"] == [str(best["dial"])]
    assert any(label.startswith(f"**{best['bytes'] / 1000:.1f} kB**") and "(gradual)" in label for label in found)


def test_what_each_curve_spends_is_on_the_page(show, known):  # noqa: F811
    shown = show("app.py", opened=["start.What each curve measures"])
    table = shown.main.dataframe[0].value
    assert list(table["curve"]) == [entry.words for entry in entries(Recipe.parse(example.races()[0].recipe),
                                                                     known["methods"])]
    assert any("recovery epochs 10" in settings for settings in table["settings"])
