"""Points -> the hero chart of each page, as plain Plotly data. Never imports streamlit (nor plotly, which is slow)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain
from math import floor, log10
from typing import Any

from pages.ui.charts import marks, outside, palette, words
from pages.ui.charts.marks import Chart

HERO_HEIGHT = 450


def accuracy_size(points: list[dict], reference: dict | None, *, method: str, name: str, values: list[Any],
                  others: dict[str, list[dict]] | None = None, subject: str = "file", start: dict | None = None,
                  label: Callable[[Any], str] = str, beside: Sequence[dict[str, Any]] = ()) -> Chart:
    """Accuracy over bytes: the curve with interval bars, the reference as a star with a dashed line, other curves
    thin, and one large marker that follows the dial.

    Args:
        reference: what ratios are measured against, with accuracy and bytes; None while nothing is known.
        values: the dial's values in order; the marker is at the point measured there.
        others: name -> points of curves to compare with.
        subject: whose bytes they are, for the axis: "file" or "data file".
        start: the point of the network that the method starts from, where that is not the teacher.
        label: a dial value in words, for what is shown under the pointer.
        beside: more traces, drawn below the curve.
    """
    colour = palette.of_method(method)
    ordered = sorted(points, key=lambda point: point["bytes"])
    traces = [_thin_curve(other, curve, number, label) for number, (other, curve) in enumerate((others or {}).items())]
    traces += [*beside, _curve(ordered, name, colour, label)]
    if reference:
        traces.append(star(reference))
    if start:
        traces.append(start_network(start))
    held = marks.at(points, values)
    traces.append({**marks.ring(22, 4), "name": "dial"})
    follow = [{"trace": len(traces) - 1, "x": [point and [point["bytes"]] for point in held],
               "y": [point and [point["accuracy"]] for point in held]}]
    # While points are missing the axis begins at 0 and stays; then it moves to what there is to see.
    compared = [reference] if reference else []
    shown = [*points, *compared, *chain(*(others or {}).values())] if all(held) else []
    return {"id": "accuracy-size", "title": f"Accuracy against the size of the {subject}", "span": "wide",
            "height": HERO_HEIGHT, "alt": _curve_in_words(ordered, reference, subject), "follow": follow,
            "figure": {"data": traces, "layout": {**plane(points, reference, subject), "yaxis": accuracy_axis(shown)}}}


def dial_of(points: list[dict], reference: dict | None, values: list[Any], labels: list[str], *, name: str, label: str,
            help: str, current: Any) -> dict[str, Any]:
    """The dial beside the hero: its readout gives size, ratio and accuracy of the point at each value."""
    return {"name": name, "label": label, "values": list(values), "labels": labels, "help": help,
            "index": nearest(values, current), "readout": [
                readout(point, reference) if point else None for point in marks.at(points, values)]}


def readout(point: dict, reference: dict | None) -> str:
    """34.1 kB · 12× smaller · 97.3 % ± 0.8 · 1.4× faster."""
    parts = [words.size(point["bytes"])]
    if reference:
        parts.append(words.times_smaller(point["bytes"], reference["bytes"]))
    parts.append(words.accuracy(point))
    if point.get("latency") is not None:
        parts.append(words.speed(point))
    return " · ".join(parts)


TILES = ("size of the file", "accuracy", "speed")


def tiles(point: dict, reference: dict | None) -> list[tuple[str, str]]:
    """The same in large figures, each with what it means against the reference."""
    against = [words.times_smaller(point["bytes"], reference["bytes"]),
               words.points_lost(reference["accuracy"] - point["accuracy"])] if reference else list(TILES[:2])
    figure, _, rest = words.speed(point).partition(", ")
    return [(words.size(point["bytes"]), against[0]), (words.accuracy(point), against[1]),
            (figure, rest or ("speed" if point.get("latency") is None else "one example at a time"))]


def nearest(values: list[Any], wanted: Any) -> int:
    """Index of the dial value nearest to the wanted one."""
    return min(range(len(values)), key=lambda index: abs(values[index] - wanted))


def size_ticks(low: float, high: float) -> dict[str, Any]:
    """Ticks of a logarithmic byte axis at 1, 2, 5 times powers of ten, in kB and MB."""
    ticks = [digit * 10.0**power for power in range(1, 11) for digit in (1, 2, 5)
             if 10**low <= digit * 10.0**power <= 10**high]
    return {"tickvals": ticks, "ticktext": [words.size(tick).replace(".0 ", " ") for tick in ticks]}


def hover(point: dict, title: str) -> str:
    """A point under the pointer: its title, then the figures."""
    lines = [f"<b>{outside.html(title)}</b>", words.accuracy(point), words.size(point["bytes"]),
             f"{words.many(point['parameters'])} parameters, {words.many(point['macs'])} MACs"]
    if point.get("agreement") is not None:
        lines.append(f"agrees with the reference on {words.percent(point['agreement'])}")
    if point.get("latency") is not None:
        lines.append(words.speed(point))
    return "<br>".join([*lines, words.COVERS, *map(outside.html, point.get("notes", []))])


def _curve(ordered: list[dict], name: str, colour: str, label: Callable[[Any], str]) -> dict[str, Any]:
    return {
        "type": "scatter", "mode": "lines+markers", "name": outside.html(name), "x": [point["bytes"] for point in ordered],
        "y": [point["accuracy"] for point in ordered], "line": {"color": colour, "width": 3},
        "marker": {"size": 9, "color": colour}, "customdata": [point["dial"] for point in ordered],
        "text": [hover(point, label(point["dial"])) for point in ordered], "hovertemplate": "%{text}<extra></extra>",
        "error_y": {**marks.intervals(ordered, "accuracy"), "color": palette.faded(colour, 0.55)},
    }


def _thin_curve(name: str, points: list[dict], number: int, label: Callable[[Any], str]) -> dict[str, Any]:
    ordered = sorted(points, key=lambda point: point["bytes"])
    dashes = ("dot", "dash", "dashdot", "longdash")
    drawn = marks.line([point["bytes"] for point in ordered], [point["accuracy"] for point in ordered], name, marks.MUTED,
                       dash=dashes[number % len(dashes)], width=2)
    return {**drawn, "text": [hover(point, f"{name}: {label(point['dial'])}") for point in ordered],
            "hovertemplate": "%{text}<extra></extra>"}


def star(reference: dict) -> dict[str, Any]:
    """The mark of the teacher. reference: its card: title, bytes, accuracy with interval."""
    title = outside.html(reference.get("title", "teacher"), outside.NAME)
    return {"type": "scatter", "mode": "markers", "name": title, "x": [reference["bytes"]],
            "y": [reference["accuracy"]],
            "text": [f"<b>{title}</b><br>{words.accuracy(reference)}<br>"
                     f"{words.size(reference['bytes'])}<br>{words.COVERS}"],
            "hovertemplate": "%{text}<extra></extra>",
            "marker": {"symbol": "star", "size": 20, "color": "var(--text)"}}


def start_network(start: dict) -> dict[str, Any]:
    """The network that the method starts from, as a diamond."""
    return {**star({**start, "title": "starts from this network"}),
            "marker": {"symbol": "diamond", "size": 15, "color": "var(--text)"}}


def accuracy_axis(shown: list[dict]) -> dict[str, Any]:
    """From 0, or from a tenth that is well below all that is shown if nothing shown is poor, so that curves near the top can
    be told apart."""
    lowest = min((one.get("accuracy_low", one["accuracy"]) for one in shown), default=0.0)
    low = max(0.0, floor(10 * (lowest - 0.02)) / 10) if lowest > 0.6 else 0.0
    step = 0.2 if low == 0 else 0.1 if low < 0.75 else 0.05 if low < 0.85 else 0.02
    ticks = [round(1 - step * number, 2) for number in range(round((1 - low) / step) + 1)][::-1]
    return {"range": [low, 1 + 0.04 * (1 - low)], "tickvals": ticks, "tickformat": ".0%",
            "title": {"text": "accuracy on validation"}}


def plane(points: list[dict], reference: dict | None, subject: str) -> dict[str, Any]:
    """Axes fixed by the reference, so that they do not jump while points arrive."""
    shapes, low, high = [], 3.0, 6.3
    if reference:
        high = max([log10(reference["bytes"] * 1.35), *(log10(point["bytes"]) + 0.05 for point in points)])
        low = min([log10(reference["bytes"] / 60), *(log10(point["bytes"]) - 0.05 for point in points)])
        shapes = [marks.horizontal(reference["accuracy"])]
    return {
        "xaxis": {"type": "log", "range": [low, high], "title": {"text": f"size of the {subject}"},
                  **size_ticks(low, high)},
        "shapes": shapes, "hovermode": "closest", "legend": marks.legend(1.08),
    }


def _curve_in_words(ordered: list[dict], reference: dict | None, subject: str) -> str:
    if not ordered:
        return f"Accuracy against {subject} size: nothing measured yet."
    text = (f"Accuracy against {subject} size: {len(ordered)} points from {words.size(ordered[0]['bytes'])} with "
            f"{words.percent(ordered[0]['accuracy'])} to {words.size(ordered[-1]['bytes'])} with "
            f"{words.percent(ordered[-1]['accuracy'])}.")
    if reference:
        text += f" The reference has {words.percent(reference['accuracy'])} at {words.size(reference['bytes'])}."
    return text
