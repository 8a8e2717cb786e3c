"""Normalises every channel or feature to mean 0 and standard deviation 1 on the training split."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

_SMALL = 1e-100
_CHUNK = 4096  # examples turned to float64 at a time: all of CIFAR-10 at once would take 1.5 GB


@dataclass(frozen=True, eq=False)
class Normaliser:
    """The statistics of the training split.

    Attributes:
        mean, standard_deviation: float64, read-only, for each channel or feature, in a shape that broadcasts to an example:
            (channels, 1, 1), (features, 1) or (features,).
    """

    mean: np.ndarray
    standard_deviation: np.ndarray

    def __post_init__(self) -> None:
        object.__setattr__(self, "mean", read_only(self.mean))
        object.__setattr__(self, "standard_deviation", read_only(self.standard_deviation))

    @classmethod
    def fit(cls, inputs: np.ndarray) -> Normaliser:
        """The statistics of examples (n, *shape), in float64, without missing values (NaN). A standard deviation of 0
        becomes 1.

        Raises:
            ValueError: the squares of some values overflow.
        """
        count = np.maximum(_total(inputs, lambda part: ~np.isnan(part)), 1)
        mean = _total(inputs, lambda part: part) / count
        lowest, highest = _extremes(inputs)
        width = highest - lowest
        unit = np.where((width > 0) & (width < _SMALL), width, 1.0)  # the squares of smaller differences would be 0
        with np.errstate(over="ignore", invalid="ignore"):
            spread = np.sqrt(_total(inputs, lambda part: ((part - mean) / unit) ** 2) / count) * unit
        if not np.isfinite(spread).all():
            raise ValueError("Inputs must stay below about 1e150 so that their squares are finite, but the "
                             "spread of a feature overflows. Rescale that feature.")
        # The computed mean of a constant has rounding errors, which must not be scaled to a standard deviation of 1.
        varies = lowest < highest
        return cls(np.where(varies, mean, np.nan_to_num(lowest)), np.where(varies, spread, 1.0))

    def apply(self, inputs: np.ndarray) -> np.ndarray:
        """Normalised examples (n, *shape), float32; a missing value becomes 0, the mean of the training split."""
        result = np.empty(inputs.shape, dtype=np.float32)
        for start in range(0, len(inputs), _CHUNK):
            part = inputs[start:start + _CHUNK].astype(np.float64)
            with np.errstate(over="ignore"):  # infinity: prepare() refuses it with the value that caused it
                scaled = (part - self.mean) / self.standard_deviation
                result[start:start + _CHUNK] = np.where(np.isnan(scaled), 0.0, scaled)
        return result

    def undo(self, inputs: np.ndarray) -> np.ndarray:
        """Normalised examples (n, *shape), or a single example, in the source's units, float32."""
        return (np.asarray(inputs, dtype=np.float64) * self.standard_deviation + self.mean).astype(np.float32)


def without_variety(inputs: np.ndarray) -> np.ndarray:
    """bool (channels or features,): where examples (n, *shape) have no more than one value, missing ones (NaN) aside."""
    lowest, highest = _extremes(inputs)
    return ~(lowest < highest).reshape(-1)


def read_only(array: np.ndarray) -> np.ndarray:
    """A read-only view of an array."""
    view = array.view()
    view.flags.writeable = False
    return view


def _total(inputs: np.ndarray, change: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    return sum(np.nansum(change(part), axis=_axes(inputs), keepdims=True) for part in _parts(inputs))[0]


def _extremes(inputs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Lowest and highest value; NaN where all are missing."""
    lowest, highest = (each.reduce(inputs, axis=_axes(inputs), keepdims=True)[0] for each in (np.fmin, np.fmax))
    return lowest.astype(np.float64), highest.astype(np.float64)


def _axes(inputs: np.ndarray) -> tuple[int, ...]:
    return tuple(axis for axis in range(inputs.ndim) if axis != 1)


def _parts(inputs: np.ndarray) -> Iterator[np.ndarray]:
    for start in range(0, len(inputs), _CHUNK):
        yield inputs[start:start + _CHUNK].astype(np.float64)
