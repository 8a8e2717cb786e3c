"""What networks are drawn over: fronts in any two measures, axes that show what matters, seeds as one point."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pages.ui.all_methods import axes, compare, compare_filters
from pages.ui.shell.filters import AXES
from tests.pages.samples import figure_of, point

SIZE, ACCURACY = axes.MEASURES["bytes"], axes.MEASURES["accuracy"]
pairs = st.lists(st.tuples(st.integers(1, 6), st.integers(1, 6)), min_size=1)


def row(size: int, correct: int, name: str = "a", seed: int = 0, **others) -> dict:
    return point(0.1, size, correct, **{
        "id": f"{name}{seed}{size}", "method": "low_rank", "method_title": "Low rank", "data_title": "Digits",
        "control": False, "pinned": None, "hover": name, "unseeded": name, "seed": seed, "expected_calibration_error": 0.05,
        "values": ("low_rank.keep=0.1",), **others})


@pytest.mark.parametrize("signs", [(1, 1), (1, -1), (-1, 1), (-1, -1)])
@given(pairs)
def test_a_front_holds_what_no_other_one_beats_in_both_directions(signs, numbers):
    x, y = (axes.Measure(name, name, higher=sign > 0) for name, sign in zip("xy", signs, strict=True))
    rows = [{"x": one, "y": other} for one, other in numbers]
    found = axes.front(rows, x, y)
    scores = [(signs[0] * one["x"], signs[1] * one["y"]) for one in rows]
    best = {(a, b) for a, b in scores if not any((c >= a and d >= b) and (c, d) != (a, b) for c, d in scores)}
    assert {(signs[0] * one["x"], signs[1] * one["y"]) for one in found} == best and len(found) == len(best)


def test_an_axis_shows_what_is_near_the_best_and_says_how_many_are_far_below():
    rows = [row(1_000, 95), row(2_000, 93), row(500, 20)]
    chart = compare.plane(rows)
    low, high = chart["figure"]["layout"]["yaxis"]["range"]
    assert 0.9 < low < 0.93 and 0.95 < high <= 1.02 and "1 far below" in chart["title"]
    assert "far below" not in compare.plane(rows[:2])["title"]


@pytest.mark.parametrize("name", [*AXES, "recall:3"])
def test_every_measure_is_a_valid_axis_also_without_a_row(name):
    one = axes.measure(name)
    some = [row(1_000, 90, **{"latency": 0.5, "recall:3": 0.7}), row(2_000, 95, **{"latency": 2.0, "recall:3": 0.9})]
    for rows in ([], some):
        figure_of(compare.plane(rows, SIZE, one))
        figure_of(compare.plane(rows, one, ACCURACY))
    with pytest.raises(KeyError):
        axes.measure("speed of light")


def test_an_axis_of_what_is_lost_shows_networks_that_gained():
    rows = [row(1_000, 90, lost=-0.02), row(2_000, 90, lost=0.1)]
    low, high = axes.axis(axes.MEASURES["lost"], rows, zoomed=True)["range"]
    assert low < -0.02 and high > 0.1


def test_seeds_become_their_mean_with_the_range_of_both_measures():
    rows = [row(1_000, 90, seed=0), row(3_000, 94, seed=1, pinned=1.0), row(500, 80, name="b")]
    mean, other = axes.folded(rows, SIZE, ACCURACY)
    assert (mean["bytes"], mean["accuracy"]) == (2_000, pytest.approx(0.92)) and other is rows[2]
    assert mean["bytes_range"] == (1_000, 3_000) and mean["accuracy_range"] == (0.9, 0.94) and mean["pinned"]
    assert rows[0]["bytes"] == 1_000  # what is shared by all visitors stays as it is
    trace = next(one for one in compare.plane([mean, other])["figure"]["data"] if one.get("customdata"))
    assert trace["error_x"]["array"] == [1_000, 0] and trace["error_y"]["arrayminus"] == pytest.approx([0.02, 0])


def test_limits_are_lines_of_their_own_axis_only():
    lines = ((SIZE, 2_000.0), (ACCURACY, 0.9))
    assert len(compare.plane([row(1_000, 90)], limits=lines)["figure"]["layout"]["shapes"]) == 2
    across = compare.plane([row(1_000, 90)], axes.MEASURES["macs"], ACCURACY, lines)["figure"]["layout"]["shapes"]
    assert [shape["y0"] for shape in across] == [0.9]


def test_settings_with_several_values_are_offered_and_narrow_the_rows_but_for_teachers():
    rows = [row(1_000, 90, values=("prune.sparsity=0.5", "prune.criterion=magnitude")),
            row(2_000, 90, values=("prune.sparsity=0.9", "prune.criterion=magnitude")),
            row(3_000, 90, values=("quantize.levels=4",)), row(9_000, 95, values=(), method="teacher")]
    assert compare_filters.settings_of(rows) == ["prune.sparsity=0.5", "prune.sparsity=0.9"]
    sizes = [one["bytes"] for one in compare_filters.with_settings(rows, ["prune.sparsity=0.5"])]
    assert sizes == [1_000, 9_000]
    both = ["prune.sparsity=0.5", "prune.sparsity=0.9", "prune.criterion=magnitude"]
    assert [one["bytes"] for one in compare_filters.with_settings(rows, both)] == [1_000, 2_000, 9_000]
    assert compare_filters.with_settings(rows, []) == rows


@pytest.mark.parametrize(("spelled", "shown"), [
    ("prune.criterion=second_order", "Pruning: criterion second order"), ("low_rank.keep=0.3", "Low rank: share kept 30 %"),
    ("quantize.output_layer=False", "Quantization: output layer: no"), ("gone.rounds=3", "gone.rounds=3")])
def test_a_setting_is_offered_as_its_page_names_it(spelled, shown, known):
    assert compare_filters.in_words(spelled, known) == shown
