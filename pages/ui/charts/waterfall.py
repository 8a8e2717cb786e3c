"""Where a file's bytes go, and what each step saves: from the parameters in float32 to the file -> charts.

A waterfall has steps in their order, each with its name, the bytes that are really there after it, and entropy (the fewest
bytes that the stored numbers take on average if each is independent of the others, or None); and parts of the file by name,
with the bytes that they take uncoded and in this file, and their entropy."""

from __future__ import annotations

from itertools import pairwise
from math import floor, log10
from typing import Any

from pages.ui.charts import charts, marks, palette, words
from pages.ui.charts.marks import Chart

ROW, REST = 46, 130  # pixels
Step = dict[str, Any]
PARTS = {"values": "Weights as floats", "levels": "Levels of weights", "indices": "Masks and indices",
         "scales": "Scales and codebooks", "bias": "Biases", "labels": "Labels", "header": "Header"}


def charts_of(held: list[dict[str, Any] | None], method: str) -> list[Chart]:
    """From the parameters to the file, and what the file is made of; [] where no point has a waterfall.

    Args:
        held: the waterfall at each of the dial's stops, None where nothing is measured yet.
    """
    steps = chart([one and one["steps"] for one in held], method)
    return [steps, parts([one and one["parts"] for one in held], method)] if steps else []


def parts(held: list[dict[str, dict[str, Any]] | None], method: str) -> Chart:
    """The bytes of each part of the file: uncoded pale, as they are stored in colour, their entropy as a diamond."""
    names = [name for name in PARTS if any(name in one for one in held if one)]
    most = max(max(part["stored"], part["coded"]) for one in held if one for part in one.values())
    colour, labels = palette.of_method(method), [PARTS[name] for name in names]
    kinds = (("stored", "uncoded", palette.faded(palette.NEUTRAL, 0.4), 0.8), ("coded", "in this file", colour, 0.45))
    traces = [{"type": "bar", "orientation": "h", "x": [0] * len(names), "y": labels, "name": name, "text": labels,
               "textposition": "none", "hovertemplate": f"%{{y}}, {name}: %{{text}}<extra></extra>",
               "marker": {"color": shade}, "width": width} for _, name, shade, width in kinds]
    traces.append(_marker("theoretical entropy", "var(--text)", "diamond-open", "markers"))
    follow = [{"trace": place, "y": [one and labels for one in held],
               "x": [one and [one.get(name, {}).get(kind, 0) for name in names] for one in held],
               "text": [one and [words.size(one.get(name, {}).get(kind, 0)) for name in names] for one in held]}
              for place, (kind, *_) in enumerate(kinds)]
    known = [one and [name for name in names if (one.get(name) or {}).get("entropy")] for one in held]
    follow.append({"trace": 2, "x": [own and [one[name]["entropy"] for name in own]
                                     for one, own in zip(held, known, strict=True)],
                   "y": [own and [PARTS[name] for name in own] for own in known],
                   "text": [own and [words.size(one[name]["entropy"]) for name in own]
                            for one, own in zip(held, known, strict=True)]})
    return {"id": "parts", "title": "What the file is made of", "height": REST + ROW * len(names), "span": "wide",
            "alt": f"Bytes of {', '.join(label.lower() for label in labels)} in the file at the dial's stop.",
            "follow": follow, "figure": {"data": traces, "layout": {
                "barmode": "overlay", "bargap": 0.2, "hovermode": "closest", "legend": marks.legend(1.05, font=13),
                "xaxis": {"range": [0, most * 1.03], "title": {"text": "bytes"}, **byte_ticks(most)},
                "yaxis": {"type": "category", "categoryorder": "array", "categoryarray": labels[::-1], "automargin": True,
                          "range": [-0.6, len(names) - 0.4]}}}}


def byte_ticks(most: float) -> dict[str, Any]:
    """Some five round ticks from 0 to the most bytes, in kB and MB."""
    power = 10.0 ** floor(log10(max(most, 1) / 4))
    step = next(digit * power for digit in (1, 2, 5, 10) if most / (digit * power) <= 5)
    ticks = [step * number for number in range(int(most / step) + 1)]
    return {"tickvals": ticks, "ticktext": [words.size(tick).replace(".0 ", " ") for tick in ticks]}


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
