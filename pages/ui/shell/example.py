"""The finished curve of the first page: measured once by `python -m tests.benchmarks.example`, kept beside this file."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Example:
    """Points of the whitened curve and of plain SVD's, their reference, the dial's stops, where it was measured."""

    reference: dict[str, Any]
    points: list[dict]
    plain: list[dict]
    values: list[float]
    caption: str


@cache
def curve() -> Example:
    """Reads the file once."""
    kept = json.loads((Path(__file__).parent / "example.json").read_text())
    points = kept["whitened"]
    return Example(kept["reference"], points, kept["plain"], sorted(point["dial"] for point in points), kept["caption"])
