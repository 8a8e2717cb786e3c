"""Texts as a bag of words: a table with one feature for each frequent word of the training split."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from compress.data.texts.tokens import SPECIAL
from compress.data.texts.vocabulary import Vocabulary
from compress.memory import require


@dataclass(frozen=True, eq=False)
class WordCounts:
    """What the training split says of words.

    Attributes:
        words: of each feature, by falling frequency.
        features: (words of the source,) int64: the feature of each of the source's own numbers, -1 for none.
        weighing: how much a word weighs, of scikit-learn: its count in a text times ln((1 + texts) / (1 + texts with it)) +
            1, each text divided by its length (Salton and Buckley, 1988).
    """

    words: tuple[str, ...]
    features: np.ndarray
    weighing: Any

    @classmethod
    def fit(cls, ids: np.ndarray, words: tuple[str, ...], most: int) -> WordCounts:
        """The bag of training texts (n, length) in the numbers of a source with these words, of at most so many features."""
        from sklearn.feature_extraction.text import TfidfTransformer

        found = Vocabulary.fit(ids, words)
        kept = found.words[len(SPECIAL):][:most]
        places = found.ids - len(SPECIAL)
        features = np.where((places >= 0) & (places < len(kept)), places, -1)
        return cls(kept, features, TfidfTransformer().fit(_counted(ids, features, len(kept))))

    def apply(self, ids: np.ndarray) -> np.ndarray:
        """Texts (n, length) of the source as rows (n, features) of length 1, float32; zeros for a text without any of the
        words. Raises MemoryShort if they do not fit."""
        require(4 * len(ids) * len(self.words), f"{len(self.words)} counts of words for {len(ids)} texts",
                "Choose data with fewer texts.")
        rows = self.weighing.transform(_counted(ids, self.features, len(self.words)))
        dense: np.ndarray = rows.toarray().astype(np.float32)
        return dense


def _counted(ids: np.ndarray, features: np.ndarray, count: int) -> Any:
    """A sparse matrix (n, count): how often each text has the word of each feature."""
    from scipy.sparse import csr_matrix

    found = features[ids]
    row, place = np.nonzero(found >= 0)
    return csr_matrix((np.ones(len(row), np.float32), (row, found[row, place])), shape=(len(ids), count))
