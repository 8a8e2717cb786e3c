"""What all charts are drawn with: lines, moving markers, guides, axes of names, points at the stops of the dial."""

from __future__ import annotations

from typing import Any

from pages.ui.charts import outside, palette

Chart = dict[str, Any]
ACCENT, MUTED = "var(--accent)", "var(--muted)"


def line(x: list, y: list, name: str, colour: str, *, dash: str = "solid", width: float = 3, mode: str = "lines",
         hover: str = "") -> dict[str, Any]:
    """A line with its name in the legend.

    Args:
        hover: what follows the name under the pointer, as a Plotly template; "" leaves Plotly's own.
    """
    name = outside.html(name)
    drawn = {"type": "scatter", "mode": mode, "x": x, "y": y, "name": name,
             "line": {"color": colour, "width": width, "dash": dash}}
    return {**drawn, "hovertemplate": f"{name}{hover}<extra></extra>"} if hover else drawn


def dot(colour: str, size: int = 15) -> dict[str, Any]:
    """A filled marker that a follower of the dial moves along a curve."""
    return moving({"size": size, "color": colour, "line": {"color": "var(--background)", "width": 2}})


def ring(size: float, width: float) -> dict[str, Any]:
    """An open marker that a follower of the dial puts around a point."""
    return moving({"size": size, "color": "rgba(0,0,0,0)", "line": {"color": ACCENT, "width": width}})


def moving(marker: dict[str, Any]) -> dict[str, Any]:
    """A marker that is nowhere until a follower of the dial places it."""
    return {"type": "scatter", "mode": "markers", "x": [], "y": [], "showlegend": False, "hoverinfo": "skip",
            "marker": marker}


def intervals(points: list[dict], key: str) -> dict[str, Any]:
    """Error bars of points that hold KEY, KEY_low and KEY_high."""
    return {"type": "data", "symmetric": False, "thickness": 1.3, "width": 0,
            "array": [point[f"{key}_high"] - point[key] for point in points],
            "arrayminus": [point[key] - point[f"{key}_low"] for point in points]}


def heat(x: list, y: list, z: list, colours: list, hover: str) -> dict[str, Any]:
    """A map of cells without a colour bar, for cells whose text is their value."""
    return {"type": "heatmap", "x": x, "y": y, "z": z, "showscale": False, "colorscale": colours,
            "hovertemplate": f"{hover}<extra></extra>"}


def signed(low: str, high: str, opacity: float = 1.0) -> list:
    """A colour scale from low over nearly nothing at 0 to high."""
    return [[0, palette.faded(low, opacity)], [0.5, palette.faded(palette.NEUTRAL, 0.08)],
            [1, palette.faded(high, opacity)]]


def vertical(x: float, colour: str = MUTED) -> dict[str, Any]:
    """A dashed line over the whole height."""
    return {"type": "line", "x0": x, "x1": x, "yref": "paper", "y0": 0, "y1": 1,
            "line": {"color": colour, "width": 1.5, "dash": "dash"}}


def horizontal(y: float) -> dict[str, Any]:
    """A dashed line over the whole width."""
    return {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": y, "y1": y,
            "line": {"color": MUTED, "width": 1.5, "dash": "dash"}}


def note(x: float, text: str, y: float = 1, anchor: str = "top") -> dict[str, Any]:
    """Words beside a vertical line, at a height between 0 and 1."""
    return {"x": x, "y": y, "yref": "paper", "yanchor": anchor, "xanchor": "left", "xshift": 4, "showarrow": False,
            "text": text, "align": "left"}


def legend(height: float = 1.14, font: int | None = None) -> dict[str, Any]:
    """One row above the chart, in the font size of the theme or another."""
    placed = {"orientation": "h", "y": height, "x": 0}
    return {**placed, "font": {"size": font}} if font else placed


def categories(names: list[str], title: str) -> dict[str, Any]:
    """An axis of names like "12 %", "T = 4" or "by 64", whose ticks are the bare numbers. (A name that is a number would be
    taken for a place.)"""
    ticks = [name.removesuffix(" %").removeprefix("T = ").removeprefix("by ") for name in names]
    return {"type": "category", "categoryorder": "array", "categoryarray": names, "title": {"text": title}, "tickangle": 0,
            "tickvals": names, "ticktext": ticks}


def stop(places: list[float]) -> dict[str, Any]:
    """A follower: the dial's stop as a vertical line, one place for each of its values."""
    return {"line": True, "x": places, "axis": "x", "color": ACCENT}


def at(points: list[dict], values: list[Any]) -> list[dict | None]:
    """The point measured at each of the dial's values, None where there is none yet."""
    by_value = {point["dial"]: point for point in points}
    return [by_value.get(value) for value in values]


def of_layer(point: dict, path: str) -> dict[str, Any]:
    """One layer in a point's inside view; {} where it is not there."""
    return next((layer for layer in point["inside"]["layers"] if layer["path"] == path), {})
