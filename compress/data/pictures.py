"""Validation examples as bytes for pictures, in one file that a page reads without loading the data set. Numpy only."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from compress.data.datasets import Dataset


def as_bytes(values: np.ndarray) -> np.ndarray:
    """One example scaled to 0..255 within its own range, uint8."""
    spread = float(values.max() - values.min()) or 1.0
    return ((values - values.min()) * (255.0 / spread)).round().astype(np.uint8)


def keep_pictures(data: Dataset, folder: Path) -> Path:
    """Writes all validation examples, uint8 (n, *shape), unless that was done; returns the file."""
    path = folder / f"pictures-{data.digest}.npy"
    if not path.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        values = data.normaliser.undo(data.validation.inputs)
        part = path.with_suffix(".part")
        with part.open("wb") as file:
            np.save(file, np.stack([as_bytes(one) for one in values]))
        part.replace(path)
    return path


def pictures(path: Path | str, rows: list[int]) -> list[list[Any]]:
    """Nested lists of 0..255, one an example; [] where the file is gone."""
    if not Path(path).is_file():
        return []
    return np.load(path, mmap_mode="r")[rows].tolist()
