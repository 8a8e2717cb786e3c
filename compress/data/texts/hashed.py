"""Texts as a fixed number of features, whichever words they have."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from compress.memory import require

FEATURES = 512


def hashed(texts: Sequence[str], features: int = FEATURES) -> np.ndarray:
    """Counts of the words and of the pairs of neighbouring words of texts, hashed into features (n, features), float64, each
    row of length 1 (Weinberger et al., 2009: a hash of the word is the place of its feature, another its sign).

    Raises:
        MemoryShort: they do not fit.
    """
    from sklearn.feature_extraction.text import HashingVectorizer

    require(8 * len(texts) * features, f"{features} features of words for {len(texts)} rows", "Choose fewer words.")
    return HashingVectorizer(n_features=features, ngram_range=(1, 2)).transform(texts).toarray()


def hashed_names(column: str, features: int = FEATURES) -> tuple[str, ...]:
    """What the features of a column of texts are called."""
    return tuple(f"{column}: words {place}" for place in range(1, features + 1))
