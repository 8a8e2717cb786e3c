"""The paces of earlier jobs on this machine: a small file of seconds a unit for each kind of work."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterator, Mapping
from math import isfinite
from pathlib import Path
from typing import Any

from compress.atomic_file import write_whole

FILE = "paces.json"
MOST = 4000  # kinds, the newest last


class Paces(Mapping[str, float]):
    """Kind -> seconds a unit. Kinds are long texts, and are kept by a digest."""

    def __init__(self, kept: dict[str, float]) -> None:
        self.kept = kept

    def __getitem__(self, kind: str) -> float:
        return self.kept[_short(kind)]

    def __iter__(self) -> Iterator[str]:
        return iter(self.kept)

    def __len__(self) -> int:
        return len(self.kept)


def load(home: Path) -> Paces:
    """What is kept in this folder. A file that cannot be read, or holds something else, is as good as none: it only means
    that estimates begin later, and the next job writes it anew."""
    try:
        found = json.loads((home / FILE).read_text())
    except FileNotFoundError:
        return Paces({})
    except (OSError, ValueError) as problem:
        logging.getLogger(__name__).warning("Paces of earlier jobs cannot be read: %s", problem)
        return Paces({})
    return Paces({kind: float(pace) for kind, pace in found.items() if _is_pace(pace)} if isinstance(found, dict) else {})


def keep(home: Path, measured: Mapping[str, float]) -> None:
    """Adds what a job has measured; of a kind that was known, the mean of both, so that one busy hour does not count for
    ever. Where the file cannot be written, estimates begin later next time, and nothing else is lost."""
    if not measured:
        return
    kept = dict(load(home).kept)
    for kind, pace in measured.items():
        before = kept.pop(_short(kind), pace)
        kept[_short(kind)] = float(f"{(before + pace) / 2:.3g}")
    try:
        write_whole(json.dumps(dict(list(kept.items())[-MOST:])).encode(), home / FILE)
    except OSError as problem:
        logging.getLogger(__name__).warning("Paces of jobs cannot be kept: %s", problem)


def _short(kind: str) -> str:
    return hashlib.sha256(kind.encode()).hexdigest()[:16]


def _is_pace(value: Any) -> bool:
    return isinstance(value, int | float) and isfinite(value) and value >= 0
