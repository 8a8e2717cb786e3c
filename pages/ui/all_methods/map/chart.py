"""The model map: branches of networks as a chart. Across is a measure; each branch has a line of its own, which begins
below the network that it was made of; size and colour of a mark are two more measures. Never imports streamlit."""

from __future__ import annotations

from collections.abc import Sequence
from math import log10
from typing import Any

from pages.ui.all_methods import axes
from pages.ui.all_methods.axes import Measure
from pages.ui.all_methods.map.tree import Branch
from pages.ui.charts import charts, outside, palette, words

Row = dict[str, Any]
SMALLEST, LARGEST = 9, 26  # pixels of a mark
LEVEL = 27  # pixels from one branch to the next
LONGEST = 34  # signs of a branch's title beside the chart
INDENT = "\u2003"
COLOURS = [[0.0, palette.BLUE], [0.5, "#E8C35A"], [1.0, palette.VERMILION]]  # the better end first
FAR = 0.25  # of a share: what is further from the best has the last colour


def chart(branches: Sequence[Branch], x: Measure, size: Measure, colour: Measure) -> charts.Chart:
    """The map. All three measures are known of every network."""
    rows = [row for branch in branches for row in branch.rows]
    heights = {id(row): -number for number, branch in enumerate(branches) for row in branch.rows}
    layout = {"xaxis": _across(x, rows), "yaxis": _titles(branches), "showlegend": False, "hovermode": "closest",
              "margin": {"l": 8, "b": 68, "t": 64, "r": 12}}
    return {"id": "map", "title": outside.html(f"What was made of what (a larger mark: {size.short})"), "span": "wide",
            "narrow": _above_lines(branches), "height": 150 + LEVEL * max(len(branches), 6),
            "alt": f"{len(rows)} networks in {len(branches)} branches, each below the network that it was made of.",
            "figure": {"layout": layout, "data": [*(_stem(branch, heights, x) for branch in branches),
                                                  _marks(rows, heights, x, size, colour)]}}


def _across(x: Measure, rows: list[Row]) -> dict[str, Any]:
    found = axes.axis(x, rows, zoomed=False)
    return {**found, "automargin": True, "title": {**found["title"], "standoff": 10}}


def _titles(branches: Sequence[Branch]) -> dict[str, Any]:
    return {"tickvals": [-number for number in range(len(branches))], "automargin": True, "zeroline": False,
            "showgrid": False, "range": [0.4 - max(len(branches), 6), 0.8], "tickfont": {"size": 12}, "ticks": "",
            "ticktext": [_short(branch) + INDENT * branch.depth for branch in branches]}


def _above_lines(branches: Sequence[Branch]) -> dict[str, Any]:
    """Beside a narrow chart the titles would take half of its width: each is above the line of its branch."""
    at_the_left = {"x": 0, "xref": "paper", "xanchor": "left", "yshift": LEVEL / 2, "showarrow": False, "font": {"size": 11}}
    notes = [{**at_the_left, "y": -number, "text": INDENT * branch.depth + _short(branch)}
             for number, branch in enumerate(branches)]
    return {"yaxis": {"showticklabels": False}, "annotations": notes}


def _short(branch: Branch) -> str:
    return outside.html(branch.title if len(branch.title) <= LONGEST else f"{branch.title[:LONGEST - 1]}…")


def _stem(branch: Branch, heights: dict[int, int], x: Measure) -> dict[str, Any]:
    """The line of a branch, and the way down to it from the network that it was made of."""
    level, method = heights[id(branch.rows[0])], branch.rows[-1]["method"]
    ends = [row[x.key] for row in branch.rows]
    across, down = [min(ends), max(ends)], [level, level]
    if branch.parent is not None:
        top = branch.parent[x.key]
        across, down = [top, top, min(*ends, top), max(*ends, top)], [heights[id(branch.parent)], level, level, level]
    return {"type": "scatter", "mode": "lines", "x": across, "y": down, "hoverinfo": "skip",
            "line": {"width": 3, "color": palette.faded(palette.of_method(method), 0.6)}}


def _marks(rows: list[Row], heights: dict[int, int], x: Measure, size: Measure, colour: Measure) -> dict[str, Any]:
    values = [_scaled(colour, row[colour.key]) for row in rows]
    low, high = _ends(colour, values)
    marks = {"size": _sizes(size, rows), "symbol": ["star" if row["method"] == "teacher" else
                                                    "circle-open" if row["control"] else "circle" for row in rows],
             "color": values, "cmin": low, "cmax": high, "colorscale": COLOURS, "reversescale": colour.higher,
             "line": {"width": [4 if row["pinned"] else 1 for row in rows], "color": "var(--text)"}, "opacity": 1,
             "colorbar": {"title": {"text": outside.html(colour.short), "side": "top", "font": {"size": 14}},
                          "tickfont": {"size": 12}, "tickangle": 0, "thickness": 12, "orientation": "h",
                          "x": 0, "xanchor": "left", "len": 0.96, "y": 1, "yanchor": "bottom", "ypad": 4,
                          **_ticks(colour, low, high)}}
    return {"type": "scatter", "mode": "markers", "x": [row[x.key] for row in rows], "y": [heights[id(row)] for row in rows],
            "customdata": [row["id"] for row in rows], "text": [row["hover"] for row in rows],
            "hovertemplate": "%{text}<extra></extra>", "marker": marks}


def _scaled(one: Measure, value: float) -> float:
    return log10(max(value, 1e-9)) if one.log else value


def _sizes(one: Measure, rows: list[Row]) -> list[float]:
    values = [_scaled(one, row[one.key]) for row in rows]
    low, high = min(values, default=0.0), max(values, default=1.0)
    return [SMALLEST + (LARGEST - SMALLEST) * (value - low) / ((high - low) or 1.0) for value in values]


def _ends(one: Measure, values: list[float]) -> tuple[float, float]:
    """The values of both ends of the colours: a few networks that fail would leave one colour for all others."""
    low, high = min(values, default=0.0), max(values, default=1.0)
    if one.share and one.higher:
        low = max(low, high - FAR)
    elif one.share:
        high = min(high, low + FAR)
    return low, max(high, low + 1e-6)


def _ticks(one: Measure, low: float, high: float) -> dict[str, Any]:
    places = [low + (high - low) * part / 3 for part in range(4)]
    real = [10**place if one.log else place for place in places]
    texts = [words.size(value) if one.key == "bytes" else words.percent(value) if one.share else f"{value:.3g}"
             if one.key == "latency" else words.many(value) for value in real]
    return {"tickvals": places, "ticktext": texts}
