"""The inside of pruning as charts: figures that Plotly accepts, and marks that stand where the points say."""

from __future__ import annotations

from itertools import pairwise

import pytest

from pages.ui.charts import prune_charts
from tests.pages.samples import figure_of, point

VALUES = (0.25, 0.5, 0.9, 0.98)
STOPS = sorted([*VALUES, 0.75])


@pytest.fixture(scope="module")
def weights(measured):
    return measured("prune", VALUES)


@pytest.fixture(scope="module")
def units(measured):
    return measured("prune(pattern=units)", VALUES)


def charts_of(curve, stops=STOPS):
    view, points = curve.view, curve.points
    made = [prune_charts.savings(points, curve.teacher["card"], stops), prune_charts.removed_of_each(view, points, stops),
            prune_charts.sensitivity(view, points, stops)]
    if "sizes" in view:
        made += [prune_charts.forms(view, points, stops), prune_charts.histogram(view["layers"][0], 0, points, stops, True),
                 prune_charts.inputs(view, points, stops)]
    return {chart["id"]: chart for chart in made}


@pytest.mark.parametrize("kind", ["weights", "units"])
def test_every_chart_is_a_figure_with_a_description(kind, request):
    for chart in charts_of(request.getfixturevalue(kind)).values():
        figure_of(chart)
        assert chart["alt"].endswith(".") and chart["title"]


@pytest.mark.parametrize("kind", ["weights", "units"])
def test_every_follower_has_one_place_for_each_stop_and_none_where_nothing_is_measured(kind, request):
    for chart in charts_of(request.getfixturevalue(kind)).values():
        for follower in chart["follow"]:
            assert len(follower["x"]) == len(STOPS)
            if "line" not in follower:
                assert [one is None for one in follower["x"]] == [stop not in VALUES for stop in STOPS]


def test_file_arithmetic_and_clock_are_parts_of_the_teachers(weights):
    reference = weights.teacher["card"]
    timed = [{**one, "latency": 0.5, "latency_low": 0.4, "latency_high": 0.7} for one in weights.points]
    file, macs, time = prune_charts.savings(timed, reference, list(VALUES))["figure"]["data"]
    for place, one in enumerate(weights.points):
        assert file["x"][place] == pytest.approx(1 - one["dial"])
        assert file["y"][place] * reference["bytes"] == pytest.approx(one["bytes"])
        assert macs["y"][place] * reference["macs"] == pytest.approx(one["macs"])
    assert time["y"] == [0.5] * 4
    assert time["error_y"]["array"] == pytest.approx([0.2] * 4)
    assert time["error_y"]["arrayminus"] == pytest.approx([0.1] * 4)


def test_every_chart_counts_what_is_removed_as_the_dial_does(weights):
    made = charts_of(weights, list(VALUES))
    for name in ("savings", "forms", "sensitivity"):
        axis = made[name]["figure"]["layout"]["xaxis"]
        assert axis["title"]["text"].startswith("removed from")
        assert [float(text) for text in axis["ticktext"]] == pytest.approx([100 * (1 - place) for place in axis["tickvals"]])
        for trace in made[name]["figure"]["data"]:
            for place, text in zip(trace["x"], trace.get("text", []), strict=False):
                assert float(text.split(" %")[0]) == pytest.approx(100 * (1 - place), abs=0.01) and "removed" in text
    file = made["savings"]["figure"]["data"][0]
    assert file["text"][-1] == f"98 % removed: {1 / file['y'][-1]:.3g}× less"
    texts = [str(part) for chart in made.values() for part in (chart["title"], chart["alt"])]
    assert not any(" left" in text for text in texts)


def test_points_that_were_not_timed_have_no_time(weights):
    *_, time = prune_charts.savings(weights.points, weights.teacher["card"], list(VALUES))["figure"]["data"]
    assert time["x"] == time["y"] == []


def test_a_network_without_any_multiply_add_leaves_a_gap(weights):
    empty = {**weights.points[-1], "macs": 0}
    chart = prune_charts.savings([empty], weights.teacher["card"], list(VALUES))
    assert chart["figure"]["data"][1]["y"] == [None]
    figure_of(chart)


def test_before_anything_is_measured_there_are_axes_already(weights):
    chart = prune_charts.savings([], weights.teacher["card"], list(VALUES))
    figure_of(chart)
    assert "nothing measured yet" in chart["alt"]


def test_the_stored_file_is_never_longer_than_its_smallest_form(weights):
    view = weights.view
    for one in weights.points:
        place = view["values"].index(one["dial"])
        assert one["bytes"] <= min(view["sizes"][form][place] for form in view["sizes"]) * 1.001


def test_forms_marks_where_indices_begin_to_pay():
    view = {"values": [0.2, 0.5, 0.9, 0.98], "sizes": {"dense": [1000] * 4, "csr": [1200, 800, 300, 60],
                                                      "bitmask": [850, 550, 200, 110]}}
    chart = prune_charts.forms(view, [], view["values"])
    assert [shape["x0"] for shape in chart["figure"]["layout"]["shapes"]] == pytest.approx([0.65, 0.0533], abs=0.01)
    assert chart["figure"]["layout"]["annotations"][0]["text"] == "indices pay<br>from 35 %"


def test_whole_inputs_are_a_fourth_form():
    sizes = {"dense": [1000] * 2, "csr": [800, 300], "bitmask": [550, 200], "columns": [500, 100]}
    chart = prune_charts.forms({"values": [0.5, 0.9], "sizes": sizes}, [], [0.5, 0.9])
    assert [trace["name"] for trace in chart["figure"]["data"][:4]] == [name for name, *_ in prune_charts.FORMS.values()]
    assert "in four forms" in chart["title"] and "whole inputs" in chart["alt"]


def test_a_crossing_lies_on_both_lines():
    place = prune_charts.crossing([0.9, 0.5, 0.1], [9.0, 5.0, 1.0], [4.0, 4.0, 4.0])
    assert place == pytest.approx(0.4)
    assert prune_charts.crossing([0.9, 0.1], [3.0, 1.0], [4.0, 4.0]) is None
    assert prune_charts.crossing([0.9, 0.1], [9.0, 5.0], [4.0, 4.0]) is None


def test_the_coloured_weights_are_part_of_the_grey_ones_and_begin_at_the_threshold(weights):
    layer = weights.view["layers"][0]
    chart = prune_charts.histogram(layer, 0, weights.points, list(VALUES), True)
    bars, low, high = chart["follow"]
    for place, one in enumerate(weights.points):
        own = one["inside"]["layers"][0]
        assert sum(bars["y"][place]) == own["kept"]
        assert all(kept <= total for kept, total in zip(bars["y"][place], layer["weights"], strict=True))
        assert high["x"][place] == own["threshold"]
        assert own["kept"] == 0 or -low["x"][place] == own["threshold"] > 0
    found = [one for one in high["x"] if one is not None]
    assert len(found) > 2 and all(early < late for early, late in pairwise(found))


def test_weights_that_were_not_removed_by_size_have_no_threshold(weights):
    chart = prune_charts.histogram(weights.view["layers"][0], 0, weights.points, list(VALUES), False)
    assert not any(one.get("line") for one in chart["follow"]) and len(chart["follow"]) == 1


def test_bars_say_how_much_is_removed_from_each_layer(weights, units):
    for curve in (weights, units):
        (bars,) = prune_charts.removed_of_each(curve.view, curve.points, list(VALUES))["follow"]
        for place, one in enumerate(curve.points):
            layers = one["inside"]["layers"]
            assert bars["x"][place] == pytest.approx([1 - layer["kept"] / layer["total"] for layer in layers])
            assert bars["text"][place] == [f"{layer['total'] - layer['kept']:,} of {layer['total']:,}"
                                           for layer in layers]
    assert "weights" in prune_charts.removed_of_each(weights.view, weights.points, list(VALUES))["title"]
    assert "units" in prune_charts.removed_of_each(units.view, units.points, list(VALUES))["title"]


def test_each_dot_stands_on_its_layers_sensitivity_where_the_dial_puts_the_layer(weights):
    chart = prune_charts.sensitivity(weights.view, weights.points, list(VALUES))
    left = [1 - level for level in weights.view["levels"]]
    for number, (layer, dots) in enumerate(zip(weights.view["layers"], chart["follow"], strict=True)):
        for (x,), (y,), one in zip(dots["x"], dots["y"], weights.points, strict=True):
            own = one["inside"]["layers"][number]
            assert x == pytest.approx(max(own["kept"] / own["total"], min(left)))
            assert y == pytest.approx(prune_charts.between(left, layer["accuracy"], own["kept"] / own["total"]))


def test_between_follows_the_straight_line_and_keeps_the_ends():
    places, heights = [1.0, 0.5, 0.1], [0.9, 0.8, 0.2]
    assert prune_charts.between(places, heights, 0.75) == pytest.approx(0.85)
    assert prune_charts.between(places, heights, 0.3) == pytest.approx(0.5)
    assert prune_charts.between(places, heights, 0.01) == 0.2
    assert prune_charts.between(places, heights, 2.0) == 0.9


def test_the_map_of_inputs_has_the_form_of_an_example(weights):
    (chart,) = [chart for chart in charts_of(weights, list(VALUES)).values() if chart["id"] == "inputs"]
    (follower,) = chart["follow"]
    for one, rows in zip(weights.points, follower["z"], strict=True):
        assert [len(row) for row in rows] == [8] * 8
        assert [value for row in rows for value in row] == one["inside"]["inputs"]


def test_the_channels_of_an_image_are_added_up_and_sequences_stay_rows():
    view = {"shape": [2, 1, 3]}
    seen = point(0.5, 100, inside={"inputs": [1, 2, 3, 10, 20, 30], "layers": []})
    assert prune_charts.inputs(view, [seen], [0.5])["follow"][0]["z"] == [[[11, 22, 33]]]
    assert prune_charts.inputs({"shape": [2, 3]}, [seen], [0.5])["follow"][0]["z"] == [[[1, 2, 3], [10, 20, 30]]]
    assert prune_charts.inputs({"shape": [6]}, [seen], [0.5])["follow"][0]["z"] == [[[1, 2, 3, 10, 20, 30]]]


def test_of_many_inputs_every_so_manieth_is_on_the_map():
    counts = list(range(6_000))
    for held in (counts, counts[::3]):  # as an earlier version kept them, and as this one does
        seen = point(0.5, 100, inside={"inputs": held, "layers": []})
        assert prune_charts.inputs({"shape": [6_000]}, [seen], [0.5])["follow"][0]["z"] == [[counts[::3]]]


def test_there_is_no_map_where_no_layer_reads_the_examples_as_they_are():
    blind = point(0.5, 100, inside={"inputs": None, "layers": []})
    assert prune_charts.inputs({"shape": [1, 2, 2]}, [blind], [0.5]) is None
