"""Examples as they are beside what is rebuilt of them at each stop of the dial -> one chart that the dial moves."""

from __future__ import annotations

from typing import Any

import numpy as np

from pages.ui.charts import marks, palette
from pages.ui.charts.marks import Chart

MOST_CELLS = 4_000  # of a map at one stop: all stops are sent to the browser
ACROSS = 3  # pairs of pictures beside each other, at most


def examples(originals: list, made: list[list | None], step: int = 1) -> Chart:
    """The first examples: images with the rebuilt ones under them, and one sequence of several features likewise, a row a
    feature; anything else as lines. Each form is a chart of its own: plotly keeps the axes of a chart, and those of images
    count downwards.

    Args:
        originals: nested lists shaped like an example, 0..255.
        made: for each stop of the dial the same examples rebuilt, or None where nothing was measured.
        step: of how many numbers along the last axis one is shown.
    """
    if np.ndim(originals[0]) == 3:
        return _maps(originals, made)
    if np.ndim(originals[0]) == 2 and len(originals[0]) > 1:
        return _of_rows(_maps([[originals[0]]], [one and [[one[0]]] for one in made]))
    return _lines(originals[0], [one and one[0] for one in made], step)


def _maps(originals: list, made: list[list | None]) -> Chart:
    height, width = np.shape(originals[0])[1:]
    count = max(1, min(ACROSS, len(originals), MOST_CELLS // (2 * height * width)))
    step = max(1, round((2 * height * width / MOST_CELLS) ** 0.5))
    shown = [one and _pairs(originals[:count], one[:count], step) for one in made]
    first = next((one for one in shown if one), _pairs(originals[:count], originals[:count], step))
    across, down = list(range(len(first[0]))), list(range(len(first)))
    return {"id": "rebuilt", "title": "As they are (above) and rebuilt (below)", "height": 340,
            "alt": f"{count} examples, and under each the same rebuilt at the dial's stop.",
            "follow": [{"trace": 0, "x": [one and across for one in shown], "y": [one and down for one in shown],
                        "z": shown}],
            "figure": {"data": [{"type": "heatmap", "x": across, "y": down, "z": first, "zmin": 0, "zmax": 255,
                                 "colorscale": "Greys", "reversescale": True, "showscale": False, "hoverinfo": "skip"}],
                       "layout": {"margin": {"l": 4, "r": 4, "t": 30, "b": 4},
                                  "xaxis": {"visible": False, "constrain": "domain"},
                                  "yaxis": {"visible": False, "autorange": "reversed", "scaleanchor": "x"}}}}


def _of_rows(chart: Chart) -> Chart:
    """The map of a sequence, as wide and as high as there is room for."""
    layout = chart["figure"]["layout"]
    return {**chart, "id": "rebuilt rows", "title": "An example (above) and rebuilt",
            "alt": "One example, a row a feature, and under it the same rebuilt at the dial's stop.",
            "figure": {**chart["figure"], "layout": {**layout, "yaxis": {"visible": False, "autorange": "reversed"}}}}


def _pairs(originals: list, made: list, step: int) -> list[list[float | None]]:
    """Grey levels of the originals in a row over those rebuilt, with gaps of one twelfth of a picture."""
    rows = [_row(originals, step), _row(made, step)]
    gap = max(1, len(rows[0]) // 12)
    return [*rows[0], *[[None] * len(rows[0][0])] * gap, *rows[1]]


def _row(pictures: list, step: int) -> list[list[float | None]]:
    grey = [np.asarray(one, float).mean(0)[::step, ::step].round().astype(int).tolist() for one in pictures]
    gap = [None] * max(1, len(grey[0][0]) // 12)
    return [[value for number, one in enumerate(grey) for value in (*(gap if number else ()), *one[line])]
            for line in range(len(grey[0]))]


def _lines(original: Any, made: list[Any], step: int) -> Chart:
    places, is_table = list(range(0, step * np.shape(original)[-1], step)), np.ndim(original) == 1
    first = np.atleast_2d(original)[0].tolist()
    shown = [None if one is None else np.atleast_2d(one)[0].tolist() for one in made]
    rebuilt = next((one for one in shown if one), first)
    across, upwards = ("feature", "normalised value (0 to 255)") if is_table else ("place", "value (0 to 255)")
    across += f", one of {step}" if step > 1 else ""
    return {"id": "rebuilt lines", "title": "An example, and rebuilt", "height": 340,
            "alt": "One example's values, and the same rebuilt at the dial's stop.",
            "follow": [{"trace": 1, "x": [one and places for one in shown], "y": shown}],
            "figure": {"data": [marks.line(places, first, "as it is", palette.GREY, width=2),
                                marks.line(places, rebuilt, "rebuilt", palette.PINK)],
                       "layout": {"xaxis": {"title": {"text": across}}, "yaxis": {"title": {"text": upwards}},
                                  "legend": marks.legend(font=13), "hovermode": "x unified"}}}
