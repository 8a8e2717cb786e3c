"""A sequence of symbols as bytes: as it is, as one symbol, by an order-0 entropy coder, or by LZMA, whichever is shortest.

A stream says how it was made in its first byte. Its length in symbols is known to whoever reads it.
"""

from __future__ import annotations

import lzma
from collections.abc import Callable

import numpy as np

from compress.files.coding import entropy_coder, histogram
from compress.files.coding.reader import Reader, number

FILTERS = [{"id": lzma.FILTER_LZMA2, "preset": 6, "dict_size": 1 << 20}]  # what a reader has to hold in memory
LEAST = 16  # symbols for which anything but their bytes can be shorter
SAMPLE = 1 << 20  # bytes: as far as LZMA looks back


def to_bytes(symbols: np.ndarray, repeats: bool = False) -> bytes:
    """The shortest stream of symbols (n,) of type uint8, uint16 or uint32.

    Args:
        repeats: whether to try LZMA, which finds sequences that occur again; it takes a second for each megabyte. Of more
            than four megabytes, two are tried first, and no more where the other ways are shorter for these.

    Raises:
        ValueError: the package constriction is not installed.
    """
    made = [bytes([_RAW]) + _little(symbols).tobytes()]
    if len(symbols) >= LEAST:
        low, high = int(symbols.min()), int(symbols.max())
        if low == high:
            return bytes([_ONE]) + number(low)
        if high - low < histogram.MOST_SYMBOLS:
            made.append(_counted(symbols, low, high))
        if repeats and _may_repeat(_little(symbols), min(map(len, made))):
            packed = _in_lzma(_little(symbols))
            made.append(bytes([_LZMA]) + number(len(packed)) + packed)
    return min(made, key=len)


def from_bytes(source: Reader, count: int, kind: type[np.unsignedinteger]) -> np.ndarray:
    """The next stream of a source: (count,) symbols of a type. Raises ValueError if it is damaged, or has another number of
    symbols; what it takes of memory depends on count alone."""
    (form,) = source.take(1)
    if form not in _READERS:
        raise ValueError("its coded tensors have a form that is not known")
    found = _READERS[form](source, count, np.dtype(kind).itemsize)
    if len(found) != count or (count and int(found.max()) > np.iinfo(kind).max):
        raise ValueError("its coded tensors have another number of symbols than it says")
    return found.astype(kind, copy=False)


def _may_repeat(symbols: np.ndarray, otherwise: int) -> bool:
    """Whether LZMA may take less than `otherwise` bytes, which the other ways need."""
    if symbols.nbytes <= 4 * SAMPLE:
        return True
    count = SAMPLE // symbols.itemsize
    starts = (len(symbols) // 4, len(symbols) // 4 * 3 - count)
    tried = sum(len(_in_lzma(symbols[start:start + count])) for start in starts)
    return tried * len(symbols) < otherwise * 2 * count


def _in_lzma(symbols: np.ndarray) -> bytes:
    return lzma.compress(symbols.tobytes(), lzma.FORMAT_RAW, filters=FILTERS)


def order_0(symbols: np.ndarray) -> float:
    """The order-0 entropy of all symbols (n,) together, in bits."""
    few = symbols.dtype in (np.uint8, np.uint16)
    counts = entropy_coder.counted(symbols, 0, np.iinfo(symbols.dtype).max) if few else np.unique(
        symbols, return_counts=True)[1]
    return entropy_coder.entropy_bits(counts)


def _counted(symbols: np.ndarray, low: int, high: int) -> bytes:
    counts = entropy_coder.counted(symbols, low, high)
    model = histogram.to_bytes(counts)
    coded = entropy_coder.coded(symbols - symbols.dtype.type(low), counts)
    return b"".join([bytes([_ORDER_0]), number(low), number(high - low + 1), number(len(model)), model,
                     number(len(coded)), coded])


def _raw(source: Reader, count: int, width: int) -> np.ndarray:
    return np.frombuffer(source.take(count * width), f"<u{width}")


def _one(source: Reader, count: int, width: int) -> np.ndarray:
    return np.full(count, min(source.number(), 1 << 8 * width), dtype=np.int64)


def _order_0(source: Reader, count: int, width: int) -> np.ndarray:
    low, span = source.number(), source.number()
    if not 2 <= span <= histogram.MOST_SYMBOLS or low >= 1 << 8 * width:
        raise ValueError("its coded tensors have symbols that are out of range")
    counts = histogram.from_bytes(source.take(source.number()), span)
    if int(counts.sum()) != count or np.count_nonzero(counts) < 2:
        raise ValueError("its coded tensors have another number of symbols than it says")
    found = entropy_coder.decoded(source.take(source.number()), counts)
    return found.astype(np.min_scalar_type(low + span - 1), copy=False) + low


def _lzma(source: Reader, count: int, width: int) -> np.ndarray:
    packed, opened = source.take(source.number()), lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=FILTERS)
    try:
        found = opened.decompress(packed, count * width + 1)
    except lzma.LZMAError as error:
        raise ValueError("its coded tensors are damaged") from error
    if len(found) != count * width or not opened.eof or opened.unused_data:
        raise ValueError("its coded tensors have another number of symbols than it says")
    return np.frombuffer(found, f"<u{width}")


def _little(symbols: np.ndarray) -> np.ndarray:
    return symbols.astype(symbols.dtype.newbyteorder("<"), copy=False)


_RAW, _ONE, _ORDER_0, _LZMA = range(4)
_READERS: dict[int, Callable[[Reader, int, int], np.ndarray]] = {
    _RAW: _raw, _ONE: _one, _ORDER_0: _order_0, _LZMA: _lzma}
