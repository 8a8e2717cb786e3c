"""What a point's text in the store becomes."""

from __future__ import annotations

import json

from compress.curves.stored_text import POINT, as_point

OLD = "digits/mlp/low_rank(keep=0.1)/0"


def text_of(recipe: object, **fields: object) -> str:
    return json.dumps({**dict.fromkeys(POINT, 0), "recipe": recipe, **fields})


def test_points_of_one_recipe_have_their_own_fields_and_nobody_changes_those_of_another() -> None:
    first, second = as_point(text_of(OLD, bytes=1)), as_point(text_of(OLD, bytes=2))
    assert (first["bytes"], second["bytes"]) == (1, 2)
    first["recipe"] = "changed"
    assert second["recipe"] == as_point(text_of(OLD))["recipe"] == "digits/mlp/low_rank(coding=none,keep=0.1)/0"


def test_a_recipe_that_nobody_can_read_stays_as_it_is() -> None:
    for recipe in ("no recipe", ["digits"], None, 3):
        assert as_point(text_of(recipe))["recipe"] == recipe
