"""The inside of quantization as charts: figures that Plotly accepts, and marks that stand where the points say."""

from __future__ import annotations

from math import log2, log10

import pytest

from pages.ui.charts import quantize_charts
from tests.pages.samples import figure_of, point

STOPS = [2, 3, 16, 64]
LAYERS = [{"path": "1", "title": "1 · linear 4→3", "reach": 0.5, "weights": [1, 4, 9, 4, 1], "accuracy": [0.5, 0.8, 0.9]},
          {"path": "3", "title": "3 · linear 3→2", "reach": 2.0, "weights": [0, 3, 5, 3, 0], "accuracy": [0.7, 0.9, 0.9]}]
VIEW = {"levels": [2, 3, 16], "layers": LAYERS}


def inside(levels, number):
    """A layer's share of a point: so many levels, each used twice."""
    return {"path": LAYERS[number]["path"], "title": LAYERS[number]["title"], "counts": [2] * levels,
            "levels": [0.1 * place - 0.05 * (levels - 1) for place in range(levels)], "bits": log2(levels) - 0.5,
            "distortion": 2.0 ** (-2 * log2(levels)), "error": 0.1 / levels, "error_nearest": 0.3 / levels}


POINTS = [{"dial": levels, "inside": {"layers": [inside(levels, number) for number in range(2)]}} for levels in (2, 16, 64)]
MADE = {chart["id"]: chart for chart in (
    quantize_charts.weights_and_levels(LAYERS[0], 0, POINTS, STOPS), quantize_charts.output_errors(POINTS, STOPS),
    quantize_charts.rate_distortion(POINTS, STOPS), quantize_charts.sensitivity(VIEW, POINTS, STOPS))}


@pytest.mark.parametrize("name", MADE)
def test_every_chart_is_a_figure_with_a_description_and_a_place_for_each_stop(name):
    figure_of(MADE[name])
    assert MADE[name]["alt"].endswith(".") and MADE[name]["title"]
    for follower in MADE[name]["follow"]:
        assert len(follower["x"]) == len(STOPS)
        if "line" not in follower:
            assert [one is None for one in follower["x"]] == [stop == 3 for stop in STOPS]
            assert [one is None for one in follower["y"]] == [stop == 3 for stop in STOPS]


@pytest.mark.parametrize("make", [
    lambda: quantize_charts.weights_and_levels(LAYERS[0], 0, [], STOPS), lambda: quantize_charts.output_errors([], STOPS),
    lambda: quantize_charts.rate_distortion([], STOPS), lambda: quantize_charts.sensitivity(VIEW, [], STOPS)])
def test_before_anything_is_measured_there_are_axes_already(make):
    figure_of(make())


def test_levels_stand_where_they_are_and_as_high_as_they_are_used():
    bars, dots = MADE["levels"]["follow"]
    for stop, made in ((0, POINTS[0]), (2, POINTS[1])):
        layer = made["inside"]["layers"][0]
        for follower in (bars, dots):
            assert follower["x"][stop] == layer["levels"] and follower["y"][stop] == layer["counts"]
    assert len(bars["x"][3]) == 64 and dots["x"][3] == dots["y"][3] == [], "dots of 64 levels would be one line"


def test_an_error_is_a_ring_for_the_nearest_level_a_dot_as_stored_and_a_line_between():
    *lines, rings, dots = MADE["output-errors"]["follow"]
    layers = POINTS[1]["inside"]["layers"]
    assert rings["x"][2] == [layer["error_nearest"] for layer in layers]
    assert dots["x"][2] == [layer["error"] for layer in layers]
    for line, ring, dot, layer in zip(lines, rings["x"][2], dots["x"][2], layers, strict=True):
        assert line["x"][2] == [dot, ring] and line["y"][2] == [layer["title"]] * 2


def test_an_exact_layer_has_a_place_on_a_logarithmic_axis():
    exact = {"dial": 16, "inside": {"layers": [{**inside(16, 0), "error": 0.0, "distortion": 0.0}]}}
    chart = quantize_charts.output_errors([exact], [16])
    figure_of(chart)
    assert chart["follow"][-1]["x"] == [[1e-9]] and chart["figure"]["layout"]["xaxis"]["range"][0] < -9
    assert "exact" in quantize_charts.rate_distortion([exact], [16])["figure"]["data"][2]["text"][0]


def test_the_gaussian_bound_falls_by_six_decibels_a_bit_and_the_other_line_is_a_quarter_of_a_bit_above():
    bound, above = MADE["rate-distortion"]["figure"]["data"][:2]
    for trace in (bound, above):
        (near, far), (high, low) = trace["x"], trace["y"]
        assert 10 * log10(high / low) / (far - near) == pytest.approx(6.0206, abs=1e-3)
    assert (bound["x"][0], above["x"][0], bound["y"][0], above["y"][0]) == (0, 0.2546, 1, 1)


def test_rate_and_distortion_of_each_layer_are_those_of_the_points():
    for number, trace in enumerate(MADE["rate-distortion"]["figure"]["data"][2:4]):
        layers = [point["inside"]["layers"][number] for point in POINTS]
        assert trace["x"] == [layer["bits"] for layer in layers] and trace["y"] == [layer["distortion"] for layer in layers]
    assert MADE["rate-distortion"]["follow"][0]["x"][2] == [3.5]
    assert MADE["rate-distortion"]["figure"]["data"][2]["text"][1] == "16 levels: 3.50 bits, 24.1 dB"


def test_sensitivity_is_drawn_over_bits_and_its_ticks_are_levels():
    chart = MADE["sensitivity"]
    assert chart["figure"]["data"][0]["x"] == [1, log2(3), 4] and chart["figure"]["data"][1]["y"] == [0.7, 0.9, 0.9]
    assert chart["follow"][0]["x"] == [1, log2(3), 4, 6]
    axis = chart["figure"]["layout"]["xaxis"]
    assert [log2(int(text)) for text in axis["ticktext"]] == axis["tickvals"]


@pytest.mark.parametrize(("levels", "text"), [(2, "1 bit"), (5, "2.3 bits"), (16, "4 bits"), (256, "8 bits")])
def test_levels_are_said_as_bits(levels, text):
    assert quantize_charts.bits(levels) == text


def test_controls_are_hollow_and_say_what_they_are():
    curve = [point(levels, size) for levels, size in ((16, 900), (3, 400))]
    nearest, floats = quantize_charts.controls({
        "nearest level": curve, "float16": [point(65536, 2000)], "bfloat16": [point(65536, 2010)]})
    assert nearest["x"] == [400, 900] and nearest["marker"]["symbol"] == "circle-open" and nearest["mode"] == "lines+markers"
    assert floats["x"] == [2000, 2010] and floats["mode"] == "markers"
    assert "nearest level: 3 levels, 1.6 bits" in nearest["text"][0] and "bfloat16" in floats["text"][1]
    (first,) = quantize_charts.controls({"nearest level": curve[:1]})
    assert first["name"] == "nearest level", "the first point of a line, while it is measured"
    assert quantize_charts.controls({}) == []


def test_bits_and_zeros_are_means_over_all_weights():
    few = {"bits": 1.0, "levels": [-1.0, 0.0], "counts": [1, 3]}
    many = {"bits": 2.0, "levels": [-1.0, 0.5], "counts": [6, 6]}
    one = {"inside": {"layers": [few, many]}}
    assert quantize_charts.weights(one) == 16 and quantize_charts.weights({"inside": {}}) == 0
    assert quantize_charts.bits_after_coding(one) == pytest.approx(1.75)
    assert quantize_charts.zeros(one) == pytest.approx(3 / 16)


def test_a_correction_adds_its_bits():
    few, many = ({**inside(levels, 0), "correction": bits} for levels, bits in ((2, 3.0), (6, 1.0)))
    assert quantize_charts.bits_of_correction({"inside": {"layers": [few, many]}}) == pytest.approx(1.5)
    assert quantize_charts.bits_of_correction(POINTS[0]) == 0.0
    (dot,) = quantize_charts.rate_distortion([{"dial": 2, "inside": {"layers": [few]}}], [2])["follow"]
    assert dot["x"] == [[few["bits"] + 3.0]]
