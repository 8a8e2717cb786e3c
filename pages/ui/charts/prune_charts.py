"""The inside of pruning -> charts: what a share removed saves, three forms of the file, weights that remain, inputs.

Every chart counts what is removed, as the dial does. Places are shares left, because their logarithm spreads the large
shares removed; ticks and hover texts say what is removed."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from math import log10, prod
from typing import Any

import numpy as np

from compress.data.pictures import shown_shape, thinned
from pages.ui.charts import charts, marks, palette, words
from pages.ui.charts.marks import Chart, at, of_layer

FORMS = {"dense": ("all weights, zeros too", palette.GREY, "dash"), "csr": ("indices (CSR)", palette.BLUE, "solid"),
         "bitmask": ("bitmask", palette.GREEN, "solid"), "columns": ("whole inputs", palette.ORANGE, "solid")}
SHARES = (1, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001)
KEPT, GONE = palette.GREEN, palette.faded(palette.NEUTRAL, 0.45)
MOST_NAMED = 5


def savings(points: list[dict], reference: dict, values: list[float]) -> Chart:
    """File, multiply-adds and time over the share of weights removed, each as a part of the teacher's: three effects that
    differ."""
    ordered = sorted(points, key=lambda point: point["dial"])
    timed = [point for point in ordered if point.get("latency") is not None]
    traces = [
        _line([_left(point) for point in ordered], [point["bytes"] / reference["bytes"] for point in ordered], "file",
              KEPT, _times_less),
        _line([_left(point) for point in ordered], [_part(point["macs"], reference["macs"]) for point in ordered],
              "multiply-adds", palette.BLUE, _times_less, dash="dot"),
        {**_line([_left(point) for point in timed], [point["latency"] for point in timed], "time", palette.VERMILION,
                 _times_less),
         "mode": "lines+markers", "marker": {"size": 8}, "error_y": marks.intervals(timed, "latency")}]
    shares = [trace for one in traces for trace in one["y"] if trace]
    low = min([0.045, *shares]) * 0.85
    return {"id": "savings", "title": "What is saved: file, arithmetic, time", "span": "wide", "height": 330,
            "alt": _in_words(ordered, reference), "follow": [_stop(values)],
            "figure": {"data": traces, "layout": {
                "xaxis": _removed_axis(values), "hovermode": "closest", "legend": marks.legend(font=13),
                "yaxis": {"type": "log", "range": [log10(low), log10(max([1.3, *shares]) * 1.05)], "tickvals": list(SHARES),
                          "ticktext": ["same", *(f"{1 / share:g}× less" for share in SHARES[1:])]},
                "shapes": [marks.horizontal(1.0)]}}}


def forms(view: dict, points: list[dict], values: list[float]) -> Chart:
    """Length of the file at every share if all layers were stored in one form; break-evens marked; the point's own file
    as a ring."""
    left = [1 - value for value in view["values"]]
    sizes = view["sizes"]
    traces = [_line(left, sizes[form], name, colour, words.size, dash=dash)
              for form, (name, colour, dash) in FORMS.items() if form in sizes]
    traces.append(marks.ring(16, 3.5))
    held = at(points, values)
    everything = [size for form in sizes.values() for size in form]
    low, high = log10(min(everything) / 1.25), log10(max(everything) * 1.25)
    crossings = [(place, text) for place, text in (
        (crossing(left, sizes["csr"], sizes["dense"]), "indices pay"),
        (crossing(left, sizes["csr"], sizes["bitmask"]), "indices win")) if place]
    number = "four" if "columns" in sizes else "three"
    return {"id": "forms", "title": f"The file in {number} forms, before coding (ring: as stored)", "height": 340,
            "alt": "File size over the share removed: " + ", ".join(
                FORMS[form][0] for form in sizes) + ". " + " ".join(
                f"From {words.percent(1 - place)} removed on {text}." for place, text in crossings),
            "follow": [{"trace": len(traces) - 1, "x": [point and [_left(point)] for point in held],
                        "y": [point and [point["bytes"]] for point in held]}],
            "figure": {"data": traces, "layout": {
                "xaxis": _removed_axis(values), "hovermode": "closest", "legend": marks.legend(font=13),
                "yaxis": {"type": "log", "range": [low, high], **charts.size_ticks(low, high)},
                "shapes": [marks.vertical(place) for place, _ in crossings],
                "annotations": [_note(place, f"{text}<br>from {words.percent(1 - place, 0)}", number)
                                for number, (place, text) in enumerate(crossings)]}}}


def crossing(places: list[float], falling: list[float], other: list[float]) -> float | None:
    """The largest place below which one curve stays under another, along straight lines between what was measured."""
    pairs = sorted(zip(places, falling, other, strict=True), reverse=True)
    for (right, above, other_above), (left, below, other_below) in pairwise(pairs):
        if above > other_above and below <= other_below:
            share = (above - other_above) / ((above - other_above) + (other_below - below))
            return right + share * (left - right)
    return None


def histogram(layer: dict, number: int, points: list[dict], values: list[float], by_size: bool) -> Chart:
    """One layer's weights: all of the teacher's in grey, those that remain in colour; where the smallest ones were removed
    (by_size), lines at the size of the smallest one that remains."""
    reach, bins = layer["reach"], len(layer["weights"])
    width = 2 * reach / bins
    middles = [round(-reach + (place + 0.5) * width, 6) for place in range(bins)]
    held = at(points, values)
    kept = [point and of_layer(point, layer["path"])["weights"] for point in held]
    smallest = [point and of_layer(point, layer["path"])["threshold"] for point in held]
    shared = {"type": "bar", "x": middles, "width": width, "hovertemplate": "around %{x:.3f}: %{y:,} weights"}
    traces = [{**shared, "name": "teacher", "y": layer["weights"], "marker": {"color": GONE}},
              {**shared, "name": "remaining", "y": [0] * bins, "marker": {"color": palette.of_layer(number)}}]
    return {"id": "histogram", "title": f"Which weights remain: layer {layer['path']}", "height": 340,
            "alt": f"Histogram of the weights of layer {layer['title']}: all in grey, those that remain in colour.",
            "follow": [{"trace": 1, "x": [one and middles for one in kept], "y": kept},
                       *({"line": True, "x": [one and sign * one for one in smallest]} for sign in (-1, 1) if by_size)],
            "figure": {"data": traces, "layout": {
                "barmode": "overlay", "bargap": 0, "legend": marks.legend(font=13), "xaxis": {"title": {"text": "weight"}},
                "yaxis": {"title": {"text": "weights (logarithmic)"}, "type": "log",
                          "range": [-0.1, log10(max(layer["weights"]) * 1.6)], "exponentformat": "none", "dtick": 1}}}}


def removed_of_each(view: dict, points: list[dict], values: list[float]) -> Chart:
    """How much of each layer (or group of units) is removed at the dial's stop."""
    titles = [layer["title"] for layer in view["layers"]]
    colours = [palette.of_layer(number) for number in range(len(titles))]
    held = at(points, values)
    own = [point and [of_layer(point, layer["path"]) for layer in view["layers"]] for point in held]
    shares = [layers and [1 - layer["kept"] / layer["total"] for layer in layers] for layers in own]
    text = [layers and [f"{layer['total'] - layer['kept']:,} of {layer['total']:,}" for layer in layers] for layers in own]
    unit = "units" if "sizes" not in view else "weights"
    return {"id": "removed", "title": f"Removed from each layer, {unit}", "height": max(340, 90 + 34 * len(titles)),
            "alt": f"Share of {unit} removed from each of {len(titles)} layers at the dial's stop.",
            "follow": [{"trace": 0, "x": shares, "y": [one and titles for one in shares], "text": text}],
            "figure": {"data": [{"type": "bar", "orientation": "h", "x": [0] * len(titles), "y": titles, "text": titles,
                                 "textposition": "auto", "marker": {"color": colours}, "cliponaxis": False,
                                 "hovertemplate": "%{y}: %{text} (%{x:.1%})<extra></extra>"}],
                       "layout": {"xaxis": {"range": [0, 1.5], "tickvals": [0, 0.5, 1], "tickformat": ".0%"},
                                  "bargap": 0.3,  # room for the numbers beside the bars
                                  "yaxis": {"type": "category", "autorange": "reversed", "automargin": True},
                                  "showlegend": False}}}


def sensitivity(view: dict, points: list[dict], values: list[float]) -> Chart:
    """Accuracy with one layer pruned at a time, the others whole; each dot marks the share removed at the dial's stop."""
    left = [1 - level for level in view["levels"]]
    traces = [_line(left, layer["accuracy"], layer["title"], palette.of_layer(number), words.percent)
              for number, layer in enumerate(view["layers"])]
    held, follow = at(points, values), []
    for number, layer in enumerate(view["layers"]):
        traces.append(marks.dot(palette.of_layer(number), size=14))
        places = [point and _share_left(point, layer["path"]) for point in held]
        follow.append({"trace": len(traces) - 1,
                       "x": [None if place is None else [max(place, min(left))] for place in places],
                       "y": [None if place is None else [between(left, layer["accuracy"], place)] for place in places]})
    return {"id": "sensitivity", "title": "How sensitive each layer is, pruned alone", "height": 340, "follow": follow,
            "alt": f"Accuracy over the share removed from one layer at a time, for {len(view['layers'])} layers.",
            "figure": {"data": traces, "layout": {
                "xaxis": {**_removed_axis([max(view["levels"])]), "title": {"text": "removed from this layer alone, %"}},
                "yaxis": {"range": [0, 1.03], "tickformat": ".0%", "title": {"text": "accuracy on validation"}},
                "legend": marks.legend(font=13), "showlegend": len(view["layers"]) <= MOST_NAMED, "hovermode": "closest"}}}


def inputs(view: dict, points: list[dict], values: list[float]) -> Chart | None:
    """How many weights are still connected to each input; None where no layer takes the examples as they are."""
    held = at(points, values)
    if not any(point and point["inside"]["inputs"] for point in held):
        return None
    maps = [point and _as_map(point["inside"]["inputs"], view["shape"]) for point in held]
    most = max(value for one in maps if one for row in one for value in row) or 1
    rows, columns = len(next(one for one in maps if one)), len(next(one for one in maps if one)[0])
    across, down = list(range(columns)), list(range(rows))
    flat = rows == 1
    return {"id": "inputs", "title": "Inputs that are still connected", "span": "wide", "height": 340 if not flat else 200,
            "alt": f"Number of weights connected to each of {rows * columns} inputs.",
            "follow": [{"trace": 0, "x": [one and across for one in maps], "y": [one and down for one in maps], "z": maps}],
            "figure": {"data": [{"type": "heatmap", "x": across, "y": down, "z": [[0] * columns] * rows, "zmin": 0,
                                 "zmax": most, "colorscale": [[0, palette.faded(palette.NEUTRAL, 0.1)],
                                                              [0.002, palette.faded(KEPT, 0.2)], [1, KEPT]],
                                 "colorbar": {"title": {"text": "weights"}, "thickness": 12, "outlinewidth": 0},
                                 "hovertemplate": "%{z} weights connected to this input<extra></extra>"}],
                       "layout": {"xaxis": {"visible": False, "constrain": "domain"}, "margin": {"t": 30},
                                  "yaxis": {"visible": False, "autorange": "reversed",
                                            **({} if flat else {"scaleanchor": "x"})}}}}


def between(places: list[float], heights: list[float], wanted: float) -> float:
    """A curve's height at a place, along straight lines between what was measured; its ends beyond them."""
    pairs = sorted(zip(places, heights, strict=True))
    if wanted <= pairs[0][0]:
        return pairs[0][1]
    for (low, before), (high, after) in pairwise(pairs):
        if wanted <= high:
            return before + (after - before) * (wanted - low) / (high - low)
    return pairs[-1][1]


def _as_map(counts: list[int], shape: list[int]) -> list[list[int]]:
    """Counts in the form of an example, or of what is shown of it: an image's channels are added up, anything else is one
    row a feature."""
    if len(counts) in (prod(shape), prod(shown_shape(shape))):
        counts, shape = thinned(np.array([counts]), shape).ravel().tolist(), list(shown_shape(shape))
    if len(shape) == 3:
        channels, height, width = shape
        size = height * width
        return [[sum(counts[channel * size + row * width + column] for channel in range(channels))
                 for column in range(width)] for row in range(height)]
    length = shape[-1]
    return [counts[start:start + length] for start in range(0, len(counts), length)]



def _share_left(point: dict, path: str) -> float:
    layer = of_layer(point, path)
    return layer["kept"] / layer["total"]



def _left(point: dict) -> float:
    return round(1 - point["dial"], 6)


def _part(own: float, whole: float) -> float | None:
    """None where nothing is left, which a logarithmic axis cannot show."""
    return own / whole if own else None


def _stop(values: list[float]) -> dict[str, Any]:
    return marks.stop([round(1 - value, 6) for value in values])


def _removed_axis(values: list[float]) -> dict[str, Any]:
    """Places are shares left, on a logarithmic axis from all to few; ticks are the shares removed."""
    low = min(0.01, *(1 - value for value in values))
    ticks = [share for share in SHARES if share >= low * 0.99]
    return {"type": "log", "range": [0.02, log10(low) - 0.05], "tickvals": ticks,
            "ticktext": [f"{100 * (1 - share):.4g}" for share in ticks], "tickangle": 0,
            "title": {"text": "removed from the network, %"}}


def _line(left: list[float], heights: list[float | None], name: str, colour: str, say: Callable[[float], str],
          dash: str = "solid") -> dict[str, Any]:
    """A line over shares left, each place with the share removed and its height in words under the pointer."""
    text = [f"{100 * (1 - place):.4g} % removed: {'nothing' if height is None else say(height)}"
            for place, height in zip(left, heights, strict=True)]
    return {**marks.line(left, heights, name, colour, dash=dash, hover="<br>%{text}"), "text": text}


def _times_less(part: float) -> str:
    return f"{1 / part:.3g}× less" if part <= 1 else f"{part:.3g}× more"


def _note(x: float, text: str, number: int) -> dict[str, Any]:
    """The first one at the foot, where the curves have not come down to yet, the second at the top. In few words, so that
    the first one ends before the second one's line; the axis says of what its share is."""
    return marks.note(log10(x), text, *((0.03, "bottom"), (0.8, "top"))[number % 2])


def _in_words(ordered: list[dict], reference: dict) -> str:
    if not ordered:
        return "File, multiply-adds and time over the share removed: nothing measured yet."
    last = ordered[-1]
    return (f"File, multiply-adds and time over the share removed. With {words.percent(last['dial'])} removed, the file: "
            f"{words.times_smaller(last['bytes'], reference['bytes'])}.")
