"""Stored form of codes, atoms and principal components: coefficients in one byte, indices in as few bits as possible."""

from __future__ import annotations

import torch
from torch import Tensor

from compress.files.coding.tensors import Hints
from compress.layers.bit_packing import Symbols, bits_for, packed
from compress.solvers.codes import Codes


def in_bytes(codes: Codes, count: int) -> tuple[dict[str, Tensor], Codes]:
    """The stored tensors of codes, one byte for each coefficient, and the codes that are read back from them.

    If signals have different numbers of atoms, these numbers are stored too, and only the indices that are used.

    Args:
        count: atoms of the dictionary.
    """
    scale = _scale(codes.coefficients.abs().max())
    levels = (codes.coefficients / scale).round().to(torch.int8)
    back = Codes(codes.indices, levels.to(scale.dtype) * scale)
    used, most = codes.indices >= 0, codes.indices.shape[1]
    if bool(used.all()):
        indices = packed(codes.indices.cpu().numpy(), bits_for(count))
        return {"indices": torch.from_numpy(indices), "levels": levels, "scale": scale}, back
    counts = packed(codes.nnz.cpu().numpy(), bits_for(most + 1))
    indices = packed(codes.indices[used].cpu().numpy(), bits_for(count))
    return {"counts": torch.from_numpy(counts), "indices": torch.from_numpy(indices), "levels": levels[used],
            "scale": scale}, back


def packed_numbers(stored: dict[str, Tensor], signals: int, most: int) -> Hints:
    """What in_bytes() packed in its tensors, for the coding of a file. most: atoms that a signal may use."""
    if "indices" not in stored:
        return Hints()
    return Hints({"indices": Symbols(stored["levels"].numel(), bits_for(len(stored["dictionary"]))),
                  "counts": Symbols(signals, bits_for(most + 1))})


def atoms_in_bytes(atoms: Tensor) -> tuple[dict[str, Tensor], Tensor]:
    """The stored tensors of atoms (count, features), one byte for each number and one scale for each atom, and the atoms
    that are read back from them."""
    sizes = _scale(atoms.abs().amax(1))
    levels = (atoms / sizes[:, None]).round().to(torch.int8)
    return {"dictionary": levels, "sizes": sizes}, levels.to(atoms.dtype) * sizes[:, None]


def numbers_in_bytes(numbers: Tensor) -> tuple[dict[str, Tensor], Tensor]:
    """The stored tensors of numbers (n, count), one byte for each and one scale for each column, and the numbers that are
    read back from them."""
    scale = _scale(numbers.abs().amax(0))
    levels = (numbers / scale).round().to(torch.int8)
    return {"levels": levels, "scale": scale}, levels.to(numbers.dtype) * scale


def bytes_of(tensors: dict[str, Tensor]) -> int:
    """The total number of bytes of some tensors."""
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors.values())


def bytes_expected(signals: int, features: int, count: int, nonzeros: int) -> int:
    """Bytes of the codes of `signals` signals with `nonzeros` atoms each, and of their dictionary of `count` atoms."""
    return -(-signals * nonzeros * bits_for(count) // 8) + signals * nonzeros + count * (features + 4)


def components_for(size: int, signals: int, features: int) -> int:
    """The number of principal components of these signals that take about `size` bytes with their basis; at least 1."""
    return max(1, min(round(size / (signals + features + 8)), features, signals))


def _scale(largest: Tensor) -> Tensor:
    return largest.clamp_min(1e-12) / 127
