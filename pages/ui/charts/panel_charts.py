"""Networks looked into, one to four beside each other and their teacher -> charts. Each has a letter and a colour."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from compress.points.statistics import wilson
from pages.ui.charts import marks, outside, palette
from pages.ui.charts.marks import Chart

LETTERS = "ABCD"
COLOURS = (palette.BLUE, palette.VERMILION, palette.GREEN, palette.PINK)
LABELLED = 20  # classes, up to which cells of a map have their number
Rows = list[dict[str, Any]]


def recalls(teacher: Rows, networks: Sequence[Rows]) -> Chart:
    """Recall of each class with its 95 % interval: the teacher hollow, networks in their colours, side by side.

    Args:
        teacher, networks: as points.predicted.recalls() has them.
    """
    names = outside.names(row["class"] for row in teacher)
    several = len(networks) + 1
    traces = []
    for number, rows in enumerate([teacher, *networks]):
        colour = "var(--muted)" if not number else COLOURS[number - 1]
        own = [(place + 0.7 * (number + 0.5) / several - 0.35, row) for place, row in enumerate(rows)
               if row["recall"] is not None]
        traces.append({
            "type": "scatter", "mode": "markers", "name": "teacher" if not number else LETTERS[number - 1],
            "x": [x for x, _ in own], "y": [row["recall"] for _, row in own],
            "marker": {"size": 9, "color": colour, "symbol": "circle-open" if not number else "circle"},
            "error_y": {**marks.intervals([row for _, row in own], "recall"), "color": colour},
            "text": [f"{outside.html(row['class'], outside.NAME)}: {round(row['recall'] * row['examples'])} of "
                     f"{row['examples']}" for _, row in own],
            "hovertemplate": "%{text}, %{y:.1%}<extra></extra>"})
    known = [row for rows in (teacher, *networks) for row in rows if row["recall"] is not None]
    lowest = min((row["recall_low"] for row in known), default=0)
    return {"id": "recalls", "title": "Recall of each class", "span": "wide", "height": 380,
            "alt": f"Recall of {len(names)} classes for the teacher and {len(networks)} networks, with 95 % intervals.",
            "figure": {"data": traces, "layout": {
                "xaxis": {"tickvals": list(range(len(names))), "ticktext": names, "title": {"text": "class"},
                          "showgrid": False, "zeroline": False, "range": [-0.6, len(names) - 0.4]},
                "yaxis": {"tickformat": ".0%", "range": [max(0.0, lowest - 0.03), 1.02], "title": {"text": "recall"}},
                "legend": marks.legend(1.12), "hovermode": "closest"}}}


def confusion_difference(letter: str, teacher: list[list[int]], own: list[list[int]], classes: list[str]) -> Chart:
    """A network's confusion matrix minus the teacher's: more mistakes are red, fewer are blue; on the diagonal more right
    answers are blue."""
    names, count = outside.names(classes), len(classes)
    difference = [[own[row][column] - teacher[row][column] for column in range(count)] for row in range(count)]
    shown = [[-value if row == column else value for column, value in enumerate(values)]
             for row, values in enumerate(difference)]
    most = max((abs(value) for values in shown for value in values), default=0) or 1
    text = [[f"{value:+d}" if value else "" for value in values] for values in difference]
    heat = marks.heat(names, names, shown, marks.signed(palette.BLUE, palette.VERMILION),
                      "true %{y}, answered %{x}: %{text} examples")
    return {"id": f"confusion-{letter}", "title": f"{letter}: confusions more or fewer than the teacher's", "height": 400,
            "alt": f"Confusion matrix of {letter} minus the teacher's.",
            "figure": {"data": [{**heat, "zmin": -most, "zmax": most, "text": text,
                                 "texttemplate": "%{text}" if count <= LABELLED else "",
                                 "textfont": {"color": "var(--text)"}, "xgap": 2, "ygap": 2}],
                       "layout": {"xaxis": {"type": "category", "title": {"text": "predicted class"}, "showgrid": False},
                                  "yaxis": {"type": "category", "autorange": "reversed", "title": {"text": "true class"},
                                            "showgrid": False}}}}


def calibration(networks: Sequence[tuple[str, Rows]]) -> Chart:
    """How often networks are right where they are so and so sure, with 95 % intervals; sizes grow with the examples.

    Args:
        networks: letter (or another name) and bins as points.inspection.calibration() has them.
    """
    diagonal = marks.line([0, 1], [0, 1], "confidence matches accuracy", marks.MUTED, dash="dash", width=1.5)
    traces = [{**diagonal, "hoverinfo": "skip"}]
    for number, (name, bins) in enumerate(networks):
        shares = [one["right"] / one["examples"] for one in bins]
        ends = [wilson(one["right"], one["examples"]) for one in bins]
        most = max(one["examples"] for one in bins)
        traces.append({
            **marks.line([one["confidence"] for one in bins], shares, name, COLOURS[number], mode="lines+markers", width=2),
            "marker": {"color": COLOURS[number], "size": [6 + 14 * (one["examples"] / most) ** 0.5 for one in bins]},
            "error_y": {"type": "data", "symmetric": False, "width": 0, "thickness": 1.2, "color": COLOURS[number],
                        "array": [high - share for share, (_, high) in zip(shares, ends, strict=True)],
                        "arrayminus": [share - low for share, (low, _) in zip(shares, ends, strict=True)]},
            "text": [f"{one['right']} of {one['examples']} right" for one in bins],
            "hovertemplate": f"{outside.html(name)}: " + "%{x:.0%} sure, %{text}<extra></extra>"})
    return {"id": "calibration", "title": "Accuracy where it is so sure: calibration", "span": "wide", "height": 400,
            "alt": f"Accuracy against confidence of {len(networks)} networks; on the diagonal both are equal.",
            "figure": {"data": traces, "layout": {
                "xaxis": {"tickformat": ".0%", "range": [0, 1.02], "title": {"text": "confidence"}},
                "yaxis": {"tickformat": ".0%", "range": [0, 1.04], "title": {"text": "accuracy where it is so sure"}},
                "legend": marks.legend(1.1), "hovermode": "closest"}}}


def changes(networks: Sequence[tuple[str, Rows]]) -> list[Chart]:
    """Of each layer how similar its weights (cosine) and its outputs (CKA) still are to the teacher's."""
    kinds = (("cosine", "Weights of each layer: cosine to the teacher's"),
             ("cka", "Outputs of each layer: similarity to the teacher's (CKA)"))
    return [chart for key, title in kinds if (chart := _similarities(key, title, networks))]


def _similarities(key: str, title: str, networks: Sequence[tuple[str, Rows]]) -> Chart | None:
    traces = []
    for number, (name, rows) in enumerate(networks):
        known = [row for row in rows if row.get(key) is not None]
        if known:
            traces.append({"type": "bar", "name": name, "x": outside.names(row["layer"] for row in known),
                           "y": [row[key] for row in known], "marker": {"color": COLOURS[number]},
                           "text": [f"{row[key]:.3f}" for row in known], "textposition": "auto",
                           "hovertemplate": f"{outside.html(name)}: " + "%{x} %{y:.4f}<extra></extra>"})
    if not traces:
        return None
    lowest = min(min(trace["y"]) for trace in traces)
    return {"id": key, "title": title, "height": 320, "alt": f"{title}, for {len(traces)} networks.",
            "figure": {"data": traces, "layout": {
                "barmode": "group", "legend": marks.legend(1.15), "hovermode": "closest", "xaxis": {"type": "category"},
                "yaxis": {"range": [min(0.0, lowest), 1.05]}}}}


def of_layer(path: str, networks: Sequence[tuple[str, Rows]]) -> list[Chart]:
    """One layer: its singular values, and the histogram of its weights, the teacher's before and each network's after."""
    known = [(number, name, row) for number, (name, rows) in enumerate(networks) for row in rows
             if row["path"] == path and "histogram" in row]
    if not known:
        return []
    spectra = [(number, name, row) for number, name, row in known if row["spectrum"]]
    return [*([_spectrum(spectra)] if spectra else []), _histogram(known)]


def _spectrum(known: list[tuple[int, str, dict[str, Any]]]) -> Chart:
    before = known[0][2]["spectrum"]["before"]
    drawn = [marks.line(list(range(1, len(before) + 1)), before, "teacher", marks.MUTED, dash="dot", width=2)]
    for number, name, row in known:
        after = row["spectrum"]["after"]
        drawn.append(marks.line(list(range(1, len(after) + 1)), after, name, COLOURS[number], width=2))
    return {"id": "spectrum", "title": "Singular values, by the teacher's largest", "height": 320,
            "alt": "Singular values of a layer before and after.",
            "figure": {"data": drawn, "layout": {"xaxis": {"title": {"text": "number"}},
                                                 "yaxis": {"rangemode": "tozero"}, "legend": marks.legend(1.12)}}}


def _histogram(known: list[tuple[int, str, dict[str, Any]]]) -> Chart:
    traces = []
    for number, name, row in known:
        edges, counts = row["histogram"]["edges"], row["histogram"]
        middles = [(low + high) / 2 for low, high in pairwise(edges)]
        if not traces:
            traces.append({**marks.line(middles, counts["before"], "teacher", marks.MUTED, dash="dot", width=2),
                           "line": {"shape": "hvh", "color": marks.MUTED, "dash": "dot", "width": 2}})
        traces.append({**marks.line(middles, counts["after"], name, COLOURS[number]),
                       "line": {"shape": "hvh", "color": COLOURS[number], "width": 2}})
    return {"id": "histogram", "title": "How often weights have which value", "height": 320,
            "alt": "Histograms of a layer's weights before and after.",
            "figure": {"data": traces, "layout": {
                "xaxis": {"title": {"text": "weight"}}, "legend": marks.legend(1.12),
                "yaxis": {"title": {"text": "number of weights"}, "rangemode": "tozero"}}}}
