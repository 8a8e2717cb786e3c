"""The finished races that come with the program, so that the first page shows one before anything was measured.

`python -m tests.benchmarks.example > pages/ui/all_methods/example.json` measures them anew.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Race:
    """A finished race.

    Attributes:
        recipe: of its teacher; reference: the teacher's card as far as a page needs it.
        points: key of a point's recipe -> what was measured.
        caption: on what it was measured, where and when.
    """

    recipe: str
    reference: dict[str, Any]
    points: dict[str, dict[str, Any]]
    caption: str


@cache
def races() -> tuple[Race, ...]:
    """Reads the file once."""
    return tuple(Race(**kept) for kept in json.loads((Path(__file__).parent / "example.json").read_text()))
