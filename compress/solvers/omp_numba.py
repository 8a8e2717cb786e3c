"""Orthogonal matching pursuit on a CPU's cores, compiled by numba: used by omp.py where numba is installed.

Signals are coded one after another, so that the numbers of a signal stay in the cache. Batch-OMP (Rubinstein, Zibulevsky &
Elad 2008) in the order of Gram-Schmidt: let the chosen atoms d_1, ..., d_t be A = L Q with orthonormal rows q_k of Q and L
lower triangular, and let row k of P hold the correlations d_j^T q_k of all atoms j with q_k. Then
    L: the row of a new atom j is P_{<t,j}, L_tt = sqrt(1 - |P_{<t,j}|^2), as d_j = sum_k (d_j^T q_k) q_k and |d_j| = 1;
    P: q_t = (d_t - sum_{k<t} L_tk q_k) / L_tt, so its row t is (G_t - sum_{k<t} L_tk P_k) / L_tt with Gram rows G;
    the residual r loses its share of q_t, the gain z_t = q_t^T r = d_t^T r / L_tt (r is orthogonal to q_k, k < t), so that
    all correlations change by -z_t P_t and |r|^2 by -z_t^2; at the end A^T x = Q^T z gives the coefficients, L^T x = z.
A step reads one row of the Gram matrix and the short P; one triangular system is solved at the end.

Signals are divided among plain threads, because the kernels release the interpreter's lock: numba's own threads can
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
THREAD_WORK = 2_000_000  # signals x atoms x non-zeros that are worth a thread: about a millisecond


def pursue(correlations: np.ndarray, gram: np.ndarray, energies: np.ndarray, least: np.ndarray, nonzeros: int,
           dependent: float, tie: float, threads: int) -> tuple[np.ndarray, np.ndarray]:
    """Codes of a chunk of signals.

    Args:
        correlations: (n, count) of signals and atoms of norm 1, float32 or float64, contiguous; overwritten.
        gram: (count, count) of the atoms, of the same type; count is a multiple of BLOCK (zero atoms are never chosen).
        energies: (n,) float64, squared norms of the signals.
        least: (n,) float64, squared norms of residuals at which signals are done.
        dependent: squared distance of an atom from the span of the chosen atoms, up to which it adds nothing.
        tie: correlations that differ by no more than this share of the signal's norm count as equal.

    Returns:
        indices (n, nonzeros) int64, padded with -1, and coefficients (n, nonzeros) in the given type, padded with 0.
    """
    count = len(correlations)
    indices, coefficients = np.full((count, nonzeros), -1, np.int64), np.zeros((count, nonzeros), correlations.dtype)
    pieces = max(1, min(4 * threads, count * len(gram) * nonzeros // THREAD_WORK)) if threads > 1 else 1
    bounds = [count * piece // pieces for piece in range(pieces + 1)]

    waiting = iter(range(pieces))  # shared by all threads: each takes the next piece when it has finished one

    def work() -> None:
        for piece in waiting:
            rows = slice(bounds[piece], bounds[piece + 1])
            _pursue(correlations[rows], gram, energies[rows], least[rows], dependent, tie, indices[rows], coefficients[rows])

    if pieces == 1:
        work()
    else:
        helpers = [_pool(os.getpid(), threads - 1).submit(work) for _ in range(threads - 1)]
        work()
        for helper in helpers:
            if not helper.cancel():  # a helper that has not begun finds no piece left
                helper.result()
    return indices, coefficients


@lru_cache(maxsize=1)
def _pool(process: int, helpers: int) -> ThreadPoolExecutor:
    """Helper threads that are reused: a new thread often starts on the caller's core. One pool for each process, because
    threads do not survive a fork."""
    return ThreadPoolExecutor(helpers)


@njit(nogil=True, cache=True)
def _pursue(correlations: np.ndarray, gram: np.ndarray, energies: np.ndarray, least: np.ndarray, dependent: float,
            tie: float, indices: np.ndarray, coefficients: np.ndarray) -> None:  # pragma: no cover (compiled)
    """Codes every signal; fills the rows of indices and coefficients. Rows are passed by number, not as views: numba counts
    references to views, and the threads would wait for each other."""
    nonzeros, count = indices.shape[1], len(gram)
    shares = np.empty((nonzeros, count), gram.dtype)  # P
    factor = np.empty((nonzeros, nonzeros), gram.dtype)  # L, lower triangle
    gains = np.empty(nonzeros, gram.dtype)  # z
    tops = np.empty(count // BLOCK, gram.dtype)
    slack = np.empty(1, gram.dtype)  # an array, to have its type
    blocks = correlations.reshape(len(correlations), len(tops), BLOCK)
    for signal in range(len(correlations)):
        left, size = energies[signal], 0
        slack[0] = tie * left ** 0.5
        while size < nonzeros and left > least[signal]:
            best = _first_of_the_largest(blocks, signal, tops, slack[0])
            if correlations[signal, best] == 0 or not _extend_factor(best, size, shares, factor, dependent, indices, signal):
                break
            gain = correlations[signal, best] / factor[size, size]
            indices[signal, size], gains[size] = best, gain
            left -= np.float64(gain) * np.float64(gain)
            if size + 1 < nonzeros and left > least[signal]:
                _extend_shares(gram, best, shares, factor, size)
                _subtract_direction(correlations, signal, shares, size, 1 / factor[size, size], gain)
            size += 1
        _solve(factor, gains, size, coefficients, signal)


@njit(nogil=True, cache=True, fastmath={"nnan", "nsz"})
def _first_of_the_largest(blocks: np.ndarray, signal: int, tops: np.ndarray,
                          slack: float) -> int:  # pragma: no cover (compiled)
    """The first atom whose correlation is the largest in magnitude, up to slack, found in the first block that has it. The
    flag "nnan" (no NaN) lets the compiler compare several numbers at a time."""
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
def _extend_factor(best: int, size: int, shares: np.ndarray, factor: np.ndarray, dependent: float, indices: np.ndarray,
                   signal: int) -> bool:  # pragma: no cover (compiled)
    """Writes the new atom's row of L; False if the atom is chosen already, or in the span of the chosen atoms."""
    distance = 1.0
    for place in range(size):
        if indices[signal, place] == best:
            return False
        share = shares[place, best]
        factor[size, place] = share
        distance -= np.float64(share) * np.float64(share)
    factor[size, size] = max(distance, dependent) ** 0.5
    return distance > dependent


@njit(nogil=True, cache=True, fastmath={"contract"})
def _extend_shares(gram: np.ndarray, best: int, shares: np.ndarray, factor: np.ndarray,
                   size: int) -> None:  # pragma: no cover (compiled)
    """Writes the new row of P, not yet divided by L_tt. Four rows are subtracted together, because loading and storing take
    longer than computing; the remaining one to three rows are subtracted together with reading the Gram matrix's row."""
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
def _subtract_direction(correlations: np.ndarray, signal: int, shares: np.ndarray, size: int, inverse: float,
                        gain: float) -> None:  # pragma: no cover (compiled)
    """Divides the new row of P by L_tt, and subtracts the gain times this row from the signal's correlations."""
    for atom in range(shares.shape[1]):
        share = shares[size, atom] * inverse
        shares[size, atom] = share
        correlations[signal, atom] -= gain * share


@njit(nogil=True, cache=True)
def _solve(factor: np.ndarray, gains: np.ndarray, size: int, coefficients: np.ndarray,
           signal: int) -> None:  # pragma: no cover (compiled)
    """Solves L^T x = z by back substitution."""
    for place in range(size - 1, -1, -1):
        total = np.float64(gains[place])
        for later in range(place + 1, size):
            total -= np.float64(factor[later, place]) * np.float64(coefficients[signal, later])
        coefficients[signal, place] = total / factor[place, place]
