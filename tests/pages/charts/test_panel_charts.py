"""Charts of opened networks are valid figures, name what they show, and escape what comes from outside."""

from __future__ import annotations

import json

import pytest

from compress.points import predicted
from pages.ui.charts import panel_charts
from tests.pages.samples import figure_of

CLASSES = ["cat", "<b>dog</b>", "cat"]
LABELS = [0, 0, 1, 1, 2]
TEACHER, OWN = [0, 0, 1, 1, 2], [0, 1, 1, 1, 0]
BINS = [{"bin": 4, "examples": 10, "right": 5, "confidence": 0.45},
        {"bin": 9, "examples": 90, "right": 88, "confidence": 0.97}]
CHANGES = [{"path": "1", "layer": "1 · linear 4→3", "cka": 0.9, "cosine": 0.8, "error": 0.4,
            "histogram": {"edges": [-1, 0, 1], "before": [3, 9], "after": [6, 6]},
            "spectrum": {"before": [1.0, 0.5], "after": [0.9]}},
           {"path": "3", "layer": "3 · linear 3→3", "cka": None}]


def recalls(predictions: list[int]) -> list[dict]:
    return predicted.recalls(predictions, LABELS, CLASSES)


def test_recalls_have_a_trace_for_each_network_and_the_teacher():
    chart = panel_charts.recalls(recalls(TEACHER), [recalls(OWN), recalls(OWN)])
    figure_of(chart)
    traces = chart["figure"]["data"]
    assert [trace["name"] for trace in traces] == ["teacher", "A", "B"] and traces[1]["y"] == [0.5, 1.0, 0.0]
    assert len({place for trace in traces for place in trace["x"]}) == 9
    assert "<b>dog" not in json.dumps(chart)


def test_the_difference_of_confusions_is_red_for_more_mistakes_and_blue_for_more_right():
    chart = panel_charts.confusion_difference("A", predicted.confusion(TEACHER, LABELS, 3),
                                              predicted.confusion(OWN, LABELS, 3), CLASSES)
    figure_of(chart)
    (heat,) = chart["figure"]["data"]
    assert heat["z"] == [[1, 1, 0], [0, 0, 0], [1, 0, 1]] and heat["text"][0] == ["-1", "+1", ""]
    assert len(set(heat["x"])) == 3 and "<b>dog" not in json.dumps(chart)


@pytest.mark.parametrize("chart", [panel_charts.calibration([("A", BINS), ("B", BINS)]),
                                   *panel_charts.changes([("A", CHANGES)]), *panel_charts.of_layer("1", [("A", CHANGES)])],
                         ids=lambda chart: chart["id"])
def test_charts_are_valid_and_say_what_they_show(chart):
    figure_of(chart)
    assert chart["alt"] and "A" in [trace["name"] for trace in chart["figure"]["data"]]


def test_layers_without_a_counterpart_are_left_out():
    assert panel_charts.of_layer("3", [("A", CHANGES)]) == [] and panel_charts.changes([("A", CHANGES[1:])]) == []
    (cosine, cka) = panel_charts.changes([("A", CHANGES)])
    assert cosine["figure"]["data"][0]["y"] == [0.8] and cka["figure"]["data"][0]["y"] == [0.9]
