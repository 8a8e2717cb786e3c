"""Small sets of texts for tests."""

from __future__ import annotations

import numpy as np

from compress.data import datasets
from compress.data.datasets import Dataset
from compress.data.raw_data import RawData
from compress.data.texts.tokens import numbered_tokens

GOOD, BAD = ("good", "fine", "great", "bright"), ("bad", "poor", "dull", "grey")
NEUTRAL = tuple(f"word{number}" for number in range(30))


def reviews(count: int = 150, seed: int = 0) -> list[tuple[str, str]]:
    """(text, label): sentences of 2 to 9 words, of which one or two tell the class."""
    generator = np.random.default_rng(seed)
    found = []
    for place in range(count):
        words = [str(generator.choice(NEUTRAL)) for _ in range(int(generator.integers(1, 8)))]
        words += [str(generator.choice((GOOD, BAD)[place % 2])) for _ in range(1 + place % 3 // 2)]
        found.append((" ".join(generator.permutation(words)), ("like", "dislike")[place % 2]))
    return found


def raw_reviews(count: int = 150, seed: int = 0) -> RawData:
    """The same as raw data of kind text."""
    texts, labels = zip(*reviews(count, seed), strict=True)
    ids, words = numbered_tokens(texts, 12)
    return RawData("Toy reviews", "text", ("dislike", "like"), ids,
                   np.array([label == "like" for label in labels], dtype=np.int64), words=words)


def toy_texts(count: int = 150, seed: int = 0) -> Dataset:
    """The same as a data set."""
    return datasets.prepare(raw_reviews(count, seed), "toy_reviews", 0)
