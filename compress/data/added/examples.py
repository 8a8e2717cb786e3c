"""What the readers of this folder make of a user's files."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

COUNTS, WORDS, PAIRS = TEXT_READINGS = ("counts", "words", "pairs")


@dataclass(frozen=True)
class Column:
    """A column of a table and what becomes of it.

    Attributes:
        type: number, category, text, letters, label, constant, row number, other or empty.
        features: how many features it gives; 0 if it is left out.
        missing: how many rows have no value.
        becomes: the same in words.
    """

    name: str
    type: str
    features: int
    missing: int
    becomes: str


@dataclass(frozen=True)
class Choices:
    """What the user may decide about how files are read.

    Attributes:
        label: of a table, the column with the classes; "" to take the likeliest.
        side: of pictures, their height and width in pixels; 0 to keep their size if it is the same, up to 64.
        words: of a column of text, the number of features that its words are counted in.
        text: how a column of text is read: "counts" of its words, beside the other columns; or it alone as token ids, of
            "words", or of words and then the pairs of neighbours.
    """

    label: str = ""
    side: int = 0
    words: int = 512
    text: str = COUNTS

    def __post_init__(self) -> None:
        if self.side and not 8 <= self.side <= 128:
            raise ValueError(f"side must be 0 (as they are) or 8 to 128 pixels, but is {self.side}. Choose 32, for example.")
        if not 16 <= self.words <= 16_384:
            raise ValueError(f"words must be 16 to 16384 features, but is {self.words}. Choose 512, for example.")
        if self.text not in TEXT_READINGS:
            raise ValueError(f"text must be one of {', '.join(TEXT_READINGS)}, but is {self.text!r}. Choose {COUNTS}, for "
                             "example.")


@dataclass(frozen=True, eq=False)
class Examples:
    """Examples and labels from files.

    Attributes:
        kind: image, sequence, tabular or text.
        inputs: (n, *shape), real numbers; NaN is a missing value, in tables alone.
        labels: (n,), as labels.class_labels() gives them.
        test_inputs, test_labels: an official test part, or None.
        notes: sentences on what is not used, and what was changed.
        columns: of a table, in its order.
        rows: of a table, its first rows as texts, in the order of the columns.
        labelled_by: of a table, the column of the classes.
        could_label: the columns that could be it.
        words: of texts, the word of each id.
        names: of a table, what each feature is called.
    """

    kind: str
    inputs: np.ndarray
    labels: np.ndarray
    test_inputs: np.ndarray | None = None
    test_labels: np.ndarray | None = None
    notes: tuple[str, ...] = ()
    columns: tuple[Column, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    labelled_by: str = ""
    could_label: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
