"""Bytes that are read from the front; whole numbers of any size in as few bytes as they need."""

from __future__ import annotations


class Reader:
    """A position in some bytes. Nothing is copied before it is known to be there."""

    def __init__(self, contents: bytes | memoryview) -> None:
        self.contents, self.place = contents, 0

    def take(self, count: int) -> bytes | memoryview:
        """The next `count` bytes, of a memoryview without a copy. Raises ValueError if there are fewer."""
        if not 0 <= count <= len(self.contents) - self.place:
            raise ValueError("its coded tensors are cut short")
        self.place += count
        return self.contents[self.place - count:self.place]

    def number(self) -> int:
        """The opposite of number(). Raises ValueError for more than 8 bytes, or if there are fewer."""
        found = 0
        for place in range(8):
            (byte,) = self.take(1)
            found |= (byte & 127) << 7 * place
            if byte < 128:
                return found
        raise ValueError("a length in its coded tensors has too many digits")

    @property
    def is_at_end(self) -> bool:
        """Whether every byte has been read."""
        return self.place == len(self.contents)


def number(value: int) -> bytes:
    """A whole number of at least 0 as bytes: seven bits in each, the lowest first; the highest bit says that more follow."""
    made = bytearray()
    while value > 127:
        made.append(value & 127 | 128)
        value >>= 7
    return bytes([*made, value])
