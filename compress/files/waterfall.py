"""Where the bytes of a file go: from the parameters that there were, step by step, to the file.

The result is plain data, so that a page can draw it without torch:

    {"steps": [{"name": "parameters in float32", "bytes": 1066440, "entropy": None},
               {"name": "after mask or rank", "bytes": 60840, "entropy": None},
               {"name": "with indices", "bytes": 90240, "entropy": None},
               {"name": "levels and precision", "bytes": 45012, "entropy": 23460.2},
               {"name": "entropy coding", "bytes": 23499, "entropy": 23460.2},
               {"name": "file", "bytes": 23901, "entropy": None}],
     "parts": {"values": {"stored": 4000, "coded": 3303, "entropy": 3251.5}, "indices": {...}, ...}}

Steps that change nothing are left out; the first and the last are always there (the first not for compressed data).
`entropy`: the order-0 entropy of all stored symbols, in bytes: the fewest that they take on average if each is independent
of all others. Coding may take less where sequences of symbols occur again. `parts`, those that a file has, with the bytes of
the stored tensors and their bytes in this file: "values" (weights as floating-point numbers), "levels" (weights as whole
numbers), "indices" (masks, columns, counts, atoms), "scales" (also zeros and codebooks), "bias", "labels" and "header"
(manifest, names and shapes).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from compress.files import container
from compress.files.coding import coded_file, streams
from compress.files.coding import tensors as coded_tensors
from compress.files.coding.table import NAMES, PACKED, PLANES, Entry
from compress.files.coding.tensors import Hints
from compress.files.header import of_safetensors
from compress.files.precision import SCALE

INDICES = ("mask", "columns", "counts", "indices")
SCALES = ("scale", "scales", "step", "middle", "sizes", "zero", "zeros", "codebook")
PARTS = ("values", "levels", "indices", "scales", "bias", "labels", "header")


@dataclass(frozen=True)
class Piece:
    """A tensor of a file: its part, how many numbers it holds, its bytes before and after coding, its entropy in bytes."""

    part: str
    count: int
    stored: int
    coded: int
    entropy: float


def waterfall(contents: bytes, dense: int | None = None, hints: Hints | None = None) -> dict[str, Any]:
    """Where the bytes of a file go, as the text above says.

    Args:
        dense: bytes of the parameters that there were before, in float32; None for compressed data.
        hints: what the layers of the file's network say about its tensors (network_file.hints()).

    Raises:
        ValueError: the file is damaged.
    """
    made = pieces(contents, hints or Hints())
    held: dict[str, dict[str, Any]] = {}
    for part in PARTS:
        own = [piece for piece in made if piece.part == part]
        if own:
            held[part] = {"stored": sum(piece.stored for piece in own), "coded": sum(piece.coded for piece in own),
                          "entropy": sum(piece.entropy for piece in own)}
    coded = sum(piece.coded for piece in made)
    held["header"] = {"stored": len(contents) - coded, "coded": len(contents) - coded, "entropy": None}
    return {"steps": _steps(made, len(contents), dense), "parts": held}


def sizes(contents: bytes) -> dict[str, int]:
    """Name of each tensor of a file -> its bytes in this file. Raises ValueError if it is damaged."""
    _, tensors = container.unpack(contents)
    return {entry.name: entry.coded for entry in _entries(contents, tensors, Hints())}


def pieces(contents: bytes, hints: Hints) -> list[Piece]:
    """All tensors of a file. Raises ValueError if it is damaged."""
    _, tensors = container.unpack(contents)
    entries = _entries(contents, tensors, hints)
    following = [*entries[1:], entries[0]] if entries else []
    return [_piece(entry, tensors, after.name) for entry, after in zip(entries, following, strict=True)]


def _entries(contents: bytes, tensors: dict[str, Tensor], hints: Hints) -> list[Entry]:
    if coded_file.is_coded(of_safetensors(contents)):
        return list(coded_file.table(contents))
    return [_plain(name, tensor, hints) for name, tensor in sorted(tensors.items())]  # sums depend on the order


def _plain(name: str, tensor: Tensor, hints: Hints) -> Entry:
    own, size = hints.symbols.get(name), tensor.numel() * tensor.element_size()
    form = (PACKED, own.count, own.bits) if own else (PLANES,)
    return Entry(name, NAMES[tensor.dtype], tuple(tensor.shape), form, size)


def _piece(entry: Entry, tensors: dict[str, Tensor], after: str) -> Piece:
    tensor = tensors[entry.name]
    bits = sum(map(streams.order_0, coded_tensors.symbols_of(entry, tensor, tensors[after])))
    count = entry.form[1] if entry.form[0] == PACKED else tensor.numel()
    return Piece(_part(entry.name, tensor), count, entry.stored, entry.coded, bits / 8)


def _part(name: str, tensor: Tensor) -> str:
    last = name.rpartition(".")[2]
    if last in INDICES:
        return "indices"
    if last in SCALES or last.endswith(SCALE):
        return "scales"
    if last in ("bias", "labels"):
        return last
    return "values" if tensor.is_floating_point() else "levels"


def _steps(made: Sequence[Piece], length: int, dense: int | None) -> list[dict[str, Any]]:
    kept = 4 * sum(piece.count for piece in made if piece.part in ("values", "levels", "bias"))
    indices = sum(piece.stored for piece in made if piece.part == "indices")
    stored, coded = (sum(getattr(piece, name) for piece in made) for name in ("stored", "coded"))
    entropy = sum(piece.entropy for piece in made)
    steps = [("entropy coding", coded, entropy), ("file", length, None)]
    if dense is None:  # data: what its numbers would take in 32 bits says nothing
        steps = [("stored numbers", stored, entropy), *steps]
    else:
        steps = [("parameters in float32", dense, None), ("after mask or rank", kept, None),
                 ("with indices", kept + indices, None), ("levels and precision", stored, entropy), *steps]
    found: list[dict[str, Any]] = []
    for name, size, least in steps:
        if not found or name == "file" or size != found[-1]["bytes"]:
            found.append({"name": name, "bytes": size, "entropy": least})
    return found
