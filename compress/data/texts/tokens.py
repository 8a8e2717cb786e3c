"""Texts as rows of token ids: words in lower case, question and exclamation marks, perhaps pairs of neighbours."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np

from compress.memory import require

SPECIAL = ("", "(unknown)")  # the words of ids 0, padding, and 1, a token that the vocabulary lacks
LONGEST = 512  # tokens of a text that are read
MOST_TOKENS = 128  # of a text in a table
LONGEST_TOKEN = 40  # characters
_TOKEN = re.compile(r"[^\W_]+(?:['’][^\W_]+)*|[!?]")


def tokens_of(text: str, pairs: bool = False) -> list[str]:
    """The tokens of a text, and behind them, with `pairs`, its pairs of neighbouring words ("not good")."""
    found = [token[:LONGEST_TOKEN] for token in _TOKEN.findall(text.lower())]
    return found + [f"{one} {other}" for one, other in pairwise(found)] if pairs else found


def numbered_tokens(texts: Sequence[str], length: int, pairs: bool = False) -> tuple[np.ndarray, tuple[str, ...]]:
    """Ids (n, up to `length`) int32 and the word of each id, in the order of the alphabet behind SPECIAL.

    Of a longer text the first tokens count. Shorter ones have padding (0) before them, so that all end at the last place.

    Raises:
        ValueError: no text has a token. MemoryShort: they do not fit.
    """
    rows = [tokens_of(text, pairs)[:length] for text in texts]
    longest = max(map(len, rows), default=0)
    if not longest:
        raise ValueError("No text holds a word. Choose a column of sentences.")
    require(12 * len(rows) * longest, f"{len(rows)} texts of {longest} tokens", "Leave out rows, or choose fewer tokens.")
    words = (*SPECIAL, *sorted({token for row in rows for token in row}))
    places = {word: place for place, word in enumerate(words)}
    ids = np.zeros((len(rows), longest), dtype=np.int32)
    for place, row in enumerate(rows):
        if row:
            ids[place, -len(row):] = [places[token] for token in row]
    return ids, words


def as_text(ids: Iterable[float], words: Sequence[str]) -> str:
    """The words of one row of ids, without padding."""
    return " ".join(words[int(number)] if 0 < int(number) < len(words) else SPECIAL[1] for number in ids if int(number))
