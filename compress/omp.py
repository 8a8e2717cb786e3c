"""Orthogonal matching pursuit: signals as sums of few atoms, chosen one at a time (Pati, Rezaiifar & Krishnaprasad 1993).

All signals go together (Batch-OMP, Rubinstein, Zibulevsky & Elad 2008): with the atoms' Gram matrix, a step needs neither
residuals nor least squares, only a new row of the inverse Cholesky factor of each support's Gram matrix.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from compress.progress import Tell, silent

CHUNK_NUMBERS = 1_000_000  # correlations that are held at a time: 4 MB of float32, near enough to a processor's cache
DEPENDENT = 1e-5  # squared distance of a normalised atom from the span of those before it, below which it adds nothing


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


def omp(signals: Tensor, atoms: Tensor, nonzeros: int, tolerance: float = 0.0, tell: Tell = silent) -> Codes:
    """Codes each signal by at most so many atoms, least squares on those chosen.

    Args:
        signals: (n, features), float32 or float64; atoms: (count, features), of any length, of the same type.
        nonzeros: the most atoms of a signal.
        tolerance: a signal whose residual's norm is at most this gets no more atoms.

    Returns:
        Codes for the atoms as they are given. A zero signal has no atom, a zero atom is never chosen, one in the span of
        those chosen before ends its signal; of equally good atoms the first is chosen.

    Raises:
        ValueError: sizes that do not fit, or a number of non-zeros that cannot be.
    """
    _check(signals, atoms, nonzeros, tolerance)
    norms = atoms.norm(dim=1)
    scale = torch.where(norms > 0, 1 / norms, 0.0)
    unit = atoms * scale[:, None]
    gram = unit @ unit.mT
    rows = max(1, CHUNK_NUMBERS // len(atoms))
    parts = []
    for number, chunk in enumerate(signals.split(rows)):
        tell(number * rows / max(1, len(signals)), "orthogonal matching pursuit")
        parts.append(_chunk(chunk, unit, gram, nonzeros, tolerance))
    chosen = torch.cat([part.atoms for part in parts])
    values = torch.cat([part.values for part in parts]) * scale[chosen.clamp_min(0)]
    return Codes(chosen, values)


def _check(signals: Tensor, atoms: Tensor, nonzeros: int, tolerance: float) -> None:
    if signals.dim() != 2 or atoms.dim() != 2 or signals.shape[1] != atoms.shape[1] or signals.dtype != atoms.dtype:
        raise ValueError(f"OMP: signals (n, features) and atoms (count, features) must have the same features and type, but "
                         f"got {tuple(signals.shape)} {signals.dtype} and {tuple(atoms.shape)} {atoms.dtype}. Transpose or "
                         "convert one of them.")
    most = min(atoms.shape)
    if not 1 <= nonzeros <= most:
        raise ValueError(f"OMP: nonzeros must be between 1 and {most} (the smaller of atoms and features), but got "
                         f"{nonzeros=}. Choose fewer.")
    if not tolerance >= 0:
        raise ValueError(f"OMP: tolerance must be 0 or more, but got {tolerance=}. Choose 0 to use all non-zeros.")


def _chunk(signals: Tensor, unit: Tensor, gram: Tensor, nonzeros: int, tolerance: float) -> Codes:
    """One chunk: at step t the new row m of the inverse Cholesky factor gives z = m a (a: the support's correlations with
    the signal), by which coefficients change by z m, the residual's squared norm by -z^2, and all correlations by the
    sum of the support's Gram rows weighted with z m."""
    count = len(signals)
    chosen = torch.full((count, nonzeros), -1, dtype=torch.int64, device=signals.device)
    values = signals.new_zeros(count, nonzeros)
    factor = signals.new_zeros(count, nonzeros, nonzeros)
    start = signals @ unit.mT
    left = signals.square().sum(1)
    least = (left * torch.finfo(signals.dtype).eps * 8).clamp_min(tolerance ** 2)
    live = torch.nonzero(left > least).flatten()
    correlations = start[live]
    for step in range(nonzeros):
        if not len(live):
            break
        best = correlations.abs().argmax(1)
        support, row = chosen[live, :step], signals.new_zeros(len(live), step + 1)
        projected = torch.einsum("nij,nj->ni", factor[live, :step, :step], gram[best[:, None], support])
        distance = 1 - projected.square().sum(1)
        fits = (distance > DEPENDENT) & (correlations.gather(1, best[:, None])[:, 0] != 0)
        row[:, :step] = -torch.einsum("ni,nij->nj", projected, factor[live, :step, :step])
        row[:, step] = 1
        row /= distance.clamp_min(DEPENDENT).sqrt()[:, None]
        if not bool(fits.all()):
            live, best, row, correlations = live[fits], best[fits], row[fits], correlations[fits]
        chosen[live, step] = best
        factor[live, step, :step + 1] = row
        support = chosen[live, :step + 1]
        gain = (row * start[live[:, None], support]).sum(1)
        change = gain[:, None] * row
        values[live, :step + 1] += change
        left[live] -= gain.square()
        going = left[live] > least[live]
        if step + 1 < nonzeros:
            moved = functional.embedding_bag(support, gram, per_sample_weights=change, mode="sum")
            correlations = correlations.sub_(moved).scatter_(1, support, 0.0)
            live, correlations = (live, correlations) if bool(going.all()) else (live[going], correlations[going])
    return Codes(chosen, values)


@dataclass(frozen=True)
class Step:
    """One step of a pursuit, as plain data.

    Attributes:
        atom: chosen now; correlations: (count,) with the residual before, by which it was chosen.
        atoms, coefficients: all chosen so far; residual: (features,) after it; error: its relative squared norm.
    """

    atom: int
    correlations: list[float]
    atoms: list[int]
    coefficients: list[float]
    residual: list[float]
    error: float


def omp_path(signal: Tensor, atoms: Tensor, nonzeros: int) -> list[Step]:
    """Every step of one signal's pursuit, for looking at. signal: (features,); atoms: (count, features)."""
    codes = [omp(signal[None], atoms, number) for number in range(1, nonzeros + 1)]
    norms = atoms.norm(dim=1)
    unit = atoms * torch.where(norms > 0, 1 / norms, 0.0)[:, None]
    steps, residual, whole = [], signal, float(signal.square().sum())
    for number, code in enumerate(codes):
        if int(code.counts[0]) <= number:
            break
        before, residual = residual, signal - code.sums(atoms)[0]
        steps.append(Step(int(code.atoms[0, number]), (unit @ before).tolist(), code.atoms[0, :number + 1].tolist(),
                          code.values[0, :number + 1].tolist(), residual.tolist(),
                          float(residual.square().sum()) / whole))
    return steps
