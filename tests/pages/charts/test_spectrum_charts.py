"""The inside of low rank as charts: figures that Plotly accepts, and dots that stand on their own curves."""

from __future__ import annotations

from itertools import pairwise

import pytest

from pages.ui.charts import spectrum_charts
from tests.pages.samples import figure_of

KEPT = (0.1, 0.3, 0.6, 0.9)
COMPONENTS = (1, 4, 16, 48)


@pytest.fixture(scope="module", params=["plain", "whitened", "randomized"])
def scheme(request):
    return request.param


@pytest.fixture(scope="module")
def layers(scheme, measured):
    return measured(f"low_rank(scheme={scheme})", KEPT).view["layers"]


@pytest.fixture(scope="module")
def view(measured):
    return measured("data_svd(epochs=1)", COMPONENTS).view


def all_charts(layers, view, scheme):
    return [spectrum_charts.spectra(layers), spectrum_charts.energies(layers),
            spectrum_charts.errors(layers[0], 0, scheme), spectrum_charts.errors(layers[-1], 7, scheme),
            spectrum_charts.data_spectrum(view, list(COMPONENTS)), spectrum_charts.data_errors(view, list(COMPONENTS))]


def test_every_chart_is_a_figure_with_a_description(layers, view, scheme):
    for chart in all_charts(layers, view, scheme):
        figure_of(chart)
        assert chart["alt"].endswith(".") and chart["title"]


def test_every_follower_has_one_place_for_each_dial_value(layers, view, scheme):
    for chart in all_charts(layers, view, scheme):
        assert chart["follow"]
        for follower in chart["follow"]:
            assert len(follower["x"]) == len(follower["y"]) == 4
            assert "line" in follower or chart["figure"]["data"][follower["trace"]]["x"] == []


def test_one_dot_a_layer_stands_on_its_layers_spectrum(layers):
    chart = spectrum_charts.spectra(layers)
    assert len(chart["follow"]) == len(layers)
    for layer, follower in zip(layers, chart["follow"], strict=True):
        curve = next(trace for trace in chart["figure"]["data"] if trace.get("name") == layer["title"])
        places = dict(zip(curve["x"], curve["y"], strict=True))
        for (x,), (y,), rank in zip(follower["x"], follower["y"], layer["ranks"], strict=True):
            assert x == pytest.approx(min(rank, layer["full"]) / layer["full"])
            assert y == pytest.approx(places[round(x, 5)])


def test_dots_fall_along_the_spectrum_and_rise_along_the_energy_as_the_dial_rises(layers):
    for follower in spectrum_charts.spectra(layers)["follow"]:
        assert all(late <= early for (early,), (late,) in pairwise(follower["y"]))
    for follower in spectrum_charts.energies(layers)["follow"]:
        assert all(late >= early for (early,), (late,) in pairwise(follower["y"]))


def test_the_dot_of_the_error_chart_stands_on_the_curve_of_the_chosen_scheme(layers, scheme):
    chart = spectrum_charts.errors(layers[0], 0, scheme)
    name = {"plain": "outputs on validation, plain SVD", "whitened": "outputs on validation, whitened",
            "randomized": "weights, randomized SVD (its true error)"}[scheme]
    curve = next(trace for trace in chart["figure"]["data"] if trace.get("name") == name)
    places = dict(zip(curve["x"], curve["y"], strict=True))
    (follower,) = chart["follow"]
    assert [x for (x,) in follower["x"]] == layers[0]["ranks"]
    # A randomized SVD ends at the break-even: a rank past it means that the layer stays dense.
    known = [(places[rank], y) for rank, (y,) in zip(layers[0]["ranks"], follower["y"], strict=True) if rank in places]
    assert len(known) >= 2 and all(expected == shown for expected, shown in known)


def test_the_error_chart_marks_the_break_even(layers, scheme):
    layout = spectrum_charts.errors(layers[0], 0, scheme)["figure"]["layout"]
    assert layout["shapes"][0]["x0"] == layers[0]["break_even"]
    assert layout["annotations"][0]["text"] == f"break-even {layers[0]['break_even']:.0f}"


def test_a_rank_past_the_full_one_stays_on_the_chart(layers):
    layer = {**layers[0], "ranks": [layers[0]["full"] + 5]}
    for chart in (spectrum_charts.spectra([layer]), spectrum_charts.energies([layer])):
        assert chart["follow"][0]["x"] == [[1.0]]


def test_a_zero_can_stand_on_a_logarithmic_axis(layers):
    layer = {**layers[0], "sigma": [1.0, *[0.0] * (layers[0]["full"] - 1)]}
    for trace in spectrum_charts.spectra([layer])["figure"]["data"]:
        assert all(value > 0 for value in trace["y"])


def test_a_long_spectrum_is_thinned_but_keeps_its_ends(layers):
    full = 5_000
    layer = {**layers[0], "full": full, "sigma": [1 / (1 + place) for place in range(full)], "threshold": 0.0}
    layer.pop("whitened_sigma", None)
    curve = spectrum_charts.spectra([layer])["figure"]["data"][0]
    assert len(curve["x"]) == len(curve["y"]) <= spectrum_charts.MOST
    assert curve["y"][:3] == pytest.approx([1, 1 / 2, 1 / 3]) and curve["y"][-1] == pytest.approx(1 / full)


def test_the_noise_threshold_stands_where_the_spectrum_crosses_it(layers):
    layer = {**layers[0], "full": 4, "sigma": [1.0, 0.5, 0.2, 0.1], "threshold": 0.3, "ranks": [1]}
    layer.pop("whitened_sigma", None)
    (mark,) = spectrum_charts.spectra([layer])["figure"]["layout"]["annotations"]
    assert mark["x"] == 0.5 and "2 singular values" in mark["hovertext"]


def test_more_components_than_the_data_have_stay_on_the_chart(view):
    count = len(view["sigma"])
    stops = [1, count + 9]
    for chart in (spectrum_charts.data_spectrum(view, stops), spectrum_charts.data_errors(view, stops)):
        assert chart["follow"][0]["x"] == [[1], [count]]
        figure_of(chart)
