"""The accuracy-size curve: a figure that Plotly accepts, one place a dial value, axes that stay while points arrive."""

from __future__ import annotations

from math import log10

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compress.curves.sweep import coarse_to_fine
from pages.ui.charts import charts, teacher_charts
from tests.pages.samples import figure_of, point

VALUES = [0.1, 0.2, 0.4, 0.8]
REFERENCE = point(None, 100_000, 95, title="784-300-100-10")
POINTS = [point(0.1, 9_000, 40), point(0.4, 42_000, 93, latency=0.5, latency_low=0.4, latency_high=0.7),
          point(0.8, 88_000, 95)]


def drawn(points=POINTS, reference=REFERENCE, values=VALUES, **others):
    return charts.accuracy_size(points, reference, method="low_rank", name="Low rank", values=values, **others)


@pytest.mark.parametrize("chart", [
    drawn(), drawn([]), drawn([], None), drawn(POINTS[:1], None), drawn(others={"plain": POINTS, "greedy": POINTS[:2]}),
    drawn(subject="data file")], ids=["curve", "empty", "nothing", "no reference", "others", "data"])
def test_every_curve_is_a_figure_with_a_description(chart):
    figure = figure_of(chart)
    assert len(figure.data) == len(chart["figure"]["data"])
    assert chart["alt"].endswith(".") and chart["title"] and chart["id"]


def test_the_marker_has_one_place_for_each_dial_value():
    chart = drawn()
    (marker,) = chart["follow"]
    assert chart["figure"]["data"][marker["trace"]]["name"] == "dial"
    assert marker["x"] == [[9_000], None, [42_000], [88_000]]
    assert marker["y"] == [[0.4], None, [0.93], [0.95]]


def test_the_marker_points_at_its_own_trace_beside_other_curves():
    chart = drawn(others={"plain": POINTS, "greedy": POINTS})
    assert chart["figure"]["data"][chart["follow"][0]["trace"]]["name"] == "dial"


def test_points_are_joined_by_rising_size_and_each_tells_its_own_story():
    curve = next(trace for trace in drawn(POINTS[::-1])["figure"]["data"] if trace["name"] == "Low rank")
    assert curve["x"] == [9_000, 42_000, 88_000] and curve["customdata"] == [0.1, 0.4, 0.8]
    assert "42.0 kB" in curve["text"][1] and "2.0× faster" in curve["text"][1]
    named = drawn(label=lambda value: f"Share kept: {100 * value:g} %", others={"plain": POINTS})["figure"]["data"]
    assert named[1]["text"][0].startswith("<b>Share kept: 10 %</b>")
    assert named[0]["text"][0].startswith("<b>plain: Share kept: 10 %</b>")
    assert curve["error_y"]["array"] == pytest.approx([one["accuracy_high"] - one["accuracy"] for one in POINTS])
    assert curve["error_y"]["arrayminus"] == pytest.approx([one["accuracy"] - one["accuracy_low"] for one in POINTS])


def ranges(points, reference=REFERENCE):
    layout = drawn(points, reference)["figure"]["layout"]
    return layout["xaxis"]["range"], layout["yaxis"]["range"], layout["xaxis"]["tickvals"]


@given(st.lists(st.integers(1_900, 119_000), min_size=1, max_size=12), st.data())
def test_axes_stay_while_points_arrive(sizes, data):
    points = [point(number, size) for number, size in enumerate(sizes)]
    arrived = data.draw(st.integers(0, len(points)))
    assert ranges(points[:arrived]) == ranges(points)
    (low, high), *_ = ranges(points)
    assert low <= min(map(log10, sizes)) and log10(max(sizes)) <= high


def test_axes_of_very_small_and_large_files_stay_after_both_ends_of_the_curve():
    sizes = (90, 400, 900, 4_000, 9_000, 40_000, 900_000)
    curve = [point(number, size) for number, size in enumerate(sizes)]
    arriving = [curve[place] for place in coarse_to_fine(range(7))]
    assert all(ranges(arriving[:count]) == ranges(curve) for count in range(2, 8))
    assert ranges(curve)[0][0] < log10(90) and log10(900_000) < ranges(curve)[0][1]


def test_size_ticks_are_round_sizes_inside_the_axis():
    ticks = charts.size_ticks(log10(4_000), log10(600_000))
    assert ticks["tickvals"] == [5e3, 1e4, 2e4, 5e4, 1e5, 2e5, 5e5]
    assert ticks["ticktext"] == ["5 kB", "10 kB", "20 kB", "50 kB", "100 kB", "200 kB", "500 kB"]


def test_the_dials_readout_tells_size_ratio_and_accuracy_where_a_point_is():
    dial = charts.dial_of(POINTS, REFERENCE, VALUES, ["10 %", "20 %", "40 %", "80 %"], name="keep", label="Share kept",
                          help="Drag it.", current=0.2)
    assert dial["index"] == 1 and dial["values"] == VALUES and len(dial["labels"]) == 4
    assert dial["readout"][1] is None
    assert dial["readout"][2] == "42.0 kB · 2.4× smaller · 93.0 % ± 5.2 · 2.0× faster"


def test_the_readout_claims_no_ratio_without_a_reference():
    assert charts.readout(POINTS[0], None) == "9.0 kB · 40.0 % ± 9.4"


@given(st.lists(st.floats(0, 1), min_size=1, unique=True), st.floats(0, 1))
def test_nearest_is_nearest(values, wanted):
    found = sorted(values)[charts.nearest(sorted(values), wanted)]
    assert abs(found - wanted) == min(abs(value - wanted) for value in values)


def test_hovering_says_why_a_layer_stays_dense():
    text = charts.hover(point(0.9, 90_000, notes=["layer 1 stays dense"]), "keep 0.9")
    assert text.startswith("<b>keep 0.9</b>") and text.endswith("layer 1 stays dense")


HISTORY = [{"epoch": number, "accuracy": 0.5 + number / 50, "train_accuracy": 0.6, "loss": 1 / number}
           for number in (1, 2, 3)]
LAYERS = [{"layer": "1 · linear", "parameters": 300, "macs": 0}, {"layer": "3 · linear", "parameters": 100, "macs": 0}]


@pytest.mark.parametrize("chart", [
    teacher_charts.training([], 20), teacher_charts.training(HISTORY, 20), teacher_charts.parameters(LAYERS),
    teacher_charts.confusion([[5, 1], [0, 7]], ["cat", "dog"])], ids=["waiting", "training", "parameters", "confusion"])
def test_a_teachers_charts_are_figures_with_a_description(chart):
    figure_of(chart)
    assert chart["alt"].endswith(".") and chart["title"]


def test_the_training_axis_is_as_long_as_the_training_will_be():
    layouts = [teacher_charts.training(HISTORY[:count], 20)["figure"]["layout"] for count in range(4)]
    assert all(layout["xaxis"]["range"] == [0.5, 20.5] and layout["yaxis"]["range"] == [0, 1.02] for layout in layouts)


def test_the_loss_axis_chooses_its_own_round_ticks():
    assert teacher_charts.training(HISTORY, 20)["figure"]["layout"]["yaxis2"]["tickmode"] == "auto"


def test_only_mistakes_are_coloured_and_every_count_is_written():
    chart = teacher_charts.confusion([[5, 1], [0, 7]], ["cat", "dog"])
    (grid,) = chart["figure"]["data"]
    assert grid["z"] == [[0, 1], [0, 0]] and grid["text"] == [["5", "1"], ["", "7"]]
    assert chart["alt"] == "Confusion matrix: 12 right and 1 wrong of 13 validation examples."


def test_shares_of_parameters_add_up():
    parameters, macs = teacher_charts.parameters(LAYERS)["figure"]["data"]
    assert parameters["x"] == [0.75, 0.25] and macs["x"] == [0, 0]


@pytest.mark.parametrize(("lowest", "low", "ticks"), [(0.1, 0.0, 6), (0.6, 0.0, 6), (0.65, 0.6, 5), (0.84, 0.8, 5),
                                                     (0.925, 0.9, 6), (0.9, 0.8, 5), (0.995, 0.9, 6)])
def test_curves_near_the_top_get_an_axis_on_which_they_can_be_told_apart(lowest, low, ticks):
    axis = charts.accuracy_axis([{"accuracy": 0.99, "accuracy_low": lowest}, {"accuracy": 0.999}])
    assert axis["range"][0] == pytest.approx(low) and 1 < axis["range"][1] <= 1.04 and axis["range"][0] < lowest
    assert len(axis["tickvals"]) == ticks and axis["tickvals"][0] == pytest.approx(low) and axis["tickvals"][-1] == 1
    assert charts.accuracy_axis([])["range"] == [0.0, 1.04]


def test_the_axis_moves_to_what_there_is_to_see_once_all_is_measured():
    good = [point(value, size, 93) for value, size in zip(VALUES, (9_000, 20_000, 40_000, 80_000), strict=True)]
    whole = drawn(good)["figure"]["layout"]["yaxis"]["range"][0]
    assert 0.7 <= whole < min(one["accuracy_low"] for one in good)
    assert drawn(good[:3])["figure"]["layout"]["yaxis"]["range"] == [0.0, 1.04]
    assert drawn(good, others={"poor": [point(0.1, 9_000, 20)]})["figure"]["layout"]["yaxis"]["range"] == [0.0, 1.04]
    assert drawn(good, point(None, 100_000, 30))["figure"]["layout"]["yaxis"]["range"] == [0.0, 1.04]
