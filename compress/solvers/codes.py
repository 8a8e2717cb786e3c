"""Sparse codes: which atoms make up each signal, and with which coefficients."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor
from torch.nn import functional


@dataclass(frozen=True, eq=False)
class Codes:
    """Sparse codes of n signals.

    Attributes:
        atoms: (n, most) int64, the atoms in the order in which they were chosen, padded with -1.
        values: (n, most), their coefficients, padded with 0.
    """

    atoms: Tensor
    values: Tensor

    @property
    def counts(self) -> Tensor:
        """(n,) int64: atoms of each signal."""
        return (self.atoms >= 0).sum(1)

    def dense(self, count: int) -> Tensor:
        """(n, count): the coefficients of all atoms."""
        full = self.values.new_zeros(len(self.values), count)
        return full.scatter_add_(1, self.atoms.clamp_min(0), self.values)

    def sums(self, atoms: Tensor) -> Tensor:
        """(n, features): the signals that these codes stand for."""
        return functional.embedding_bag(self.atoms.clamp_min(0), atoms, per_sample_weights=self.values, mode="sum")
