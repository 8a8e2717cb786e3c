"""The races that come with the program were really measured: their recipes make their points again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from compress.curves import sweep
from compress.curves.race_plan import ahead, entries
from compress.curves.store import Store
from compress.recipe import Recipe
from pages.ui.all_methods import example

CHEAP = {"low_rank": (0.12, 0.3), "prune": (0.75, 0.93), "sparse_code": (2,), "quantize": (5,), "distill": (0.04,)}


def curves(race: example.Race, known: dict[str, Any]) -> list[tuple[Any, list[dict[str, Any]]]]:
    return [(entry, [race.points[key] for key in entry.keys]) for entry in entries(Recipe.parse(race.recipe),
                                                                                  known["methods"])]


def test_they_are_whole_races_of_the_programs_entrants(known):
    """Who changes an entrant measures them anew: python -m tests.benchmarks.example > pages/ui/all_methods/example.json"""
    assert [Recipe.parse(race.recipe).data for race in example.races()] == ["digits", "mnist5k"]
    for race in example.races():
        recipe = Recipe.parse(race.recipe)
        assert sweep.complete(recipe) == recipe
        wanted = {key for entry in entries(recipe, known["methods"]) for key in entry.keys}
        assert set(race.points) == wanted
        assert ahead(curves(race, known), race.reference, 1.0)
        assert "measured on" in race.caption and f"{race.reference['examples']:,} validation examples" in race.caption


def test_the_file_is_small():
    assert (Path(example.__file__).parent / "example.json").stat().st_size < 60_000


def test_their_recipes_make_points_again(known, prepared, tmp_path):
    """Where this machine's arithmetic gives another teacher, its points may differ within their intervals."""
    race = example.races()[0]
    store = Store(tmp_path / "store.sqlite")
    for entry in entries(Recipe.parse(race.recipe), known["methods"])[:3]:
        for point in sweep.run(sweep.sweep_of(entry.request, CHEAP[entry.name]), store, latency=False):
            compare(point, race, store)
    (distilled,) = [entry for entry in entries(Recipe.parse(race.recipe), known["methods"]) if entry.name == "distill"]
    wanted = sweep.sweep_of(distilled.request, CHEAP["distill"])
    made = [point for point in sweep.run(wanted, store, latency=False)
            if Recipe.parse(point.recipe).key() in distilled.keys]
    assert len(made) == 1
    compare(made[0], race, store)


def compare(point: Any, race: example.Race, store: Store) -> None:
    """A point that was measured now with the one that is shipped."""
    shipped = race.points[Recipe.parse(point.recipe).key()]
    teacher = store.teachers(Recipe.parse(race.recipe).key())[0]["card"]
    assert teacher["bytes"] == race.reference["bytes"]
    if teacher["accuracy"] == race.reference["accuracy"]:
        assert (point.bytes, point.accuracy) == (shipped["bytes"], shipped["accuracy"]), point.recipe
    else:
        assert abs(point.bytes - shipped["bytes"]) <= 0.01 * shipped["bytes"], point.recipe
        assert shipped["accuracy_low"] <= point.accuracy <= shipped["accuracy_high"], point.recipe


@pytest.mark.parametrize("name", list(CHEAP))
def test_the_cheap_points_are_of_the_race(known, name):
    found = [entry for entry in entries(Recipe.parse(example.races()[0].recipe), known["methods"]) if entry.name == name]
    assert set(CHEAP[name]) <= set(found[0].values)
