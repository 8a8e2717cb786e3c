"""An order-0 entropy coder: symbols that are frequent take few bits.

The coder is an asymmetric numeral system (Duda 2009, arXiv:0902.0271) of the package constriction (Bamler 2022). Its model
is made here, in whole numbers alone, so that every machine has the same one: symbol i has the probability w_i / 2^24. The
package takes weights as floating-point numbers, gives each symbol one unit, and divides the other 2^24 - n units among the n
symbols in proportion to what it was given; given w_i - 1, it has exactly w_i.
"""

from __future__ import annotations

from typing import Any

import numpy as np

UNITS = 1 << 24
AT_ONCE = 1 << 22  # symbols that are coded together: as numbers of 4 and 8 bytes they need more memory than a file has bytes

_NEEDED = ("The entropy coder needs the package constriction, which is not installed. Install it (pip install "
           "'constriction>=0.5,<0.6'), or write files with coding=none.")


def coded(symbols: np.ndarray, counts: np.ndarray) -> bytes:
    """The symbols in less than 64 bits more than their entropy.

    Args:
        symbols: (n,) from 0 to len(counts) - 1; counts: (2 or more,) how often each symbol occurs, 0 allowed.

    Raises:
        ValueError: constriction is not installed.
    """
    coder, model, numbers = _ready(counts)
    made = coder()
    for start in reversed(range(0, len(symbols), AT_ONCE)):  # it is a stack: what is coded last is decoded first
        made.encode_reverse(numbers[symbols[start:start + AT_ONCE]], model)
    return made.get_compressed().astype("<u4").tobytes()


def decoded(contents: bytes | memoryview, counts: np.ndarray) -> np.ndarray:
    """The opposite of coded(): as many symbols as `counts` has in all, of the smallest type for len(counts) symbols.

    Raises:
        ValueError: bytes that coded() does not write for these counts; or constriction is not installed.
    """
    coder, model, _ = _ready(counts)
    if len(contents) % 4 or contents[-4:] == b"\0\0\0\0":
        raise ValueError(_DAMAGED)
    made = coder(np.frombuffer(contents, "<u4").astype(np.uint32))
    held = np.flatnonzero(counts)
    found = np.empty(int(counts.sum()), dtype=np.min_scalar_type(len(counts) - 1))
    again = np.zeros(len(held), dtype=np.int64)
    for start in range(0, len(found), AT_ONCE):
        part = made.decode(model, min(AT_ONCE, len(found) - start))
        again += np.bincount(part, minlength=len(held))
        found[start:start + AT_ONCE] = held[part]
    if not made.is_empty() or not np.array_equal(again, counts[held]):
        raise ValueError(_DAMAGED)
    return found


def counted(symbols: np.ndarray, low: int, high: int) -> np.ndarray:
    """How often each whole number from `low` to `high` occurs in symbols (n,), none of which is outside."""
    counts = np.zeros(high - low + 1, dtype=np.int64)
    for start in range(0, len(symbols), AT_ONCE):
        counts += np.bincount(symbols[start:start + AT_ONCE] - symbols.dtype.type(low), minlength=len(counts))
    return counts


_DAMAGED = "its coded symbols are not those that were counted"


def entropy_bits(counts: np.ndarray) -> float:
    """The order-0 entropy of all symbols together, in bits. counts: how often each occurs."""
    held = counts[counts > 0].astype(np.float64)
    return float(-(held * np.log2(held / held.sum())).sum()) if len(held) > 1 else 0.0


def weights(counts: np.ndarray) -> np.ndarray:
    """(n,) whole numbers of at least 1 with the sum 2^24, nearly in proportion to counts (n,) of at least 1, n >= 2."""
    shares = counts.astype(np.int64) * UNITS
    made, left = np.maximum(1, shares // int(counts.sum())), shares % int(counts.sum())
    missing = UNITS - int(made.sum())
    if missing > 0:
        made[np.argsort(-left, kind="stable")[:missing]] += 1
    else:  # more than 2^24 symbols: some have a unit that is more than their share
        made[np.argmax(made)] += missing
    return made


def _ready(counts: np.ndarray) -> tuple[Any, Any, np.ndarray]:
    """The coder, the model of those symbols that occur, and symbol -> number in the model."""
    try:
        from constriction import stream
    except ImportError as error:
        raise ValueError(_NEEDED) from error
    held = counts > 0
    model = stream.model.Categorical((weights(counts[held]) - 1).astype(np.float64), perfect=False)
    return stream.stack.AnsCoder, model, (np.cumsum(held) - 1).astype(np.int32)
