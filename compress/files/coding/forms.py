"""How the numbers of a tensor become sequences of symbols, and tensors again, bit for bit.

- planes: all first bytes, all second bytes, ... of the numbers. Those of floating-point numbers are turned by one bit
  before, so that the exponents, which repeat, are a plane of their own.
- words: the different numbers, and which of them each number is; for tensors with few different numbers.
- packed: the whole numbers that a layer says are packed in a uint8 tensor (layers/bit_packing.py).
- places: the columns of the weights of a sparse matrix, as the mask of the matrix; they give the numbers of weights in each
  row too.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from compress.layers.bit_packing import bytes_for, packed, unpacked, unpacked_bytes

MOST_WORDS = 1 << 12
UNSIGNED = {1: np.uint8, 2: np.uint16, 4: np.uint32, 8: np.uint64}


def planes_of(words: np.ndarray, is_float: bool) -> list[np.ndarray]:
    """(n,) unsigned -> its bytes, the lowest first, each (n,) uint8."""
    width = words.dtype.itemsize
    if is_float:
        words = words << 1 | words >> 8 * width - 1
    rows = words.astype(words.dtype.newbyteorder("<")).view(np.uint8).reshape(-1, width)
    return [np.ascontiguousarray(rows[:, place]) for place in range(width)]


def from_planes(planes: Sequence[np.ndarray], is_float: bool) -> np.ndarray:
    """The opposite of planes_of()."""
    width = len(planes)
    words = np.stack(planes, axis=1).view(f"<u{width}").reshape(-1).astype(UNSIGNED[width])
    return words >> 1 | words << 8 * width - 1 if is_float else words


def listed(words: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """The different numbers, rising, and which of them each number is (n,); None for too many different numbers."""
    most = min(MOST_WORDS, len(words) // 4)
    if not len(words) or len(np.unique(words[:4 * MOST_WORDS])) > most:  # most tensors: seen without sorting all of them
        return None
    held, places = np.unique(words, return_inverse=True)
    if len(held) > most:
        return None
    return held, places.astype(np.uint8 if len(held) <= 256 else np.uint16)


def numbers_of(contents: np.ndarray, count: int, bits: int) -> np.ndarray | None:
    """The `count` numbers of `bits` bits that are packed in some bytes; None if packing them gives other bytes."""
    if bits > 16 or len(contents) != bytes_for(count, bits):
        return None
    numbers = numbers_in(contents, count, bits)
    return numbers if np.array_equal(packed(numbers, bits), contents) else None


def numbers_in(contents: np.ndarray, count: int, bits: int) -> np.ndarray:
    """The `count` numbers of `bits` bits (16 at most) that are packed in some bytes."""
    return unpacked_bytes(contents, count, bits) if bits <= 8 else unpacked(contents, count, bits).astype(np.uint16)


def mask_of(columns: np.ndarray, counts: np.ndarray, width: int) -> np.ndarray | None:
    """The mask (rows x width,) uint8 of a matrix whose row i has weights in the next counts[i] columns; None if the columns
    do not rise."""
    starts = np.repeat(np.arange(len(counts)) * width, counts) if _sums_to(counts, len(columns)) else None
    if starts is None or not len(columns) or int(columns.max()) >= width:
        return None
    places = starts + columns
    if not bool((np.diff(places) > 0).all()):
        return None
    mask = np.zeros(len(counts) * width, dtype=np.uint8)
    mask[places] = 1
    return mask


def from_mask(mask: np.ndarray, width: int) -> tuple[np.ndarray, np.ndarray]:
    """The opposite of mask_of(): columns and counts (int64)."""
    places = np.flatnonzero(mask)
    return places % width, mask.reshape(-1, width).sum(1, dtype=np.int64)


def _sums_to(counts: np.ndarray, total: int) -> bool:
    return int(counts.min(initial=0)) >= 0 and int(counts.sum(dtype=np.int64)) == total
