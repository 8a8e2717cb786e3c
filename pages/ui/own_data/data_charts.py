"""What is in a data set -> a chart."""

from __future__ import annotations

from typing import Any

from pages.ui.charts import marks, outside, palette, words
from pages.ui.charts.marks import Chart

MOST_NAMES = 12  # classes in the legend
COLOURS = palette.LAYERS
SIGNS = ("circle", "diamond", "square", "triangle-up", "x", "cross")


def examples_map(found: dict[str, Any]) -> Chart:
    """Examples along the two directions in which they differ most, one colour a class (with more classes than colours,
    another sign).

    Args:
        found: share, of the variance along each direction; classes: name -> [x, y].
    """
    names = outside.names(found["classes"])
    traces = [{"type": "scatter", "mode": "markers", "name": name, "x": places[0], "y": places[1],
               "showlegend": number < MOST_NAMES, "hovertemplate": f"{name}<extra></extra>",
               "marker": {"size": 7, "opacity": 0.75, "color": COLOURS[number % len(COLOURS)],
                          "symbol": SIGNS[number // len(COLOURS) % len(SIGNS)]}}
              for number, (name, places) in enumerate(zip(names, found["classes"].values(), strict=True))]
    first, second = (words.percent(share) for share in found["share"])
    count = sum(len(places[0]) for places in found["classes"].values())
    return {"id": "map", "title": "The examples, seen where they differ most", "height": 380,
            "alt": f"{count} examples of {len(names)} classes along the two directions in which they differ most.",
            "figure": {"data": traces, "layout": {
                "xaxis": {"title": {"text": f"first direction, {first} of the variance"}, "zeroline": False},
                "yaxis": {"title": {"text": f"second direction, {second}"}, "zeroline": False},
                "legend": marks.legend(), "hovermode": "closest"}}}
