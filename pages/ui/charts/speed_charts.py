"""The break-even map -> charts: share removed x batch size -> faster or slower than dense, one map a way."""

from __future__ import annotations

from math import log2

from pages.ui.charts import marks, palette, words
from pages.ui.charts.marks import Chart

TITLES = {"sparse": "Single weights, CSR kernels", "units": "Whole units, smaller dense layers",
          "rank": "Low rank, two layers for one"}
REACH = 3.0  # in doublings


def maps(view: dict) -> list[Chart]:
    """One map a way: how many times faster, bold where the interval leaves out equal times."""
    charts = [_map(view, name, rows) for name, rows in view["ways"].items()]
    if len(charts) % 2:
        charts[-1]["span"] = "wide"
    return charts


def findings(view: dict) -> list[str]:
    """Where each way pays, in words: the smallest share from which it is significantly faster at the largest batch, and at
    one example."""
    return [f"<b>{TITLES[name]}</b>: {_from(view, rows[-1])} with {view['batches'][-1]} examples at a time, "
            f"{_from(view, rows[0])} with one." for name, rows in view["ways"].items()]


def _from(view: dict, row: list) -> str:
    pays = [share for share, cell in zip(view["shares"], row, strict=True) if cell and cell[2] < 1]
    return f"faster from {words.percent(min(pays), 0)} removed on" if pays else "never faster"


def _map(view: dict, name: str, rows: list[list]) -> Chart:
    shares = [f"{100 * share:g} %" for share in view["shares"]]
    batches = [f"by {size}" for size in view["batches"]]
    return {"id": f"speed-{name}", "title": TITLES[name], "height": 300,
            "alt": f"Speed-up of {TITLES[name].lower()} over {len(shares)} shares removed and {len(batches)} batch sizes.",
            "figure": {"data": [{
                **marks.heat(shares, batches, [[_doublings(cell) for cell in row] for row in rows],
                             marks.signed(palette.VERMILION, palette.GREEN, 0.85), "%{x} removed, %{y}: %{text} as fast"),
                "text": [[_cell(cell) for cell in row] for row in rows], "texttemplate": "%{text}", "zmin": -REACH,
                "zmax": REACH, "xgap": 2, "ygap": 2, "textfont": {"color": "var(--text)", "size": 13}}],
                "layout": {"margin": {"t": 36},  # the chart's own buttons would cover a cell
                           "xaxis": {**marks.categories(shares, "weights removed, %"), "showgrid": False},
                           "yaxis": {**marks.categories(batches, "examples at a time"), "showgrid": False}}}}



def _doublings(cell: list[float] | None) -> float | None:
    """How many times the speed doubles, as far as the colours reach."""
    return None if cell is None else max(-REACH, min(REACH, -log2(cell[0])))


def _cell(cell: list[float] | None) -> str:
    if cell is None:
        return ""
    speed = 1 / cell[0]
    text = f"{speed:.0f}×" if speed >= 9.5 else f"{speed:.1f}×"
    return f"<b>{text}</b>" if cell[2] < 1 or cell[1] > 1 else text
