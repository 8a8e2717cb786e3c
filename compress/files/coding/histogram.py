"""The model of an order-0 coder, how often each symbol occurs, in few bits.

Neighbouring symbols are about as frequent as each other, so that a count is stored as the change of its number of binary
digits from the count before (an exponential Golomb code), and its digits after the first, which is always 1.
"""

from __future__ import annotations

import numpy as np

MOST_SYMBOLS = 1 << 16


def to_bytes(counts: np.ndarray) -> bytes:
    """counts: (symbols,) whole numbers from 0 to 2^32 - 1."""
    parts, before = [], 0
    for count in counts.tolist():
        digits = count.bit_length()
        parts.append(_golomb(_zigzag(digits - before)))
        parts.append(f"{count:b}"[1:])
        before = digits
    text = "".join(parts)
    return int(text.ljust(-(-len(text) // 8) * 8, "0") or "0", 2).to_bytes(-(-len(text) // 8), "big")


def from_bytes(contents: bytes | memoryview, symbols: int) -> np.ndarray:
    """The opposite of to_bytes(): (symbols,) int64. Raises ValueError for bytes that to_bytes() does not write."""
    text = f"{int.from_bytes(contents, 'big'):0{8 * len(contents)}b}" if contents else ""
    counts, place, before = np.zeros(symbols, dtype=np.int64), 0, 0
    for symbol in range(symbols):
        change, place = _ungolomb(text, place)
        digits = before + (change + 1 >> 1) * (1 if change & 1 else -1)
        if not 0 <= digits <= 32 or place + digits - 1 > len(text):
            raise ValueError(_DAMAGED)
        if digits:
            counts[symbol] = int("1" + text[place:place + digits - 1], 2)
            place += digits - 1
        before = digits
    if len(text) - place >= 8 or "1" in text[place:]:
        raise ValueError(_DAMAGED)
    return counts


_DAMAGED = "the counts of symbols in its coded tensors make no sense"


def _zigzag(change: int) -> int:
    """0, 1, -1, 2, -2, ... -> 0, 1, 2, 3, 4, ..."""
    return 2 * change - 1 if change > 0 else -2 * change


def _golomb(value: int) -> str:
    """0 -> 1, 1 -> 010, 2 -> 011, 3 -> 00100, ..."""
    digits = f"{value + 1:b}"
    return "0" * (len(digits) - 1) + digits


def _ungolomb(text: str, place: int) -> tuple[int, int]:
    """The number that begins at a place, and the place after it."""
    first = text.find("1", place, place + 8)
    end = 2 * first - place + 1
    if first < 0 or end > len(text):
        raise ValueError(_DAMAGED)
    return int(text[first:end], 2) - 1, end
