"""A coded file: a manifest and tensors in few bytes, which are the only tensor of a safetensors file.

    safetensors' header | checksum of all that follows (4) | length of the head | head | coded tensors

The head is the manifest and the table of tensors as JSON, deflated. Any reader of safetensors opens such a file, and finds
one tensor of bytes, called `coded`.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from functools import reduce
from typing import Any

from torch import Tensor

from compress.files.coding import tensors as coded_tensors
from compress.files.coding.known_text import KNOWN_TEXT
from compress.files.coding.reader import Reader, number
from compress.files.coding.table import Entry, table_from, total
from compress.files.coding.tensors import Hints
from compress.files.header import MOST_HEADER, parsed

FORMAT = "compression-explorer/2"
NAME = "coded"
FREE_MEMORY = 1 << 28  # bytes that any file may take to be read,
MEMORY_PER_BYTE = 1 << 10  # and as many more for each byte of its own
_SUM = 4


def pack(manifest: dict[str, Any], tensors: Mapping[str, Tensor], hints: Hints) -> bytes | None:
    """The bytes of a coded file; None where reading them would take more memory than a reader allows.

    Raises:
        ValueError: the package constriction is not installed.
    """
    entries, parts = coded_tensors.coded(tensors, hints)
    plain = {**manifest, "tensors": [entry.plain() for entry in entries]}
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15, 9, zlib.Z_DEFAULT_STRATEGY, KNOWN_TEXT)
    head = deflate.compress(json.dumps(plain, separators=(",", ":"), sort_keys=True).encode()) + deflate.flush()
    parts = [number(len(head)), head, *parts]
    length, checksum = sum(map(len, parts)), reduce(lambda made, part: zlib.crc32(part, made), parts, 0)
    made = b"".join([_frame(_SUM + length), checksum.to_bytes(_SUM, "little"), *parts])  # the only copy
    return made if total(entries) <= _allowed(made) else None


def is_coded(header: dict[str, Any]) -> bool:
    """Whether a safetensors header is that of a coded file."""
    return set(header) == {"__metadata__", NAME}


def unpack(contents: bytes) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """The opposite of pack(). Raises ValueError if any bit of the file was changed."""
    manifest, entries, source = _opened(contents)
    return manifest, coded_tensors.read(entries, source)


def table(contents: bytes) -> list[Entry]:
    """The table of a coded file. Raises ValueError as unpack(), but for what only reading the tensors shows."""
    return _opened(contents)[1]


def _opened(contents: bytes) -> tuple[dict[str, Any], list[Entry], Reader]:
    length = int.from_bytes(contents[:8], "little")
    inside = memoryview(contents)[8 + length:]
    if _frame(len(inside)) != contents[:8 + length] or len(inside) < _SUM:
        raise ValueError("its header was changed")
    if zlib.crc32(inside[_SUM:]).to_bytes(_SUM, "little") != inside[:_SUM]:
        raise ValueError("its checksum is another one, so that some of its bytes were changed")
    source = Reader(inside)
    source.take(_SUM)
    head = parsed(_inflated(source.take(source.number())))
    if not isinstance(head, dict):
        raise ValueError("its head is no object with names")
    entries = table_from(head.pop("tensors", None))
    if total(entries) > _allowed(contents):
        raise ValueError("it declares tensors that are far too large for its length")
    return head, entries, source


def _inflated(head: bytes | memoryview) -> bytes:
    opened = zlib.decompressobj(-15, KNOWN_TEXT)
    try:
        found = opened.decompress(head, MOST_HEADER)
    except zlib.error as error:
        raise ValueError("its head cannot be inflated") from error
    if not opened.eof or opened.unused_data:
        raise ValueError(f"its head has more than {MOST_HEADER} bytes, or is cut short")
    return found


def _frame(length: int) -> bytes:
    """What stands before so many bytes that are the only tensor of a safetensors file."""
    header = json.dumps({"__metadata__": {"format": FORMAT},
                         NAME: {"dtype": "U8", "shape": [length], "data_offsets": [0, length]}},
                        separators=(",", ":")).encode()
    header = header.ljust(-(-len(header) // 8) * 8)
    return len(header).to_bytes(8, "little") + header


def _allowed(contents: bytes) -> int:
    return FREE_MEMORY + MEMORY_PER_BYTE * len(contents)
