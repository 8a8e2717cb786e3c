"""K-SVD's pass over all atoms on a CPU, compiled by numba: used by ksvd.py where numba is installed.

The atoms have to be updated one after another, and most of them have few signals, so that with torch most of the time goes
into starting operations.
"""

from __future__ import annotations

import numpy as np

from compress.solvers.omp_numba import njit  # that module sets numba's cache folder before it imports numba


def improve(signals: np.ndarray, atoms: np.ndarray, indices: np.ndarray, coefficients: np.ndarray,
            previous_energy: np.ndarray, residual: np.ndarray | None) -> np.ndarray:
    """One power step for each atom (Rubinstein, Zibulevsky & Elad 2008): atoms and coefficients change in place.

    Args:
        signals: (n, features), float32 or float64; atoms: (count, features); all of one type and contiguous.
        indices: (n, most) int64, padded with -1; coefficients: (n, most).
        previous_energy: (count,), the weight of each atom in its own update.
        residual: (n, features), signals less what is coded, where the caller has it: changed in place.

    Returns:
        (n, features): the residual of the new atoms and coefficients.
    """
    if residual is None:
        residual = np.empty_like(signals)
        _subtract_coded(signals, atoms, indices, coefficients, residual)
    (rows, slots), bounds = np.empty((2, indices.size), np.int64), np.zeros(len(atoms) + 1, np.int64)
    _sort(indices, rows, slots, bounds)
    _improve(atoms, coefficients, residual, rows, slots, bounds, previous_energy)
    return residual


@njit(nogil=True, cache=True, fastmath={"contract"})
def _subtract_coded(signals: np.ndarray, atoms: np.ndarray, indices: np.ndarray, coefficients: np.ndarray,
                    residual: np.ndarray) -> None:  # pragma: no cover (compiled)
    for row in range(len(signals)):
        for feature in range(signals.shape[1]):
            residual[row, feature] = signals[row, feature]
        for slot in range(indices.shape[1]):
            atom, weight = indices[row, slot], coefficients[row, slot]
            if atom >= 0:
                for feature in range(signals.shape[1]):
                    residual[row, feature] -= weight * atoms[atom, feature]


@njit(nogil=True, cache=True)
def _sort(indices: np.ndarray, rows: np.ndarray, slots: np.ndarray,
          bounds: np.ndarray) -> None:  # pragma: no cover (compiled)
    """Sorts by counting: the coefficients of atom j are at rows[i], slots[i] for i from bounds[j] to bounds[j + 1]."""
    count = len(bounds) - 1
    for atom in indices.flat:
        if atom >= 0:
            bounds[atom + 1] += 1
    for atom in range(count):
        bounds[atom + 1] += bounds[atom]
    for row in range(len(indices)):
        for slot in range(indices.shape[1]):
            atom = indices[row, slot]
            if atom >= 0:  # bounds[j] counts on to the end of atom j
                rows[bounds[atom]], slots[bounds[atom]] = row, slot
                bounds[atom] += 1
    for atom in range(count, 0, -1):
        bounds[atom] = bounds[atom - 1]
    bounds[0] = 0


@njit(nogil=True, cache=True, fastmath={"contract", "reassoc"})
def _improve(atoms: np.ndarray, coefficients: np.ndarray, residual: np.ndarray, rows: np.ndarray, slots: np.ndarray,
             bounds: np.ndarray, previous_energy: np.ndarray) -> None:  # pragma: no cover (compiled)
    """For an atom d with coefficients g and the residual R of its signals, E = R + g d^T is the residual without the atom:
        d' ~ g^T E + a d = g^T R + (|g|^2 + a) d,  g' = E d' = R d' + (d^T d') g,  R' = E - g' d'^T = R + g d^T - g' d'^T,
    so that only R is read and written. Sums may be taken in any order, which fills vector registers."""
    features = atoms.shape[1]
    old, new = np.empty(features, atoms.dtype), np.empty(features, atoms.dtype)
    for atom in range(len(atoms)):
        power = np.float64(previous_energy[atom])
        for feature in range(features):  # an assignment of arrays takes seconds to compile
            old[feature], new[feature] = atoms[atom, feature], 0
        for place in range(bounds[atom], bounds[atom + 1]):
            row, weight = rows[place], coefficients[rows[place], slots[place]]
            power += np.float64(weight) * np.float64(weight)
            for feature in range(features):
                new[feature] += weight * residual[row, feature]
        norm = 0.0
        for feature in range(features):
            new[feature] += power * old[feature]
            norm += np.float64(new[feature]) * np.float64(new[feature])
        if not norm > 0:
            continue
        cosine = _replace_atom(atoms, atom, old, new, norm ** 0.5)
        for place in range(bounds[atom], bounds[atom + 1]):
            _replace_coefficient(residual, rows[place], coefficients, slots[place], old, new, cosine)


@njit(nogil=True, cache=True, fastmath={"contract", "reassoc"})
def _replace_atom(atoms: np.ndarray, atom: int, old: np.ndarray, new: np.ndarray,
                  norm: float) -> float:  # pragma: no cover (compiled)
    """Writes the new atom, of norm 1, and returns d^T d', its cosine with the old one."""
    cosine = old[0] * 0
    for feature in range(len(new)):
        new[feature] /= norm
        atoms[atom, feature] = new[feature]
        cosine += old[feature] * new[feature]
    return cosine


@njit(nogil=True, cache=True, fastmath={"contract", "reassoc"})
def _replace_coefficient(residual: np.ndarray, row: int, coefficients: np.ndarray, slot: int, old: np.ndarray,
                         new: np.ndarray, cosine: float) -> None:  # pragma: no cover (compiled)
    """Writes one signal's new coefficient and residual."""
    before = coefficients[row, slot]
    after = before * cosine
    for feature in range(len(new)):
        after += residual[row, feature] * new[feature]
    coefficients[row, slot] = after
    for feature in range(len(new)):
        residual[row, feature] += before * old[feature] - after * new[feature]
