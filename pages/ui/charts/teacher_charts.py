"""A teacher's training and mistakes -> charts."""

from __future__ import annotations

from typing import Any

from pages.ui.charts import marks, outside, palette
from pages.ui.charts.marks import Chart


def training(history: list[dict], epochs: int, title: str = "Training") -> Chart:
    """Accuracy on train and validation, and loss, by epoch; the axis is as long as the training will be."""
    steps = [epoch["epoch"] for epoch in history]
    traces = [_dotted(steps, [epoch["accuracy"] for epoch in history], "validation", palette.BLUE),
              _dotted(steps, [epoch["train_accuracy"] for epoch in history], "training", palette.SKY, "dot"),
              {**_dotted(steps, [epoch["loss"] for epoch in history], "loss (right axis)", palette.ORANGE),
               "yaxis": "y2"}]
    last = f"{100 * history[-1]['accuracy']:.1f} percent validation accuracy" if history else "not started"
    return {"id": "training", "title": title, "span": "wide", "height": 330,
            "alt": f"Training curves after {len(history)} of {epochs} epochs: {last}.",
            "figure": {"data": traces, "layout": {
                "xaxis": {"range": [0.5, epochs + 0.5], "title": {"text": "epoch"}},
                "yaxis": {"range": [0, 1.02], "tickformat": ".0%", "title": {"text": "accuracy"}},
                "yaxis2": {"overlaying": "y", "side": "right", "rangemode": "tozero", "showgrid": False,
                           "tickmode": "auto", "nticks": 6,  # Plotly's default copies the places of the other axis's ticks
                           "title": {"text": "loss"}},
                "legend": marks.legend(), "hovermode": "x unified", "margin": {"r": 60}}}}


def confusion(matrix: list[list[int]], classes: list[str]) -> Chart:
    """True class by predicted class; the diagonal is left pale, so that mistakes stand out."""
    count, classes = len(classes), outside.names(classes)
    mistakes = [[matrix[row][column] if row != column else 0 for column in range(count)] for row in range(count)]
    text = [[str(value) if value else "" for value in row] for row in matrix]
    wrong = sum(map(sum, mistakes))
    total = sum(map(sum, matrix))
    return {"id": "confusion", "title": "Which classes are confused", "height": 420,
            "alt": f"Confusion matrix: {total - wrong} right and {wrong} wrong of {total} validation examples.",
            "figure": {"data": [{
                **marks.heat(classes, classes, mistakes,
                             [[0, palette.faded(palette.NEUTRAL, 0.1)], [1, palette.VERMILION]],
                             "true %{y}, predicted %{x}: %{text}"),
                "text": text, "texttemplate": "%{text}" if count <= 20 else "", "textfont": {"color": "var(--text)"},
                "xgap": 2, "ygap": 2}],
                "layout": {"xaxis": {"type": "category", "title": {"text": "predicted class"}, "showgrid": False},
                           "yaxis": {"type": "category", "autorange": "reversed", "title": {"text": "true class"},
                                     "showgrid": False}}}}


def parameters(layers: list[dict]) -> Chart:
    """Where the parameters are, and where the arithmetic is: one bar a layer each, as shares."""
    names = outside.names(layer["layer"] for layer in layers)
    traces = []
    for key, name, colour in (("parameters", "parameters", palette.BLUE), ("macs", "multiply-adds", palette.ORANGE)):
        total = sum(layer[key] for layer in layers) or 1
        traces.append({"type": "bar", "orientation": "h", "name": name, "y": names, "marker": {"color": colour},
                       "x": [layer[key] / total for layer in layers], "text": [f"{layer[key]:,}" for layer in layers],
                       "hovertemplate": "%{y}: %{text}<extra>" + name + "</extra>", "textposition": "auto"})
    return {"id": "parameters", "title": "Where the parameters and the arithmetic are", "height": 420,
            "alt": "Share of parameters and of multiply-adds of each layer.",
            "figure": {"data": traces, "layout": {
                "barmode": "group", "xaxis": {"tickformat": ".0%"}, "legend": marks.legend(1.1),
                "yaxis": {"autorange": "reversed", "automargin": True}}}}


def _dotted(x: list, y: list, name: str, colour: str, dash: str = "solid") -> dict[str, Any]:
    return {**marks.line(x, y, name, colour, dash=dash, mode="lines+markers"), "marker": {"size": 6, "color": colour}}
