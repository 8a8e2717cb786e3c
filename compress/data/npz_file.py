"""Reads examples and labels from a user's .npz file, whichever of the usual names its arrays have."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from compress.data.npz_archive import opened

_NAMES = {("inputs", False): ("x", "X", "inputs", "x_train", "X_train"), ("labels", True): ("y_test",),
          ("labels", False): ("y", "labels", "y_train"), ("inputs", True): ("x_test", "X_test")}


@dataclass(frozen=True)
class NpzFile:
    """Inputs as x, X, inputs or x_train, labels as y, labels or y_train, perhaps x_test and y_test, and kind.

    Nothing pickled is run. Every method raises ValueError, naming the file, over a missing or damaged array.
    """

    path: Path

    def kind(self) -> str | None:
        """The text in the array `kind` (image, sequence, tabular or text), or None where there is no such array."""
        if "kind" not in self._names():
            return None
        return str(self._read("kind")[()])

    def missing_allowed(self) -> bool:
        """Whether NaN is a missing value: in tables that were added, whose array `missing` says so."""
        return "missing" in self._names() and self.kind() == "tabular"

    def notes(self) -> tuple[str, ...]:
        """Sentences on what of the source is not used, from the array `notes`."""
        return tuple(map(str, np.atleast_1d(self._read("notes")))) if "notes" in self._names() else ()

    def words(self) -> tuple[str, ...]:
        """Of texts, the word of each id, from the array `words`; () where there is no such array."""
        return tuple(map(str, np.atleast_1d(self._read("words")))) if "words" in self._names() else ()

    def names(self) -> tuple[str, ...]:
        """Of a table, what each feature is called, from the array `columns`; () where there is no such array."""
        return tuple(map(str, np.atleast_1d(self._read("columns")))) if "columns" in self._names() else ()

    def has_test(self) -> bool:
        """Whether there is an official test part. Raises ValueError if only its inputs or labels are there."""
        inputs, labels = self._find("inputs", True), self._find("labels", True)
        if (inputs is None) != (labels is None):
            raise ValueError(f"{self.path} holds {inputs or labels} alone: x_test and y_test must come "
                             "together. Add the other array or leave this one out.")
        return inputs is not None

    def shape(self, test: bool = False) -> tuple[int, ...]:
        """Shape of the inputs, read without the inputs themselves."""
        name = self._name("inputs", test)
        with opened(self.path) as archive:
            return archive.header(name).shape

    def inputs(self, test: bool = False) -> np.ndarray:
        """The inputs as stored."""
        return self._read(self._name("inputs", test))

    def labels(self, test: bool = False) -> np.ndarray:
        """The labels as stored."""
        return self._read(self._name("labels", test))

    def _name(self, what: str, test: bool) -> str:
        name = self._find(what, test)
        if name is None:
            raise ValueError(f"{self.path} must hold {what} as an array named "
                             f"{' or '.join(_NAMES[what, test])}, but holds "
                             f"{', '.join(self._names()) or 'nothing'}.")
        return name

    def _find(self, what: str, test: bool) -> str | None:
        found = [name for name in self._names() if name in _NAMES[what, test]]
        if len(found) > 1:
            raise ValueError(f"{self.path} holds {what} more than once, as {' and '.join(found)}. Leave one "
                             "of them.")
        return found[0] if found else None

    def _names(self) -> list[str]:
        with opened(self.path) as archive:
            return archive.names

    def _read(self, name: str) -> np.ndarray:
        with opened(self.path) as archive:
            return archive.read(name)
