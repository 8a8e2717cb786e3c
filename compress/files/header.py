"""JSON that stands in a file and may be damaged."""

from __future__ import annotations

import json
from typing import Any

MOST_HEADER = 1 << 22  # bytes; Python's objects for a header of this length take 100 MB at most


def parsed(text: bytes | str) -> Any:
    """JSON without NaN, infinity and names that are given twice. Raises ValueError with the reason in words."""
    try:
        return json.loads(text, object_pairs_hook=_named_once, parse_constant=_no_number)
    except (json.JSONDecodeError, UnicodeError) as error:
        raise ValueError("its header is no JSON") from error
    except RecursionError as error:
        raise ValueError("its header is nested too deeply") from error


def of_safetensors(contents: bytes | memoryview) -> dict[str, Any]:
    """The header of safetensors, which begins with its length in 8 bytes. Raises ValueError with the reason in words."""
    length = int.from_bytes(contents[:8], "little")
    if len(contents) < 8 or length > len(contents) - 8:
        raise ValueError(f"it has {len(contents)} bytes, fewer than its header")
    if length > MOST_HEADER:
        raise ValueError(f"its header has {length} bytes, more than {MOST_HEADER}")
    header = parsed(bytes(contents[8:8 + length]))
    if not isinstance(header, dict):
        raise ValueError("its header is no object with names")
    return header


def _named_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("its header gives a name twice")
    return found


def _no_number(text: str) -> float:
    raise ValueError(f"its header holds {text}, which is no number")
