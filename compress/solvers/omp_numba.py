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
neither be used from two threads at once nor survive a fork. A thread computes the correlations of a block of signals itself
and then codes them: one product of all signals would go to memory and back, and all threads would wait for its last part.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import Any

import numpy as np

from compress.home import cache_folder

os.environ.setdefault("NUMBA_CACHE_DIR", str(cache_folder() / "numba"))  # numba reads it when it is imported

from numba import njit
from numba.extending import intrinsic

ATOMS = 16  # their number is a multiple of this one, so that vector instructions leave no remainder
CONFLICT = 512  # atoms at which numbers of one column would take each other's place in the cache
ROWS = 64  # signals of a block, whose correlations stay in a core's cache
BLOCK_NUMBERS = 65_536  # the most of these correlations, where there are many atoms
FEATURES = 16  # features that are multiplied at a time: those of all atoms stay in the cache from signal to signal
THREAD_WORK = 2_000_000  # signals x atoms x non-zeros that are worth a thread: about a millisecond


def filled_up(count: int) -> int:
    """The number of atoms that the kernel takes in the place of `count`: the others are zero."""
    multiple = count + -count % ATOMS
    return multiple if multiple % CONFLICT else multiple + ATOMS


def pursue(signals: np.ndarray, atoms: np.ndarray, scale: np.ndarray, gram: np.ndarray, tolerances: np.ndarray,
           nonzeros: int, dependent: float, rounding: float, threads: int) -> tuple[np.ndarray, np.ndarray]:
    """Codes of a chunk of signals.

    Args:
        signals: (n, features), float32 or float64, contiguous.
        atoms: (count, features) of norm 1 or 0, of the same type; as many as filled_up() says (0 is never chosen).
        scale: (count,), of the same type, by which the coefficients are multiplied.
        gram: (count, count) of the atoms, of the same type.
        tolerances: (n,) float64, norms of residuals at which signals are done.
        dependent: squared distance of an atom from the span of the chosen atoms, up to which it adds nothing.
        rounding: correlations that differ by no more than this share of the signal's norm count as equal, and a residual
            whose squared norm is at most this share of the signal's is none.

    Returns:
        indices (n, nonzeros) int64, padded with -1, and coefficients (n, nonzeros) in the given type, padded with 0.
    """
    count, columns = len(signals), _columns(atoms)
    indices, coefficients = np.full((count, nonzeros), -1, np.int64), np.zeros((count, nonzeros), signals.dtype)
    pieces = max(1, min(4 * threads, count * len(gram) * nonzeros // THREAD_WORK)) if threads > 1 else 1
    bounds = [count * piece // pieces for piece in range(pieces + 1)]
    waiting = iter(range(pieces))  # shared by all threads: each takes the next piece when it has finished one

    def work() -> None:
        for piece in waiting:
            rows = slice(bounds[piece], bounds[piece + 1])
            _pursue(signals[rows], columns, scale, gram, tolerances[rows], dependent, rounding, indices[rows],
                    coefficients[rows])

    helpers = [_pool(os.getpid(), threads - 1).submit(work) for _ in range(threads - 1)] if pieces > 1 else []
    work()
    for helper in helpers:
        if not helper.cancel():  # a helper that has not begun finds no piece left
            helper.result()
    return indices, coefficients


def _columns(atoms: np.ndarray) -> np.ndarray:
    """(features, count): the atoms side by side; filled up with zero features to a multiple of 4."""
    columns = np.zeros((atoms.shape[1] + -atoms.shape[1] % 4, len(atoms)), atoms.dtype)
    columns[:atoms.shape[1]] = atoms.T
    return columns


@lru_cache(maxsize=1)
def _pool(process: int, helpers: int) -> ThreadPoolExecutor:
    """Helper threads that are reused: a new thread often starts on the caller's core. One pool for each process, because
    threads do not survive a fork."""
    return ThreadPoolExecutor(helpers)


@njit(nogil=True, cache=True)
def _pursue(signals: np.ndarray, columns: np.ndarray, scale: np.ndarray, gram: np.ndarray, tolerances: np.ndarray,
            dependent: float, rounding: float, indices: np.ndarray,
            coefficients: np.ndarray) -> None:  # pragma: no cover (compiled)
    """Codes every signal; fills the rows of indices and coefficients. Rows are passed by number, not as views: numba counts
    references to views, and the threads would wait for each other."""
    nonzeros, count = indices.shape[1], len(gram)
    most = max(4, min(ROWS, len(signals), BLOCK_NUMBERS // count)) + 3 & -4
    block = np.zeros((most, len(columns)), gram.dtype)
    correlations, energies = np.empty((most, count), gram.dtype), np.empty(most)
    shares = np.empty((nonzeros, count), gram.dtype)  # P
    factor = np.empty((nonzeros, nonzeros), gram.dtype)  # L, lower triangle
    gains = np.empty(nonzeros, gram.dtype)  # z
    partial, numbers = np.empty((2, count), gram.dtype), np.empty(2, gram.dtype)  # `numbers`: those of this type
    for first in range(0, len(signals), most):
        rows = min(most, len(signals) - first)
        for row in range(rows):
            energies[row] = _copied(signals, first + row, block, row)
        _multiply(block, rows, columns, correlations)
        for row in range(rows):
            size: Any = np.int64(0)  # as in _subtract_direction()
            left = energies[row]
            least = max(rounding * left, tolerances[first + row] ** 2)
            numbers[0] = rounding * left ** 0.5
            largest = _largest(correlations, row)
            while size < nonzeros and left > least:
                best = _first_of_the_largest(correlations, row, largest - numbers[0])
                if correlations[row, best] == 0 or not _extend_factor(best, size, shares, factor, dependent, indices,
                                                                      first + row):
                    break
                gain = correlations[row, best] / factor[size, size]
                indices[first + row, size], gains[size] = best, gain
                left -= np.float64(gain) * np.float64(gain)
                if size + 1 < nonzeros and left > least:
                    numbers[1] = 1 / factor[size, size]
                    largest = _subtract_direction(gram, best, shares, factor, size, numbers[1], partial, correlations, row,
                                                  gain)
                size += 1
            _solve(factor, gains, size, scale, indices, coefficients, first + row)


@njit(nogil=True, fastmath={"contract", "reassoc"})
def _copied(signals: np.ndarray, signal: int, block: np.ndarray, row: int) -> float:  # pragma: no cover (compiled)
    """Copies a signal into the block, and returns its squared norm."""
    energy = 0.0
    for feature in range(signals.shape[1]):
        block[row, feature] = signals[signal, feature]
        energy += np.float64(signals[signal, feature]) * np.float64(signals[signal, feature])
    return energy


@njit(nogil=True, fastmath={"contract"})
def _multiply(block: np.ndarray, rows: int, columns: np.ndarray,
              products: np.ndarray) -> None:  # pragma: no cover (compiled)
    """products = block times all atoms. Four signals and four features go together: 16 products for each load of 8 numbers.
    Every product is summed in the same order, so that equal atoms have equal correlations, whatever the block."""
    products[:rows + 3 & -4] = 0
    for start in range(0, len(columns), FEATURES):
        for row in range(0, rows, 4):
            for one in range(start, min(start + FEATURES, len(columns)), 4):
                two, three, four = one + 1, one + 2, one + 3
                a, b, c, d = block[row, one], block[row, two], block[row, three], block[row, four]
                e, f, g, h = block[row + 1, one], block[row + 1, two], block[row + 1, three], block[row + 1, four]
                i, j, k, m = block[row + 2, one], block[row + 2, two], block[row + 2, three], block[row + 2, four]
                n, o, p, q = block[row + 3, one], block[row + 3, two], block[row + 3, three], block[row + 3, four]
                for atom in range(columns.shape[1]):
                    w, x, y, z = columns[one, atom], columns[two, atom], columns[three, atom], columns[four, atom]
                    products[row, atom] += a * w + b * x + c * y + d * z
                    products[row + 1, atom] += e * w + f * x + g * y + h * z
                    products[row + 2, atom] += i * w + j * x + k * y + m * z
                    products[row + 3, atom] += n * w + o * x + p * y + q * z


def _choose_larger(typing_context: Any, one: Any, other: Any) -> Any:
    """For numba: the larger of two numbers of one type, not NaN. With max() or a comparison, the choice has no flag "no
    NaN", and the compiler then seeks the largest number of a row one number at a time."""
    def choose(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        flags = ("nnan", "nsz")
        return builder.select(builder.fcmp_ordered(">", *values, flags=flags), *values, flags=flags)

    return one(one, other), choose


_larger: Any = intrinsic(_choose_larger)


@njit(nogil=True)
def _largest(correlations: np.ndarray, row: int) -> float:  # pragma: no cover (compiled)
    """The largest magnitude of a row."""
    largest = abs(correlations[row, 0])
    for atom in range(correlations.shape[1]):
        largest = _larger(largest, abs(correlations[row, atom]))
    return largest


@njit(nogil=True)
def _first_of_the_largest(correlations: np.ndarray, row: int, least: float) -> int:  # pragma: no cover (compiled)
    """The first atom whose correlation has at least this magnitude. All are compared: a loop that could end earlier would
    compare one at a time."""
    found = correlations.shape[1]
    for atom in range(correlations.shape[1]):
        place = atom if abs(correlations[row, atom]) >= least else correlations.shape[1]
        found = place if place < found else found
    return found


@njit(nogil=True)
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


@njit(nogil=True)
def _subtract_direction(gram: np.ndarray, best: int, shares: np.ndarray, factor: np.ndarray, size: int, inverse: float,
                        partial: np.ndarray, correlations: np.ndarray, row: int,
                        gain: float) -> float:  # pragma: no cover (compiled)
    """Writes the new row of P, subtracts the gain times this row from the signal's correlations and returns the largest that
    is left. Four rows of P go together, and the last ones with all that follows, because loading and storing take longer
    than computing."""
    done: Any = np.int64(0)  # numba compiles a function anew for each constant that it is given
    if size <= 4:
        return _subtract_last(gram, best, shares, factor, size, done, inverse, correlations, row, gain)
    line = done
    _subtract_four(gram, best, shares, factor, size, done, partial, line)
    done += 4
    while size - done > 4:
        _subtract_four(partial, line, shares, factor, size, done, partial, 1 - line)
        done, line = done + 4, 1 - line
    return _subtract_last(partial, line, shares, factor, size, done, inverse, correlations, row, gain)


@njit(nogil=True, fastmath={"contract"})
def _subtract_four(source: np.ndarray, line: int, shares: np.ndarray, factor: np.ndarray, size: int, done: int,
                   partial: np.ndarray, into: int) -> None:  # pragma: no cover (compiled)
    """A row of `partial` becomes a row of the source less four rows of P; another row, as vector instructions need."""
    a, b, c, d = factor[size, done], factor[size, done + 1], factor[size, done + 2], factor[size, done + 3]
    for atom in range(source.shape[1]):
        partial[into, atom] = source[line, atom] - (a * shares[done, atom] + b * shares[done + 1, atom]
                                                 + c * shares[done + 2, atom] + d * shares[done + 3, atom])


@njit(nogil=True, fastmath={"contract"})
def _subtract_last(source: np.ndarray, line: int, shares: np.ndarray, factor: np.ndarray, size: int, done: int,
                   inverse: float, correlations: np.ndarray, row: int, gain: float) -> float:  # pragma: no cover (compiled)
    """A row of the source less the last none to four rows of P, divided by L_tt, is the new row of P."""
    count, last, largest = source.shape[1], size - done, gain - gain  # a zero of the numbers' type
    a, b = factor[size, done], factor[size, min(done + 1, size)]
    c, d = factor[size, min(done + 2, size)], factor[size, min(done + 3, size)]
    if last == 0:
        for atom in range(count):
            share = source[line, atom] * inverse
            largest = _larger(largest, _moved(shares, size, correlations, row, atom, share, gain))
    elif last == 1:
        for atom in range(count):
            share = (source[line, atom] - a * shares[done, atom]) * inverse
            largest = _larger(largest, _moved(shares, size, correlations, row, atom, share, gain))
    elif last == 2:
        for atom in range(count):
            share = (source[line, atom] - (a * shares[done, atom] + b * shares[done + 1, atom])) * inverse
            largest = _larger(largest, _moved(shares, size, correlations, row, atom, share, gain))
    elif last == 3:
        for atom in range(count):
            share = (source[line, atom] - (a * shares[done, atom] + b * shares[done + 1, atom]
                                           + c * shares[done + 2, atom])) * inverse
            largest = _larger(largest, _moved(shares, size, correlations, row, atom, share, gain))
    else:
        for atom in range(count):
            share = (source[line, atom] - (a * shares[done, atom] + b * shares[done + 1, atom]
                                           + c * shares[done + 2, atom] + d * shares[done + 3, atom])) * inverse
            largest = _larger(largest, _moved(shares, size, correlations, row, atom, share, gain))
    return largest


@njit(nogil=True, fastmath={"contract"})
def _moved(shares: np.ndarray, size: int, correlations: np.ndarray, row: int, atom: int, share: float,
           gain: float) -> float:  # pragma: no cover (compiled)
    """Writes one number of the new row of P, moves the correlation and returns its magnitude."""
    shares[size, atom] = share
    left = correlations[row, atom] - gain * share
    correlations[row, atom] = left
    return abs(left)


@njit(nogil=True)
def _solve(factor: np.ndarray, gains: np.ndarray, size: int, scale: np.ndarray, indices: np.ndarray,
           coefficients: np.ndarray, signal: int) -> None:  # pragma: no cover (compiled)
    """Solves L^T x = z by back substitution, and multiplies by the atoms' scale."""
    for place in range(size - 1, -1, -1):
        total = np.float64(gains[place])
        for later in range(place + 1, size):
            total -= np.float64(factor[later, place]) * np.float64(coefficients[signal, later])
        coefficients[signal, place] = total / factor[place, place]
    for place in range(size):
        coefficients[signal, place] *= scale[indices[signal, place]]
