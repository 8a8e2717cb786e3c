"""K-SVD: a dictionary in which signals are sums of few atoms (Aharon, Elad & Bruckstein 2006)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from compress.progress import Reporter, no_report
from compress.settings import Settings, setting
from compress.solvers.codes import Codes
from compress.solvers.dictionary import STARTS, initial, normalised
from compress.solvers.nonnegative_omp import better_pair, positive
from compress.solvers.omp import has_numba
from compress.solvers.pursuit import SparseCoder

WORTH_COMPILED = 500  # coefficients; for fewer the half second of importing numba is not worth it
SAME = 0.99  # |cosine| from which two atoms are one too many


@dataclass(frozen=True)
class KSVD(Settings):
    """How a dictionary is learned."""

    atoms: int = setting(128, low=2, high=65536, help="Atoms of the dictionary.")
    nonzeros: int = setting(3, low=1, high=4096, help="Atoms that a signal may use.")
    iterations: int = setting(10, low=1, high=10000, help="Rounds of coding and update.")
    update: str = setting("approximate", choices=("approximate", "exact"),
                          help="One power step for each atom (Rubinstein et al. 2008), or its rank-1 SVD.")
    start: str = setting("data", choices=STARTS, help="What the dictionary begins with.")
    replace: bool = setting(True, help="Put badly coded signals in the place of unused and duplicate atoms.")
    seed: int = setting(0, low=0, high=2**31 - 1, help="Of the start, of replacements and of the order of mini-batches.")
    batch: int = setting(0, low=0, high=10**9, help="Signals that are coded between two updates of the atoms; 0 for all.")
    nonnegative: bool = setting(False, help="Neither atoms nor coefficients have negative numbers.")


@dataclass(frozen=True, eq=False)
class State:
    """Where learning stands after an iteration.

    Attributes:
        atoms: (count, features), of norm 1; codes: of all signals, as updated with the atoms.
        error: squared norm of what is left over that of the signals; usage: (count,) signals that use each atom.
            With mini-batches codes and error are those that each batch had before it was learned from, which flatters less
            than what it had afterwards; they belong to atoms of different moments.
    """

    iteration: int
    atoms: Tensor
    codes: Codes
    error: float
    usage: Tensor

    @property
    def mean_nonzeros(self) -> float:
        """Atoms of a signal on average."""
        return float(self.codes.counts.double().mean())


def learn(signals: Tensor, settings: KSVD, start: Tensor | None = None, report: Reporter = no_report) -> Iterator[State]:
    """Learns, one State an iteration: codes by OMP, then every atom and its coefficients in turn, so that the error falls.

    Args:
        signals: (n, features), float32 or float64; start: (count, features), atoms to begin with in the place of
            settings.start.
    """
    atoms = initial(signals, settings.atoms, settings.start, settings.seed) if start is None else normalised(start)
    atoms = positive(atoms) if settings.nonnegative else atoms
    total = float(signals.double().square().sum()) or 1.0
    generator, past = torch.Generator().manual_seed(settings.seed), atoms.new_zeros(len(atoms))
    for iteration in range(1, settings.iterations + 1):
        report((iteration - 1) / settings.iterations, f"K-SVD, iteration {iteration} of {settings.iterations}")
        atoms, codes, residual = _passed(signals, atoms, settings, past, generator)
        error = float(residual.double().square().sum()) / total
        usage = torch.bincount(codes.atoms[codes.values != 0], minlength=len(atoms))
        yield State(iteration, atoms, codes, error, usage)
        if settings.replace and iteration < settings.iterations:
            before, atoms = atoms, replaced(signals, atoms, residual, usage, settings.nonnegative)
            past[(before != atoms).any(1)] = 0


def _passed(signals: Tensor, atoms: Tensor, settings: KSVD, past: Tensor, generator: torch.Generator
            ) -> tuple[Tensor, Codes, Tensor]:
    """One pass over all signals, at once or in mini-batches: (atoms, codes, residual), and past is brought up to date.

    A mini-batch alone would throw away what its forerunners taught. So an atom stands up for itself in its update with the
    energy of the coefficients that it had in about one pass (older ones are forgotten, as their atoms were others).
    """
    pursuit, count = SparseCoder(settings.nonzeros, nonnegative=settings.nonnegative), len(signals)
    if not 0 < settings.batch < count:
        return updated(signals, atoms, pursuit(signals, atoms), settings.update, settings.nonnegative)
    order = torch.randperm(count, generator=generator).to(signals.device)
    shuffled, back, parts, gaps = signals[order], order.argsort(), [], []
    for batch in shuffled.split(settings.batch):
        codes = pursuit(batch, atoms)
        parts.append(codes)
        gaps.append(batch - codes.sums(atoms))
        atoms, codes, _ = updated(batch, atoms, codes, settings.update, settings.nonnegative, past, gaps[-1])
        used = codes.atoms >= 0
        past.index_add_(0, codes.atoms[used], codes.values[used].square()).mul_(1 - len(batch) / count)
    chosen, values = (torch.cat(ones)[back] for ones in ([one.atoms for one in parts], [one.values for one in parts]))
    return atoms, Codes(chosen, values), torch.cat(gaps)[back]


def updated(signals: Tensor, atoms: Tensor, codes: Codes, update: str, nonnegative: bool = False,
            past: Tensor | None = None, gap: Tensor | None = None) -> tuple[Tensor, Codes, Tensor]:
    """One pass over all atoms that are used: (atoms, codes, residual (n, features)), with the supports as they were.

    For an atom d with coefficients g on the signals that use it, E the residual there without it: exact takes the first
    pair of singular vectors of E, approximate d = g E / |g E| and g = E d. Neither can raise the error. `past` (count,) adds
    so much of an atom to its own new direction, which damps the step and cannot raise the error either. `gap`: the residual
    before, where it is known.
    """
    atoms, values = atoms.clone(), codes.values.clone()
    residual = signals - codes.sums(atoms) if gap is None else gap.clone()
    rows, slots = (codes.atoms >= 0).nonzero(as_tuple=True)
    owners = codes.atoms[rows, slots]
    order = owners.argsort(stable=True)
    rows, slots, sizes = rows[order], slots[order], torch.bincount(owners, minlength=len(atoms))
    past = atoms.new_zeros(len(atoms)) if past is None else past
    plain = update == "approximate" and not nonnegative
    if plain and signals.device.type == "cpu" and len(rows) >= WORTH_COMPILED and has_numba():
        from compress.solvers.ksvd_numba import improve

        bounds = functional.pad(sizes.cumsum(0), (1, 0))
        improve(*(one.numpy() for one in (atoms, values, residual, rows, slots, bounds, past)))
    else:
        _improve(atoms, values, residual, rows.split(sizes.tolist()), slots.split(sizes.tolist()), past, update, nonnegative)
    return atoms, Codes(codes.atoms, values), residual


def _improve(atoms: Tensor, values: Tensor, residual: Tensor, rows: tuple[Tensor, ...], slots: tuple[Tensor, ...],
             past: Tensor, update: str, nonnegative: bool) -> None:
    """Every atom in place, with torch; rows and slots are where in values its coefficients are, atom by atom."""
    for atom, (own_rows, own_slots) in enumerate(zip(rows, slots, strict=True)):
        if not len(own_rows):
            continue
        weights = values[own_rows, own_slots]
        without = residual[own_rows].addr_(weights, atoms[atom])
        if nonnegative:
            atoms[atom], weights = better_pair(without, weights, atoms[atom], past[atom], update)
        elif update == "exact":
            atoms[atom] = _strongest(without, atoms[atom], past[atom])
            weights = without @ atoms[atom]
        else:
            direction = weights @ without + past[atom] * atoms[atom]
            norm = direction.norm()
            if float(norm) > 0:
                atoms[atom] = direction / norm
            weights = without @ atoms[atom]
        values[own_rows, own_slots] = weights
        residual[own_rows] = without.addr_(weights, atoms[atom], alpha=-1)


def _strongest(rows: Tensor, atom: Tensor, past: Tensor) -> Tensor:
    """(features,): the first right singular vector of rows (m, features) and of sqrt(past) atom below them, on the atom's
    side of the origin, so that a picture of it does not change between black and white.

    From the smaller Gram matrix in float64, which for one vector is as exact as an SVD of the rows and several times faster.
    """
    stacked = torch.cat([rows, past.sqrt() * atom[None]]).double()
    if len(stacked) > stacked.shape[1]:
        found = torch.linalg.eigh(stacked.mT @ stacked, UPLO="U").eigenvectors[:, -1]
    else:
        found = torch.linalg.eigh(stacked @ stacked.mT, UPLO="U").eigenvectors[:, -1] @ stacked
    norm, side = float(found.norm()), -1.0 if float(found @ atom.double()) < 0 else 1.0
    return (found * (side / norm)).to(rows) if norm > 0 else atom


def replaced(signals: Tensor, atoms: Tensor, residual: Tensor, usage: Tensor, nonnegative: bool = False) -> Tensor:
    """Atoms that nobody uses, and the less used of two that are nearly one, become the signals that are coded worst."""
    unit = normalised(atoms)
    alike = (unit @ unit.mT).abs() > SAME
    better = (usage[None, :] > usage[:, None]) | (
        (usage[None, :] == usage[:, None]) & (torch.arange(len(atoms), device=atoms.device)[None, :]
                                              < torch.arange(len(atoms), device=atoms.device)[:, None]))
    useless = torch.nonzero((usage == 0) | (alike & better).any(1)).flatten()
    if not len(useless):
        return atoms
    worst = residual.square().sum(1).argsort(descending=True, stable=True)[:len(useless)]
    worst = worst[residual[worst].square().sum(1) > 0]
    atoms = atoms.clone()
    atoms[useless[:len(worst)]] = positive(signals[worst]) if nonnegative else normalised(signals[worst])
    return atoms
