"""Validation examples as images or texts in one file, which a page reads without the data set. Imports numpy only."""

from __future__ import annotations

from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from compress.data.datasets import Dataset
from compress.data.texts.tokens import SPECIAL

PADDING, UNKNOWN = range(len(SPECIAL))
LONGEST = 400  # signs of a text
MOST_WORDS = 12  # of a bag
SPREADS = 3.0  # standard deviations
PICTURES = ".npy"  # how such a file's name ends


def as_bytes(values: np.ndarray) -> np.ndarray:
    """An example scaled from its range to 0..255, uint8."""
    spread = float(values.max() - values.min()) or 1.0
    return ((values - values.min()) * (255.0 / spread)).round().astype(np.uint8)


def as_shown(example: np.ndarray, data: Dataset) -> np.ndarray | str:
    """What a page shows of a normalised example: of texts the words that the network reads, with "…" for one that the
    vocabulary lacks; of a bag of words the words that weigh most; of sequences of letters the letters; of a table its
    normalised values, from SPREADS below the mean (0) to as many above it (255), since a column in the thousands would
    leave nothing to see of the others; otherwise numbers 0..255 as as_bytes() gives them."""
    if data.kind == "text":
        ids = [int(number) for number in example if number != PADDING]
        words = ["…" if number == UNKNOWN else data.words[number] for number in ids]
        return " ".join(word for word in words if " " not in word)[:LONGEST]  # without the pairs that follow the words
    values = data.normaliser.undo(example)
    if data.kind == "sequence" and len(data.words) == len(values):
        found = [data.words[int(place)] if most > 0.5 else " "
                 for place, most in zip(values.argmax(0), values.max(0), strict=True)]
        return "".join(found).strip()
    if data.kind == "tabular" and len(data.words) == len(values):
        heaviest = [place for place in (-values).argsort()[:MOST_WORDS] if 3 * values[place] > values.max()]
        return ", ".join(data.words[place] for place in heaviest) or "…"
    if data.kind == "tabular":
        return (127.5 * (1.0 + example / SPREADS)).round().clip(0, 255).astype(np.uint8)
    return as_bytes(values)


@lru_cache(maxsize=4)
def pictures_file(data: Dataset) -> bytes:
    """All validation examples, uint8 (n, *shape) or texts (n,), as the contents of a .npy file."""
    file = BytesIO()
    np.save(file, np.stack([np.asarray(as_shown(one, data)) for one in data.validation.inputs]))
    return file.getvalue()


def pictures(path: Path | str, rows: list[int]) -> list[Any]:
    """For each example a nested list of 0..255, or its text; [] if there is no such file."""
    if not Path(path).is_file():
        return []
    return np.load(path, mmap_mode="r")[rows].tolist()
