"""Orthogonal matching pursuit: signals as sums of few atoms, chosen one at a time (Pati, Rezaiifar & Krishnaprasad 1993).

All signals go together (Batch-OMP, Rubinstein, Zibulevsky & Elad 2008): with the atoms' Gram matrix, a step needs neither
residuals nor least squares, only a new row of the inverse Cholesky factor of each support's Gram matrix.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor
from torch.nn import functional

from compress.progress import Reporter, no_report
from compress.solvers.codes import Codes

CHUNK_NUMBERS = 1_000_000  # correlations and factors held at a time: 4 MB of float32, near enough to a processor's cache
# Squared distance of a normalised atom from the span of those before it, below which it adds nothing: what rounding makes.
DEPENDENT = {torch.float32: 1e-5, torch.float64: 1e-10}
COMPILED_NUMBERS = 8_000_000  # the same for the compiled kernel, which meets a signal's numbers once
SAME = 8  # rounding errors of a signal's norm by which correlations may differ and count as equal: the first atom is taken
WORTH_COMPILED = 50_000  # signals x atoms x non-zeros; for less the half second of importing numba is not worth it


def omp(signals: Tensor, atoms: Tensor, nonzeros: int, tolerance: float = 0.0, report: Reporter = no_report) -> Codes:
    """Codes each signal by at most so many atoms, least squares on those chosen.

    Args:
        signals: (n, features), float32 or float64; on a CPU, large problems go to omp_numba.py.
        atoms: (count, features), of any length, of the same type.
        nonzeros: the most atoms of a signal.
        tolerance: a signal whose residual's norm is at most this gets no more atoms.

    Returns:
        Codes for the atoms as they are given. A zero signal has no atom, a zero atom is never chosen, one in the span of
        those chosen before ends its signal; of equally good atoms the first is chosen.

    Raises:
        ValueError: sizes that do not fit, or a number of non-zeros that cannot be.
    """
    check_sizes(signals, atoms, nonzeros, tolerance)
    norms = atoms.norm(dim=1)
    scale = torch.where(norms > 0, 1 / norms, 0.0)
    unit = atoms * scale[:, None]
    if signals.device.type == "cpu" and len(signals) * len(atoms) * nonzeros >= WORTH_COMPILED and has_numba():
        unit, code = _whole_blocks(unit), _compiled_chunk
        rows = max(1, COMPILED_NUMBERS // len(unit))
    else:
        code, rows = _chunk, max(1, CHUNK_NUMBERS // (len(unit) + nonzeros ** 2))
    gram = unit @ unit.mT
    parts = []
    for number, chunk in enumerate(signals.split(rows)):
        report(number * rows / max(1, len(signals)), "orthogonal matching pursuit")
        parts.append(code(chunk, unit, gram, nonzeros, tolerance))
    chosen = torch.cat([part.atoms for part in parts])
    values = torch.cat([part.values for part in parts]) * scale[chosen.clamp_min(0)]
    return Codes(chosen, values)


def check_sizes(signals: Tensor, atoms: Tensor, nonzeros: int, tolerance: float) -> None:
    """Raises ValueError for what no pursuit can do."""
    if signals.dim() != 2 or atoms.dim() != 2 or signals.shape[1] != atoms.shape[1] or signals.dtype != atoms.dtype:
        raise ValueError(f"OMP: signals (n, features) and atoms (count, features) must have the same features and type, but "
                         f"got {tuple(signals.shape)} {signals.dtype} and {tuple(atoms.shape)} {atoms.dtype}. Transpose or "
                         "convert one of them.")
    if signals.dtype not in DEPENDENT:
        raise ValueError(f"OMP: signals and atoms must be float32 or float64, but got {signals.dtype}. Convert both, for "
                         "example with .float().")
    most = min(atoms.shape)
    if not 1 <= nonzeros <= most:
        raise ValueError(f"OMP: nonzeros must be between 1 and {most} (the smaller of atoms and features), but got "
                         f"{nonzeros=}. Choose fewer.")
    if not tolerance >= 0:
        raise ValueError(f"OMP: tolerance must be 0 or more, but got {tolerance=}. Choose 0 to use all non-zeros.")


@lru_cache(maxsize=1)
def has_numba() -> bool:
    """Whether the compiled kernels can be used. Imports numba where they can, so ask only if there is work for them."""
    try:
        from compress.solvers import omp_numba
    except ImportError:
        return False
    return omp_numba is not None


def _small_enough(energies: Tensor, dtype: torch.dtype, tolerance: float) -> Tensor:
    """(n,) squared norms of residuals at which signals are done: they are subtracted from the signals' own, and so known
    only to some rounding errors of these."""
    return (energies * torch.finfo(dtype).eps * 8).clamp_min(tolerance ** 2)


def _first_of_the_largest(sizes: Tensor, slack: Tensor) -> Tensor:
    """(n,): the first atom of the largest correlation; copies of one atom are rounded in different ways by a product."""
    enough = sizes.amax(1, keepdim=True) - slack[:, None]
    return (sizes >= enough).to(torch.uint8).argmax(1)


def _whole_blocks(unit: Tensor) -> Tensor:
    """The atoms and zero ones, which are never chosen, up to whole blocks of the compiled kernel's."""
    from compress.solvers.omp_numba import BLOCK

    return functional.pad(unit, (0, 0, 0, -len(unit) % BLOCK))


def _compiled_chunk(signals: Tensor, unit: Tensor, gram: Tensor, nonzeros: int, tolerance: float) -> Codes:
    """One chunk by numba, on as many threads as torch may use."""
    from compress.solvers.omp_numba import pursue

    signals, unit, gram = signals.detach(), unit.detach(), gram.detach()
    energies = torch.linalg.vector_norm(signals, dim=1, dtype=torch.float64).square()
    least = _small_enough(energies, signals.dtype, tolerance)
    chosen, values = pursue((signals @ unit.mT).numpy(), gram.numpy(), energies.numpy(), least.numpy(), nonzeros,
                            DEPENDENT[signals.dtype], SAME * torch.finfo(signals.dtype).eps, torch.get_num_threads())
    return Codes(torch.from_numpy(chosen), torch.from_numpy(values))


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
    least, dependent = _small_enough(left, signals.dtype, tolerance), DEPENDENT[signals.dtype]
    live = torch.nonzero(left > least).flatten()
    slack = SAME * torch.finfo(signals.dtype).eps * left.sqrt()
    correlations = start[live]
    for step in range(nonzeros):
        if not len(live):
            break
        best = _first_of_the_largest(correlations.abs(), slack[live])
        support, row = chosen[live, :step], signals.new_zeros(len(live), step + 1)
        projected = torch.einsum("nij,nj->ni", factor[live, :step, :step], gram[best[:, None], support])
        distance = 1 - projected.square().sum(1)
        fits = (distance > dependent) & (correlations.gather(1, best[:, None])[:, 0] != 0)
        row[:, :step] = -torch.einsum("ni,nij->nj", projected, factor[live, :step, :step])
        row[:, step] = 1
        row /= distance.clamp_min(dependent).sqrt()[:, None]
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


def omp_path(signal: Tensor, atoms: Tensor, nonzeros: int, code: Callable[..., Codes] = omp) -> list[Step]:
    """Every step of one signal's pursuit, for looking at.

    Args:
        signal: (features,); atoms: (count, features); code: the pursuit of signals, atoms and a number of non-zeros.
    """
    norms = atoms.norm(dim=1)
    unit = atoms * torch.where(norms > 0, 1 / norms, 0.0)[:, None]
    steps, residual, whole, before = [], signal, float(signal.square().sum()), []
    for number in range(1, nonzeros + 1):
        codes = code(signal[None], atoms, number)
        used = codes.atoms[0] >= 0
        support, correlations = codes.atoms[0, used].tolist(), unit @ residual
        new = [atom for atom in support if atom not in before]
        if not new:
            break
        before, residual = support, signal - codes.sums(atoms)[0]
        steps.append(Step(new[-1], correlations.tolist(), support, codes.values[0, used].tolist(), residual.tolist(),
                          float(residual.square().sum()) / whole))
    return steps
