"""Sparse codes as charts."""

from __future__ import annotations

import pytest

from pages.ui.charts import sparse_charts
from tests.pages.samples import figure_of

VALUES = (1, 2, 4)
STOPS = [1, 2, 3, 4]


@pytest.fixture(scope="module")
def weights(measured):
    return measured("sparse_code(atoms=16,block=8,iterations=2)", VALUES)


@pytest.fixture(scope="module")
def data(measured):
    return measured("data_codes(atoms=16,epochs=1,iterations=3)", VALUES)


def charts_of(weights, data):
    layer = weights.points[0]["inside"]["layers"][0]
    return [sparse_charts.layer_errors(weights.points, STOPS), sparse_charts.data_errors(data.points, STOPS),
            sparse_charts.layer_atoms(weights.points, layer["path"], layer["title"], STOPS),
            sparse_charts.usage(weights.points, STOPS, layer["path"], layer["title"]),
            sparse_charts.usage(data.points, STOPS)]


def test_every_chart_is_a_figure_with_a_description(weights, data):
    inside = data.points[-1]["inside"]
    for chart in [*charts_of(weights, data), sparse_charts.iterations(inside["errors"], 4, 3),
                  sparse_charts.pursuit(inside["paths"][0], 1), sparse_charts.pursuit(inside["paths"][0], 0)]:
        figure_of(chart)
        assert chart["alt"].endswith(".") and chart["title"]


def test_every_follower_has_one_place_for_each_stop_and_none_where_nothing_is_measured(weights, data):
    for chart in charts_of(weights, data):
        (follower,) = chart["follow"]
        assert len(follower["x"]) == len(STOPS)
        assert "line" in follower or [one is None for one in follower["x"]] == [False, False, True, False]


def test_errors_are_those_of_the_points_layer_by_layer(weights):
    lines = sparse_charts.layer_errors(weights.points, STOPS)["figure"]["data"]
    assert len(lines) == len(weights.points[0]["inside"]["layers"])
    for number, line in enumerate(lines):
        known = [point for point in weights.points if "error" in point["inside"]["layers"][number]]
        assert line["x"] == [point["dial"] for point in known]
        assert line["y"] == [point["inside"]["layers"][number]["error"] for point in known]


def test_a_layer_that_stays_dense_has_no_atoms(weights):
    blank = [{**point, "inside": {"layers": [{"path": "1", "title": "one"}]}} for point in weights.points]
    assert sparse_charts.layer_atoms(blank, "1", "one", STOPS) is None
    figure_of(sparse_charts.layer_errors(blank, STOPS))
    assert sparse_charts.usage(blank, STOPS, "1")["follow"][0]["y"] == [None] * 4


def test_the_most_used_atom_stands_first_in_its_column(weights):
    layer = weights.points[0]["inside"]["layers"][0]
    first = sparse_charts.layer_atoms(weights.points, layer["path"], "", STOPS)["follow"][0]["z"][0]
    assert [row[0] for row in first] == layer["atoms"][0] and len(first[0]) == len(layer["atoms"])


def test_validation_and_training_errors_stand_side_by_side(data):
    held, learned, *others = sparse_charts.data_errors(data.points, STOPS)["figure"]["data"]
    assert held["y"] == [point["inside"]["error"] for point in data.points]
    assert learned["y"] == [point["inside"]["errors"][-1] for point in data.points]
    for kind, line in zip(("components", "dct", "random"), others, strict=True):
        assert line["y"] == [point["inside"]["others"][kind] for point in data.points]


def test_errors_of_one_or_none_have_an_axis_too(data):
    for points in ([], [{**data.points[0], "inside": {"error": 0.0}}]):
        low, high = sparse_charts.data_errors(points, STOPS)["figure"]["layout"]["yaxis"]["range"]
        assert low < high


def test_learning_is_drawn_iteration_by_iteration():
    assert sparse_charts.mean_nonzeros([2.0, 3.0], 3, 8)["figure"]["data"][0]["y"] == [2.0, 3.0]
    found = sparse_charts.recovered([0.1, 0.5], 3, 80)
    assert found["figure"]["data"][0]["y"] == [0.1, 0.5] and "0.50 at the end" in found["alt"]
    assert sparse_charts.usage_now([5, 2])["figure"]["data"][0]["y"] == [5, 2]
    for chart in (found, sparse_charts.recovered([], 3, 80), sparse_charts.iterations([], 3, 80),
                  sparse_charts.usage_now([])):
        figure_of(chart)


def test_a_pursuit_shows_the_coefficients_so_far(data):
    path = data.points[-1]["inside"]["paths"][0]
    bars = sparse_charts.pursuit(path, 2)["figure"]["data"][0]
    assert bars["y"] == path["coefficients"][1] and bars["x"] == [f"atom {atom + 1}" for atom in path["atoms"][:2]]


def test_what_fires_for_which_class_follows_the_dial(data):
    points = [{"dial": value, "inside": {"by_class": [[value, 1.0], [0.0, 2.0]]}} for value in (1, 3)]
    chart = sparse_charts.by_class(points, [1, 2, 3], ["a", "60"])
    figure_of(chart)
    (follower,) = chart["follow"]
    assert follower["z"] == [[[1, 1.0], [0.0, 2.0]], None, [[3, 1.0], [0.0, 2.0]]]
    assert follower["y"] == [["a", "60"], None, ["a", "60"]] and chart["figure"]["data"][0]["zmax"] == 3
    assert chart["figure"]["layout"]["yaxis"]["type"] == "category"


@pytest.mark.parametrize("error", [0.0003, 0.014, 0.02, 0.3, 0.75, 1.4])
def test_an_axis_of_errors_always_has_numbers(error):
    axis = sparse_charts.data_errors([{"dial": 2, "inside": {"error": error}}], STOPS)["figure"]["layout"]["yaxis"]
    assert axis["tickvals"] and all(text == f"{100 * tick:.3g} %" for tick, text in zip(axis["tickvals"], axis["ticktext"],
                                                                                       strict=True))


def test_colours_of_what_fires_are_the_same_at_all_stops():
    points = [{"dial": value, "inside": {"by_class": [[height]]}} for value, height in ((1, 5.0), (3, 2.0))]
    assert sparse_charts.by_class(points, [1, 3], ["a"])["figure"]["data"][0]["zmax"] == 5
