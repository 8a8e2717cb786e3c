"""Dark knowledge -> charts that a temperature dial moves in the browser: softened outputs, classes that look alike."""

from __future__ import annotations

from math import exp
from typing import Any

from pages.ui.charts import charts, marks, outside, palette, words
from pages.ui.charts.marks import Chart


def softened(logits: list[float], temperature: float) -> list[float]:
    """softmax(logits / temperature)."""
    top = max(logits)
    powers = [exp((value - top) / temperature) for value in logits]
    return [power / sum(powers) for power in powers]


def outputs(view: dict, number: int, series: list[tuple[str, list[float], str]]) -> Chart:
    """One example's class probabilities, one bar for each class and network, at every temperature of the dial.

    Args:
        number: of the example among the view's.
        series: (name, logits, colour) of the teacher and of the networks that it is compared with.
    """
    classes, temperatures = outside.names(view["classes"]), view["temperatures"]
    traces, follow = [], []
    for place, (name, logits, colour) in enumerate(series):
        values = [[round(one, 5) for one in softened(logits, temperature)] for temperature in temperatures]
        traces.append({"type": "bar", "name": name, "x": classes, "y": values[0], "marker": {"color": colour},
                       "hovertemplate": f"{name}<br>%{{x}}: %{{y:.1%}}<extra></extra>"})
        follow.append({"trace": place, "x": [classes] * len(temperatures), "y": values})
    return {"id": "outputs", "title": f"Class probabilities, true class {outside.name(view['example_labels'][number])}",
            "height": 360, "follow": follow, "alt": f"Softened probabilities of {len(classes)} classes for one example.",
            "figure": {"data": traces, "layout": {
                "xaxis": {"type": "category", "title": {"text": "class"}},
                "yaxis": {"range": [0, 1.02], "tickformat": ".0%", "title": {"text": "probability at T"}},
                "barmode": "group", "bargap": 0.25, "legend": marks.legend(1.1, font=14)}}}


def at_stops(view: dict, number: int, points: list[dict], values: list[float], temperature: float) -> Chart:
    """One example's class probabilities at a temperature: the teacher's, and those of the student at each of the dial's
    values."""
    classes = outside.names(view["classes"])
    series = [[round(one, 5) for one in softened(point["inside"]["logits"][number], temperature)]
              if point and "logits" in point["inside"] else None for point in marks.at(points, values)]
    first = next(one for one in series if one)
    bars = {"type": "bar", "x": classes, "hovertemplate": "%{x}: %{y:.1%}"}
    label = outside.name(view["example_labels"][number])
    return {"id": "softened", "height": 340, "title": f"Softened outputs, true class {label}",
            "alt": f"Probabilities of {len(classes)} classes at T = {temperature:g}: the teacher's and the student's.",
            "follow": [{"trace": 1, "x": [one and classes for one in series], "y": series}],
            "figure": {"data": [
                {**bars, "name": "teacher", "marker": {"color": palette.GREY},
                 "y": [round(one, 5) for one in softened(view["teacher_logits"][number], temperature)]},
                {**bars, "name": "student", "marker": {"color": palette.of_method("distill")}, "y": first}],
                "layout": {"xaxis": {"type": "category", "title": {"text": "class"}}, "barmode": "group", "bargap": 0.25,
                           "yaxis": {"range": [0, 1.02], "tickformat": ".0%", "title": {"text": f"at T = {temperature:g}"}},
                           "legend": marks.legend(1.1, font=14)}}}


def alike(view: dict) -> Chart:
    """Which classes the teacher finds alike on the training examples: the mean probability given to each wrong class."""
    classes, temperatures = outside.names(view["classes"]), view["temperatures"]
    matrices = [[[None if row == column else round(100 * value, 2) for column, value in enumerate(values)]
                 for row, values in enumerate(matrix)] for matrix in view["similarity"]]
    return {"id": "alike", "title": "Classes that the teacher finds alike", "height": 360,
            "alt": "Mean softened probability of each wrong class for the examples of each true class.",
            "follow": [{"trace": 0, "x": [classes] * len(temperatures), "y": [classes] * len(temperatures), "z": matrices}],
            "figure": {"data": [{
                **marks.heat(classes, classes, matrices[0],
                             [[0, palette.faded(palette.NEUTRAL, 0.08)], [1, palette.VERMILION]],
                             "a %{y} gets %{z:.2f} % of %{x}"), "xgap": 2, "ygap": 2}],
                "layout": {"xaxis": {"type": "category", "showgrid": False, "title": {"text": "probability of class"}},
                           "yaxis": {"type": "category", "autorange": "reversed", "showgrid": False,
                                     "title": {"text": "true class"}}}}}


def dial(view: dict, number: int, current: float) -> dict[str, Any]:
    """The temperature, moved in the browser alone; its readout names the teacher's two most probable classes."""
    temperatures, logits = view["temperatures"], view["teacher_logits"][number]
    readout = []
    for temperature in temperatures:
        ranked = sorted(zip(softened(logits, temperature), view["classes"], strict=True), reverse=True)[:2]
        readout.append("the teacher: " + "; ".join(
            f"class {outside.name(name)}, {words.percent(share, 0)}" for share, name in ranked))
    return {"name": "shown temperature", "label": "Temperature", "values": temperatures,
            "labels": [f"{temperature:g}" for temperature in temperatures], "readout": readout,
            "index": charts.nearest(temperatures, current),
            "help": "Higher temperatures show which classes the teacher finds similar."}
