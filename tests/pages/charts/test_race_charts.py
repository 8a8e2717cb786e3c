"""The plane of a race: every point in sight, the budget, the front, and the smallest network within it."""

from __future__ import annotations

from typing import Any

import pytest

from pages.ui.charts import palette, race_charts
from pages.ui.charts.race_charts import Curve, plane
from tests.pages.samples import figure_of, point

TEACHER = {"title": "64-24-10", "accuracy": 0.95, "accuracy_low": 0.9, "accuracy_high": 0.98, "bytes": 100_000}
GOOD, POOR = (point(0.1, 20_000, 94) | {"id": "a", "title": "a"}), (point(0.2, 5_000, 10) | {"id": "b", "title": "<b>"})


def drawn(**changed: Any) -> dict[str, Any]:
    curves = [Curve("prune", "pruning", [POOR, GOOD], False), Curve("prune", "pruning (gradual)", [GOOD], True)]
    return plane(**{"curves": curves, "reference": TEACHER, "front": [POOR, GOOD], "points_lost": 1.0, "best": GOOD,
                    **changed})


def traces(chart: dict[str, Any], mode: str = "markers") -> list[dict[str, Any]]:
    return [trace for trace in chart["figure"]["data"] if trace["mode"] == mode]


def test_plotly_takes_it_whatever_is_known():
    for chart in (drawn(), drawn(best=None), drawn(reference=None, best=None, front=[], curves=[]),
                  drawn(training=[(9_000, 0.4)])):
        figure_of(chart)


def test_a_point_far_below_the_teacher_stands_on_the_edge_and_says_what_it_is():
    chart = drawn()
    dots = traces(chart)[0]
    bottom = chart["figure"]["layout"]["yaxis"]["range"][0]
    assert dots["y"] == [bottom, 0.94] and dots["marker"]["symbol"] == ["triangle-down", "circle"]
    assert "10.0 %" in dots["text"][0] and "&lt;b&gt;" in dots["text"][0]
    line = traces(chart, "lines")[1]
    assert line["y"] == [0.1, 0.94], "the line goes where it really goes"


def test_a_methods_second_curve_has_its_colour_and_is_dotted_and_open():
    first, second = traces(drawn(), "lines")[1:3]
    assert first["line"]["color"] == second["line"]["color"] == palette.of_method("prune")
    assert (first["line"]["dash"], second["line"]["dash"]) == ("solid", "dot")
    assert traces(drawn())[1]["marker"]["symbol"] == ["circle-open"]


@pytest.mark.parametrize(("points_lost", "words"), [
    (1.0, "1 point below"), (0.5, "0.5 points below"), (5.0, "5 points below")])
def test_the_budget_is_a_line_below_the_teachers(points_lost, words):
    layout = drawn(points_lost=points_lost)["figure"]["layout"]
    heights = [shape["y0"] for shape in layout["shapes"] if shape["type"] == "line"]
    assert heights == [0.95, pytest.approx(0.95 - points_lost / 100)]
    assert layout["annotations"][0]["text"] == words
    assert words not in str(drawn(points_lost=points_lost)["narrow"]), "on a phone the words would lie on the curves"


def test_the_smallest_within_the_budget_is_marked_with_its_size_and_its_interval():
    chart = drawn()
    assert (chart["figure"]["data"][-1]["x"], chart["figure"]["data"][-1]["y"]) == ([20_000], [0.94])
    assert chart["figure"]["layout"]["annotations"][1]["text"] == "<b>20.0 kB</b><br>94.0 % ± 4.8"
    assert len(drawn(best=None)["figure"]["layout"]["annotations"]) == 1


def test_a_saved_picture_has_a_legend_with_each_curve_once():
    chart = drawn(curves=[Curve("prune", "pruning", [POOR, GOOD], False), Curve("distill", "distillation", [], False)])
    named = [trace["name"] for trace in chart["figure"]["data"] if trace.get("showlegend", True)]
    assert chart["legend_in_picture"] and not chart["figure"]["layout"]["showlegend"]
    assert named.count("pruning") == 1 and "distillation" not in named


def test_the_axes_stay_while_points_arrive():
    few, many = (drawn(curves=[Curve("prune", "pruning", points, False)])["figure"]["layout"] for points in ([], [GOOD]))
    assert few["xaxis"]["range"] == many["xaxis"]["range"] and few["yaxis"]["range"] == many["yaxis"]["range"]
    tiny = drawn(curves=[Curve("prune", "pruning", [{**GOOD, "bytes": 100}], False)])
    assert tiny["figure"]["layout"]["xaxis"]["range"][0] < 2 < few["xaxis"]["range"][0]


def test_only_what_is_in_sight_is_on_the_front():
    front = traces(drawn(), "lines")[0]
    assert (front["x"], front["y"]) == ([20_000], [0.94]) and race_charts.SHOWN_LOST < 0.3


def test_students_in_training_are_open_circles():
    (trace,) = [one for one in drawn(training=[(9_000, 0.4)])["figure"]["data"] if one["name"] == "in training"]
    assert trace["marker"] == {"size": 8, "symbol": "circle-open", "color": palette.of_method("distill")}
