"""The plane of a search: what it measured, what was known before, the front, the limits, the answer. Never imports
streamlit."""

from __future__ import annotations

from collections.abc import Sequence
from math import floor, log10
from typing import Any

from compress.search.target import Target, spaced_size
from pages.ui.charts import charts, marks, outside, palette, words
from pages.ui.charts.marks import Chart

HEIGHT = 360
SHOWN_LOST = 0.12  # accuracy below the teacher's that the plane shows; networks further below stand at its edge
SMALLEST = 200  # times smaller than the teacher: where the axis begins
Point = dict[str, Any]  # of the store, with an `id`, the words under the pointer as `hover`, and names as `method`


def plane(measured: Sequence[Point], earlier: Sequence[Point], reference: Point, front: Sequence[Point], target: Target,
          best: Point | None) -> Chart:
    """Accuracy over bytes.

    Args:
        measured: by the search; earlier: known before; front: those of both that no other one beats, by rising bytes.
        reference: the teacher's card; best: the answer, or None.
    """
    bottom = _accuracies(reference)[0]
    steps = marks.line([one["bytes"] for one in front if one["accuracy"] >= bottom],
                       [one["accuracy"] for one in front if one["accuracy"] >= bottom], "Pareto front",
                       palette.faded(palette.NEUTRAL, 0.4), width=6)
    traces = [{**steps, "hoverinfo": "skip", "line": {**steps["line"], "shape": "hv"}},
              _dots(earlier, "known before", bottom, {"size": 7, "color": palette.faded(palette.NEUTRAL, 0.55)}),
              _dots(measured, "measured now", bottom, {
                  "size": 11, "color": [palette.of_method(one["method"]) for one in measured],
                  "line": {"width": 2.5, "color": [palette.of_first(one["method"]) for one in measured]}}),
              charts.star(reference)]
    if best:
        traces.append({**marks.ring(24, 4), "name": "answer", "x": [best["bytes"]], "y": [best["accuracy"]]})
    return {"id": "search", "title": "What the search measured", "span": "wide", "height": HEIGHT, "legend_in_picture": True,
            "alt": f"{len(measured)} networks that the search measured and {len(earlier)} known before, on a plane of file "
                   f"size and accuracy, {len(front)} of them on the Pareto front.",
            "figure": {"data": traces, "layout": _layout([*measured, *earlier], reference, target, best)}}


def _dots(points: Sequence[Point], name: str, bottom: float, marker: dict[str, Any]) -> dict[str, Any]:
    """Points; those below the edge of the plane stand on it as triangles, a chain is a diamond."""
    symbols = ["triangle-down" if one["accuracy"] < bottom else "diamond" if "+" in one["method"] else "circle"
               for one in points]
    return {"type": "scatter", "mode": "markers", "name": name, "cliponaxis": False, "x": [one["bytes"] for one in points],
            "y": [max(one["accuracy"], bottom) for one in points], "customdata": [one["id"] for one in points],
            "text": [one["hover"] for one in points], "hovertemplate": "%{text}<extra></extra>",
            "marker": {**marker, "symbol": symbols}}


def _layout(points: Sequence[Point], reference: Point, target: Target, best: Point | None) -> dict[str, Any]:
    sizes = [log10(one["bytes"]) for one in points]
    low = min([log10(reference["bytes"] / SMALLEST), *(size - 0.05 for size in sizes)])
    high = max([log10(reference["bytes"] * 1.35), *(size + 0.05 for size in sizes)])
    bottom, top = _accuracies(reference)
    ticks = [round(0.05 * number, 2) for number in range(round(bottom / 0.05), floor(top / 0.05) + 1)]
    shapes, notes = [marks.horizontal(reference["accuracy"])], []
    if target.points_lost is not None:
        shapes.append(_limit(marks.horizontal(reference["accuracy"] - target.points_lost / 100)))
        notes.append(_said(f"{target.points_lost:g} below", x=0, xref="paper", xanchor="left", xshift=4,
                           y=reference["accuracy"] - target.points_lost / 100, yanchor="top"))
    if target.bytes is not None:
        shapes.append(_limit(marks.vertical(target.bytes)))
        notes.append(_said(spaced_size(target.bytes), x=log10(target.bytes), xanchor="left", xshift=4, y=0, yref="paper",
                           yanchor="bottom"))
    if best:
        notes.append({"x": log10(best["bytes"]), "y": best["accuracy"], "ax": 0, "ay": 58, "arrowcolor": marks.ACCENT,
                      "arrowwidth": 2, "standoff": 14, "bgcolor": "var(--background)", "opacity": 0.9,
                      "text": f"<b>{words.size(best['bytes'])}</b><br>{words.accuracy(best)}"})
    return {"xaxis": {"type": "log", "range": [low, high], "title": {"text": "size of the file"},
                      **charts.size_ticks(low, high)},
            "yaxis": {"range": [bottom, top], "tickformat": ".0%", "tickvals": ticks,
                      "title": {"text": "accuracy on validation"}},
            "hovermode": "closest", "showlegend": False, "shapes": shapes, "annotations": notes}


def _limit(line: dict[str, Any]) -> dict[str, Any]:
    return {**line, "line": {"color": marks.ACCENT, "width": 2.5}}


def _said(text: str, **place: Any) -> dict[str, Any]:
    return {**place, "showarrow": False, "text": outside.html(text), "font": {"color": marks.ACCENT}}


def _accuracies(reference: Point) -> tuple[float, float]:
    accuracy = reference["accuracy"]
    return max(0.0, floor(20 * (accuracy - SHOWN_LOST)) / 20), min(1.0, accuracy + 0.03) + 0.005
