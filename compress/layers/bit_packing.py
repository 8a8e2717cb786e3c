"""Whole numbers packed into a fixed number of bits each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Symbols:
    """What a layer says about one of its uint8 tensors: it is packed() of whole numbers, and a file may code these numbers
    instead of the bytes.

    Attributes:
        count: of the numbers; bits: of each of them, as packed() has them.
    """

    count: int
    bits: int


@dataclass(frozen=True)
class Rows:
    """What a layer says about one of its tensors: it lists, row after row, the columns of a matrix that hold something,
    rising in each row, so that a file may code them as the mask of the matrix.

    Attributes:
        counts: name of the tensor with the number of columns in each row; width: columns of the matrix.
    """

    counts: str
    width: int


def bits_for(count: int) -> int:
    """The number of bits for `count` different values; at least 1."""
    return max(1, (count - 1).bit_length())


def packed(numbers: np.ndarray, bits: int) -> np.ndarray:
    """Whole numbers of `bits` bits each as bytes (uint8), most significant bit first.

    Args:
        numbers: any shape, from 0 to 2^bits - 1.
    """
    if bits <= 8:
        return _packed_eights(np.asarray(numbers, dtype=np.uint8).reshape(-1), bits)
    flat = np.asarray(numbers, dtype=np.uint32).reshape(-1, 1)
    places = np.arange(bits - 1, -1, -1, dtype=np.uint32)
    return np.packbits(((flat >> places) & 1).astype(np.uint8))


def _packed_eights(numbers: np.ndarray, bits: int) -> np.ndarray:
    """packed() of up to 8 bits each, eight numbers at a time, which take `bits` bytes: in a word of eight bytes, neighbours
    are moved together, then pairs of them, then fours. Eight times as fast as single bits."""
    eights = np.zeros((-(-len(numbers) // 8), 8), dtype=np.uint8)
    eights.reshape(-1)[:len(numbers)] = numbers
    words = eights.view(">u8").astype(np.uint64).reshape(-1)
    for count, low in ((1, 0x00ff00ff00ff00ff), (2, 0x0000ffff0000ffff), (4, 0x00000000ffffffff)):
        words = (words & np.uint64(low)) | (((words >> np.uint64(8 * count)) & np.uint64(low)) << np.uint64(bits * count))
    found = words.astype(">u8").view(np.uint8).reshape(-1, 8)[:, 8 - bits:]
    return np.ascontiguousarray(found).reshape(-1)[:bytes_for(len(numbers), bits)]


def unpacked(contents: np.ndarray, count: int, bits: int) -> np.ndarray:
    """The opposite of packed(): `count` numbers (int64)."""
    if bits <= 8:
        return unpacked_bytes(contents, count, bits).astype(np.int64)
    digits = np.unpackbits(contents, count=count * bits).reshape(count, bits)
    return digits.astype(np.int64) @ (1 << np.arange(bits - 1, -1, -1, dtype=np.int64))


def unpacked_bytes(contents: np.ndarray, count: int, bits: int) -> np.ndarray:
    """The same of up to 8 bits each, as uint8."""
    digits = np.unpackbits(contents, count=count * bits)
    return digits if bits == 1 else np.packbits(digits.reshape(count, bits), axis=1)[:, 0] >> np.uint8(8 - bits)


def bytes_for(count: int, bits: int) -> int:
    """The length of packed()."""
    return -(-count * bits // 8)
