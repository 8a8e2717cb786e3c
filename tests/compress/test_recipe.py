"""Recipes: text and object are equivalent, and equal recipes have equal keys."""

from __future__ import annotations

import hashlib
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compress.curves.sweep import complete
from compress.methods import methods
from compress.networks.families import FAMILIES
from compress.recipe import LATER, Recipe, Step
from compress.setting_values import label_value
from compress.settings import Settings
from compress.training.loop import Training

LETTERS = st.characters(exclude_categories=["Cs"])
TEXT = "digits/mlp(epochs=3,hidden=32-16)/low_rank(keep=0.1,scheme=plain)/0"


def settings_of(*kinds: type[Settings]) -> st.SearchStrategy[dict[str, Any]]:
    """Any allowed settings of these classes, as plain data."""
    values: dict[str, st.SearchStrategy[Any]] = {}
    for entry in (entry for kind in kinds for entry in kind.describe()):
        low, high = entry["low"], entry["high"]
        values[entry["name"]] = {
            "bool": st.booleans(), "str": st.sampled_from(entry["choices"] or [""]),
            "int": st.integers(int(low or 0), int(high or 0)), "float": st.floats(low, high),
            "sizes": st.lists(st.integers(int(low or 0), int(high or 0)), max_size=3).map(
                lambda sizes: "-".join(map(str, sizes)) or "none"),
            "numbers": st.lists(st.floats(low, high).map(lambda one: round(one, 3)), max_size=3).map(
                lambda numbers: "-".join(f"{one:g}" for one in numbers) or "none"),
            "label": st.one_of(st.integers(), st.text(LETTERS, min_size=1, max_size=30)).map(label_value)}[entry["type"]]
    return st.fixed_dictionaries({}, optional=values)


def steps(families: dict[str, Any]) -> st.SearchStrategy[Step]:
    return st.sampled_from(sorted(families)).flatmap(
        lambda name: st.builds(Step.of, st.just(name), settings_of(*families[name])))


TEACHERS = steps({name: (kind, Training) for name, kind in FAMILIES.items()})
METHODS = steps({name: (kind,) for name, kind in methods().items()})
RECIPES = st.builds(Recipe, st.sampled_from(("digits", "mnist1d", "openml:Fashion-MNIST:1", "local:my-data.v2")),
                    TEACHERS, st.lists(METHODS, max_size=2).map(tuple), st.integers(0, 10**6))


@given(RECIPES)
def test_a_recipe_comes_back_from_its_text(recipe: Recipe) -> None:
    again = Recipe.parse(recipe.text())
    assert again.text() == recipe.text() and again.key() == recipe.key()
    assert (again.data, again.seed, len(again.methods)) == (recipe.data, recipe.seed, len(recipe.methods))
    for step, known in zip((again.teacher, *again.methods), (recipe.teacher, *recipe.methods), strict=True):
        assert step.name == known.name and step.values.keys() == known.values.keys()
        assert all(str(step.values[name]) == str(value) for name, value in known.values.items())


@given(RECIPES)
def test_a_complete_recipe_comes_back_complete(recipe: Recipe) -> None:
    try:
        whole = complete(recipe)
    except ValueError:  # settings that exclude each other
        return
    assert complete(Recipe.parse(whole.text())).key() == complete(whole).key() == whole.key()


def test_defaults_spelled_out_or_left_out_have_one_key() -> None:
    short = complete(Recipe.parse("digits/mlp/low_rank/0"))
    spelled = complete(Recipe.parse("digits/mlp(epochs=20,hidden=300-100)/low_rank(scheme=whitened)/0"))
    assert short == spelled and short.key() == spelled.key()


def test_the_order_and_spacing_of_settings_do_not_matter() -> None:
    spaced = " digits/mlp( hidden=32-16 , epochs=3 )/low_rank(scheme=plain, keep=0.1)/0 "
    assert Recipe.parse(spaced) == Recipe.parse(TEXT) and Recipe.parse(spaced).text() == TEXT


@pytest.mark.parametrize("other", ["digits/mlp(epochs=3,hidden=32-16)/low_rank(keep=0.1,scheme=plain)/1",
                                   "digits/mlp(epochs=3,hidden=32-16)/low_rank(keep=0.2,scheme=plain)/0",
                                   "digits/mlp(epochs=3,hidden=32-16)/0", "mnist5k/mlp(epochs=3,hidden=32-16)/0",
                                   TEXT.replace("/0", "+low_rank(keep=0.1,scheme=plain)/0")])
def test_another_recipe_has_another_key(other: str) -> None:
    assert Recipe.parse(other).key() != Recipe.parse(TEXT).key()


def test_a_curve_is_its_points_without_the_dial() -> None:
    recipe = Recipe.parse(TEXT)
    curve = recipe.curve("keep")
    assert curve.text() == "digits/mlp(epochs=3,hidden=32-16)/low_rank(scheme=plain)/0"
    assert recipe.at("keep", 0.7).curve("keep") == curve
    assert curve.at("keep", 0.1) == recipe
    assert recipe.reference().text() == "digits/mlp(epochs=3,hidden=32-16)/0"


def test_only_the_last_methods_dial_is_turned() -> None:
    recipe = Recipe.parse("digits/mlp/low_rank(keep=0.5)+low_rank(keep=0.2)/0")
    assert recipe.at("keep", 0.3).text() == "digits/mlp/low_rank(keep=0.5)+low_rank(keep=0.3)/0"
    assert recipe.curve("keep").text() == "digits/mlp/low_rank(keep=0.5)+low_rank/0"


def test_a_step_can_be_changed_without_touching_the_first() -> None:
    step = Step.parse("low_rank(keep=0.1)")
    assert step.having(scheme="plain", keep=0.3).text() == "low_rank(keep=0.3,scheme=plain)"
    assert step.text() == "low_rank(keep=0.1)" and step.values == {"keep": 0.1}
    assert step.without("keep").text() == "low_rank"


@pytest.mark.parametrize("text", ["", "digits", "digits/mlp", "digits/mlp/low_rank", "digits/mlp/low_rank/x",
                                  "digits/mlp/low_rank/-1", "digits/mlp/a/b/0"])
def test_what_is_not_a_recipe_is_answered_with_the_form_of_one(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not a recipe; write data/teacher/method/seed, for example"):
        Recipe.parse(text)


@pytest.mark.parametrize("text", ["", "3rank", "low rank", "low_rank(keep=0.1", "low_rank keep=0.1)", "low_rank(k=1)x"])
def test_what_is_not_a_step_is_answered_with_the_form_of_one(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not a name with settings; write it like low_rank\(keep=0.1\)"):
        Step.parse(text)


def test_a_setting_without_a_value_is_answered_with_the_form_of_one() -> None:
    with pytest.raises(ValueError, match=r"'keep' in 'low_rank\(keep\)' is not name=value; write it like low_rank"):
        Step.parse("low_rank(keep)")


@pytest.mark.parametrize("value", [0.1, 1e-6, 1 / 3, math.pi, 5, True, False, "plain", "300-100", "none"])
def test_a_value_is_read_as_it_was_spelled(value: Any) -> None:
    found = Step.parse(Step.of("m", {"s": value}).text()).values["s"]
    assert found == value and type(found) is type(value)


@pytest.mark.parametrize("text", ["mlp(hidden=8,,epochs=1)", "mlp(hidden=8,)", "mlp(,hidden=8)", "mlp(,)"])
def test_a_comma_too_many_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="has a comma too many"):
        Step.parse(text)
    assert Step.parse("mlp( )") == Step("mlp")


STORED_BEFORE = "digits/mlp/low_rank(keep=0.1,scheme=plain)/0"


def test_a_recipe_without_coding_has_the_key_of_how_files_were_stored_before_it_was_a_setting() -> None:
    key = Recipe.parse(STORED_BEFORE).key()
    assert key == hashlib.sha256(STORED_BEFORE.encode()).hexdigest()[:20]
    same = ("coding=none", "precision=float32", "coding=none,precision=float32")
    other = ("coding=entropy", "precision=int8", "coding=none,precision=float16", "coding=entropy,precision=float32")
    keys = [Recipe.parse(f"digits/mlp/low_rank(keep=0.1,scheme=plain,{text})/0").key() for text in (*same, *other)]
    assert keys[:3] == [key] * 3 and key not in keys[3:] and keys[3] == keys[6] and len(set(keys[3:])) == 3


def test_how_a_file_is_stored_is_a_matter_of_the_last_method_alone() -> None:
    keys = {Recipe.parse(f"digits/mlp/low_rank(keep=0.1{text})+prune(coding=entropy)/0").key()
            for text in ("", ",coding=entropy", ",coding=none", ",precision=int8,coding=entropy")}
    assert len(keys) == 1
    assert Recipe.parse("digits/mlp/low_rank(keep=0.1)+prune/0").key() not in keys


@pytest.mark.parametrize(("text", "spelled"), [
    (STORED_BEFORE, "digits/mlp/low_rank(coding=none,keep=0.1,scheme=plain)/0"), ("digits/mlp/0", "digits/mlp/0"),
    ("digits/mlp/prune(coding=entropy)/0", "digits/mlp/prune(coding=entropy)/0"),
    ("digits/mlp/low_rank+prune/0", "digits/mlp/low_rank+prune(coding=none)/0")])
def test_a_point_of_before_says_that_its_file_is_not_coded(text: str, spelled: str) -> None:
    recipe = Recipe.parse(text)
    assert recipe.as_measured().text() == spelled and recipe.as_measured().key() == recipe.key()


def test_a_setting_that_came_later_leaves_the_keys_of_earlier_points() -> None:
    before = Recipe.parse("digits/mlp/quantize(levels=5)+quantize(levels=3)/0")
    later = ",".join(f"{name}={value}" for name, value in LATER)
    now = Recipe.parse(f"digits/mlp/quantize(levels=5,{later})+quantize(levels=3,{later})/0")
    assert now.key() == before.key() != Recipe.parse(now.text().replace("correction=0", "correction=2", 1)).key()
