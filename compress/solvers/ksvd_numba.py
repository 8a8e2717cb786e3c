"""K-SVD's pass over all atoms on a CPU, compiled by numba: what ksvd.py runs where numba is installed.

The atoms have to be updated one after another, and most have few signals: torch spends its time on starting operations.
"""

from __future__ import annotations

import numpy as np

from compress.solvers.omp_numba import njit  # from there, where numba is told first where to keep what it compiles


def improve(atoms: np.ndarray, values: np.ndarray, residual: np.ndarray, rows: np.ndarray, slots: np.ndarray,
            bounds: np.ndarray, past: np.ndarray) -> None:
    """One power step for each atom (Rubinstein, Zibulevsky & Elad 2008), everything in place.

    Args:
        atoms: (count, features), float32 or float64; values: (n, most); residual: (n, features); all of one type.
        rows, slots: int64, where in values the atoms' coefficients are, those of atom j from bounds[j] to bounds[j + 1].
        past: (count,), of the atoms' type, the weight of each atom as it is in its own update.
    """
    _improve(atoms, values, residual, rows, slots, bounds, past)


@njit(nogil=True, cache=True, fastmath={"contract", "reassoc"})
def _improve(atoms, values, residual, rows, slots, bounds, past):  # pragma: no cover (compiled)
    """For an atom d with coefficients g, E the residual without it: d' = g E / |g E|, g' = E d'. Since E = residual + g d,
    nothing but the residual's rows is read. Sums may be taken in any order, which lets them use whole registers."""
    features = atoms.shape[1]
    old, new = np.empty(features, atoms.dtype), np.empty(features, atoms.dtype)
    for atom in range(len(atoms)):
        power = np.float64(past[atom])
        old[:], new[:] = atoms[atom], 0
        for place in range(bounds[atom], bounds[atom + 1]):
            row, weight = rows[place], values[rows[place], slots[place]]
            power += np.float64(weight) * np.float64(weight)
            for feature in range(features):
                new[feature] += weight * residual[row, feature]
        norm = 0.0
        for feature in range(features):
            new[feature] += power * old[feature]
            norm += np.float64(new[feature]) * np.float64(new[feature])
        if not norm > 0:
            continue
        cosine = _turn(atoms, atom, old, new, norm ** 0.5)
        for place in range(bounds[atom], bounds[atom + 1]):
            _move(residual, rows[place], values, slots[place], old, new, cosine)


@njit(nogil=True, cache=True, fastmath={"contract", "reassoc"})
def _turn(atoms, atom, old, new, norm):  # pragma: no cover (compiled)
    """Writes the new atom, of norm 1; its cosine with the old one."""
    cosine = old[0] * 0
    for feature in range(len(new)):
        new[feature] /= norm
        atoms[atom, feature] = new[feature]
        cosine += old[feature] * new[feature]
    return cosine


@njit(nogil=True, cache=True, fastmath={"contract", "reassoc"})
def _move(residual, row, values, slot, old, new, cosine):  # pragma: no cover (compiled)
    """The new coefficient of one signal, and its residual."""
    before = values[row, slot]
    after = before * cosine
    for feature in range(len(new)):
        after += residual[row, feature] * new[feature]
    values[row, slot] = after
    for feature in range(len(new)):
        residual[row, feature] += before * old[feature] - after * new[feature]
