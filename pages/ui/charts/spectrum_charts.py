"""The inside of low rank -> charts: spectra, cumulative energy, predicted beside measured error."""

from __future__ import annotations

from math import log10
from typing import Any

from pages.ui.charts import marks, palette
from pages.ui.charts.marks import Chart

FLOOR = 1e-6
MOST = 240
MOST_NAMED = 4  # a longer legend would cover the chart; hovering names a layer all the same
MARKED = {"plain": "output_error_plain", "randomized": "used_error"}


def spectra(layers: list[dict]) -> Chart:
    """Normalised singular values of every layer over the share of its full rank, logarithmic; plain solid, whitened
    dotted; each layer's marker is at the rank that the dial gives it."""
    traces: list[dict] = []
    for number, layer in enumerate(layers):
        colour, share = palette.of_layer(number), _shares(layer, len(layer["sigma"]), first=1)
        traces.append(_floored(share, layer["sigma"], layer["title"], colour, group=number))
        if "whitened_sigma" in layer:
            traces.append(_floored(share, layer["whitened_sigma"], f"{layer['title']}, outputs", colour, dash="dot",
                                   group=number, legend=False))
    follow = _markers(traces, layers, lambda layer, rank: layer["sigma"][rank - 1])
    return {"id": "spectra", "title": "Singular values",
            "alt": f"Singular value spectra of {len(layers)} layers, falling from 1.", "height": 340, "follow": follow,
            "figure": {"data": traces, "layout": {
                "xaxis": _share_axis(), "yaxis": _log_axis("σ / largest σ (dotted: outputs)"),
                "shapes": _break_evens(layers), "legend": marks.legend(1.12, font=13),
                "showlegend": len(layers) <= MOST_NAMED, "hovermode": "closest",
                "annotations": _threshold_marks(layers)}}}


def energies(layers: list[dict]) -> Chart:
    """Cumulative energy of every layer: the share of the squared norm in its first ranks."""
    traces: list[dict] = []
    for number, layer in enumerate(layers):
        colour, share = palette.of_layer(number), _shares(layer, len(layer["energy"]), first=0)
        traces.append(_floored(share, layer["energy"], layer["title"], colour, group=number, legend=False))
        if "whitened_energy" in layer:
            traces.append(_floored(share, layer["whitened_energy"], f"{layer['title']}, outputs", colour, dash="dot",
                                   group=number, legend=False))
    follow = _markers(traces, layers, lambda layer, rank: layer["energy"][rank])
    return {"id": "energies", "title": "Energy held (dotted: of the outputs)", "height": 340, "follow": follow,
            "alt": f"Cumulative energy of {len(layers)} layers, rising to 100 percent at full rank.",
            "figure": {"data": traces, "layout": {
                "xaxis": _share_axis(), "yaxis": {"range": [0, 1.02], "tickformat": ".0%", "title": {"text": "energy"}},
                "shapes": _break_evens(layers), "showlegend": False, "hovermode": "closest"}}}


def errors(layer: dict, number: int, scheme: str) -> Chart:
    """One layer's squared error at every rank: predicted by the tails, measured on validation."""
    colour = palette.of_layer(number)
    ranks = list(range(layer["full"] + 1))
    named = [("weight_error", "weights, tail of plain SVD", "var(--muted)", "solid"),
             ("output_error_plain", "outputs on validation, plain SVD", palette.GREY, "dash"),
             ("output_error_predicted", "outputs, predicted (calibration)", colour, "dot"),
             ("output_error_whitened", "outputs on validation, whitened", colour, "solid")]
    if scheme == "randomized":
        named.insert(1, ("used_error", "weights, randomized SVD (its true error)", palette.VERMILION, "dash"))
    traces = [_floored(ranks[:len(layer[key])], layer[key], name, tone, dash=dash)
              for key, name, tone, dash in named if key in layer]
    measured = layer.get(MARKED.get(scheme, "output_error_whitened"), layer["weight_error"])
    traces.append(marks.dot(colour))
    follow = [{"trace": len(traces) - 1, "x": [[rank] for rank in layer["ranks"]],
               "y": [[max(measured[min(rank, len(measured) - 1)], FLOOR)] for rank in layer["ranks"]]}]
    even = layer["break_even"]
    return {"id": "errors", "title": f"Error left at each rank: layer {layer['title']}", "height": 340, "follow": follow,
            "span": "wide",
            "alt": f"Predicted and measured relative squared error of layer {layer['title']} over its rank; break-even "
                   f"at rank {even:.0f}.",
            "figure": {"data": traces, "layout": {
                "xaxis": {"title": {"text": "rank"}, "range": [0, layer["full"]]},
                "yaxis": _log_axis("relative squared error"),
                "shapes": [marks.vertical(even)], "legend": marks.legend(1.12, font=13), "hovermode": "x unified",
                "annotations": [marks.note(even, f"break-even {even:.0f}")]}}}


def data_spectrum(view: dict, values: list[int]) -> Chart:
    """Singular values of the centred data matrix; markers at the dial's k, its break-even and the noise threshold."""
    count = len(view["sigma"])
    traces = [_floored(list(range(1, count + 1)), view["sigma"], "data matrix", palette.SKY),
              marks.dot(palette.SKY)]
    shown = [min(value, count) for value in values]
    return {"id": "spectrum", "title": "Singular values of the data matrix", "height": 320,
            "alt": f"Spectrum of a {view['shape'][0]} by {view['shape'][1]} data matrix.",
            "follow": [{"trace": 1, "x": [[value] for value in shown],
                        "y": [[max(view["sigma"][value - 1], FLOOR)] for value in shown]}],
            "figure": {"data": traces, "layout": {
                "xaxis": {"type": "log", "title": {"text": "component"}}, "yaxis": _log_axis("σ / largest σ"),
                "showlegend": False, "shapes": [marks.horizontal(view["threshold"])],
                "annotations": [{"x": 0.02, "xref": "paper", "y": _log10(view["threshold"]), "showarrow": False,
                                 "text": "noise threshold", "yshift": 11, "xanchor": "left"}]}}}


def data_errors(view: dict, values: list[int]) -> Chart:
    """Share of the data's energy that k components leave out, on train (the tail) and on validation (measured)."""
    components = list(range(len(view["error_predicted"])))
    traces = [_floored(components, view["error_predicted"], "training data (tail of σ²)", palette.SKY, dash="dot"),
              _floored(components, view["error_measured"], "validation, measured", palette.SKY), marks.dot(palette.SKY)]
    shown = [min(value, components[-1]) for value in values]
    return {"id": "data-errors", "title": "Error left by k components", "height": 320,
            "alt": "Relative squared reconstruction error over the number of components, training and validation.",
            "follow": [{"trace": 2, "x": [[value] for value in shown],
                        "y": [[max(view["error_measured"][value], FLOOR)] for value in shown]}],
            "figure": {"data": traces, "layout": {
                "xaxis": {"title": {"text": "components"}}, "yaxis": _log_axis("relative squared error"),
                "legend": marks.legend(1.12, font=13), "hovermode": "x unified"}}}


def _floored(x: list, y: list, name: str, colour: str, dash: str = "solid", group: int | None = None,
             legend: bool = True) -> dict[str, Any]:
    """A line that a logarithmic axis can show, with no more places than the eye can tell apart."""
    trace = {**marks.line(x, [max(value, FLOOR) for value in y], name, colour, dash=dash, width=2.5,
                          hover="<br>%{x}: %{y:.3g}"), "showlegend": legend}
    return _thinned(trace if group is None else {**trace, "legendgroup": str(group)})


def _thinned(trace: dict[str, Any]) -> dict[str, Any]:
    """At most MOST places of a long line: all of the first ones, then ever fewer, and the last."""
    count = len(trace["x"])
    if count <= MOST:
        return trace
    places = sorted({round((count - 1) * (step / (MOST - 1)) ** 1.6) for step in range(MOST)})
    return {**trace, "x": [trace["x"][place] for place in places], "y": [trace["y"][place] for place in places]}


def _markers(traces: list[dict], layers: list[dict], height: Any) -> list[dict[str, Any]]:
    """One follower a layer: a dot on its curve at the rank that each dial value gives it."""
    followers = []
    for number, layer in enumerate(layers):
        traces.append(marks.dot(palette.of_layer(number)))
        shown = [min(rank, layer["full"]) for rank in layer["ranks"]]
        followers.append({"trace": len(traces) - 1, "x": [[rank / layer["full"]] for rank in shown],
                          "y": [[max(height(layer, rank), FLOOR)] for rank in shown]})
    return followers



def _shares(layer: dict, count: int, first: int) -> list[float]:
    return [round((place + first) / layer["full"], 5) for place in range(count)]


def _share_axis() -> dict[str, Any]:
    return {"range": [0, 1.01], "tickformat": ".0%", "title": {"text": "share of the full rank"}}


def _log_axis(title: str) -> dict[str, Any]:
    return {"type": "log", "range": [-4, 0.1], "title": {"text": title}, "dtick": 1, "exponentformat": "none"}



def _break_evens(layers: list[dict]) -> list[dict[str, Any]]:
    return [marks.vertical(layer["break_even"] / layer["full"], palette.faded(palette.of_layer(number), 0.7))
            for number, layer in enumerate(layers)]





def _threshold_marks(layers: list[dict]) -> list[dict[str, Any]]:
    """Gavish & Donoho's noise threshold, as a small mark on each layer's curve."""
    marks = []
    for number, layer in enumerate(layers):
        above = sum(value > layer["threshold"] for value in layer["sigma"])
        if 0 < above < layer["full"]:
            marks.append({"x": above / layer["full"], "y": _log10(layer["sigma"][above - 1]), "text": "▾",
                          "showarrow": False, "yshift": 12, "font": {"size": 20, "color": palette.of_layer(number)},
                          "hovertext": f"{layer['title']}: {above} singular values are above the noise threshold"})
    return marks


def _log10(value: float) -> float:
    return log10(max(value, FLOOR))
