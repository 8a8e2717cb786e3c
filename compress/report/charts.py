"""The report's charts as plain Plotly data."""

from __future__ import annotations

from typing import Any

from compress.report.escaping import text
from compress.report.gathering import Network, Report

Figure = dict[str, Any]
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#999933", "#8A939C")
PLAIN = {"paper_bgcolor": "white", "plot_bgcolor": "white", "font": {"size": 15, "color": "#1c2530"},
         "legend": {"orientation": "h", "y": 1.12, "x": 0}, "hovermode": "closest", "margin": {"t": 40, "r": 20}}
GRID = {"gridcolor": "#e3e7ec", "zeroline": False}


def plane(report: Report) -> Figure:
    """Accuracy on validation (hollow) and on test (full), with 95 % intervals, against bytes; all others pale."""
    traces = [{"type": "scatter", "mode": "markers", "name": "all networks, on validation",
               "x": [size for _, size, _ in report.others], "y": [accuracy for *_, accuracy in report.others],
               "text": [text(name) for name, *_ in report.others], "hovertemplate": "%{text}<br>%{y:.1%}<extra></extra>",
               "marker": {"size": 7, "color": "#c3cad2"}}]
    for kind, symbol, shift in (("validation", "circle-open", 0.985), ("test", "circle", 1.015)):
        measured = [network.point if kind == "validation" else network.tested for network in report.networks]
        colours = [COLOURS[number % len(COLOURS)] for number in range(len(measured))]
        traces.append({
            "type": "scatter", "mode": "markers", "name": kind, "y": [one["accuracy"] for one in measured],
            "x": [shift * network.point["bytes"] for network in report.networks], "error_y": _bars(measured, "accuracy"),
            "marker": {"size": 12, "symbol": symbol, "color": colours, "line": {"width": 2, "color": colours}},
            "text": [text(network.name) for network in report.networks],
            "hovertemplate": f"%{{text}}, {kind}<br>%{{y:.1%}}<extra></extra>"})
    return {"data": traces, "layout": {
        **PLAIN, "height": 460, "xaxis": {**GRID, "type": "log", "title": {"text": "size of the file"}, **_size_ticks()},
        "yaxis": {**GRID, "tickformat": ".0%", "title": {"text": "accuracy"}}}}


def recalls(report: Report) -> Figure:
    """Recall of each class on the test split, with 95 % intervals."""
    rows = [network.tested["recall"] for network in report.networks]
    names = _different([row["class"] for row in rows[0]]) if rows else []
    traces = [_recall(number, network, len(report.networks)) for number, network in enumerate(report.networks)]
    return {"data": traces, "layout": {
        **PLAIN, "height": 420, "yaxis": {**GRID, "tickformat": ".0%", "title": {"text": "recall on test"}},
        "xaxis": {**GRID, "showgrid": False, "tickvals": list(range(len(names))), "ticktext": names,
                  "title": {"text": "class"}}}}


def _recall(number: int, network: Network, count: int) -> Figure:
    known = [(place, row) for place, row in enumerate(network.tested["recall"]) if row["recall"] is not None]
    return {"type": "scatter", "mode": "markers", "name": text(network.name),
            "x": [place + 0.7 * (number + 0.5) / count - 0.35 for place, _ in known],
            "y": [row["recall"] for _, row in known], "error_y": _bars([row for _, row in known], "recall"),
            "marker": {"size": 8, "color": COLOURS[number % len(COLOURS)]},
            "text": [f"{text(row['class'])}, {row['examples']} examples" for _, row in known],
            "hovertemplate": "%{text}: %{y:.1%}<extra></extra>"}


def _size_ticks() -> dict[str, Any]:
    """1, 2, 5 times each power of ten, in kB (thousands, as disks are sold)."""
    sizes = [digit * 10**power for power in range(1, 10) for digit in (1, 2, 5)]
    return {"tickvals": sizes, "ticktext": [f"{size / 1000:g} kB" for size in sizes]}


def _bars(measured: list[dict[str, Any]], name: str) -> dict[str, Any]:
    return {"type": "data", "symmetric": False, "width": 0, "thickness": 1.3,
            "array": [one[f"{name}_high"] - one[name] for one in measured],
            "arrayminus": [one[name] - one[f"{name}_low"] for one in measured]}


def _different(names: list[str]) -> list[str]:
    return [text(name, 20) for name in names]
