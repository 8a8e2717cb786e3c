"""The table of a coded file: of each tensor its name, type, shape, and how it is coded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import torch

from compress.layers.bit_packing import bytes_for

TYPES = {"F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16, "I64": torch.int64,
         "I32": torch.int32, "I16": torch.int16, "I8": torch.int8, "U16": torch.uint16, "U8": torch.uint8,
         "BOOL": torch.bool}
NAMES = {kind: name for name, kind in TYPES.items()}
PLANES, WORDS, PACKED, PLACES, FOLLOWS = "planes", "words", "packed", "places", "follows"
_FACTS = {PLANES: 0, WORDS: 0, PACKED: 2, PLACES: 2, FOLLOWS: 0}  # numbers behind each word
_MOST = 1 << 50  # bytes and symbols; their products are still exact


@dataclass(frozen=True)
class Entry:
    """A tensor in the table.

    Attributes:
        type: as safetensors calls it.
        form: the word of coding/forms.py, and the numbers that it needs: of "packed" the count and the bits of the numbers,
            of "places" the rows and the columns of the mask. A tensor that "follows" comes out of the one before it.
        coded: bytes that the tensor takes in the file.
    """

    name: str
    type: str
    shape: tuple[int, ...]
    form: tuple[Any, ...]
    coded: int

    @property
    def stored(self) -> int:
        """Bytes of the tensor before coding."""
        return prod(self.shape) * TYPES[self.type].itemsize

    @property
    def symbols(self) -> int:
        """Symbols that are coded, those of all planes together."""
        word, *facts = self.form
        if word == PLACES:
            return facts[0] * facts[1]
        return {PACKED: lambda: facts[0], FOLLOWS: lambda: 0, WORDS: lambda: prod(self.shape)}.get(
            word, lambda: self.stored)()

    def plain(self) -> list[Any]:
        """JSON-able."""
        return [self.name, self.type, list(self.shape), list(self.form), self.coded]

    @classmethod
    def from_plain(cls, plain: Any) -> Entry:
        """The opposite of plain(). Raises ValueError if it makes no sense."""
        if isinstance(plain, list) and len(plain) == 5:
            name, kind, shape, form, coded = plain
            if isinstance(name, str) and kind in list(TYPES) and _are_sizes(shape) and _are_sizes([coded]):
                entry = cls(name, kind, tuple(shape), tuple(form) if _is_form(form) else (), coded)
                if entry.form and entry.stored <= _MOST and entry._fits():
                    return entry
        raise ValueError("its table of tensors makes no sense")

    def _fits(self) -> bool:
        """Whether the form can be that of such a tensor."""
        word, *facts = self.form
        if word == PACKED:
            return self.type == "U8" and 1 <= facts[1] <= 16 and self.shape == (bytes_for(*facts),)
        if word in (PLACES, FOLLOWS):
            return len(self.shape) == 1 and self.type in ("U8", "U16", "I32") and self.symbols <= _MOST
        return word != WORDS or TYPES[self.type].itemsize > 1


def table_from(plain: Any) -> list[Entry]:
    """The entries of a file's table. Raises ValueError if it makes no sense."""
    if not isinstance(plain, list):
        raise ValueError("its table of tensors makes no sense")
    entries = [Entry.from_plain(one) for one in plain]
    for place, entry in enumerate(entries):
        rows = [(one.form[1],) for one in entries[max(0, place - 1):place] if one.form[0] == PLACES]
        is_alone = entry.form[0] == PLACES and [one.form[0] for one in entries[place + 1:place + 2]] != [FOLLOWS]
        if is_alone or rows != ([entry.shape] if entry.form[0] == FOLLOWS else []):
            raise ValueError("its table of tensors makes no sense")
    if len({entry.name for entry in entries}) < len(entries):
        raise ValueError("its table names a tensor twice")
    return entries


def _are_sizes(values: Any) -> bool:
    return isinstance(values, list) and len(values) <= 64 and all(type(one) is int and 0 <= one <= _MOST for one in values)


def _is_form(form: Any) -> bool:
    return (isinstance(form, list) and bool(form) and isinstance(form[0], str) and form[0] in _FACTS
            and len(form) == 1 + _FACTS[form[0]] and _are_sizes(form[1:]))


def total(entries: Sequence[Entry]) -> int:
    """About the most bytes of memory that reading tensors takes."""
    return sum(entry.stored + 24 * entry.symbols for entry in entries)
