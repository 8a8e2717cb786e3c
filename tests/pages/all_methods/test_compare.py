"""The compare page's rows and its front: what nothing else beats in both accuracy and size."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compress.recipe import Recipe
from pages.ui.all_methods import compare
from pages.ui.all_methods.keeping import table
from pages.ui.charts import palette, setting_words
from tests.pages.samples import figure_of, point

networks = st.lists(st.builds(lambda size, correct: point(0.1, 1_000 * size, 10 * correct),
                              st.integers(1, 12), st.integers(0, 10)))


def beaten(one: dict, other: dict) -> bool:
    """Whether the other one is at least as good in both, and better in one."""
    better = other["bytes"] < one["bytes"] or other["accuracy"] > one["accuracy"]
    return better and other["bytes"] <= one["bytes"] and other["accuracy"] >= one["accuracy"]


@given(networks)
def test_the_front_holds_just_the_places_that_nothing_beats(points):
    best = {(one["bytes"], one["accuracy"]) for one in points if not any(beaten(one, other) for other in points)}
    front = compare.pareto(points)
    assert [(one["bytes"], one["accuracy"]) for one in front] == sorted(best)
    assert all(any(one is other for other in points) for one in front)


@pytest.fixture
def everything(measured):
    """A teacher, a curve and a curve of compressed data."""
    data = [point for point in measured("data_svd(epochs=1)", (4, 16)).store.all_points() if "data_svd" in point["recipe"]]
    assert data
    return [*data, *measured("low_rank", (0.1, 0.3)).store.all_points()]


def test_points_of_earlier_contents_of_a_name_are_marked(everything, known):
    contents = everything[0]["data_digest"]
    assert {row["data_title"] for row in compare.rows(everything, known, lambda name: contents)} == {"Digits 8x8"}
    earlier = {row["data_title"] for row in compare.rows(everything, known, lambda name: "0123456789abcdef")}
    assert earlier == {f"Digits 8x8 (earlier contents {contents[:6]})"}
    unknown = [{**point, "data_digest": None} for point in everything]
    assert {row["data_title"] for row in compare.rows(unknown, known, lambda name: contents)} == {"Digits 8x8"}
    own = [{**point, "data": "local:mine", "recipe": point["recipe"].replace("digits/", "local:mine/")} for point in unknown]
    assert {row["data_title"] for row in compare.rows(own, known, lambda name: contents)} == {
        "local:mine (contents unknown)"}


def test_rows_are_the_networks_with_their_size_against_their_own_teacher(everything, known):
    rows = compare.rows(everything, known, lambda name: everything[0]["data_digest"])
    assert {row["method"] for row in rows} >= {"teacher", "low_rank"}
    assert not any(row["method"] == "data_svd" for row in rows)
    for row in rows:
        teacher = next(one for one in rows if one["method"] == "teacher" and one["reference"] == row["reference"])
        assert row["smaller"] == teacher["bytes"] / row["bytes"]
        assert row["data_title"] == "Digits 8x8" and row["teacher_title"] == "mlp 24-16, seed 0"
    assert len({row["id"] for row in rows}) == len(rows)


def test_a_student_that_never_learned_anything_is_no_network_to_compare(everything, known):
    point = next(one for one in everything if one["method"] == "low_rank")
    for inside, shown in (({"diverged": 1, "best_epoch": 0}, 0), ({"diverged": 4, "best_epoch": 3}, 1),
                          ({"best_epoch": 0}, 1)):
        assert len(compare.rows([{**point, "inside": inside}], known)) == shown


def test_rows_without_their_teacher_claim_no_ratio(everything, known):
    alone = [one for one in everything if one["method"] == "low_rank"]
    assert [row["smaller"] for row in compare.rows(alone, known)] == [None] * len(alone)


def test_settings_in_words_name_the_dial_and_what_is_not_default(known):
    recipe = Recipe.parse("digits/mlp/low_rank(keep=0.15,output_layer=true,recovery_steps=0,scheme=plain)/0")
    assert setting_words.settings_in_words(recipe, known["methods"]) == "share kept 15 %, output layer, plain"
    second_order = Recipe.parse("digits/mlp/prune(criterion=second_order,sparsity=0.9)/0")
    assert setting_words.settings_in_words(second_order, known["methods"]) == "share removed 90 %, second order"
    assert setting_words.settings_in_words(recipe.reference(), known["methods"]) == ""


def test_a_method_that_this_version_does_not_have_is_shown_with_all_its_settings(everything, known):
    point = next(one for one in everything if one["method"] == "low_rank")
    gone = {**point, "method": "gone", "recipe": point["recipe"].replace("low_rank(", "gone(")}
    (row,) = compare.rows([gone], known)
    assert row["method_title"] == "gone"
    scheme = Recipe.parse(point["recipe"]).methods[-1].values["scheme"]
    assert f"scheme {scheme}" in row["settings"] and f"keep {point['dial']}" in row["settings"]
    figure_of(compare.plane([row]))


def test_the_plane_shows_every_row_once_and_marks_pins(everything, known):
    rows = compare.rows(everything, known)
    rows[-1]["pinned"] = 1.0
    chart = compare.plane(rows)
    figure_of(chart)
    shown = [identity for trace in chart["figure"]["data"] for identity in trace.get("customdata", [])]
    assert sorted(shown) == sorted(row["id"] for row in rows)
    (rings,) = [trace for trace in chart["figure"]["data"] if trace["name"] == "pinned"]
    assert (rings["x"], rings["y"]) == ([rows[-1]["bytes"]], [rows[-1]["accuracy"]])
    assert f"{len(rows)} networks" in chart["alt"]


def test_teachers_are_stars_and_methods_have_their_colours(everything, known):
    traces = {trace["name"]: trace for trace in compare.plane(compare.rows(everything, known))["figure"]["data"]}
    assert traces["Teacher"]["marker"]["symbol"] == "star"
    assert traces["Low rank"]["marker"]["color"] == palette.of_method("low_rank")


def test_rows_get_the_pins_of_now_and_stay_as_they_were_made(everything, known):
    made = compare.rows(everything, known)
    before = [dict(row) for row in made]
    place = made[0]["key"], made[0]["reference"]
    pinned = compare.with_pins(made, {place: {"pinned": 5.0, "note": "n"}})
    assert [(row["pinned"], row["note"]) for row in pinned if row["pinned"]] == [(5.0, "n")] and made == before
    cleared = compare.with_pins(pinned, {})
    assert not any(row["pinned"] or row["note"] for row in cleared) and len(cleared) == len(made)


@pytest.fixture
def taught(measured):
    """Students with their controls, a teacher and everything else in the same store."""
    return measured("distill(epochs=2,seeds=1,temperatures=none)", (0.2, 0.6)).store.all_points()


def test_controls_have_their_own_title(taught, known):
    rows = [row for row in compare.rows(taught, known) if row["method"] == "distill"]
    alone = [row for row in rows if Recipe.parse(row["recipe"]).methods[-1].values["alpha"] == 0]
    assert 0 < len(alone) < len(rows)
    assert [row for row in rows if row["control"]] == alone
    assert {row["method_title"] for row in alone} == {"Distillation, control"}
    assert {row["method_title"] for row in rows if row not in alone} == {"Distillation"}
    assert not any(row["control"] for row in compare.rows(taught, known) if row["method"] != "distill")


def test_controls_are_hollow_in_the_colour_of_their_method(taught, known):
    rows = compare.rows(taught, known)
    traces = {trace["name"]: trace for trace in compare.plane(rows)["figure"]["data"]}
    assert traces["Distillation, control"]["marker"]["symbol"] == "circle-open"
    assert traces["Distillation"]["marker"]["symbol"] == "circle"
    assert {traces[name]["marker"]["color"] for name in ("Distillation", "Distillation, control")} == {
        palette.of_method("distill")}
    assert len(traces["Distillation, control"]["x"]) == sum(row["control"] for row in rows)
    figure_of(compare.plane(rows))


@pytest.mark.parametrize(("roles", "control"), [
    ([], False), (["curve"], False), (["seed"], False), (["variant"], False), (["control"], True), (["baseline"], True),
    (["baseline", "control"], True), (["control", "curve"], False)])
def test_a_control_is_told_by_its_roles_in_the_plans_it_is_part_of(roles, control):
    assert compare.is_control({"roles": roles}) is control


@pytest.mark.parametrize(("method", "control", "symbol", "edge"), [
    ("low_rank", False, "circle", None), ("low_rank", True, "circle-open", None),
    ("distill+low_rank", False, "diamond", "distill"), ("prune+low_rank", False, "diamond", "prune"),
    ("prune+low_rank", True, "diamond-open", "prune"), ("distill+prune+low_rank", False, "hexagon", "distill")])
def test_chains_that_end_in_the_same_method_are_told_apart(method, control, symbol, edge):
    marker = compare.marker_of({"method": method, "control": control})
    assert marker["symbol"] == symbol and marker["color"] == palette.of_method("low_rank")
    assert marker.get("line", {}).get("color") == (edge and palette.of_method(edge))


def test_the_tables_cells_are_numbers_and_have_units(everything, known):
    columns = table.columns_of(compare.rows(everything, known))
    for name, entry in table.FORMATS.items():
        assert all(isinstance(cell, int | float) or cell is None for cell in columns[name]), name
        assert entry["type_config"]["format"] and entry["help"]
    assert columns["size"] == [row["bytes"] / 1000 for row in compare.rows(everything, known)]


def test_an_empty_plane_is_still_a_figure():
    figure_of(compare.plane([]))
