"""Sparse codes: which atoms of a dictionary each signal is a sum of, and with which coefficients."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor
from torch.nn import functional


@dataclass(frozen=True, eq=False)
class Codes:
    """Sparse codes of n signals.

    Attributes:
        indices: (n, most) int64, atoms of the dictionary in the order in which they were chosen, padded with -1.
        coefficients: (n, most), the coefficients of these atoms, padded with 0.
    """

    indices: Tensor
    coefficients: Tensor

    @property
    def nnz(self) -> Tensor:
        """(n,) int64: the number of atoms of each signal."""
        return (self.indices >= 0).sum(1)

    def dense(self, count: int) -> Tensor:
        """(n, count): the coefficients of all atoms of a dictionary, most of them 0."""
        full = self.coefficients.new_zeros(len(self.coefficients), count)
        return full.scatter_add_(1, self.indices.clamp_min(0), self.coefficients)

    def decode(self, atoms: Tensor) -> Tensor:
        """(n, features): the signals rebuilt from a dictionary (count, features)."""
        return functional.embedding_bag(self.indices.clamp_min(0), atoms, per_sample_weights=self.coefficients, mode="sum")


def rounded(numbers: Tensor, scale: Tensor) -> Tensor:
    """The multiples of the scale nearest to the numbers, at most 127 times the scale in magnitude."""
    return (numbers / scale).round().clamp(-127, 127) * scale


def codes_as_stored(codes: Codes, scale: Tensor) -> Codes:
    """Codes with coefficients rounded() with the scale of the stored coefficients."""
    return Codes(codes.indices, rounded(codes.coefficients, scale))
