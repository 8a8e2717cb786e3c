"""JSON texts of the store, which another version or a fault of the disk may have left in a form that this version cannot
read."""

from __future__ import annotations

import json
from typing import Any

POINT = ("recipe", "dial", "accuracy", "accuracy_low", "accuracy_high", "correct", "examples", "agreement", "bytes",
         "parameters", "macs", "digest")


def as_object(text: Any) -> dict[str, Any]:
    """A JSON object; {} for a text that is none."""
    try:
        found = json.loads(text)
    except (ValueError, TypeError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def as_list(text: Any) -> list[Any]:
    """A JSON list; [] for a text that is none."""
    try:
        found = json.loads(text)
    except (ValueError, TypeError, RecursionError):
        return []
    return found if isinstance(found, list) else []


def as_point(text: Any) -> dict[str, Any]:
    """A point with all that a page reads; {} for a text that is none."""
    found = as_object(text)
    return found if all(name in found for name in POINT) else {}
