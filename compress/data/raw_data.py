"""The examples of a source as the source stores them: checked, but neither split nor normalised."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from math import prod

import numpy as np

from compress.data.finite import check_finite
from compress.data.texts.tokens import SPECIAL

EXAMPLE_AXES = {"image": ("channels", "height", "width"), "sequence": ("features", "length"),
                "tabular": ("features",), "text": ("tokens",)}
MOST_TOKENS = 2 ** 24  # different ones: float32 holds their ids exactly


@dataclass(frozen=True)
class DatasetCard:
    """An entry in the list of data sets, made without loading the data.

    Attributes:
        online: whether the first load needs the internet.
        problem: the reason why the data cannot be loaded; "" if none is known. The counts of a card with a problem are 0.
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
    """Examples and labels of a source.

    Attributes:
        kind: determines the shape of an example: image (channels, height, width), sequence (features, length), tabular
            (features,), text (tokens,): ids as texts/tokens.py gives them.
        inputs: (n, *shape), of the source's real dtype, within float32. A missing value is NaN, in tables alone.
        labels: int64 (n,), in 0..len(classes)-1.
        test_inputs, test_labels: the source's official test part, or None.
        origin: arrays from which the examples were made, for pages: "scene" (n, channels, height, width), the images that
            examples were cut from; "atoms" (count, features), of which signals are sums.
        notes: sentences on what of the source is not used.
        words: of a text, the word of each id; of sequences of letters, the letter of each feature.
        counted: of texts, how many words become features of a table, the most frequent ones of the training split; 0 where
            the ids themselves are the examples.
        names: of a table, what each feature is called; () where nobody said.

    Raises:
        ValueError: an array that breaks these rules; the message has the title and the value.
    """

    title: str
    kind: str
    classes: tuple[str, ...]
    inputs: np.ndarray
    labels: np.ndarray
    test_inputs: np.ndarray | None = None
    test_labels: np.ndarray | None = None
    origin: dict[str, np.ndarray] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    counted: int = 0

    def __post_init__(self) -> None:
        if self.kind not in EXAMPLE_AXES:
            raise ValueError(f"{self.title}: kind must be one of {', '.join(EXAMPLE_AXES)}, but got "
                             f"{self.kind!r}.")
        if len(self.classes) < 2:
            raise ValueError(f"{self.title}: at least 2 classes are needed, but got {len(self.classes)}: "
                             f"{', '.join(map(repr, self.classes)) or 'none'}. Choose labels that divide the examples.")
        self._check(self.inputs, self.labels, "examples")
        if (self.test_inputs is None) != (self.test_labels is None):
            raise ValueError(f"{self.title}: test inputs and test labels must come together, but only one "
                             "is given.")
        if self.test_inputs is not None and self.test_labels is not None:
            self._check(self.test_inputs, self.test_labels, "test examples")
            self._check_same_form(self.test_inputs)

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of an example."""
        return self.inputs.shape[1:]

    @property
    def bytes_per_example(self) -> int:
        """Bytes of an example: one for each value of uint8, otherwise four, as for float32."""
        return prod(self.shape) * (1 if self.inputs.dtype == np.uint8 else 4)

    def digest(self, seed: int) -> str:
        """16 hex digits of a SHA-256 over the contents and the seed of the splits."""
        total = hashlib.sha256(repr((self.kind, self.classes, seed, *([self.words] if self.words else []),
                                     *([self.counted] if self.counted else []))).encode())
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
        if self.kind == "text":
            self._check_ids(inputs, what)
        check_finite(inputs, f"{self.title}: {what}", missing_allowed=self.kind == "tabular")
        if labels.shape != inputs.shape[:1]:
            raise ValueError(f"{self.title}: there must be one label for each of the {len(inputs)} {what}, "
                             f"but the labels have the shape {labels.shape}.")
        if labels.dtype != np.int64 or labels.min() < 0 or labels.max() >= len(self.classes):
            raise ValueError(f"{self.title}: labels must be int64 in 0..{len(self.classes) - 1}, but got "
                             f"{labels.dtype} in {labels.min()}..{labels.max()}.")

    def _check_ids(self, inputs: np.ndarray, what: str) -> None:
        if not len(SPECIAL) < len(self.words) <= MOST_TOKENS:
            raise ValueError(f"{self.title}: texts must have between {len(SPECIAL) + 1} and {MOST_TOKENS:,} words, but have "
                             f"{len(self.words)}. Add the words of the ids.")
        if inputs.dtype.kind not in "ui" or int(inputs.min()) < 0 or int(inputs.max()) >= len(self.words):
            raise ValueError(f"{self.title}: {what} of kind text must be whole numbers in 0..{len(self.words) - 1}, "
                             f"the ids of its words, but got {inputs.dtype} in {inputs.min()}..{inputs.max()}. Number the "
                             "words again.")

    def _check_same_form(self, tested: np.ndarray) -> None:
        ours, theirs = (self.inputs.dtype, self.shape), (tested.dtype, tested.shape[1:])
        if ours != theirs:
            raise ValueError(f"{self.title}: test examples must have the dtype and shape of the others, "
                             f"{ours[0]} {ours[1]}, but got {theirs[0]} {theirs[1]}.")
