"""Limits on the sizes that a data file declares, checked before its numbers are read.

A few bytes can declare any size: a header of 10^12 examples, or a packed file that unpacks to a thousand times its length.
"""

from __future__ import annotations

from compress.memory import VARIABLE, spare

MOST_BYTES = 16 * 2 ** 30
SHARE = 0.5  # of the free memory: normalised copies of the examples need the rest
PACKED_BYTES = 256 * 2 ** 20  # from here on a packed array must not be more than PACKED_RATIO times its packed length
PACKED_RATIO = 100
_UNITS = ("bytes", "kB", "MB", "GB", "TB")


def check_declared(what: str, declared: int, stored: int) -> None:
    """Refuses an array whose declared size is beyond memory, or far beyond the bytes that are there for it.

    Args:
        what: the file, and the array in it.
        declared: bytes of the array; stored: bytes in the file from which they are unpacked.

    Raises:
        ValueError: names the array, its declared size, the limit and the remedy.
    """
    limit = most_bytes()
    if declared > limit:
        raise ValueError(f"{what} declares {in_units(declared)}, but at most {in_units(limit)} can be read here (half "
                         f"of the free memory, at most {in_units(MOST_BYTES)}). Leave out examples, or save a smaller type "
                         f"such as uint8 or float32; {VARIABLE} sets the limit of the whole program in GB.")
    if declared > max(PACKED_BYTES, PACKED_RATIO * stored):
        raise ValueError(f"{what} has {in_units(stored)} and declares {in_units(declared)}; an array of more than "
                         f"{in_units(PACKED_BYTES)} may be packed to 1/{PACKED_RATIO} at most. Save it unpacked, with "
                         "np.savez or gunzip.")


def most_bytes() -> int:
    """The bytes that one array of a data file may have on this machine now."""
    free = spare()
    return MOST_BYTES if free is None else min(MOST_BYTES, max(0, int(SHARE * free)))


def in_units(count: float) -> str:
    """Bytes in decimal units, for example 3.1 GB."""
    power = next((power for power in range(4) if count < 1000 ** (power + 1)), 4)
    scaled = count / 1000 ** power
    return f"{scaled:,.0f} {_UNITS[power]}" if not power or scaled >= 100 else f"{scaled:.2g} {_UNITS[power]}"
