"""The vocabulary of the training texts: ids of tokens by their frequency there, so that a shorter table has the more
frequent tokens. Tokens that only other texts have are unknown."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from compress.data.texts.tokens import SPECIAL


@dataclass(frozen=True, eq=False)
class Vocabulary:
    """What the training split says of tokens.

    Attributes:
        words: of each id, those of SPECIAL first, then by falling frequency.
        ids: (words of the source,) int64: the id of each of the source's own numbers.
    """

    words: tuple[str, ...]
    ids: np.ndarray

    @classmethod
    def fit(cls, inputs: np.ndarray, words: tuple[str, ...]) -> Vocabulary:
        """The vocabulary of training texts (n, length) in the numbers of a source with these words."""
        counts = np.bincount(inputs.ravel(), minlength=len(words))
        counts[:len(SPECIAL)] = 0
        order = np.argsort(-counts, kind="stable")[:int((counts > 0).sum())]
        ids = np.ones(len(words), dtype=np.int64)
        ids[0] = 0
        ids[order] = np.arange(len(order)) + len(SPECIAL)
        return cls((*SPECIAL, *(words[place] for place in order)), ids)

    def apply(self, inputs: np.ndarray) -> np.ndarray:
        """Texts (n, length) of the source in ids of this vocabulary, float32, which holds them exactly."""
        return self.ids[inputs].astype(np.float32)
