"""K-SVD: a dictionary in which signals are sums of few atoms (Aharon, Elad & Bruckstein 2006)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from compress.dictionary import STARTS, initial, normalised
from compress.omp import Codes, omp
from compress.progress import Tell, silent
from compress.settings import Settings, setting

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
    seed: int = setting(0, low=0, high=2**31 - 1, help="Of the start and of replacements.")


@dataclass(frozen=True, eq=False)
class State:
    """Where learning stands after an iteration.

    Attributes:
        atoms: (count, features), of norm 1; codes: of all signals, as updated with the atoms.
        error: squared norm of what is left over that of the signals; usage: (count,) signals that use each atom.
    """

    iteration: int
    atoms: Tensor
    codes: Codes
    error: float
    usage: Tensor


def learn(signals: Tensor, settings: KSVD, start: Tensor | None = None, tell: Tell = silent) -> Iterator[State]:
    """Learns, one State an iteration: codes by OMP, then every atom and its coefficients in turn, so that the error falls.

    Args:
        signals: (n, features), float32 or float64; start: (count, features), atoms to begin with in the place of
            settings.start.
    """
    atoms = initial(signals, settings.atoms, settings.start, settings.seed) if start is None else normalised(start)
    total = float(signals.double().square().sum()) or 1.0
    for iteration in range(1, settings.iterations + 1):
        tell((iteration - 1) / settings.iterations, f"K-SVD, iteration {iteration} of {settings.iterations}")
        codes = omp(signals, atoms, min(settings.nonzeros, *atoms.shape))
        atoms, codes, residual = updated(signals, atoms, codes, settings.update)
        error = float(residual.double().square().sum()) / total
        usage = torch.bincount(codes.atoms[codes.atoms >= 0], minlength=len(atoms))
        yield State(iteration, atoms, codes, error, usage)
        if settings.replace and iteration < settings.iterations:
            atoms = replaced(signals, atoms, residual, usage)


def updated(signals: Tensor, atoms: Tensor, codes: Codes, update: str) -> tuple[Tensor, Codes, Tensor]:
    """One pass over all atoms that are used: (atoms, codes, residual (n, features)), with the supports as they were.

    For an atom d with coefficients g on the signals that use it, E the residual there without it: exact takes the first
    pair of singular vectors of E, approximate d = g E / |g E| and g = E d. Neither can raise the error.
    """
    atoms, values = atoms.clone(), codes.values.clone()
    residual = signals - codes.sums(atoms)
    rows, slots = (codes.atoms >= 0).nonzero(as_tuple=True)
    owners = codes.atoms[rows, slots]
    order = owners.argsort(stable=True)
    sizes = torch.bincount(owners, minlength=len(atoms)).tolist()
    for atom, (own_rows, own_slots) in enumerate(zip(rows[order].split(sizes), slots[order].split(sizes), strict=True)):
        if not len(own_rows):
            continue
        weights = values[own_rows, own_slots]
        without = residual[own_rows].addr_(weights, atoms[atom])
        if update == "exact":
            left, spread, right = torch.linalg.svd(without, full_matrices=False)
            atoms[atom], weights = right[0], left[:, 0] * spread[0]
        else:
            direction = weights @ without
            norm = direction.norm()
            if float(norm) > 0:
                atoms[atom] = direction / norm
            weights = without @ atoms[atom]
        values[own_rows, own_slots] = weights
        residual[own_rows] = without.addr_(weights, atoms[atom], alpha=-1)
    return atoms, Codes(codes.atoms, values), residual


def replaced(signals: Tensor, atoms: Tensor, residual: Tensor, usage: Tensor) -> Tensor:
    """Atoms that nobody uses, and the less used of two that are nearly one, become the signals that are coded worst."""
    unit = normalised(atoms)
    alike = (unit @ unit.mT).abs() > SAME
    better = (usage[None, :] > usage[:, None]) | (
        (usage[None, :] == usage[:, None]) & (torch.arange(len(atoms), device=atoms.device)[None, :]
                                              < torch.arange(len(atoms), device=atoms.device)[:, None]))
    useless = torch.nonzero((usage == 0) | (alike & better).any(1)).flatten()
    worst = residual.square().sum(1).argsort(descending=True, stable=True)[:len(useless)]
    worst = worst[residual[worst].square().sum(1) > 0]
    atoms = atoms.clone()
    atoms[useless[:len(worst)]] = normalised(signals[worst])
    return atoms
