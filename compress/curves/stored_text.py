"""JSON texts of the store, which another version or a fault of the disk may have left in a form that this version cannot
read."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

from compress.recipe import Recipe

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
    """A point with all that a page reads; {} for a text that is none. Its recipe says how its file is stored."""
    found = as_object(text)
    if not all(name in found for name in POINT):
        return {}
    try:
        return {**found, "recipe": _as_measured(found["recipe"])}
    except (ValueError, TypeError, AttributeError, RecursionError):  # of a version to come; pages say so
        return found


@lru_cache(maxsize=8192)
def _as_measured(recipe: str) -> str:
    """Spelled once for each text: a page reads hundreds of points each time it is drawn. Raises ValueError for no recipe."""
    return Recipe.parse(recipe).as_measured().text()
