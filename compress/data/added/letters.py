"""Sequences of letters, such as proteins and DNA, as examples: one feature a letter, one place a position."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

AMINO_ACIDS = "ACDEFGHIKLMNPQRSTVWY"
SHORTEST, MOST_LETTERS = 6.0, 26  # the mean length from which texts are sequences; different letters
_SEQUENCE = re.compile(r"[A-Z*-]+|[a-z]+")


def are_sequences(texts: Sequence[str]) -> bool:
    """Whether texts are sequences of letters: no spaces or digits, one case, and few letters that occur again and again."""
    if not texts or not all(_SEQUENCE.fullmatch(text) for text in texts):
        return False
    lengths, letters = [len(text) for text in texts], set("".join(texts))
    return sum(lengths) / len(lengths) >= SHORTEST and len(letters) <= min(MOST_LETTERS, max(lengths))


def one_hot(texts: Sequence[str], alphabet: str, length: int) -> np.ndarray:
    """uint8 (n, letters of the alphabet, length): 1 where a text has this letter at this place. What is behind `length` is
    cut off; behind the end of a text, and at a letter that the alphabet lacks, all is 0."""
    places = {letter: place for place, letter in enumerate(alphabet)}
    result = np.zeros((len(texts), len(alphabet), length), dtype=np.uint8)
    for row, text in enumerate(texts):
        for column, letter in enumerate(text[:length]):
            if letter in places:
                result[row, places[letter], column] = 1
    return result
