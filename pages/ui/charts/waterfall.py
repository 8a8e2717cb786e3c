"""Where a file's bytes go, and what each step saves: from the parameters in float32 to the file -> a chart.

A waterfall is a list of steps in their order, each with its name, the bytes that are really there after it, and entropy: the
fewest bytes that its numbers could take if each were independent of the others, or None."""

from __future__ import annotations

from itertools import pairwise
from math import log10
from typing import Any

from pages.ui.charts import charts, marks, palette, words
from pages.ui.charts.marks import Chart

ROW, REST = 46, 130  # pixels
Step = dict[str, Any]


def chart(held: list[list[Step] | None], method: str) -> Chart | None:
    """The bytes after each step as a dot, joined to those before it; a diamond is the theoretical entropy. The axis is
    logarithmic: equal lengths are equal ratios.

    Args:
        held: the waterfall at each of the dial's stops, None where nothing is measured yet.

    Returns:
        None where there is no waterfall at all.
    """
    in_order = sorted((one for one in held if one), key=len, reverse=True)  # the longest says where the others' rows belong
    names = list(dict.fromkeys(step["name"] for one in in_order for step in one))
    if not names:
        return None
    colour = palette.of_method(method)
    sizes = [size for one in held for step in one or () for size in (step["bytes"], step["entropy"]) if size]
    low, high = log10(min(sizes)) - 0.1, log10(max(sizes)) + 0.45  # the words at a dot stand to its right
    falls = [{**marks.line([], [], name, palette.faded(colour, 0.4), width=18), "showlegend": False, "hoverinfo": "skip"}
             for name in names]
    follow = [{"trace": place, **_fall(held, name)} for place, name in enumerate(names)]
    follow += [{"trace": len(names) + place, **_dots(held, kind)} for place, kind in enumerate(("entropy", "bytes"))]
    return {"id": "waterfall", "title": "From the parameters to the file", "span": "wide",
            "height": REST + ROW * len(names), "alt": in_words(next(one for one in held if one)), "follow": follow,
            "figure": {"data": [*falls, _marker("theoretical entropy", "var(--text)", "diamond-open", "markers"),
                                _marker("bytes that are there", colour, "circle", "markers+text")], "layout": {
                "xaxis": {"type": "log", "range": [low, high], "title": {"text": "bytes (logarithmic)"},
                          **charts.size_ticks(low, high)},
                "yaxis": {"type": "category", "categoryorder": "array", "categoryarray": names[::-1], "automargin": True,
                          "range": [-0.6, len(names) - 0.4]},
                "hovermode": "closest", "legend": marks.legend(1.05, font=13)}}}


def in_words(steps: list[Step]) -> str:
    """Parameters in float32: 1.1 MB; levels: 67 kB, 16× smaller."""
    told = [f"{steps[0]['name']}: {words.size(steps[0]['bytes'])}"]
    told += [f"{after['name']}: {words.size(after['bytes'])}, {words.times_smaller(after['bytes'], before['bytes'])}"
             for before, after in pairwise(steps)]
    return "; ".join(told) + "."


def _fall(held: list[list[Step] | None], name: str) -> dict[str, Any]:
    """From the bytes before a step to those after it, at each stop; nothing for the first step."""
    across, down = [], []
    for one in held:
        pair = next(((before, after) for before, after in pairwise(one or ()) if after["name"] == name), None)
        across.append(one and ([pair[0]["bytes"], pair[1]["bytes"]] if pair else []))
        down.append(one and ([name, name] if pair else []))
    return {"x": across, "y": down}


def _dots(held: list[list[Step] | None], kind: str) -> dict[str, Any]:
    """Bytes or entropy after each step at each stop, with their figures."""
    shown = [one and [step for step in one if step[kind]] for one in held]
    return {"x": [one and [step[kind] for step in one] for one in shown],
            "y": [one and [step["name"] for step in one] for one in shown],
            "text": [one and [words.size(step[kind]) for step in one] for one in shown]}


def _marker(name: str, colour: str, symbol: str, mode: str) -> dict[str, Any]:
    edge = {"width": 2.5, "color": colour} if "open" in symbol else {"width": 2, "color": "var(--background)"}
    return {"type": "scatter", "mode": mode, "name": name, "x": [], "y": [], "text": [], "textposition": "middle right",
            "marker": {"size": 15, "symbol": symbol, "color": colour, "line": edge},
            "hovertemplate": f"%{{y}}, {name}: %{{text}}<extra></extra>"}
