"""The staircase of a chain: from the teacher to the last network, what each step takes in bytes and costs in accuracy. Never
imports streamlit."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import floor
from typing import Any

from pages.ui.charts import charts, marks, palette, waterfall, words
from pages.ui.charts.marks import Chart

CODING = palette.GREY  # the colour of the last stair, which is no method's
HEIGHT = 392
SHOWN_LOST = 0.25  # accuracy below the teacher's that the plane shows
Points = Sequence[dict[str, Any]]


def colour(method: str) -> str:
    """Of a stair by its method, "" for coding."""
    return palette.of_method(method) if method else CODING


def staircase(steps: Sequence[tuple[str, str]], held: Sequence[Points | None], values: Sequence[Any],
              reference: dict[str, Any] | None, stops: Sequence[str]) -> Chart:
    """Accuracy over bytes with one mark for each network of the chain at the dial's stop; the last networks at the other
    stops as a thin line.

    Args:
        steps: (method, title) of each stair, "" for coding.
        held: at each stop the points of all stairs, None where they are not all measured.
        values: the dial's; stops: the same in words, such as "share removed 75 %".
    """
    ends = sorted(((points[-1], value, stop) for points, value, stop in zip(held, values, stops, strict=True) if points),
                  key=lambda end: end[0]["bytes"])
    edge = _edge(held, reference)
    traces: list[dict[str, Any]] = [_ends(ends, edge)]
    follow: list[dict[str, Any]] = []
    if reference:
        paths = [points and [reference, *points] for points in held]
        shade = palette.faded(palette.NEUTRAL, 0.75)
        traces.append({"type": "scatter", "mode": "lines", "x": [], "y": [], "hoverinfo": "skip",
                       "line": {"color": shade, "width": 3, "shape": "hv"}})
        follow.append({"trace": 1, "x": [path and [one["bytes"] for one in path] for path in paths],
                       "y": [path and [max(edge, one["accuracy"]) for one in path] for path in paths]})
        for number, (method, title) in enumerate(steps):
            traces.append(_mark(colour(method), number, number == len(steps) - 1))
            follow.append({"trace": len(traces) - 1, **_placed(paths, number, title, edge)})
        traces.append(charts.star(reference))
    points = [one for path in held if path for one in path]
    return {"id": "stairs", "title": "From the teacher, step by step", "span": "wide", "height": HEIGHT, "follow": follow,
            "alt": in_words(steps, next((points for points in held if points), None), reference),
            "figure": {"data": traces, "layout": _layout(points, reference, edge)}}


def _edge(held: Sequence[Points | None], reference: dict[str, Any] | None) -> float:
    """The accuracy at which the plane ends below: well below the teacher, or just below the lowest point above that. A mark
    below it stands on it; its words say its accuracy."""
    if not reference or not all(held):
        return 0.0
    lowest = reference["accuracy"] - SHOWN_LOST
    seen = [one["accuracy"] for points in held for one in points or () if one["accuracy"] > lowest]
    return max(0.0, floor(20 * min([reference["accuracy"] - 0.05, *seen]) - 0.4) / 20)


def _layout(points: list[dict[str, Any]], reference: dict[str, Any] | None, edge: float) -> dict[str, Any]:
    layout = charts.plane(points, reference, "file")
    low, high = layout["xaxis"]["range"]
    step = 0.2 if edge == 0 else 0.05
    ticks = [round(edge + step * number, 2) for number in range(round((1 - edge) / step) + 1)]
    return {**layout, "showlegend": False,
            "xaxis": {**layout["xaxis"], "range": [low - 0.1, high + 0.05]},
            "yaxis": {"range": [edge - 0.08 * (1 - edge), 1 + 0.3 * (1 - edge)], "tickvals": ticks, "tickformat": ".0%",
                      "title": {"text": "accuracy on validation"}}}


def taken(steps: Sequence[tuple[str, str]], held: Sequence[Points | None], reference: dict[str, Any] | None) -> Chart | None:
    """The bytes after each step, as a waterfall; None where nothing is measured."""
    if not reference:
        return None
    names = ["Teacher", *(f"{number} {title}" if method else title for number, (method, title) in enumerate(steps, start=1))]
    rows = [points and [{"name": name, "bytes": one["bytes"], "entropy": None}
                        for name, one in zip(names, [reference, *points], strict=True)] for points in held]
    chart = waterfall.chart(rows, steps[-1][0] or steps[-2][0])
    if not chart:
        return None
    layout = chart["figure"]["layout"]
    low, high = layout["xaxis"]["range"]
    wide = {**layout, "showlegend": False, "xaxis": {**layout["xaxis"], "range": [low, high + 0.25]}}
    figure = {"data": _in_colours(chart["figure"]["data"], [palette.NEUTRAL, *(colour(method) for method, _ in steps)]),
              "layout": wide}
    return {**chart, "id": "taken", "title": "Bytes after each step", "figure": figure}


def _in_colours(traces: list[dict[str, Any]], colours: list[str]) -> list[dict[str, Any]]:
    """The traces of a waterfall with one colour for each row: first the falls, row by row, then entropies, then dots."""
    falls = [{**trace, "line": {**trace["line"], "color": palette.faded(shade, 0.4)}}
             for trace, shade in zip(traces, colours, strict=False)]
    *rest, dots = traces[len(falls):]
    return [*falls, *rest, {**dots, "marker": {**dots["marker"], "color": colours}}]


def in_words(steps: Sequence[tuple[str, str]], points: Points | None, reference: dict[str, Any] | None) -> str:
    """Teacher 213 kB, 97.2 %; Pruning 28 kB, 96.8 %."""
    if not points or not reference:
        return "A chain of networks: nothing measured yet."
    told = [f"{title} {words.size(one['bytes'])}, {words.percent(one['accuracy'])}"
            for title, one in zip(["Teacher", *(title for _, title in steps)], [reference, *points], strict=True)]
    return "; ".join(told) + "."


def _ends(ends: list[tuple[dict[str, Any], Any, str]], edge: float) -> dict[str, Any]:
    """The last networks at all stops; those below the edge of the plane stand on it as triangles."""
    points = [point for point, _, _ in ends]
    drawn = marks.line([point["bytes"] for point in points], [max(edge, point["accuracy"]) for point in points],
                       "other stops", palette.faded(palette.NEUTRAL, 0.5), dash="dot", width=2, mode="lines+markers")
    symbols = ["triangle-down" if point["accuracy"] < edge else "circle" for point in points]
    return {**drawn, "marker": {"size": 9, "color": palette.faded(palette.NEUTRAL, 0.7), "symbol": symbols},
            "customdata": [value for _, value, _ in ends], "cliponaxis": False,
            "text": [charts.hover(point, stop) for point, _, stop in ends],
            "hovertemplate": "%{text}<extra></extra>"}


def _mark(shade: str, number: int, is_last: bool) -> dict[str, Any]:
    edge = {"color": marks.ACCENT, "width": 4} if is_last else {"color": "var(--background)", "width": 2}
    return {"type": "scatter", "mode": "markers+text", "x": [], "y": [], "text": [], "cliponaxis": False,
            "textposition": "bottom center" if number % 2 == 0 else "top center", "textfont": {"size": 14},
            "marker": {"size": 22 if is_last else 17, "color": shade, "line": edge}, "hoverinfo": "skip"}


def _placed(paths: Sequence[list[dict[str, Any]] | None], number: int, title: str, edge: float) -> dict[str, Any]:
    """A stair's mark at each stop, with its accuracy and how much smaller the step made the file."""
    pairs = [path and list(pairwise(path))[number] for path in paths]
    return {"x": [pair and [pair[1]["bytes"]] for pair in pairs],
            "y": [pair and [max(edge, pair[1]["accuracy"])] for pair in pairs],
            "text": [pair and [f"{title}<br>{_times(pair)}, {words.percent(pair[1]['accuracy'])}"] for pair in pairs]}


def _times(pair: tuple[dict[str, Any], dict[str, Any]]) -> str:
    """3.4×, or what a step that makes the file larger is called."""
    return words.times_smaller(pair[1]["bytes"], pair[0]["bytes"]).removesuffix(" smaller")
