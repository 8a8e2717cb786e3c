"""Charts that change in place, and one dial that moves marks in all of them.

Streamlit's own Plotly element is mounted anew whenever its data change, so a zoom is lost, and its slider
sends nothing while it is dragged. This component keeps each chart's element, redraws it with `Plotly.react`
only when its figure really changed, and moves markers and lines in the browser while the dial is dragged.
Python gets the dial's index once, on release.

The library is plotly's own `plotly.min.js`, served from the installed package: nothing is fetched from
elsewhere, and the plotly Python package is located, not imported (its import is slow).
"""

from __future__ import annotations

import functools
import importlib.metadata
import importlib.util
import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st
import streamlit.components.v1

_HERE = Path(__file__).parent
# The parts share one module scope, so their order matters only for the reader; the last one exports.
_PARTS = ("library.js", "theme.js", "overlay.js", "chart.js", "player.js", "dial.js", "tiles.js", "liveplot.js")


def _read(*names: str) -> str:
    return "\n".join((_HERE / name).read_text(encoding="utf-8") for name in names)


# Registered once, at import: a registration in each run would be a new component each time. The styles are
# not isolated because Plotly puts its own sheet (hover labels, buttons, zoom box) into the document's head,
# which does not reach into a shadow root. Every class of ours begins with "lp-" instead.
_component = st.components.v2.component(
    "compression_explorer_liveplot", css=_read("liveplot.css"), js=_read(*_PARTS), isolate_styles=False
)


@dataclass(frozen=True)
class LivePlot:
    """What the browser has sent: the dial's index, and in one run only the customdata of a clicked point."""

    dial: int | None
    selected: Any


def library_file() -> Path:
    """plotly.min.js of the installed package."""
    spec = importlib.util.find_spec("plotly")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError("liveplot needs the plotly package for its plotly.min.js")
    return Path(spec.submodule_search_locations[0]) / "package_data" / "plotly.min.js"


def library_version() -> str:
    """Part of the library's address: it keeps a browser from using an older copy from its cache."""
    return importlib.metadata.version("plotly")


def early_loading(path: str) -> str:
    """JavaScript for the document that pages are in: the browser loads plotly.js, the largest part of a page, while the
    server still computes the charts, and reads it as soon as the page's own scripts wait for the server. If that fails,
    the first chart tries again and says so.

    Args:
        path: of the library, below the application's root.
    """
    where = json.dumps([path, st.get_option("server.baseUrlPath")])
    return f"(() => {{\n{_read('library.js', 'early.js')}\nloadEarly(...{where});\n}})();"


@functools.cache
def _library_url() -> str:
    """Serve plotly's package data and return the library's address below the application's root."""
    # A first-version component is used only as a file server: it is never drawn.
    files = st.components.v1.declare_component("plotly_files", path=str(library_file().parent))
    return f"component/{files.name}/plotly.min.js?v={library_version()}"


def liveplot(
    charts: list[dict],
    *,
    key: str,
    dial: dict | None = None,
    follows: str = "",
    height: int = 360,
    on_dial: Callable[[], None] | None = None,
    on_select: Callable[[], None] | None = None,
    reports_to: str = "",
    letters: dict | None = None,
) -> LivePlot:
    """Draw `charts` in a grid of two columns below an optional `dial`.

    Each chart is a plain dict (numpy values are allowed; a number that is not finite becomes a gap):

    - ``id``: unique in this component; ``title``: short text above the chart; ``alt``: one sentence.
    - ``figure``: ``{"data": [...], "layout": {...}}``, plain Plotly JSON. Fonts, grid, legend and margins
      have defaults. ``var(--accent)``, ``var(--text)``, ``var(--muted)``, ``var(--grid)`` and
      ``var(--background)`` are replaced by the theme's colours wherever they are a whole value of the figure.
      Plotly reads titles, ticks, legends and hover texts as HTML: text from outside is escaped before it comes here.
    - ``legend_in_picture``: whether a saved picture gets the legend that the page has elsewhere.
    - ``span``: ``"half"`` (default) or ``"wide"``; ``height``: pixels (default: `height`);
      ``narrow``: what the layout of a narrow chart, as on a phone, has else.
      ``fill``: instead of it ``{"least", "most", "beside"}``, as high as the window is without `beside` pixels.
    - ``follow``: a list of what moves with the dial. Each entry is either
      ``{"trace": 2, "x": [[...], ...], "y": [[...], ...], "text": [[...], ...]}`` (one list of points for
      each index of the dial; text is optional, and so is z, a map's matrix for each index) or
      ``{"line": True, "x": [number, ...], "axis": "x", "color": "var(--accent)"}``
      (axis and color are optional). ``None`` marks an index without a measurement: the nearest one with a
      measurement is shown.

    `dial` is ``{"name", "label", "values", "labels", "index", "readout", "help"}``: sorted numbers, a short
    text for each, the starting index, and for each index a short result or None (not measured). It may have
    ``tiles`` as well, for each index a list of pairs (figure, words) or None, with ``tileNames``, the words that
    stand there while nothing is measured; and ``captions``, for each index what stands over the value in place of
    the label, or "". Charts without a dial move with that of the liveplot whose key is `follows`.

    With thousands of points, a click should not make the server send them again: `reports_to` is the key of another
    liveplot, of another fragment, which gets the clicked points of this one; its `letters`, {"of": the key of this one,
    "marks": pairs of customdata and a letter}, are written beside those points without a redraw.

    A dial index that differs from the one sent before, and is no echo of the user's own moves, is adopted
    by the browser; otherwise the user's position stays. The callbacks take no arguments;
    ``st.session_state[key]`` holds ``dial`` and ``selected``.
    """
    names = [chart["id"] for chart in charts]
    if len(set(names)) != len(names):
        raise ValueError(f"chart ids must be unique in one liveplot, got {names}")
    if dial is not None and not 0 <= dial.get("index", 0) < len(dial["values"]):
        raise ValueError(f"dial index {dial.get('index')} is not among {len(dial['values'])} values")
    result = _component(
        key=key,
        # Each chart travels as one text, so that the browser sees at once which figures changed. Of a list, Streamlit would
        # ask whether it is a table, and load pandas and pyarrow for the question; of a tuple it does not.
        data={
            "charts": tuple([chart["id"], _as_json({"height": height, **chart})] for chart in charts),
            "dial": None if dial is None else _as_json(dial),
            "key": key,
            "follows": follows,
            "reportsTo": reports_to,
            "letters": letters,
            "library": _library_url(),
            "basePath": st.get_option("server.baseUrlPath"),
        },
        default={"dial": None if dial is None else dial.get("index", 0)},
        on_dial_change=on_dial or _ignore,
        on_selected_change=on_select or _ignore,
    )
    return LivePlot(dial=result.get("dial"), selected=result.get("selected"))


def _ignore() -> None:
    """Used where no callback is given: the component knows its value names from the callbacks."""


def _as_json(value: Any) -> str:
    try:
        return json.dumps(value, allow_nan=False, default=_plain, separators=(",", ":"))
    except ValueError:
        return json.dumps(_finite(value), separators=(",", ":"))


def _plain(value: Any) -> Any:
    """Turn a numpy array or scalar into plain Python without importing numpy."""
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"liveplot cannot send a {type(value).__name__}")


def _finite(value: Any) -> Any:
    """Replace every number that JSON cannot express by None, which Plotly draws as a gap."""
    if isinstance(value, dict):
        return {name: _finite(entry) for name, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(entry) for entry in value]
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if value is None or isinstance(value, str | int | bool):
        return value
    return _finite(_plain(value))
