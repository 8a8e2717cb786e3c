"""What all charts share: whoever asks for a point, a layer or an axis gets the same answer on every page."""

from __future__ import annotations

import ast

from pages.ui.charts import marks
from tests.imports import ROOT, tree_of
from tests.pages.samples import figure_of, point


def test_each_of_the_dials_values_has_its_point_or_none():
    points = [point(0.5, 10), point(0.1, 5)]
    assert marks.at(points, [0.1, 0.2, 0.5]) == [points[1], None, points[0]]


def test_a_layer_is_found_by_its_path_and_an_unknown_one_is_empty():
    known = {"inside": {"layers": [{"path": "0", "kept": 3}, {"path": "2", "kept": 4}]}}
    assert marks.of_layer(known, "2") == {"path": "2", "kept": 4}
    assert marks.of_layer(known, "1") == marks.of_layer(known, "4") == {}


def test_ticks_of_names_are_bare_numbers():
    axis = marks.categories(["T = 2", "10 %", "by 64"], "of all kinds")
    assert axis["ticktext"] == ["2", "10", "64"] and axis["tickvals"] == axis["categoryarray"] == ["T = 2", "10 %", "by 64"]


def test_intervals_reach_from_low_to_high():
    bars = marks.intervals([{"accuracy": 0.5, "accuracy_low": 0.25, "accuracy_high": 1.0}], "accuracy")
    assert (bars["array"], bars["arrayminus"]) == ([0.5], [0.25])


def test_marks_are_valid_in_a_figure():
    traces = [marks.line([1, 2], [3, 4], "a line", "#123456", hover=": %{y}"), marks.dot("#123456"), marks.ring(20, 3),
              marks.heat(["a"], ["b"], [[1]], marks.signed("#000000", "#ffffff", 0.5), "%{z}")]
    figure = figure_of({"figure": {"data": traces, "layout": {
        "shapes": [marks.vertical(1.0), marks.horizontal(2.0)], "annotations": [marks.note(1.0, "here")],
        "legend": marks.legend(font=13), "xaxis": marks.categories(["1 %"], "share")}}})
    assert figure.data[0].hovertemplate == "a line: %{y}<extra></extra>" and figure.layout.legend.font.size == 13


def test_no_chart_has_a_copy_of_a_mark_of_its_own():
    """A private helper that stands in two files belongs into marks.py."""
    charts = sorted((ROOT / "pages" / "ui" / "charts").glob("[a-z]*.py"))
    bodies: dict[str, str] = {}
    for path in charts:
        for node in tree_of(path).body:
            if isinstance(node, ast.FunctionDef):
                body = ast.dump(ast.Module([part for part in node.body if not isinstance(part, ast.Expr)], []))
                assert body not in bodies, f"{node.name} of {path.name} is {bodies[body]} once more"
                bodies[body] = f"{node.name} of {path.name}"
