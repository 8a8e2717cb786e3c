"""Codes, atoms and principal components as they are stored: coefficients in one byte, indices in few bits."""

from __future__ import annotations

import torch
from torch import Tensor

from compress.layers.bit_packing import bits_for, packed
from compress.solvers.codes import Codes


def in_bytes(codes: Codes, count: int) -> tuple[dict[str, Tensor], Codes]:
    """What is stored of codes for so many atoms, and the codes as they are read back: coefficients in one byte each.

    Where signals have unlike numbers of atoms, these numbers are stored too, and of atoms only those that are used.
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


def atoms_in_bytes(atoms: Tensor) -> tuple[dict[str, Tensor], Tensor]:
    """What is stored of atoms (count, features), one byte a number and one scale an atom, and the atoms as they are read
    back."""
    sizes = _scale(atoms.abs().amax(1))
    levels = (atoms / sizes[:, None]).round().to(torch.int8)
    return {"dictionary": levels, "sizes": sizes}, levels.to(atoms.dtype) * sizes[:, None]


def numbers_in_bytes(numbers: Tensor) -> tuple[dict[str, Tensor], Tensor]:
    """What is stored of numbers (n, count), one byte each and one scale a column, and the numbers as they are read back."""
    scale = _scale(numbers.abs().amax(0))
    levels = (numbers / scale).round().to(torch.int8)
    return {"levels": levels, "scale": scale}, levels.to(numbers.dtype) * scale


def bytes_of(tensors: dict[str, Tensor]) -> int:
    """Bytes of their numbers."""
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors.values())


def bytes_expected(signals: int, features: int, count: int, nonzeros: int) -> int:
    """Bytes of so many signals' codes, all with as many atoms as they may have, and of their dictionary."""
    return -(-signals * nonzeros * bits_for(count) // 8) + signals * nonzeros + count * (features + 4)


def components_for(size: int, signals: int, features: int) -> int:
    """How many principal components of so many signals, with their basis, take about so many bytes; at least one."""
    return max(1, min(round(size / (signals + features + 8)), features, signals))


def _scale(largest: Tensor) -> Tensor:
    return largest.clamp_min(1e-12) / 127
