"""Tensors of an ONNX file as numpy arrays; declared sizes are compared with the bytes before memory is taken."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import prod

import numpy as np

from compress.networks.graph.refused import Refused
from compress.networks.onnx import wire
from compress.networks.onnx.wire import Fields, Value
from compress.settings import shown

MOST_AXES = 8
MOST_LISTED = 2_000_000  # whole numbers that are written one by one rather than as raw bytes
FLOAT, INT64, STRING, BOOL, BFLOAT16 = 1, 7, 8, 9, 16
TYPES = {FLOAT: "<f4", 2: "u1", 3: "i1", 4: "<u2", 5: "<i2", 6: "<i4", INT64: "<i8", BOOL: "u1", 10: "<f2", 11: "<f8",
         12: "<u4", 13: "<u8", BFLOAT16: "<u2"}
FLOATS, WHOLES = (FLOAT, 10, 11, BFLOAT16), (2, 3, 4, 5, 6, INT64, 12, 13)


@dataclass
class _Draft:
    """What the fields of a TensorProto say."""

    name: str = ""
    sizes: list[int] = field(default_factory=list)
    kind: int = 0
    raw: memoryview | None = None
    listed: list[Value] = field(default_factory=list)
    is_outside: bool = False


def tensor_of(message: memoryview, fields: Fields) -> tuple[str, np.ndarray]:
    """Name and values of a TensorProto: float32 for every type of floating-point numbers, int64 for whole numbers, bool, or
    an array of texts. Where the file has float32 as raw bytes, the array is a view of it.

    Raises:
        ValueError: data outside the file, an unknown type, more axes than a tensor has here, or sizes that differ from the
            numbers that are there.
    """
    draft = _draft(message, fields)
    what = f"the tensor {shown(draft.name)}"
    if draft.is_outside:
        raise Refused(f"{what} is kept in another file (external data). Save the network as one file: "
                      "torch.onnx.export(..., external_data=False), or onnx.save(onnx.load(path), one_file)")
    if len(draft.sizes) > MOST_AXES or any(size < 0 for size in draft.sizes):
        raise Refused(f"{what} has the sizes {shown(draft.sizes)}; 0 to {MOST_AXES} sizes of at least 0 are possible")
    if draft.kind == STRING:
        return draft.name, _texts(draft, what)
    if draft.kind not in TYPES:
        raise Refused(f"{what} has numbers of type {draft.kind}, which are not supported: 16, 32 or 64 bits of floating "
                      "point, whole numbers and bool are")
    values = _numbers(draft, what)
    if len(values) != prod(draft.sizes):
        raise Refused(f"{what} declares {prod(draft.sizes):,} numbers, but has {len(values):,}")
    return draft.name, values.reshape(draft.sizes)


def _draft(message: memoryview, fields: Fields) -> _Draft:
    draft = _Draft()
    for number, value in fields.of(message):
        if number == 1:
            draft.sizes += wire.packed_integers(value, MOST_AXES + 1)
        elif number == 2:
            draft.kind = wire.signed(value)
        elif number in (4, 5, 6, 7, 10, 11):
            draft.listed.append(value)
        elif number == 8:
            draft.name = wire.text(value)
        elif number == 9:
            draft.raw = wire.view(value)
        elif number == 13 or (number == 14 and value == 1):
            draft.is_outside = True
    return draft


def _numbers(draft: _Draft, what: str) -> np.ndarray:
    """The numbers (count,) in the type in which they are computed with."""
    kind = np.dtype(TYPES[draft.kind])
    if draft.raw is None and draft.kind in (FLOAT, 11):
        joined = b"".join(_floats(draft.listed, kind.itemsize))
        found = np.frombuffer(joined, kind)
    elif draft.raw is None:
        listed: list[int] = []
        for value in draft.listed:
            listed += wire.packed_integers(value, MOST_LISTED - len(listed))
        bits = np.array([number & ((1 << 8 * kind.itemsize) - 1) for number in listed], f"<u{kind.itemsize}")
        found = bits.view(kind)
    elif len(draft.raw) % kind.itemsize:
        raise Refused(f"{what} has {len(draft.raw)} bytes, which are no whole number of values")
    else:
        found = np.frombuffer(draft.raw, kind)
    return _computed(found, draft.kind)


def _computed(found: np.ndarray, kind: int) -> np.ndarray:
    if kind == BFLOAT16:
        return (found.astype("<u4") << 16).view("<f4")
    if kind in FLOATS:
        with np.errstate(over="ignore"):  # a float64 beyond float32 becomes infinity, which is refused with its name
            return found.astype(np.float32, copy=False)
    return found.astype(bool if kind == BOOL else np.int64, copy=False)


def _floats(listed: Sequence[Value], size: int) -> list[bytes]:
    return [value.to_bytes(size, "little") if isinstance(value, int) and value >> 8 * size == 0 else
            bytes(wire.view(value)) for value in listed]


def _texts(draft: _Draft, what: str) -> np.ndarray:
    found = [wire.text(value) for value in draft.listed]
    if len(found) != prod(draft.sizes):
        raise Refused(f"{what} declares {prod(draft.sizes):,} texts, but has {len(found):,}")
    return np.array(found, dtype=object).reshape(draft.sizes)
