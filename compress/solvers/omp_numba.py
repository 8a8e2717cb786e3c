"""The pursuit of many signals on a CPU's cores, compiled by numba: what omp.py runs where numba is installed.

Every signal goes alone, so that all it needs stays in the cache. With q_t the t-th direction of the Gram-Schmidt basis of
its atoms, row t of P holds the correlations d_j^T q_t of all atoms with it, and every other number of the pursuit is
found there: the Cholesky row of a new atom j is P_{:,j}, and the signal's share of q_t is correlation / L_tt. So a step
reads one row of the Gram matrix and the short P, and solves nothing; one triangular system at the end gives the
coefficients. (Batch-OMP of Rubinstein, Zibulevsky & Elad 2008, in the order of Gram-Schmidt.)

Signals are shared out to plain threads, since the kernels let go of the interpreter's lock: numba's own threads may
neither be used from two threads at once nor survive a fork.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache

import numpy as np

from compress.home import cache_folder

os.environ.setdefault("NUMBA_CACHE_DIR", str(cache_folder() / "numba"))  # numba reads it when it is imported

from numba import njit

BLOCK = 32  # atoms that are compared at a time
THREAD_WORK = 2_000_000  # signals x atoms x non-zeros that are worth a thread, about a millisecond


def pursue(correlations: np.ndarray, gram: np.ndarray, energies: np.ndarray, least: np.ndarray, nonzeros: int,
           dependent: float, same: float, threads: int) -> tuple[np.ndarray, np.ndarray]:
    """Codes of a chunk of signals.

    Args:
        correlations: (n, count) of signals and atoms of norm 1, float32 or float64, contiguous; overwritten.
        gram: (count, count) of the atoms, of the same type; count is a multiple of BLOCK (zero atoms are never chosen).
        energies: (n,) float64, squared norms of the signals; least: (n,) float64, of residuals that are small enough.
        dependent: squared distance of an atom from the span of those before it, up to which it adds nothing.
        same: correlations that differ by no more than this share of the signal's norm are taken as equal.

    Returns:
        atoms (n, nonzeros) int64, padded with -1, and values (n, nonzeros) in the given type, padded with 0.
    """
    count = len(correlations)
    atoms, values = np.full((count, nonzeros), -1, np.int64), np.zeros((count, nonzeros), correlations.dtype)
    pieces = max(1, min(4 * threads, count * len(gram) * nonzeros // THREAD_WORK)) if threads > 1 else 1
    bounds = [count * piece // pieces for piece in range(pieces + 1)]

    left = iter(range(pieces))  # the next piece goes to whoever is free

    def work() -> None:
        for piece in left:
            own = slice(bounds[piece], bounds[piece + 1])
            _pursue(correlations[own], gram, energies[own], least[own], dependent, same, atoms[own], values[own])

    if pieces == 1:
        work()
    else:
        helpers = [_pool(os.getpid(), threads - 1).submit(work) for _ in range(threads - 1)]
        work()
        for helper in helpers:
            if not helper.cancel():  # one that has not begun has nothing left to do
                helper.result()
    return atoms, values


@lru_cache(maxsize=1)
def _pool(process: int, helpers: int) -> ThreadPoolExecutor:
    """Threads that stay, beside the caller's own: new ones often begin on the core that the caller has, and a fork has none
    of its parent's, so that each process makes its own."""
    return ThreadPoolExecutor(helpers)


@njit(nogil=True, cache=True)
def _pursue(correlations, gram, energies, least, dependent, same, atoms, values):  # pragma: no cover (compiled)
    """Every signal to its end; rows of atoms and values are filled. Rows are named by number: numba would count references
    to a view of one, which the threads would wait for."""
    nonzeros, count = atoms.shape[1], len(gram)
    shares = np.empty((nonzeros, count), gram.dtype)  # P
    factor = np.empty((nonzeros, nonzeros), gram.dtype)  # L, lower triangle
    gains = np.empty(nonzeros, gram.dtype)
    tops = np.empty(count // BLOCK, gram.dtype)
    slack = np.empty(1, gram.dtype)  # an array, to have its type
    blocks = correlations.reshape(len(correlations), len(tops), BLOCK)
    for signal in range(len(correlations)):
        left, size = energies[signal], 0
        slack[0] = same * left ** 0.5
        while size < nonzeros and left > least[signal]:
            best = _first_of_the_largest(blocks, signal, tops, slack[0])
            if correlations[signal, best] == 0 or not _joins(best, size, shares, factor, dependent, atoms, signal):
                break
            gain = correlations[signal, best] / factor[size, size]
            atoms[signal, size], gains[size] = best, gain
            left -= np.float64(gain) * np.float64(gain)
            if size + 1 < nonzeros and left > least[signal]:
                _direct(gram, best, shares, factor, size)
                _explain(correlations, signal, shares, size, 1 / factor[size, size], gain)
            size += 1
        _solve(factor, gains, size, values, signal)


@njit(nogil=True, cache=True, fastmath={"nnan", "nsz"})
def _first_of_the_largest(blocks, signal, tops, slack):  # pragma: no cover (compiled)
    """The first atom whose magnitude is the largest but for slack, found in the first block that has it. Without the
    promise that nothing is NaN the search for the largest would go one number at a time."""
    largest = blocks[signal, 0, 0] * 0
    for block in range(len(tops)):
        top = abs(blocks[signal, block, 0])
        for lane in range(BLOCK):
            size = abs(blocks[signal, block, lane])
            top = size if size > top else top
        tops[block] = top
        largest = top if top > largest else largest
    for block in range(len(tops)):
        if tops[block] >= largest - slack:
            for lane in range(BLOCK):
                if abs(blocks[signal, block, lane]) >= largest - slack:
                    return block * BLOCK + lane
    return 0


@njit(nogil=True, cache=True)
def _joins(best, size, shares, factor, dependent, atoms, signal):  # pragma: no cover (compiled)
    """Writes the atom's row of L; False if it is one of those before it, or in their span."""
    distance = 1.0
    for place in range(size):
        if atoms[signal, place] == best:
            return False
        share = shares[place, best]
        factor[size, place] = share
        distance -= np.float64(share) * np.float64(share)
    factor[size, size] = max(distance, dependent) ** 0.5
    return distance > dependent


@njit(nogil=True, cache=True, fastmath={"contract"})
def _direct(gram, best, shares, factor, size):  # pragma: no cover (compiled)
    """The new row of P, not divided by L_tt yet. Four rows go together, as loading and storing take longer than
    computing; those that remain go with the Gram matrix's row."""
    count, rest = len(gram), size % 4
    a, b, c = factor[size, 0], factor[size, min(1, size)], factor[size, min(2, size)]
    if rest == 0:
        for atom in range(count):
            shares[size, atom] = gram[best, atom]
    elif rest == 1:
        for atom in range(count):
            shares[size, atom] = gram[best, atom] - a * shares[0, atom]
    elif rest == 2:
        for atom in range(count):
            shares[size, atom] = gram[best, atom] - a * shares[0, atom] - b * shares[1, atom]
    else:
        for atom in range(count):
            shares[size, atom] = gram[best, atom] - a * shares[0, atom] - b * shares[1, atom] - c * shares[2, atom]
    for place in range(rest, size, 4):
        a, b, c, d = factor[size, place], factor[size, place + 1], factor[size, place + 2], factor[size, place + 3]
        for atom in range(count):
            shares[size, atom] -= (a * shares[place, atom] + b * shares[place + 1, atom]
                                   + c * shares[place + 2, atom] + d * shares[place + 3, atom])


@njit(nogil=True, cache=True, fastmath={"contract"})
def _explain(correlations, signal, shares, size, inverse, gain):  # pragma: no cover (compiled)
    """Ends the new row of P, and takes what its direction explains from the signal's correlations."""
    for atom in range(shares.shape[1]):
        share = shares[size, atom] * inverse
        shares[size, atom] = share
        correlations[signal, atom] -= gain * share


@njit(nogil=True, cache=True)
def _solve(factor, gains, size, values, signal):  # pragma: no cover (compiled)
    """L^T values = gains, from the last one up."""
    for place in range(size - 1, -1, -1):
        total = np.float64(gains[place])
        for later in range(place + 1, size):
            total -= np.float64(factor[later, place]) * np.float64(values[signal, later])
        values[signal, place] = total / factor[place, place]
