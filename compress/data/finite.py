"""The check that examples are numbers which a network, in float32, can be given."""

from __future__ import annotations

import numpy as np

LARGEST = float(np.finfo(np.float32).max)
_CHUNK = 4096  # examples checked at a time


def check_finite(inputs: np.ndarray, what: str, missing_allowed: bool) -> None:
    """Refuses NaN (where no value may be missing), infinity, and values beyond float32.

    Args:
        inputs: (n, *shape), of any real dtype; what: the examples, in words that begin the sentence.

    Raises:
        ValueError: the number of such values, and the example, the place in it and the value of the first.
    """
    if inputs.dtype.kind != "f":
        return
    count, first = 0, None
    for start in range(0, len(inputs), _CHUNK):
        part = inputs[start:start + _CHUNK]
        wrong = ~(np.abs(part) <= LARGEST)
        if missing_allowed:
            wrong &= ~np.isnan(part)
        if wrong.any():
            count += int(wrong.sum())
            first = first or _first(wrong, start)
    if first is None:
        return
    value = inputs[first]
    if np.isfinite(value):
        raise ValueError(f"{what} must be between -{LARGEST:.2g} and {LARGEST:.2g}, the range of float32, but {count} "
                         f"values are not; the first is {value!s} in {place_of(first)}. Mend these values, or rescale them.")
    raise ValueError(f"{what} must be finite, but {count} values are not; the first is {value!s} in {place_of(first)}. "
                     "Fill or remove them.")


def place_of(index: tuple[int, ...]) -> str:
    """An index (example, *place) in words, counted from 0 as numpy does."""
    example, *place = index
    if len(place) == 1:
        return f"example {example}, column {place[0]}"
    return f"example {example}, position {tuple(place)}"


def _first(wrong: np.ndarray, start: int) -> tuple[int, ...]:
    example, *place = (int(number) for number in np.unravel_index(int(np.argmax(wrong)), wrong.shape))
    return start + example, *place
