"""The command that deletes networks: by recipe or all that are pinned; undone until the clean-up."""

from __future__ import annotations

from typing import Any

import pytest

from compress.recipe import Recipe
from compress.shell import of_archives


@pytest.fixture
def curve(measured) -> Any:
    """Two measured points in a store of their own."""
    return measured("low_rank", (0.1, 0.3))


def test_networks_are_deleted_by_recipe_listed_and_restored(curve):
    store, recipe = curve.store, curve.points[0]["recipe"]
    (said,) = of_archives.run(store, delete=[recipe])
    (listed,) = of_archives.run(store, deleted=True)
    assert said == {"deleted": 1, "until": listed["until"]} and listed["recipe"] == recipe
    assert [point["recipe"] for point in store.points(curve.recipe.curve("keep").key(), listed["reference"])] == [
        curve.points[1]["recipe"]]
    assert list(of_archives.run(store, restore=[recipe])) == [{"restored": 1}]
    assert list(of_archives.run(store, deleted=True)) == []


def test_pinned_ones_are_deleted_and_all_come_back_with_their_pins(curve):
    store = curve.store
    with pytest.raises(ValueError, match="No network is pinned"):
        list(of_archives.run(store, delete=["pinned"]))
    for point in curve.points:
        store.pin(Recipe.parse(point["recipe"]).key(), curve.teacher["digest"], "kept")
    assert next(of_archives.run(store, delete=["pinned"]))["deleted"] == 2
    assert store.pins() == {} and list(of_archives.run(store, clean_up=True)) == [{"points": 0, "files": 0, "bytes": 0}]
    assert list(of_archives.run(store, restore=["all"])) == [{"restored": 2}] and len(store.pins()) == 2


def test_what_is_not_there_or_is_a_teacher_is_refused(curve):
    never = curve.points[0]["recipe"].replace("keep=0.1", "keep=0.9")
    for options, words in (({"delete": [never]}, "was measured"), ({"restore": [never]}, "can be restored"), (
            {"delete": [curve.recipe.reference().text()]}, "A teacher cannot be deleted"), ({}, "needs one of")):
        with pytest.raises(ValueError, match=words):
            list(of_archives.run(curve.store, **options))
    assert curve.store.deleted_points() == []
