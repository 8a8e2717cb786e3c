"""How signals are coded: the settings of a pursuit, which a coder is made of."""

from __future__ import annotations

from dataclasses import dataclass, replace

from torch import Tensor

from compress.progress import Reporter, no_report
from compress.solvers.codes import Codes
from compress.solvers.nonnegative_omp import omp_nonnegative
from compress.solvers.omp import PursuitStep, omp, pursuit_path


@dataclass(frozen=True)
class SparseCoder:
    """Orthogonal matching pursuit with at most so many atoms a signal.

    Attributes:
        tolerance: a signal whose residual's norm is at most this gets no more atoms.
        nonnegative: no coefficient is below zero.
    """

    nonzeros: int
    tolerance: float = 0.0
    nonnegative: bool = False

    def __call__(self, signals: Tensor, atoms: Tensor, report: Reporter = no_report) -> Codes:
        """Codes of signals (n, features) for atoms (count, features)."""
        code = omp_nonnegative if self.nonnegative else omp
        return code(signals, atoms, min(self.nonzeros, *atoms.shape), self.tolerance, report)

    def path(self, signal: Tensor, atoms: Tensor) -> list[PursuitStep]:
        """Every step of one signal's pursuit, signal: (features,)."""
        return pursuit_path(signal, atoms, min(self.nonzeros, *atoms.shape),
                        lambda signals, atoms, most: replace(self, nonzeros=most)(signals, atoms))
