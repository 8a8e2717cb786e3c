"""What a source hands over: every example as the source stores it, checked, neither split nor normalised."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from math import prod

import numpy as np

EXAMPLE_AXES = {"image": ("channels", "height", "width"), "sequence": ("features", "length"),
                "tabular": ("features",)}
_NUMBER = re.compile(r"-?\d+(\.\d+)?")


@dataclass(frozen=True)
class DatasetCard:
    """What a list of data sets shows about one of them, known without loading it.

    online: the first load needs the internet. problem: why it cannot be loaded, empty where nothing is known
    to be wrong. The counts of a card with a problem are 0.
    """

    name: str
    title: str
    kind: str
    shape: str
    classes: int
    examples: int
    description: str
    online: bool = False
    problem: str = ""


@dataclass(frozen=True, eq=False)
class RawData:
    """Examples (n, *shape) in the source's own real dtype and labels int64 (n,) in 0..len(classes)-1.

    kind fixes the example's shape: image (channels, height, width), sequence (features, length), tabular
    (features,). test_inputs and test_labels are the source's official test part, or None. A missing value is
    NaN, allowed in tables. origin: what the examples were made from, where a page can show it: "scene" (n, channels,
    height, width), pictures of whole examples; "atoms" (count, features), of which signals are sums.

    Raises:
        ValueError: an array that breaks these rules; names the title and the value found.
    """

    title: str
    kind: str
    classes: tuple[str, ...]
    inputs: np.ndarray
    labels: np.ndarray
    test_inputs: np.ndarray | None = None
    test_labels: np.ndarray | None = None
    origin: dict[str, np.ndarray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.kind not in EXAMPLE_AXES:
            raise ValueError(f"{self.title}: kind must be one of {', '.join(EXAMPLE_AXES)}, but got "
                             f"{self.kind!r}.")
        if len(self.classes) < 2:
            raise ValueError(f"{self.title}: at least 2 classes are needed, but got {len(self.classes)}.")
        self._check(self.inputs, self.labels, "examples")
        if (self.test_inputs is None) != (self.test_labels is None):
            raise ValueError(f"{self.title}: test inputs and test labels must come together, but only one "
                             "is given.")
        if self.test_inputs is not None and self.test_labels is not None:
            self._check(self.test_inputs, self.test_labels, "test examples")
            self._check_same_form(self.test_inputs)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one example."""
        return self.inputs.shape[1:]

    @property
    def bytes_per_example(self) -> int:
        """Bytes of one example: one per value for uint8, otherwise four, as float32."""
        return prod(self.shape) * (1 if self.inputs.dtype == np.uint8 else 4)

    def digest(self, seed: int) -> str:
        """16 hex digits of a SHA-256 over the contents and the seed of the splits."""
        total = hashlib.sha256(repr((self.kind, self.classes, seed)).encode())
        for array in (self.inputs, self.labels, self.test_inputs, self.test_labels):
            total.update(repr(None if array is None else (array.dtype.str, array.shape)).encode())
            total.update(b"" if array is None else np.ascontiguousarray(array).data)
        return total.hexdigest()[:16]

    def _check(self, inputs: np.ndarray, labels: np.ndarray, what: str) -> None:
        axes = ("n", *EXAMPLE_AXES[self.kind])
        if inputs.ndim != len(axes) or 0 in inputs.shape:
            raise ValueError(f"{self.title}: {what} of kind {self.kind} must have the shape "
                             f"({', '.join(axes)}) with no empty axis, but got {inputs.shape}.")
        if inputs.dtype.kind not in "uif":
            raise ValueError(f"{self.title}: {what} must be real numbers, but got the dtype {inputs.dtype}.")
        unusable = np.isinf(inputs) if self.kind == "tabular" else ~np.isfinite(inputs)
        if unusable.any():
            raise ValueError(f"{self.title}: {what} must be finite, but {int(unusable.sum())} values are "
                             f"not; the first is in example {int(np.argwhere(unusable)[0, 0])}.")
        if labels.shape != inputs.shape[:1]:
            raise ValueError(f"{self.title}: there must be one label for each of the {len(inputs)} {what}, "
                             f"but the labels have the shape {labels.shape}.")
        if labels.dtype != np.int64 or labels.min() < 0 or labels.max() >= len(self.classes):
            raise ValueError(f"{self.title}: labels must be int64 in 0..{len(self.classes) - 1}, but got "
                             f"{labels.dtype} in {labels.min()}..{labels.max()}.")

    def _check_same_form(self, tested: np.ndarray) -> None:
        ours, theirs = (self.inputs.dtype, self.shape), (tested.dtype, tested.shape[1:])
        if ours != theirs:
            raise ValueError(f"{self.title}: test examples must have the dtype and shape of the others, "
                             f"{ours[0]} {ours[1]}, but got {theirs[0]} {theirs[1]}.")


def numbered(labels: np.ndarray) -> tuple[np.ndarray, tuple[str, ...]]:
    """Labels of any values, whole numbers or texts, as int64 (n,) in 0..k-1, and the k names in order.

    Names that are all numbers are ordered as numbers, so that "10" comes after "9".
    """
    values, codes = np.unique(labels, return_inverse=True)
    names = tuple(str(value) for value in values)
    if all(_NUMBER.fullmatch(name) for name in names):
        order = sorted(range(len(names)), key=lambda place: float(names[place]))
    else:
        order = list(range(len(names)))
    ranks = np.argsort(np.array(order, dtype=np.int64))
    return ranks[codes.reshape(-1)].astype(np.int64), tuple(names[place] for place in order)
