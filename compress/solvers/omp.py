"""Orthogonal matching pursuit: signals as sums of few atoms, chosen one at a time (Pati, Rezaiifar & Krishnaprasad 1993).

Atoms are normalised before one is chosen, so that a long atom is not preferred; coefficients are those of the given atoms.
All signals go together (Batch-OMP, Rubinstein, Zibulevsky & Elad 2008): with the atoms' Gram matrix, a step needs neither
residuals nor least squares, only a new row of the inverse Cholesky factor of each support's Gram matrix.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from math import ldexp

import torch
from torch import Tensor
from torch.nn import functional

from compress.progress import Reporter, no_report
from compress.solvers.codes import Codes
from compress.solvers.scale import in_original_units, ordinary_rows, times_power

CHUNK_NUMBERS = 1_000_000  # correlations and factors in memory at a time: 4 MB of float32, about a processor's cache
# Squared distance of a normalised atom from the span of the chosen atoms, below which it adds nothing but rounding errors.
DEPENDENT = {torch.float32: 1e-5, torch.float64: 1e-10}
COMPILED_NUMBERS = 8_000_000  # the same as CHUNK_NUMBERS for the compiled kernel, which reads each number once
# Rounding errors of the signal's norm within which correlations count as equal (the first atom is taken), and of its squared
# norm, up to which a residual counts as none.
ROUNDING = 8
WORTH_COMPILED = 50_000  # signals x atoms x non-zeros; below, importing numba (half a second) costs more than it saves


def omp(signals: Tensor, atoms: Tensor, nonzeros: int, tolerance: float = 0.0, report: Reporter = no_report) -> Codes:
    """Codes each signal by at most `nonzeros` atoms, with least-squares coefficients for the chosen atoms.

    Args:
        signals: (n, features), float32 or float64, finite, of any scale; on a CPU, large problems go to omp_numba.py.
        atoms: (count, features), of the same type, finite, of any norms: they are normalised before one is chosen.
        nonzeros: the most atoms of a signal.
        tolerance: a signal whose residual has at most this norm gets no more atoms.

    Returns:
        Codes for the given atoms. A zero signal has no atom, and a zero atom is never chosen. A signal ends when the best
        atom is in the span of its chosen atoms. Of equally good atoms the first one is chosen.

    Raises:
        ValueError: sizes or types that do not fit each other, NaN or infinity, coefficients beyond the type, or nonzeros or
            tolerance outside their range.
    """
    check_sizes(signals, atoms, nonzeros, tolerance)
    (signals, of_signals), (atoms, of_atoms) = ordinary_rows("OMP", "signals", signals), ordinary_rows("OMP", "atoms", atoms)
    limits = scaled_tolerance(tolerance, signals, of_signals)
    norms = atoms.norm(dim=1)
    scale = torch.where(norms > 0, 1 / norms, 0.0)
    unit = atoms * scale[:, None]
    if signals.device.type == "cpu" and len(signals) * len(atoms) * nonzeros >= WORTH_COMPILED and has_numba():
        unit, scale, code = *_filled_up(unit, scale), _compiled_chunk
        rows = max(1, COMPILED_NUMBERS // len(unit))
    else:
        code, rows = _chunk, max(1, CHUNK_NUMBERS // (len(unit) + nonzeros ** 2))
    gram = unit @ unit.mT
    parts = []
    for number, (chunk, limit) in enumerate(zip(signals.split(rows), limits.split(rows), strict=True)):
        report(number * rows / max(1, len(signals)), "orthogonal matching pursuit")
        parts.append(code(chunk, unit, scale, gram, nonzeros, limit))
    codes = parts[0] if len(parts) == 1 else Codes(torch.cat([part.indices for part in parts]),
                                                   torch.cat([part.coefficients for part in parts]))
    return unscaled(codes, of_signals, of_atoms)


def scaled_tolerance(tolerance: float, signals: Tensor, exponents: Tensor | None) -> Tensor:
    """(n,) float64: the tolerance of each signal, in the units to which its row was scaled by 2^-exponent."""
    limits = torch.full((len(signals),), tolerance, dtype=torch.float64, device=signals.device)
    return limits if exponents is None else times_power(limits, -exponents)


def unscaled(codes: Codes, of_signals: Tensor | None, of_atoms: Tensor | None) -> Codes:
    """Codes of signals and atoms scaled by 2^-exponents, as codes of the originals: with 2^(e_signal - e_atom)."""
    if of_signals is None and of_atoms is None:
        return codes
    exponents = torch.zeros_like(codes.indices) if of_signals is None else of_signals[:, None].expand_as(codes.indices)
    if of_atoms is not None:
        exponents = exponents - of_atoms[codes.indices.clamp_min(0)]
    return Codes(codes.indices, in_original_units(codes.coefficients, exponents, "OMP"))


def check_sizes(signals: Tensor, atoms: Tensor, nonzeros: int, tolerance: float) -> None:
    """Raises ValueError for sizes, types, numbers of non-zeros and tolerances that are not allowed."""
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
                         f"{nonzeros=}. Choose a number in this range.")
    if not tolerance >= 0:
        raise ValueError(f"OMP: tolerance must be 0 or more, but got {tolerance=}. Choose 0 to use all non-zeros.")


@lru_cache(maxsize=1)
def has_numba() -> bool:
    """Whether the compiled kernels can be used. Imports numba if so (half a second): call this for large problems only."""
    try:
        from compress.solvers import omp_numba
    except ImportError:
        return False
    return omp_numba is not None


def _small_enough(energies: Tensor, dtype: torch.dtype, tolerance: Tensor) -> Tensor:
    """(n,) squared norms of residuals at which signals are done. A residual's squared norm is the signal's less what was
    explained, so that it is known only to some rounding errors of the signal's squared norm."""
    return torch.maximum(energies * torch.finfo(dtype).eps * ROUNDING, tolerance.square().to(energies.dtype))


def _first_of_the_largest(sizes: Tensor, slack: Tensor) -> Tensor:
    """(n,): the first atom of the largest correlation; copies of one atom are rounded in different ways by a product."""
    enough = sizes.amax(1, keepdim=True) - slack[:, None]
    return (sizes >= enough).to(torch.uint8).argmax(1)


def _filled_up(unit: Tensor, scale: Tensor) -> tuple[Tensor, Tensor]:
    """The atoms, with as many zero atoms (never chosen) as the compiled kernel needs, and their scale."""
    from compress.solvers.omp_numba import filled_up

    more = filled_up(len(unit)) - len(unit)
    return functional.pad(unit, (0, 0, 0, more)), functional.pad(scale, (0, more))


def _compiled_chunk(signals: Tensor, unit: Tensor, scale: Tensor, gram: Tensor, nonzeros: int, tolerance: Tensor) -> Codes:
    """One chunk by numba, on as many threads as torch may use."""
    from compress.solvers.omp_numba import pursue

    signals, unit, scale, gram = (one.detach().contiguous() for one in (signals, unit, scale, gram))
    indices, coefficients = pursue(signals.numpy(), unit.numpy(), scale.numpy(), gram.numpy(), tolerance.numpy(), nonzeros,
                                   DEPENDENT[signals.dtype], ROUNDING * torch.finfo(signals.dtype).eps,
                                   torch.get_num_threads())
    return Codes(torch.from_numpy(indices), torch.from_numpy(coefficients))


def _chunk(signals: Tensor, unit: Tensor, scale: Tensor, gram: Tensor, nonzeros: int, tolerance: Tensor) -> Codes:
    """One chunk of signals, all at the same step (Batch-OMP). For one signal s with chosen atoms A (t, features), the Gram
    matrix G = A A^T = L L^T, the inverse factor M = L^-1 (`factor`) and a = A s (from `start`), a new atom d gives
        L: a row [p, sqrt(1 - |p|^2)] with p = M A d, so M: a row m = [-p M, 1] / sqrt(1 - |p|^2) (_new_row());
        least squares x = G^-1 a = M^T (M a): x grows by m^T z with z = m a (`gain`), and the squared norm of the residual,
        |s|^2 - |M a|^2, falls by z^2; all correlations with the residual, D (s - A^T x), change by -(D A^T) m^T z.
    """
    count = len(signals)
    chosen = torch.full((count, nonzeros), -1, dtype=torch.int64, device=signals.device)
    values = signals.new_zeros(count, nonzeros)
    factor = signals.new_zeros(count, nonzeros, nonzeros)
    start = signals @ unit.mT
    left = signals.square().sum(1)
    least, dependent = _small_enough(left, signals.dtype, tolerance), DEPENDENT[signals.dtype]
    live = torch.nonzero(left > least).flatten()
    slack = ROUNDING * torch.finfo(signals.dtype).eps * left.sqrt()
    correlations = start[live]
    for step in range(nonzeros):
        if not len(live):
            break
        best = _first_of_the_largest(correlations.abs(), slack[live])
        row, distance = _new_row(factor[live, :step, :step], gram[best[:, None], chosen[live, :step]], dependent)
        fits = (distance > dependent) & (correlations.gather(1, best[:, None])[:, 0] != 0)
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
    return Codes(chosen, values * scale[chosen.clamp_min(0)])


def _new_row(factor: Tensor, products: Tensor, dependent: float) -> tuple[Tensor, Tensor]:
    """(k, t + 1): the new rows m of the inverse factors M (k, t, t), and (k,): 1 - |p|^2, the squared distances of the new
    atoms d from the spans of the chosen atoms A.

    Args:
        products: A d (k, t); dependent: the least squared distance by which rows are divided.
    """
    projected = torch.einsum("nij,nj->ni", factor, products)
    distance = 1 - projected.square().sum(1)
    row = functional.pad(-torch.einsum("ni,nij->nj", projected, factor), (0, 1), value=1.0)
    return row / distance.clamp_min(dependent).sqrt()[:, None], distance


@dataclass(frozen=True)
class PursuitStep:
    """One step of a pursuit, as plain data.

    Attributes:
        atom: index of the atom that this step chose.
        correlations: (count,), of all atoms with the residual before this step; the largest magnitude is chosen.
        support, coefficients: all atoms chosen so far, and the least-squares coefficients for them.
        residual: (features,), after this step; error: its squared norm over that of the signal.
    """

    atom: int
    correlations: list[float]
    support: list[int]
    coefficients: list[float]
    residual: list[float]
    error: float


def pursuit_path(signal: Tensor, atoms: Tensor, nonzeros: int, code: Callable[..., Codes] = omp) -> list[PursuitStep]:
    """Every step of one signal's pursuit, to be shown on a page.

    Args:
        signal: (features,).
        atoms: (count, features).
        code: (signals, atoms, nonzeros) -> Codes.
    """
    rows, of_signal = ordinary_rows("OMP", "signal", signal[None])
    atoms, of_atoms = ordinary_rows("OMP", "atoms", atoms)
    if of_signal is not None or of_atoms is not None:
        scaled = pursuit_path(rows[0], atoms, nonzeros, code)
        return _in_original_units(scaled, 0 if of_signal is None else int(of_signal[0]),
                                  [0] * len(atoms) if of_atoms is None else of_atoms.tolist())
    norms = atoms.norm(dim=1)
    unit = atoms * torch.where(norms > 0, 1 / norms, 0.0)[:, None]
    steps: list[PursuitStep] = []
    before: list[int] = []
    residual, whole = signal, float(signal.square().sum())
    for number in range(1, nonzeros + 1):
        codes = code(signal[None], atoms, number)
        used = codes.indices[0] >= 0
        support, correlations = codes.indices[0, used].tolist(), unit @ residual
        new = [atom for atom in support if atom not in before]
        if not new:
            break
        before, residual = support, signal - codes.decode(atoms)[0]
        steps.append(PursuitStep(new[-1], correlations.tolist(), support, codes.coefficients[0, used].tolist(),
                                 residual.tolist(), float(residual.square().sum()) / whole))
    return steps


def _in_original_units(steps: list[PursuitStep], of_signal: int, of_atoms: list[int]) -> list[PursuitStep]:
    """The steps of a signal and atoms that were scaled by 2^-exponents, for the originals."""
    return [replace(step, correlations=[ldexp(one, of_signal) for one in step.correlations],
                    coefficients=[ldexp(one, of_signal - of_atoms[atom])
                                  for one, atom in zip(step.coefficients, step.support, strict=True)],
                    residual=[ldexp(one, of_signal) for one in step.residual]) for step in steps]
