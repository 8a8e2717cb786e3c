"""What the Compare page can draw networks over: accuracy, size, work, time, calibration, agreement, the recall of a class.
Never imports streamlit."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from math import log10
from typing import Any

from pages.ui.charts import charts
from pages.ui.shell.filters import RECALL

Row = dict[str, Any]
SPAN = 0.25  # of a share below the best network, which the plane shows at first


@dataclass(frozen=True)
class Measure:
    """One axis.

    Attributes:
        key: of a row's number; title: what it is; higher: whether more is better.
        share: whether it is a part of 1; log: whether it spans powers of ten.
    """

    key: str
    title: str
    higher: bool = False
    share: bool = False
    log: bool = False

    def of(self, row: Row) -> float | None:
        """A row's number, None where it was not measured."""
        return row.get(self.key)

    @property
    def short(self) -> str:
        """Its title without what it is measured on or against."""
        return re.split(r", | for | on | against | with ", self.title)[0]

    def better(self, row: Row) -> float:
        """The larger, the better."""
        return row[self.key] if self.higher else -row[self.key]


MEASURES = {one.key: one for one in (
    Measure("bytes", "file size", log=True), Measure("accuracy", "accuracy on validation", higher=True, share=True),
    Measure("macs", "multiply-adds for an example", log=True),
    Measure("latency", "time, as a part of the teacher's", log=True),
    Measure("expected_calibration_error", "calibration error", share=True),
    Measure("agreement", "agreement with the teacher", higher=True, share=True),
    Measure("lost", "accuracy lost against the teacher", share=True))}


def measure(name: str) -> Measure:
    """A measure by its name in a link; recall:CLASS is that of a class. Raises KeyError for another name."""
    if name.startswith(RECALL) and len(name) > len(RECALL):
        return Measure(name, f"recall of {name.removeprefix(RECALL)}", higher=True, share=True)
    return MEASURES[name]


def front(rows: Sequence[Row], x: Measure, y: Measure) -> list[Row]:
    """The rows that no other one beats or equals in both measures, the best in x first."""
    found: list[Row] = []
    for row in sorted(rows, key=lambda one: (-x.better(one), -y.better(one))):
        if not found or y.better(row) > y.better(found[-1]):
            found.append(row)
    return found


def axis(one: Measure, rows: Sequence[Row], zoomed: bool) -> dict[str, Any]:
    """A Plotly axis. zoomed: whether it shows what is near the best alone, where networks far below it would flatten the
    rest."""
    values = [row[one.key] for row in rows]
    fixed = {"automargin": False, "title": {"text": one.title}}  # otherwise Plotly draws thousands of points twice
    if one.log:
        sizes = [log10(max(value, 1e-9)) for value in values] or [3.0, 6.0]
        low, high = min(sizes) - 0.1, max(sizes) + 0.12
        ticks = charts.size_ticks(low, high) if one.key == "bytes" else {"tickformat": "~s"}
        return {"type": "log", "range": [low, high], **fixed, **ticks}
    if one.higher and zoomed:
        return {"tickformat": ".0%", "range": zoom(values), **fixed}
    low, high = min(values, default=0.0), max(values, default=1.0)
    margin = 0.04 * (high - low or 1.0)
    least = low - margin if low < 0 else max(0.0, low - margin)
    return {"tickformat": ".0%" if one.share else "", "range": [least, high + margin], **fixed}


def zoom(values: Sequence[float]) -> list[float]:
    """The range of shares that are at most SPAN below the best one."""
    best = max(values, default=1.0)
    near = [value for value in values if value >= best - SPAN]
    low, high = min(near, default=0.0), max(near, default=1.0)
    margin = max(0.01, 0.06 * (high - low))
    return [max(0.0, low - margin), min(1.02, high + margin)]


def folded(rows: Sequence[Row], *measures: Measure) -> list[Row]:
    """Networks that differ in the seed alone as one row at their means, with the ranges of these measures; others as they
    are."""
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        groups.setdefault((row["unseeded"], row["data_title"]), []).append(row)
    return [group[0] if len(group) == 1 else _mean(group, measures) for group in groups.values()]


def _mean(group: list[Row], measures: Sequence[Measure]) -> Row:
    first = group[0]
    numbers: Row = {}
    for one in measures:
        values = [row[one.key] for row in group]
        numbers[one.key] = sum(values) / len(values)
        numbers[f"{one.key}_range"] = (min(values), max(values))
    pinned = next((row["pinned"] for row in group if row["pinned"]), None)
    hover = f"{first['hover']}<br>this is one of {len(group)} seeds; the mark is at their means"
    return {**first, **numbers, "seeds": len(group), "pinned": pinned, "hover": hover}
