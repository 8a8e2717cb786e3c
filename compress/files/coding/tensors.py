"""Tensors as coded bytes, each in its shortest form, after a checksum of what it has to become again."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from compress.files.coding import forms, streams
from compress.files.coding.reader import Reader, number
from compress.files.coding.table import FOLLOWS, NAMES, PACKED, PLACES, PLANES, TYPES, WORDS, Entry
from compress.layers.bit_packing import Rows, Symbols, packed

SUM = 4  # bytes of a checksum
_SAME_WIDTH = {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}


@dataclass(frozen=True)
class Hints:
    """What a network's layers say about their tensors: name of a tensor -> the numbers that are packed in it (`symbols`), or
    how it lists the places of a mask (`rows`, with the full name of its tensor of counts)."""

    symbols: Mapping[str, Symbols] = field(default_factory=dict)
    rows: Mapping[str, Rows] = field(default_factory=dict)


def coded(tensors: Mapping[str, Tensor], hints: Hints) -> tuple[list[Entry], list[bytes]]:
    """All tensors as a table, and the bytes of each of its entries. Raises ValueError if the package constriction is not
    installed."""
    made = list(_each(tensors, hints))
    return [entry for entry, _ in made], [contents for _, contents in made]


def read(entries: Sequence[Entry], source: Reader) -> dict[str, Tensor]:
    """The tensors of a table from their bytes. Raises ValueError if these are damaged."""
    found: dict[str, Tensor] = {}
    for place, entry in enumerate(entries):
        if entry.form[0] == FOLLOWS:
            continue
        begin, wanted = source.place, source.take(SUM)
        parts = [entry, *entries[place + 1:place + 2]] if entry.form[0] == PLACES else [entry]
        arrays = _READERS[entry.form[0]](entry, source, parts)
        if source.place - begin != entry.coded or _sum(*arrays) != wanted:
            raise ValueError("its coded tensors are damaged")
        found |= {part.name: _tensor(part, array) for part, array in zip(parts, arrays, strict=True)}
    if not source.is_at_end:
        raise ValueError("it has more bytes than its table says")
    return found


def symbols_of(entry: Entry, tensor: Tensor, counts: Tensor | None = None) -> list[np.ndarray]:
    """The sequences of symbols as which an entry codes a tensor. counts: of one that lists places."""
    word, *facts = entry.form
    words = words_of(tensor)
    if word == PLANES:
        return forms.planes_of(words, tensor.is_floating_point())
    if word == WORDS:
        return [np.unique(words, return_inverse=True)[1]]
    if word == PACKED:
        return [forms.numbers_in(words, *facts)]
    if word == PLACES and counts is not None:
        mask = forms.mask_of(words, words_of(counts), facts[1])
        return [] if mask is None else [mask]
    return []


def words_of(tensor: Tensor) -> np.ndarray:
    """(n,) the bits of a tensor's numbers, unsigned."""
    width = tensor.dtype.itemsize
    flat = tensor.detach().cpu().reshape(-1).view(_SAME_WIDTH[width])
    return np.ascontiguousarray(flat.numpy()).view(forms.UNSIGNED[width])


def _each(tensors: Mapping[str, Tensor], hints: Hints) -> Iterator[tuple[Entry, bytes]]:
    following = {own.counts for name, own in hints.rows.items() if name in tensors}
    for name, tensor in sorted(tensors.items()):
        if name in hints.rows:
            yield from _listing(name, tensors, hints.rows[name])
        elif name not in following:
            yield _single(name, tensor, hints.symbols.get(name))


def _listing(name: str, tensors: Mapping[str, Tensor], own: Rows) -> list[tuple[Entry, bytes]]:
    """Columns and the number of them in each row: as one mask if they are one."""
    columns, counts = tensors[name], tensors[own.counts]
    alone = [_single(name, columns), _single(own.counts, counts)]
    mask = forms.mask_of(words_of(columns), words_of(counts), own.width)
    if mask is None:
        return alone
    contents = _sum(words_of(columns), words_of(counts)) + streams.to_bytes(mask, repeats=True)
    if len(contents) > sum(entry.coded for entry, _ in alone):
        return alone
    return [(_entry(name, columns, (PLACES, len(counts), own.width), len(contents)), contents),
            (_entry(own.counts, counts, (FOLLOWS,), 0), b"")]


def _single(name: str, tensor: Tensor, own: Symbols | None = None) -> tuple[Entry, bytes]:
    words, whole = words_of(tensor), not tensor.is_floating_point()
    made: dict[tuple[Any, ...], bytes] = {
        (PLANES,): b"".join(streams.to_bytes(plane, repeats=whole) for plane in forms.planes_of(words, not whole))}
    if words.dtype.itemsize > 1 and (listed := forms.listed(words)) is not None:
        held, places = listed
        made[WORDS,] = (number(len(held)) + held.astype(held.dtype.newbyteorder("<")).tobytes()
                        + streams.to_bytes(places, repeats=True))
    if own is not None and (numbers := forms.numbers_of(words, own.count, own.bits)) is not None:
        made[PACKED, own.count, own.bits] = streams.to_bytes(numbers, repeats=True)
    form = min(made, key=lambda one: len(made[one]))
    contents = _sum(words) + made[form]
    return _entry(name, tensor, form, len(contents)), contents


def _entry(name: str, tensor: Tensor, form: tuple[Any, ...], coded: int) -> Entry:
    return Entry(name, NAMES[tensor.dtype], tuple(tensor.shape), form, coded)


def _planes(entry: Entry, source: Reader, parts: Sequence[Entry]) -> list[np.ndarray]:
    kind = TYPES[entry.type]
    count = entry.stored // kind.itemsize
    planes = [streams.from_bytes(source, count, np.uint8) for _ in range(kind.itemsize)]
    return [forms.from_planes(planes, kind.is_floating_point)]


def _words(entry: Entry, source: Reader, parts: Sequence[Entry]) -> list[np.ndarray]:
    width = TYPES[entry.type].itemsize
    many, count = source.number(), entry.stored // width
    held = np.frombuffer(source.take(many * width), f"<u{width}").astype(forms.UNSIGNED[width])
    places = streams.from_bytes(source, count, np.uint8 if many <= 256 else np.uint16)
    if int(places.max(initial=0)) >= many:
        raise ValueError("a coded tensor has numbers that are not in its list")
    return [held[places]]


def _packed(entry: Entry, source: Reader, parts: Sequence[Entry]) -> list[np.ndarray]:
    count, bits = entry.form[1:]
    return [packed(streams.from_bytes(source, count, np.uint8 if bits <= 8 else np.uint16), bits)]


def _places(entry: Entry, source: Reader, parts: Sequence[Entry]) -> list[np.ndarray]:
    rows, width = entry.form[1:]
    found = forms.from_mask(streams.from_bytes(source, rows * width, np.uint8), width)
    arrays = [array.astype(forms.UNSIGNED[TYPES[part.type].itemsize]) for array, part in zip(found, parts, strict=True)]
    if [len(array) for array in arrays] != [part.shape[0] for part in parts]:
        raise ValueError("a mask has another number of weights than its table says")
    return arrays


_READERS = {PLANES: _planes, WORDS: _words, PACKED: _packed, PLACES: _places}


def _tensor(entry: Entry, array: np.ndarray) -> Tensor:
    """array: (n,) the bits of its numbers, unsigned."""
    if not len(array):
        return torch.empty(entry.shape, dtype=TYPES[entry.type])
    flat = torch.from_numpy(np.ascontiguousarray(array).view(np.uint8).copy())
    return flat.view(TYPES[entry.type]).reshape(entry.shape)


def _sum(*arrays: np.ndarray) -> bytes:
    """A checksum of the bits of numbers."""
    made = 0
    for array in arrays:
        made = zlib.crc32(np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<")).data, made)
    return made.to_bytes(SUM, "little")
