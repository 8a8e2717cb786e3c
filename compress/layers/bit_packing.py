"""Whole numbers in as few bits as they need, one after another."""

from __future__ import annotations

import numpy as np


def bits_for(count: int) -> int:
    """Bits that tell `count` things apart; at least 1."""
    return max(1, (count - 1).bit_length())


def packed(numbers: np.ndarray, bits: int) -> np.ndarray:
    """Bytes (uint8) of whole numbers of so many bits each, most significant bit first.

    Args:
        numbers: any shape, from 0 to 2^bits - 1.
    """
    flat = np.asarray(numbers, dtype=np.uint32).reshape(-1, 1)
    places = np.arange(bits - 1, -1, -1, dtype=np.uint32)
    return np.packbits(((flat >> places) & 1).astype(np.uint8))


def unpacked(contents: np.ndarray, count: int, bits: int) -> np.ndarray:
    """The opposite of packed(): `count` numbers (int64)."""
    digits = np.unpackbits(contents, count=count * bits).reshape(count, bits)
    return digits.astype(np.int64) @ (1 << np.arange(bits - 1, -1, -1, dtype=np.int64))


def bytes_for(count: int, bits: int) -> int:
    """Length of packed()."""
    return -(-count * bits // 8)
