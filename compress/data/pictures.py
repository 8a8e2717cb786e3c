"""Validation examples as images or texts in one file, which a page reads without the data set; and what a page shows of an
example that has more numbers than a screen has room for: every so-manieth of them. A picture of all 100,000 numbers of a row
of a table would be kept with every point, and sent to every browser. Imports numpy only."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from io import BytesIO
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from compress.data.datasets import Dataset
from compress.data.texts.tokens import SPECIAL

PADDING, UNKNOWN = range(len(SPECIAL))
LONGEST = 400  # signs of a text
MOST_WORDS = 12  # of a bag
SPREADS = 3.0  # standard deviations
MOST_IN_A_ROW = 2_000  # numbers of a table, steps of a sequence
MOST_SIDE = 64  # pixels of an image, features of a sequence
PICTURES = ".npy"  # how such a file's name ends


def as_bytes(values: np.ndarray) -> np.ndarray:
    """An example scaled from its range to 0..255, uint8."""
    spread = float(values.max() - values.min()) or 1.0
    return ((values - values.min()) * (255.0 / spread)).round().astype(np.uint8)


def as_shown(example: np.ndarray, data: Dataset) -> np.ndarray | str:
    """What a page shows of a normalised example: of texts the words that the network reads, with "…" for one that the
    vocabulary lacks; of a bag of words the words that weigh most; of sequences of letters the letters; of a table its
    normalised values, from SPREADS below the mean (0) to as many above it (255), since a column in the thousands would
    leave nothing to see of the others; otherwise numbers 0..255 as as_bytes() gives them. Of many numbers some are shown:
    see thinned()."""
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
        return (127.5 * (1.0 + thinned(example[None], data.shape)[0] / SPREADS)).round().clip(0, 255).astype(np.uint8)
    return as_bytes(thinned(values[None], data.shape)[0])


@lru_cache(maxsize=4)
def pictures_file(data: Dataset) -> bytes:
    """All validation examples, uint8 (n, *shape that is shown) or texts (n,), as the contents of a .npy file."""
    file = BytesIO()
    np.save(file, np.stack([np.asarray(as_shown(one, data)) for one in data.validation.inputs]))
    return file.getvalue()


def pictures(path: Path | str, rows: list[int]) -> list[Any]:
    """For each example a nested list of 0..255, or its text; [] if there is no such file."""
    if not Path(path).is_file():
        return []
    return np.load(path, mmap_mode="r")[rows].tolist()


def steps_of(shape: Sequence[int]) -> tuple[int, ...]:
    """Of how many numbers along each axis of an example one is shown: (features,), (features, length) or (channels, height,
    width)."""
    most = {1: (MOST_IN_A_ROW,), 2: (MOST_SIDE, MOST_IN_A_ROW), 3: (shape[0], MOST_SIDE, MOST_SIDE)}[len(shape)]
    return tuple(-(-size // limit) for size, limit in zip(shape, most, strict=True))


def shown_shape(shape: Sequence[int]) -> tuple[int, ...]:
    """The shape of what is shown of an example; the same as `shape` where there is room for all of it."""
    return tuple(-(-size // step) for size, step in zip(shape, steps_of(shape), strict=True))


def thinned(examples: np.ndarray, shape: Sequence[int]) -> np.ndarray:
    """(n, *shown_shape(shape)) of examples (n, ...) whose numbers are those of `shape`, or those of what is shown of it."""
    if examples[:1].size == prod(shown_shape(shape)):
        return examples.reshape(len(examples), *shown_shape(shape))
    places = (slice(None), *(slice(None, None, step) for step in steps_of(shape)))
    return examples.reshape(len(examples), *shape)[places]
