"""The inside of quantization -> charts: weights and their levels, output errors, rate and distortion, sensitivity.

A point's inside has for each layer: path, title, levels (values that weights are rounded to), counts (how many weights have
each), bits (entropy of the levels, a weight), correction (bits of a correction, a weight), distortion (squared error of the
weights as a part of their variance), error and error_nearest (of the outputs as a part of their energy, by the method and
by rounding to the nearest level)."""

from __future__ import annotations

from math import log2, log10
from typing import Any

from pages.ui.charts import charts, marks, palette, words
from pages.ui.charts.marks import Chart, at, of_layer

TICKS = (2, 3, 4, 5, 8, 16, 32, 64, 128, 256)
ABOVE = 0.2546  # bits: entropy-coded uniform levels above the Gaussian's bound at small steps, log2(2 pi e / 12) / 2
MANY = 33  # dots of so many levels would be one line
MOST_NAMED = 5
NEAREST, CODEBOOK = "nearest level", "codebook"
COLOURS = {NEAREST: palette.SKY, CODEBOOK: palette.PINK}


def bits(levels: int) -> str:
    """Of a number with so many possible values: 8 bits, 2.3 bits, 1 bit."""
    exact = log2(levels)
    return "1 bit" if exact == 1 else f"{exact:.0f} bits" if exact == int(exact) else f"{exact:.1f} bits"


def in_words(levels: int) -> str:
    """5 levels, 2.3 bits."""
    return f"{levels:,} levels, {bits(levels)}"


def weights(point: dict) -> int:
    """How many weights of a point have levels."""
    return sum(sum(layer["counts"]) for layer in point["inside"].get("layers", ()))


def bits_after_coding(point: dict) -> float:
    """Entropy of the levels of all weights of a point, a weight."""
    return sum(layer["bits"] * sum(layer["counts"]) for layer in point["inside"]["layers"]) / weights(point)


def bits_of_correction(point: dict) -> float:
    """Of all weights of a point, a weight; 0 where rounding was not corrected."""
    return sum(layer.get("correction", 0.0) * sum(layer["counts"]) for layer in point["inside"]["layers"]) / weights(point)


def zeros(point: dict) -> float:
    """The share of a point's weights that are exactly zero."""
    pairs = [pair for layer in point["inside"]["layers"] for pair in zip(layer["levels"], layer["counts"], strict=True)]
    return sum(count for level, count in pairs if level == 0) / weights(point)


def controls(named: dict[str, list[dict]]) -> list[dict[str, Any]]:
    """What the same curve measures in other ways, hollow: a line for each that has the dial's stops, and one trace of those
    that are single networks.

    Args:
        named: what they are -> points.
    """
    lines = {name: sorted(points, key=lambda point: point["bytes"]) for name, points in named.items() if name in COLOURS}
    single = [(point, name) for name, points in named.items() if name not in COLOURS for point in points]
    drawn = [_control(name, [(point, in_words(point["dial"])) for point in points], COLOURS[name], 9,
                      "lines+markers") for name, points in lines.items()]
    return drawn + ([_control("16-bit floats", single, "var(--text)", 12, "markers")] if single else [])


def _control(name: str, held: list[tuple[dict, str]], colour: str, size: int, mode: str) -> dict[str, Any]:
    drawn = marks.line([point["bytes"] for point, _ in held], [point["accuracy"] for point, _ in held], name, colour,
                       width=2, mode=mode)
    return {**drawn, "marker": {"size": size, "symbol": "circle-open" if "lines" in mode else "diamond-open",
                                "color": colour, "line": {"width": 2}},
            "text": [charts.hover(point, f"{name}: {said}") for point, said in held],
            "hovertemplate": "%{text}<extra></extra>"}


def weights_and_levels(layer: dict, number: int, points: list[dict], values: list[int]) -> Chart:
    """One layer's weights in grey, and in colour the levels that they are rounded to, as high as they are used."""
    reach, bins = layer["reach"], len(layer["weights"])
    width = 2 * reach / bins
    middles = [round(-reach + (place + 0.5) * width, 6) for place in range(bins)]
    held = [point and of_layer(point, layer["path"]) for point in at(points, values)]
    dotted = [one and (one if len(one["levels"]) < MANY else {"levels": [], "counts": []}) for one in held]
    colour = palette.of_layer(number)
    most = max([*layer["weights"], *(count for one in held if one for count in one["counts"])])
    traces = [{"type": "bar", "x": middles, "y": layer["weights"], "width": width, "name": "teacher's weights",
               "marker": {"color": palette.faded(palette.NEUTRAL, 0.45)},
               "hovertemplate": "around %{x:.3f}: %{y:,} weights"},
              {"type": "bar", "x": [], "y": [], "width": width / 2, "name": "their levels", "marker": {"color": colour},
               "hovertemplate": "level %{x:.4f}: %{y:,} weights"},
              marks.dot(colour, 11)]
    return {"id": "levels", "title": f"Weights and levels: layer {layer['path']}", "height": 340,
            "alt": f"Histogram of the weights of layer {layer['title']}, and the levels that they are rounded to.",
            "follow": [{"trace": trace, "x": [one and one["levels"] for one in shown],
                        "y": [one and one["counts"] for one in shown]} for trace, shown in ((1, held), (2, dotted))],
            "figure": {"data": traces, "layout": {
                "barmode": "overlay", "bargap": 0, "legend": marks.legend(font=13), "xaxis": {"title": {"text": "weight"}},
                "yaxis": {"title": {"text": "weights (logarithmic)"}, "type": "log",
                          "range": [-0.1, log10(most * 1.8)], "exponentformat": "none", "dtick": 1}}}}


def output_errors(points: list[dict], values: list[int]) -> Chart:
    """Error of each layer's outputs at the dial's stop: a ring for rounding to the nearest level, a dot for the method."""
    layers = points[0]["inside"]["layers"] if points else []
    titles = [layer["title"] for layer in layers]
    held = at(points, values)
    own = [point and [of_layer(point, layer["path"]) for layer in layers] for point in held]
    lowest = min((_floor(one["error"]) for point in points for one in point["inside"]["layers"]), default=1e-4)
    highest = max((one["error_nearest"] for point in points for one in point["inside"]["layers"]), default=1.0)
    traces = [{**marks.line([], [], title, palette.faded(palette.NEUTRAL, 0.5), width=6), "showlegend": False,
               "hoverinfo": "skip"} for title in titles]
    traces += [_spot(NEAREST, COLOURS[NEAREST], "circle-open"), _spot("as stored", palette.of_method("quantize"), "circle")]
    follow = [{"trace": place, "x": [one and [_floor(one[place][kind]) for kind in ("error", "error_nearest")]
                                     for one in own], "y": [one and [title, title] for one in own]}
              for place, title in enumerate(titles)]
    follow += [{"trace": len(titles) + place, "x": [one and [_floor(layer[kind]) for layer in one] for one in own],
                "y": [one and titles for one in own]} for place, kind in enumerate(("error_nearest", "error"))]
    return {"id": "output-errors", "title": "Error of each layer's outputs", "height": max(300, 130 + 34 * len(titles)),
            "alt": f"Error of the outputs of {len(titles)} layers at the dial's stop, by nearest level and as stored.",
            "follow": follow, "figure": {"data": traces, "layout": {
                "legend": marks.legend(font=13), "hovermode": "closest",
                "xaxis": {"type": "log", "range": [log10(lowest) - 0.15, log10(max(highest, lowest)) + 0.15],
                          **_shares(lowest, highest, most=3), "title": {"text": "squared error of the outputs"}},
                "yaxis": {"type": "category", "categoryorder": "array", "categoryarray": titles[::-1], "automargin": True,
                          "range": [-0.6, len(titles) - 0.4]}}}}


def rate_distortion(points: list[dict], values: list[int]) -> Chart:
    """Error of the weights over the entropy of their levels, a line a layer; beside them the least error that any code
    of Gaussian weights has, and the line of entropy-coded uniform levels 0.2546 bit above."""
    ordered = sorted(points, key=lambda point: point["dial"])
    layers = ordered[0]["inside"]["layers"] if ordered else []
    most = max((_rate(layer) for point in points for layer in point["inside"]["layers"]), default=8.0) + 0.3
    errors = [_floor(one["distortion"]) for point in points for one in point["inside"]["layers"]]
    low, high = min([2 ** (-2 * most), *errors]), max([1.0, *errors])
    traces = [marks.line([0, most], [1, 2 ** (-2 * most)], "Gaussian bound", "var(--text)", width=2, dash="dash",
                         hover=": no code of Gaussian weights has less"),
              marks.line([ABOVE, most], [1, 2 ** (-2 * (most - ABOVE))], f"{ABOVE:g} bit above", marks.MUTED, width=2,
                         dash="dot", hover=": uniform levels, entropy-coded")]
    follow, held = [], at(points, values)
    for number, layer in enumerate(layers):
        own = [of_layer(point, layer["path"]) for point in ordered]
        colour = palette.of_layer(number)
        traces.append({**marks.line([_rate(one) for one in own], [_floor(one["distortion"]) for one in own],
                                    layer["title"], colour, mode="lines+markers", width=2, hover="<br>%{text}"),
                       "text": [f"{point['dial']} levels: {_rate(one):.2f} bits, {_decibels(one['distortion'])}"
                                for point, one in zip(ordered, own, strict=True)], "marker": {"size": 6},
                       "showlegend": len(layers) <= MOST_NAMED})
    for number, layer in enumerate(layers):
        traces.append(marks.dot(palette.of_layer(number)))
        at_stops = [point and of_layer(point, layer["path"]) for point in held]
        follow.append({"trace": len(traces) - 1, "x": [one and [_rate(one)] for one in at_stops],
                       "y": [one and [_floor(one["distortion"])] for one in at_stops]})
    return {"id": "rate-distortion", "title": "Rate and distortion of the weights", "height": 380, "follow": follow,
            "alt": f"Squared error of the weights of {len(layers)} layers over the entropy of their levels, beside the "
                   "Gaussian bound.",
            "figure": {"data": traces, "layout": {
                "xaxis": {"range": [0, most], "title": {"text": "bits a weight, entropy-coded"}},
                "yaxis": {"type": "log", "range": [log10(low) - 0.1, log10(high) + 0.2], **_shares(low, high),
                          "title": {"text": "squared error, part of the variance"}},
                "hovermode": "closest", "legend": marks.legend(font=13)}}}


def sensitivity(view: dict, points: list[dict], values: list[int]) -> Chart:
    """Accuracy with one layer quantized at a time, the others whole, over its levels; the dial's stop as a line."""
    layers, levels = view["layers"], view["levels"]
    traces = [{**marks.line([log2(one) for one in levels], layer["accuracy"], layer["title"], palette.of_layer(number),
                            mode="lines+markers", hover="<br>%{text}"),
               "text": [f"{one} levels: {words.percent(share)}"
                        for one, share in zip(levels, layer["accuracy"], strict=True)], "marker": {"size": 7},
               "showlegend": len(layers) <= MOST_NAMED} for number, layer in enumerate(layers)]
    return {"id": "sensitivity", "title": "How sensitive each layer is, quantized alone", "height": 340,
            "alt": f"Accuracy over the levels of one layer at a time, for {len(layers)} layers.",
            "follow": [marks.stop([log2(value) for value in values])],
            "figure": {"data": traces, "layout": {
                "xaxis": levels_axis(min([*levels, *values]), max([*levels, *values])), "hovermode": "closest",
                "yaxis": charts.accuracy_axis([{"accuracy": share} for layer in layers for share in layer["accuracy"]]),
                "legend": marks.legend(font=13)}}}


def levels_axis(low: int, high: int) -> dict[str, Any]:
    """Places are bits, log2 of the levels; ticks are the levels."""
    ticks = [tick for tick in TICKS if low <= tick <= high]
    return {"range": [log2(low) - 0.1, log2(high) + 0.1], "tickvals": [log2(tick) for tick in ticks], "tickangle": 0,
            "ticktext": [str(tick) for tick in ticks], "title": {"text": "levels of this layer alone"}}


def _spot(name: str, colour: str, symbol: str) -> dict[str, Any]:
    return {"type": "scatter", "mode": "markers", "x": [], "y": [], "name": name,
            "marker": {"size": 14, "color": colour, "symbol": symbol, "line": {"width": 3, "color": colour}},
            "hovertemplate": f"%{{y}}, {name}: %{{x:.2%}}<extra></extra>"}


def _rate(layer: dict) -> float:
    """Bits a weight of the levels and of what corrects them."""
    return layer["bits"] + layer.get("correction", 0.0)


def _floor(share: float) -> float:
    """A logarithmic axis has no zero: exact is shown as one part of a thousand million."""
    return max(share, 1e-9)


def _decibels(share: float) -> str:
    return "exact" if share <= 1e-9 else f"{-10 * log10(share):.1f} dB"


def _shares(low: float, high: float, most: int = 6) -> dict[str, Any]:
    """Ticks of a logarithmic axis of shares: so many powers of ten at most, in percent."""
    ticks = [10.0 ** power for power in range(1, -10, -1) if low / 1.5 <= 10.0 ** power <= high * 1.5]
    ticks = ticks[::1 + (len(ticks) - 1) // most]
    return {"tickvals": ticks, "ticktext": [f"{100 * tick:g} %" for tick in ticks], "tickangle": 0}
