"""A sparse coder: orthogonal matching pursuit with its settings."""

from __future__ import annotations

from dataclasses import dataclass, replace

from torch import Tensor

from compress.progress import Reporter, no_report
from compress.solvers.codes import Codes
from compress.solvers.nonnegative_omp import omp_nonnegative
from compress.solvers.omp import PursuitStep, omp, pursuit_path


@dataclass(frozen=True)
class SparseCoder:
    """Codes signals by orthogonal matching pursuit. Atoms are normalised before one is chosen.

    Attributes:
        nonzeros: the most atoms of a signal; fewer where there are fewer atoms or features.
        tolerance: a signal whose residual has at most this norm gets no more atoms.
        nonnegative: whether coefficients are non-negative.
    """

    nonzeros: int
    tolerance: float = 0.0
    nonnegative: bool = False

    def __call__(self, signals: Tensor, atoms: Tensor, report: Reporter = no_report) -> Codes:
        """Codes of signals (n, features) for atoms (count, features)."""
        code = omp_nonnegative if self.nonnegative else omp
        return code(signals, atoms, min(self.nonzeros, *atoms.shape), self.tolerance, report)

    def path(self, signal: Tensor, atoms: Tensor) -> list[PursuitStep]:
        """The pursuit of one signal (features,), step by step."""
        return pursuit_path(signal, atoms, min(self.nonzeros, *atoms.shape),
                        lambda signals, atoms, most: replace(self, nonzeros=most)(signals, atoms))
