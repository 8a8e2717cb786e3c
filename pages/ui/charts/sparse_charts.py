"""Sparse codes -> charts: errors over non-zeros and iterations, use of the atoms, the atoms of a layer."""

from __future__ import annotations

from math import log10
from typing import Any

from pages.ui.charts import marks, outside, palette, words
from pages.ui.charts.marks import Chart, at, of_layer


def layer_errors(points: list[dict], values: list[int]) -> Chart:
    """What is left of each layer's outputs (or weights) over the non-zeros of a block."""
    paths = {layer["path"]: layer["title"] for point in points for layer in point["inside"]["layers"]}
    traces = []
    for number, (path, title) in enumerate(paths.items()):
        found = [(point["dial"], of_layer(point, path).get("error")) for point in points]
        traces.append(_line([value for value, error in found if error is not None],
                            [error for _, error in found if error is not None], title, palette.of_layer(number)))
    return {"id": "errors", "title": "Error left in each layer", "height": 330, "follow": [marks.stop(list(values))],
            "alt": f"Relative squared error of {len(paths)} layers over the non-zeros of a block.",
            "figure": {"data": traces, "layout": {
                "xaxis": {"title": {"text": "non-zeros of a block"}, "dtick": 1}, "legend": marks.legend(font=13),
                "yaxis": {"title": {"text": "relative squared error"}, "rangemode": "tozero"}, "hovermode": "x unified"}}}


def layer_atoms(points: list[dict], path: str, title: str, values: list[int]) -> Chart | None:
    """The most used atoms of one layer as columns of a map, most used at the left; None where it stays dense."""
    maps = [_transposed(of_layer(point, path).get("atoms")) if point else None for point in at(points, values)]
    known = [one for one in maps if one]
    if not known:
        return None
    reach = max(abs(value) for one in known for row in one for value in row) or 1.0
    columns = [list(range(1, len(one[0]) + 1)) if one else None for one in maps]
    rows = [list(range(1, len(one) + 1)) if one else None for one in maps]
    return {"id": "atoms", "title": f"Atoms of layer {path}, most used first", "height": 330, "span": "wide",
            "alt": f"Up to {len(known[0][0])} atoms of layer {title}, each a column of {len(known[0])} weights.",
            "follow": [{"trace": 0, "x": columns, "y": rows, "z": maps}],
            "figure": {"data": [{**marks.heat(columns[-1] or [1], rows[-1] or [1], known[-1],
                                              marks.signed(palette.BLUE, palette.VERMILION),
                                              "atom %{x}, output %{y} of the block: %{z:.2f}"),
                                 "zmin": -reach, "zmax": reach}],
                       "layout": {"xaxis": {"title": {"text": "atom"}, "showgrid": False},
                                  "yaxis": {"title": {"text": "output of the block"}, "autorange": "reversed",
                                            "showgrid": False}}}}


def first_coded(points: list[dict]) -> int:
    """The number of the first layer that has atoms at some point: one that stays dense has none to show. 0 if none has."""
    layers = zip(*(point["inside"]["layers"] for point in points), strict=True)
    return next((number for number, ones in enumerate(layers) if any("atoms" in one for one in ones)), 0)


def usage(points: list[dict], values: list[int], path: str = "", title: str = "") -> Chart:
    """How many signals use each atom, most used first, at the dial's stop."""
    held = [_usage_of(point, path) if point else None for point in at(points, values)]
    chart = _usage_bars([], f"Use of the atoms{': layer ' + title if title else ''}")
    return {**chart, "follow": [{"trace": 0, "x": [one and list(range(1, len(one) + 1)) for one in held], "y": held}]}


def _usage_bars(bars: list[int], title: str) -> Chart:
    return {"id": "usage", "title": title, "height": 330, "alt": "How many signals use each atom, most used first.",
            "figure": {"data": [{"type": "bar", "x": list(range(1, len(bars) + 1)), "y": bars,
                                 "marker": {"color": palette.PINK},
                                 "hovertemplate": "atom %{x}: used by %{y:,}<extra></extra>"}],
                       "layout": {"bargap": 0, "xaxis": {"title": {"text": "atom"}}, "showlegend": False,
                                  "yaxis": {"title": {"text": "signals that use it"}, "rangemode": "tozero"}}}}


OTHERS = {"components": ("principal components, as many bytes before coding", palette.BLUE, "dash"),
          "dct": ("cosines", palette.GREEN, "dashdot"), "random": ("random atoms", palette.GREY, "dash")}


def data_errors(points: list[dict], values: list[int], what: str = "a tile") -> Chart:
    """What validation examples lose when they are rebuilt, what they would lose by other dictionaries in as many bytes, and
    what the training tiles lost at the end of learning."""
    ordered = sorted(points, key=lambda point: point["dial"])
    traces = [_line([point["dial"] for point in ordered], [point["inside"]["error"] for point in ordered], "these codes",
                    palette.PINK)]
    learned = [point for point in ordered if point["inside"].get("errors")]
    traces.append(_line([point["dial"] for point in learned], [point["inside"]["errors"][-1] for point in learned],
                        "while learning", palette.PINK, "dot"))
    compared = [point for point in ordered if "others" in point["inside"]]
    for kind, (name, colour, dash) in OTHERS.items():
        traces.append(_line([point["dial"] for point in compared], [point["inside"]["others"][kind] for point in compared],
                            name, colour, dash))
    return {"id": "errors", "title": "Error left over the non-zeros, by dictionary", "height": 400, "span": "wide",
            "follow": [marks.stop(list(values))],
            "alt": f"Relative squared error over the non-zeros of {what}, beside other dictionaries.",
            "figure": {"data": traces, "layout": {
                "xaxis": {"title": {"text": f"non-zeros of {what}"}}, "legend": marks.legend(font=13),
                "yaxis": {"type": "log", "title": {"text": "relative squared error"}, **_error_ticks(traces)},
                "hovermode": "x unified"}}}


def by_class(points: list[dict], values: list[int], classes: list[str]) -> Chart:
    """Classes by the most used atoms: the mean size of an atom's coefficients for a class's examples, at the dial's stop."""
    maps = [point["inside"].get("by_class") if point else None for point in at(points, values)]
    known, classes = [one for one in maps if one], outside.names(classes)
    columns = [one and list(range(1, len(one[0]) + 1)) for one in maps]
    return {"id": "by-class", "title": "Mean coefficient by class", "height": 380, "span": "wide",
            "alt": f"Mean coefficients of the {len(known[0][0])} most used atoms for each of {len(classes)} classes.",
            "follow": [{"trace": 0, "x": columns, "y": [one and classes for one in maps], "z": maps}],
            "figure": {"data": [{"type": "heatmap", "x": list(range(1, len(known[-1][0]) + 1)), "y": classes, "z": known[-1],
                                 "zmin": 0, "zmax": max(value for one in known for row in one for value in row) or 1.0,
                                 "colorscale": [[0, palette.faded(palette.NEUTRAL, 0.06)], [1, palette.OLIVE]],
                                 "colorbar": {"title": {"text": "mean size"}, "thickness": 12},
                                 "hovertemplate": "class %{y}, atom %{x}: %{z:.2f}<extra></extra>"}],
                       "layout": {"xaxis": {"title": {"text": "atom, most used first"}, "showgrid": False, "tick0": 1,
                                            "dtick": max(1, len(known[-1][0]) // 6)},
                                  "yaxis": {"title": {"text": "class"}, "type": "category", "showgrid": False}}}}


def _error_ticks(traces: list[dict]) -> dict[str, Any]:
    """1, 2, 5 times powers of ten, in words, over what is drawn; nothing below a thousandth."""
    drawn = [max(error, 1e-3) for trace in traces for error in trace["y"]] or [1e-2, 1.0]
    low, high = log10(min(drawn)) - 0.08, log10(max(drawn)) + 0.08
    ticks = [digit * 10.0 ** power for power in range(-3, 2) for digit in (1, 2, 5)]
    ticks = [tick for tick in ticks if low <= log10(tick) <= high] or [min(drawn)]  # between two of them
    return {"range": [low, high], "tickvals": ticks, "ticktext": [f"{100 * tick:.3g} %" for tick in ticks]}


def iterations(errors: list[float], nonzeros: int, total: int) -> Chart:
    """The error after each iteration of learning."""
    change = f"from {errors[0]:.3f} to {errors[-1]:.3f}" if errors else "none yet"
    return _by_iteration("iterations", f"Learning the dictionary, {nonzeros} non-zeros", errors, "relative squared error",
                         total, f"Error after each of {len(errors)} iterations, {change}.")


def mean_nonzeros(used: list[float], nonzeros: int, total: int) -> Chart:
    """Atoms that a signal uses on average in each iteration of learning."""
    return _by_iteration("used", f"Mean non-zeros, at most {nonzeros}", used, "atoms used", total,
                         f"Mean number of atoms of a signal in each of {len(used)} iterations.")


def recovered(shares: list[float], nonzeros: int, total: int) -> Chart:
    """Planted atoms that are found after each iteration."""
    chart = _by_iteration("found", f"Planted atoms found, {nonzeros} non-zeros", shares, "share of planted atoms", total,
                          f"Share of planted atoms found after each of {len(shares)} iterations"
                          + (f", {shares[-1]:.2f} at the end." if shares else "."))
    chart["figure"]["layout"]["yaxis"] |= {"range": [0, 1.03], "tickformat": ".0%"}
    return chart


def _by_iteration(name: str, title: str, heights: list[float], what: str, total: int, alt: str) -> Chart:
    line = _line(list(range(1, len(heights) + 1)), heights, what, palette.PINK)
    return {"id": name, "title": title, "height": 330, "alt": alt,
            "figure": {"data": [{**line, "mode": "lines+markers" if total <= 20 else "lines"}],
                       "layout": {"xaxis": {"range": [0.5, total + 0.5], "title": {"text": "iteration"}},
                                  "yaxis": {"title": {"text": what}, "rangemode": "tozero"}, "showlegend": False}}}


def usage_now(usage: list[int]) -> Chart:
    """How many signals use each atom of a dictionary that is being learned, most used first."""
    chart = _usage_bars(usage, "Use of the atoms now")
    return {**chart, "id": "usage-now", "span": "wide", "height": 240}


def pursuit(path: dict, step: int) -> Chart:
    """Coefficients chosen so far by one tile's pursuit, in the order of choice."""
    chosen = path["coefficients"][step - 1] if step else []
    names = [f"atom {atom + 1}" for atom in path["supports"][step - 1]] if step else []
    return {"id": "pursuit", "title": f"Step {step}: {words.percent(path['errors'][step])} left", "height": 260,
            "span": "wide", "alt": f"Coefficients of the {step} atoms chosen so far.",
            "figure": {"data": [{"type": "bar", "x": names, "y": chosen, "marker": {"color": palette.PINK},
                                 "hovertemplate": "%{x}: %{y:.2f}<extra></extra>"}],
                       "layout": {"xaxis": {"type": "category"}, "yaxis": {"title": {"text": "coefficient"}},
                                  "showlegend": False}}}



def _usage_of(point: dict, path: str) -> list[int] | None:
    return (of_layer(point, path) if path else point["inside"]).get("usage")


def _transposed(rows: list[list[float]] | None) -> list[list[float]] | None:
    return rows and [list(column) for column in zip(*rows, strict=True)]




def _line(x: list, y: list, name: str, colour: str, dash: str = "solid") -> dict[str, Any]:
    return marks.line(x, y, name, colour, dash=dash, mode="lines+markers", hover=": %{y:.3f}")
