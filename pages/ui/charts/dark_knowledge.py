"""Dark knowledge -> charts that a temperature dial moves in the browser: softened outputs, classes that look alike."""

from __future__ import annotations

from math import exp
from typing import Any

from pages.ui.charts import charts, marks, palette, words
from pages.ui.charts.marks import Chart


def softened(logits: list[float], temperature: float) -> list[float]:
    """softmax(logits / temperature)."""
    top = max(logits)
    powers = [exp((value - top) / temperature) for value in logits]
    return [power / sum(powers) for power in powers]


def outputs(view: dict, number: int, voices: list[tuple[str, list[float], str]]) -> Chart:
    """One example's class probabilities, one bar a class and voice, at every temperature of the dial.

    Args:
        number: of the example among the view's.
        voices: (name, logits, colour) of the teacher and whoever stands beside it.
    """
    classes, heats = view["classes"], view["temperatures"]
    traces, follow = [], []
    for place, (name, logits, colour) in enumerate(voices):
        values = [[round(one, 5) for one in softened(logits, heat)] for heat in heats]
        traces.append({"type": "bar", "name": name, "x": classes, "y": values[0], "marker": {"color": colour},
                       "hovertemplate": f"{name}<br>%{{x}}: %{{y:.1%}}<extra></extra>"})
        follow.append({"trace": place, "x": [classes] * len(heats), "y": values})
    return {"id": "outputs", "title": f"What each says of this {view['example_labels'][number]}",
            "height": 360, "follow": follow, "alt": f"Softened probabilities of {len(classes)} classes for one example.",
            "figure": {"data": traces, "layout": {
                "xaxis": {"type": "category", "title": {"text": "class"}},
                "yaxis": {"range": [0, 1.02], "tickformat": ".0%", "title": {"text": "probability at T"}},
                "barmode": "group", "bargap": 0.25, "legend": marks.legend(1.1, font=14)}}}


def alike(view: dict) -> Chart:
    """Which classes the teacher finds alike on the training examples: the mean probability given to each wrong class."""
    classes, heats = view["classes"], view["temperatures"]
    matrices = [[[None if row == column else round(100 * value, 2) for column, value in enumerate(values)]
                 for row, values in enumerate(matrix)] for matrix in view["similarity"]]
    return {"id": "alike", "title": "Classes that the teacher finds alike", "height": 360,
            "alt": "Mean softened probability of each wrong class for the examples of each true class.",
            "follow": [{"trace": 0, "x": [classes] * len(heats), "y": [classes] * len(heats), "z": matrices}],
            "figure": {"data": [{
                **marks.heat(classes, classes, matrices[0],
                             [[0, palette.faded(palette.NEUTRAL, 0.08)], [1, palette.VERMILION]],
                             "a %{y} gets %{z:.2f} % of %{x}"), "xgap": 2, "ygap": 2}],
                "layout": {"xaxis": {"type": "category", "showgrid": False, "title": {"text": "probability of class"}},
                           "yaxis": {"type": "category", "autorange": "reversed", "showgrid": False,
                                     "title": {"text": "true class"}}}}}


def dial(view: dict, number: int, temperature: float) -> dict[str, Any]:
    """The temperature, moved in the browser alone; its readout tells the teacher's first two choices."""
    heats, logits = view["temperatures"], view["teacher_logits"][number]
    readout = []
    for heat in heats:
        ranked = sorted(zip(softened(logits, heat), view["classes"], strict=True), reverse=True)[:2]
        readout.append("the teacher: " + ", then ".join(f"{name} {words.percent(share)}" for share, name in ranked))
    return {"name": "shown temperature", "label": "Temperature", "values": heats,
            "labels": [f"{heat:g}" for heat in heats], "readout": readout, "index": charts.nearest(heats, temperature),
            "help": "At 1 only the winner shows; higher, what the teacher finds similar comes out."}
