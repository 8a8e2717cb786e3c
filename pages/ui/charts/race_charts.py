"""The plane of a race: all curves, the front, the budget, and the smallest network within it. Never imports streamlit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import floor, log10
from typing import Any

from compress.curves.race_plan import unit
from pages.ui.charts import charts, marks, palette, words
from pages.ui.charts.marks import Chart

HEIGHT = 392
SHOWN_LOST = 0.15  # accuracy below the teacher's that the plane shows; points further below are triangles at its edge
SMALLEST = 100  # times smaller than the teacher: where the axis begins


@dataclass(frozen=True)
class Curve:
    """One curve: its method, its name, its points by rising size, each with a `title` and an `id`, and whether it is the
    second of its method's, or a later one."""

    method: str
    name: str
    points: Sequence[dict[str, Any]]
    later: bool


def plane(curves: Sequence[Curve], reference: dict[str, Any] | None, front: Sequence[dict[str, Any]], points_lost: float,
          best: dict[str, Any] | None, training: Sequence[tuple[float, float]] = ()) -> Chart:
    """Accuracy over bytes of all curves.

    Args:
        reference: the teacher; None before it is trained.
        front: the points that no other one beats, by rising bytes; best: the smallest within the budget, or None.
        points_lost: the budget, in percentage points below the teacher.
        training: (bytes, accuracy) of students that are still trained.
    """
    edge = _accuracies(reference)[0]
    traces = [_front([point for point in front if point["accuracy"] >= edge])]
    for curve in curves:
        traces += [_line(curve), _dots(curve, edge)]
    if training:
        traces.append({"type": "scatter", "mode": "markers", "name": "in training", "x": [size for size, _ in training],
                       "y": [accuracy for _, accuracy in training], "hoverinfo": "skip",
                       "marker": {"size": 8, "symbol": "circle-open", "color": palette.of_method("distill")}})
    if reference:
        traces.append(charts.star(reference))
    if best:
        traces.append({**marks.ring(24, 4), "name": "smallest within the budget", "x": [best["bytes"]],
                       "y": [best["accuracy"]]})
    count = sum(len(curve.points) for curve in curves)
    layout = _layout(curves, reference, points_lost, best)
    return {"id": "race", "title": "Accuracy against the size of the file", "span": "wide", "height": HEIGHT,
            "narrow": {"annotations": layout.get("annotations", [])[1:]},  # the budget's words would lie on the curves
            "alt": f"{count} networks of {sum(bool(curve.points) for curve in curves)} curves on a plane of file size and "
                   f"accuracy, {len(front)} of them on the Pareto front.",
            "legend_in_picture": True,  # on the page the list beside it says whose curves they are
            "figure": {"data": traces, "layout": layout}}


def _line(curve: Curve) -> dict[str, Any]:
    drawn = marks.line([point["bytes"] for point in curve.points], [point["accuracy"] for point in curve.points], curve.name,
                       palette.of_method(curve.method), dash="dot" if curve.later else "solid", width=2.5)
    return {**drawn, "hoverinfo": "skip", "showlegend": bool(curve.points)}


def _dots(curve: Curve, edge: float) -> dict[str, Any]:
    """The curve's points; those below the edge of the plane stand on it as triangles."""
    colour, kind = palette.of_method(curve.method), "-open" if curve.later else ""
    symbols = [("triangle-down" if point["accuracy"] < edge else "circle") + kind for point in curve.points]
    return {"type": "scatter", "mode": "markers", "name": curve.name, "showlegend": False,
            "x": [point["bytes"] for point in curve.points],
            "y": [max(point["accuracy"], edge) for point in curve.points], "cliponaxis": False,
            "marker": {"size": 9, "color": colour, "symbol": symbols,
                       "line": {"width": 2.5 if curve.later else 0, "color": colour}},
            "customdata": [point["id"] for point in curve.points],
            "text": [charts.hover(point, point["title"]) for point in curve.points],
            "hovertemplate": "%{text}<extra></extra>"}


def _front(front: Sequence[dict[str, Any]]) -> dict[str, Any]:
    steps = marks.line([point["bytes"] for point in front], [point["accuracy"] for point in front], "Pareto front",
                       palette.faded(palette.NEUTRAL, 0.4), width=6)
    return {**steps, "hoverinfo": "skip", "line": {**steps["line"], "shape": "hv"}}


def _layout(curves: Sequence[Curve], reference: dict[str, Any] | None, points_lost: float,
            best: dict[str, Any] | None) -> dict[str, Any]:
    low, high = _sizes(curves, reference)
    bottom, top = _accuracies(reference)
    ticks = [round(0.05 * number, 2) for number in range(round(bottom / 0.05), floor(top / 0.05) + 1)]
    layout: dict[str, Any] = {
        "xaxis": {"type": "log", "range": [low, high], "title": {"text": "size of the file"},
                  **charts.size_ticks(low, high)},
        "yaxis": {"range": [bottom, top], "tickformat": ".0%", "tickvals": ticks,
                  "title": {"text": "accuracy on validation"}},
        "hovermode": "closest", "showlegend": False}
    if reference:
        budget = reference["accuracy"] - points_lost / 100
        band = {"type": "rect", "xref": "paper", "x0": 0, "x1": 1, "y0": budget, "y1": top, "layer": "below",
                "fillcolor": palette.faded(palette.NEUTRAL, 0.1), "line": {"width": 0}}
        layout["shapes"] = [band, marks.horizontal(reference["accuracy"]),
                            {**marks.horizontal(budget), "line": {"color": marks.ACCENT, "width": 2.5}}]
        layout["annotations"] = [_beside_budget(budget, points_lost), *([_beside_best(best)] if best else [])]
    return layout


def _beside_budget(budget: float, points_lost: float) -> dict[str, Any]:
    return {"x": 1, "xref": "paper", "xanchor": "right", "xshift": -4, "y": budget, "yanchor": "top", "showarrow": False,
            "text": f"{points_lost:g} {unit(points_lost)} below",
            "font": {"color": marks.ACCENT}}


def _beside_best(best: dict[str, Any]) -> dict[str, Any]:
    return {"x": log10(best["bytes"]), "y": best["accuracy"], "ax": 0, "ay": 58, "arrowcolor": marks.ACCENT, "arrowwidth": 2,
            "standoff": 14, "bgcolor": "var(--background)", "opacity": 0.9,
            "text": f"<b>{words.size(best['bytes'])}</b><br>{words.accuracy(best)}"}


def _sizes(curves: Sequence[Curve], reference: dict[str, Any] | None) -> tuple[float, float]:
    """The ends of the axis, as powers of ten: fixed by the teacher, so that they hardly move while points arrive."""
    if not reference:
        return 3.5, 5.8
    sizes = [log10(point["bytes"]) for curve in curves for point in curve.points]
    return (min([log10(reference["bytes"] / SMALLEST), *(size - 0.05 for size in sizes)]),
            max([log10(reference["bytes"] * 1.35), *(size + 0.05 for size in sizes)]))


def _accuracies(reference: dict[str, Any] | None) -> tuple[float, float]:
    """From well below the teacher to a little above it: who loses more is no choice."""
    accuracy = reference["accuracy"] if reference else 1.0
    return max(0.0, floor(20 * (accuracy - SHOWN_LOST)) / 20), min(1.0, accuracy + 0.03) + 0.005
