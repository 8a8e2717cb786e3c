"""The wire format of protocol buffers, read without the package: numbered fields of varints, fixed numbers and bytes.

Nothing is copied: bytes are views of the file. A length that a field declares is compared with the bytes that are there
before it is used.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from compress.networks.graph.refused import Refused

VARINT, FIXED_64, BYTES, FIXED_32 = 0, 1, 2, 5
MOST_FIELDS = 4_000_000  # of all messages of a file; a file of 100 million weights in raw bytes has some thousands
Value = int | memoryview


class Fields:
    """Reads the messages of one file and counts their fields, so that a small file cannot take long.

    Raises:
        ValueError: bytes that are no message, or too many fields.
    """

    def __init__(self) -> None:
        self.left = MOST_FIELDS

    def of(self, message: memoryview) -> Iterator[tuple[int, Value]]:
        """(number of the field, its value) in order: an unsigned integer for numbers, a view for bytes."""
        place, end = 0, len(message)
        while place < end:
            self.left -= 1
            if self.left < 0:
                raise Refused(f"it has more than {MOST_FIELDS:,} fields")
            key, place = _varint(message, place)
            number, kind = key >> 3, key & 7
            if kind == VARINT:
                value, place = _varint(message, place)
                yield number, value
                continue
            if kind == BYTES:
                length, place = _varint(message, place)
            elif kind in (FIXED_64, FIXED_32):
                length = 8 if kind == FIXED_64 else 4
            else:
                raise Refused(f"a field has the wire type {kind}, which is none")
            if length > end - place:
                raise Refused("it is cut short: a field is longer than the bytes that follow")
            view, place = message[place:place + length], place + length
            yield number, view if kind == BYTES else int.from_bytes(view, "little")


def entry(number: int, contents: bytes) -> bytes:
    """A field of bytes as it is written."""
    return _written(number << 3 | BYTES) + _written(len(contents)) + contents


def _written(value: int) -> bytes:
    """A varint: seven bits in each byte, the lowest first."""
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*found, value])


def signed(value: Value) -> int:
    """An int64 that was written as a varint."""
    number = _number(value)
    return number - (1 << 64) if number >> 63 else number


def floating(value: Value) -> float:
    """A float32 that was written as four bytes."""
    return float(struct.unpack("<f", _number(value).to_bytes(4, "little"))[0]) if _number(value) >> 32 == 0 else 0.0


def text(value: Value) -> str:
    """Bytes as text. Raises ValueError for bytes that are no UTF-8, or for a number in the place of bytes."""
    try:
        return bytes(view(value)).decode()
    except UnicodeDecodeError as error:
        raise Refused("a name in it is no text") from error


def view(value: Value) -> memoryview:
    """Bytes as they are. Raises ValueError for a number in the place of bytes."""
    if isinstance(value, int):
        raise Refused("a field holds a number in the place of bytes")
    return value


def packed_integers(value: Value, most: int) -> list[int]:
    """int64 numbers of a repeated field: one number, or many packed in bytes. Raises ValueError for more than `most`."""
    if isinstance(value, int):
        return [signed(value)]
    found: list[int] = []
    place = 0
    while place < len(value):
        if len(found) >= most:
            raise Refused(f"a list in it has more than {most:,} numbers")
        number, place = _varint(value, place)
        found.append(signed(number))
    return found


def _number(value: Value) -> int:
    if not isinstance(value, int):
        raise Refused("a field holds bytes in the place of a number")
    return value


def _varint(message: memoryview, place: int) -> tuple[int, int]:
    result = 0
    for shift in range(0, 70, 7):
        if place >= len(message):
            raise Refused("it is cut short in the middle of a number")
        byte = message[place]
        place += 1
        result |= (byte & 0x7F) << shift
        if byte < 0x80:
            return result & 0xFFFFFFFFFFFFFFFF, place
    raise Refused("a number in it has too many bytes")
