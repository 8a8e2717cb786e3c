"""Validation examples as images in one file, which a page reads without loading the data set. Imports numpy only."""

from __future__ import annotations

from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from compress.data.datasets import Dataset

PICTURES = ".npy"  # how such a file's name ends


def as_bytes(values: np.ndarray) -> np.ndarray:
    """An example scaled from its range to 0..255, uint8."""
    spread = float(values.max() - values.min()) or 1.0
    return ((values - values.min()) * (255.0 / spread)).round().astype(np.uint8)


@lru_cache(maxsize=4)
def pictures_file(data: Dataset) -> bytes:
    """All validation examples, uint8 (n, *shape), as the contents of a .npy file."""
    values = data.normaliser.undo(data.validation.inputs)
    file = BytesIO()
    np.save(file, np.stack([as_bytes(one) for one in values]))
    return file.getvalue()


def pictures(path: Path | str, rows: list[int]) -> list[list[Any]]:
    """One nested list of 0..255 for each example; [] if there is no such file."""
    if not Path(path).is_file():
        return []
    return np.load(path, mmap_mode="r")[rows].tolist()
