"""Sparse codes and atoms without negative numbers: sums of parts, for images, counts and spectra.

Codes are found by non-negative orthogonal matching pursuit (Bruckstein, Elad & Zibulevsky 2008) as an active-set method
(Nguyen, Soussen, Idier & Djermoune 2019): the algorithm of Lawson & Hanson (1974) for non-negative least squares, stopped
at a number of atoms. Atoms are updated as in the non-negative K-SVD (Aharon, Elad & Bruckstein 2005).
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from compress.progress import Reporter, no_report
from compress.solvers.codes import Codes
from compress.solvers.dictionary import normalised
from compress.solvers.omp import check_sizes, scaled_tolerance, unscaled
from compress.solvers.scale import ordinary_rows

CHUNK_NUMBERS = 4_000_000  # correlations and small Gram matrices in memory at a time
DEPENDENT = 1e-5  # distance of a normalised atom from the span of the others, below which the atom is left out
STEPS = 3  # steps for each non-zero, because some atoms are removed again; Lawson & Hanson's limit
SWEEPS = {"approximate": 1, "exact": 30}  # alternations of atom and coefficients: the best pair has no closed form


def omp_nonnegative(signals: Tensor, atoms: Tensor, nonzeros: int, tolerance: float = 0.0,
                    report: Reporter = no_report) -> Codes:
    """Codes each signal by at most `nonzeros` atoms with positive coefficients, least squares for the chosen atoms.

    A step chooses the atom with the largest positive correlation with the residual and solves for the coefficients of all
    chosen atoms; atoms whose coefficients would become negative are removed. With as many non-zeros as atoms, the result is
    the non-negative least-squares solution: by the conditions of Karush, Kuhn & Tucker, x >= 0 minimises |s - x D|^2 if and
    only if every atom's correlation with the residual is 0 where x_i > 0, and at most 0 where x_i = 0.

    Args:
        signals: (n, features), float32 or float64, finite, of any scale; they may have negative numbers.
        atoms: (count, features), of the same type, finite and of any norm; they may have negative numbers.
        nonzeros: the most atoms of a signal.
        tolerance: a signal whose residual has at most this norm gets no more atoms.

    Raises:
        ValueError: sizes or types that do not fit each other, NaN or infinity, coefficients beyond the type, or nonzeros or
            tolerance outside their range.
    """
    check_sizes(signals, atoms, nonzeros, tolerance)
    (signals, of_signals), (atoms, of_atoms) = ordinary_rows("OMP", "signals", signals), ordinary_rows("OMP", "atoms", atoms)
    limits = scaled_tolerance(tolerance, signals, of_signals)
    norms = atoms.norm(dim=1)
    scale = torch.where(norms > 0, 1 / norms, 0.0)
    unit = (atoms * scale[:, None]).double()
    gram = unit @ unit.mT
    rows, parts = max(1, CHUNK_NUMBERS // (len(atoms) + nonzeros ** 2)), []
    for number, (chunk, limit) in enumerate(zip(signals.split(rows), limits.split(rows), strict=True)):
        report(number * rows / max(1, len(signals)), "non-negative orthogonal matching pursuit")
        parts.append(_pursued(chunk.double(), unit, gram, nonzeros, limit))
    chosen = torch.cat([part.indices for part in parts])
    values = torch.cat([part.coefficients for part in parts]).to(signals.dtype) * scale[chosen.clamp_min(0)]
    return unscaled(Codes(chosen, values), of_signals, of_atoms)


def _pursued(signals: Tensor, unit: Tensor, gram: Tensor, nonzeros: int, tolerance: Tensor) -> Codes:
    """One chunk of signals, in float64: the small systems are solved from scratch at each step."""
    start, energies = signals @ unit.mT, signals.square().sum(1)
    chosen = torch.full((len(signals), nonzeros), -1, dtype=torch.int64, device=signals.device)
    values = signals.new_zeros(len(signals), nonzeros)
    noise = 1e-12 * energies.sqrt()  # correlations, and differences of correlations, below this are rounding errors
    enough = tolerance.square()
    live = torch.nonzero(energies > enough).flatten()
    for _ in range(STEPS * nonzeros):
        if not len(live):
            break
        support, weights = chosen[live], values[live]
        moved = functional.embedding_bag(support.clamp_min(0), gram, per_sample_weights=weights, mode="sum")
        correlations = _without(start[live] - moved, support)
        top = correlations.amax(1, keepdim=True)
        best = (correlations >= top - noise[live, None]).int().argmax(1)  # of atoms equal up to rounding, the first
        useful = correlations.gather(1, best[:, None])[:, 0] > noise[live]
        slot = (support < 0).int().argmax(1)
        support, weights, best = support[useful], weights[useful], best[useful]
        support.scatter_(1, slot[useful, None], best[:, None])
        live = live[useful]
        support, weights, kept = _solved(support, weights, start[live], gram, best)
        live = live[kept]
        chosen[live], values[live] = support[kept], weights[kept]
        explained = (values[live] * start[live].gather(1, chosen[live].clamp_min(0))).sum(1)
        left = energies[live] - explained
        live = live[((chosen[live] < 0).any(1)) & (left > enough[live]) & (left > 1e-14 * energies[live])]
    order = (chosen < 0).int().argsort(dim=1, stable=True)
    return Codes(chosen.gather(1, order), values.gather(1, order))


def _without(correlations: Tensor, support: Tensor) -> Tensor:
    """The correlations, with -1 for chosen atoms, so that no atom is chosen twice."""
    padded = functional.pad(correlations, (0, 1))  # the extra column receives the -1 of empty places
    padded.scatter_(1, torch.where(support < 0, correlations.shape[1], support), -1.0)
    return padded[:, :-1]


def _solved(support: Tensor, weights: Tensor, start: Tensor, gram: Tensor, newest: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The inner loop of Lawson & Hanson: from coefficients x >= 0 towards the least-squares solution z of the chosen atoms.

    On the segment x + a (z - x), 0 <= a <= 1, the convex squared error falls. Coefficient i with z_i <= 0 reaches zero at
    a = x_i / (x_i - z_i); the step ends at the smallest of these a (at 1 if there is none), and the atoms at zero are
    removed. This repeats until z is positive.

    Returns:
        support, coefficients, and (n,) whether the newest atom stays; a signal whose newest atom does not stay is finished.
    """
    kept = torch.ones(len(support), dtype=torch.bool, device=support.device)
    open_ = torch.arange(len(support), device=support.device)
    for _ in range(support.shape[1] + 1):
        if not len(open_):
            break
        chosen, now = support[open_], weights[open_]
        wanted, sound = _least_squares(chosen, start[open_], gram)
        bad = (chosen >= 0) & (wanted <= 0)
        bad_newest = (bad & (chosen == newest[open_, None])).any(1)
        kept[open_[~sound | bad_newest]] = False
        going = sound & ~bad_newest
        open_, chosen, now, wanted, bad = open_[going], chosen[going], now[going], wanted[going], bad[going]
        share = torch.where(bad, now / (now - wanted).clamp_min(1e-300), torch.inf)
        step = share.amin(1, keepdim=True).clamp_max(1.0)
        leaves = bad & (share <= step)
        weights[open_] = (now + step * (wanted - now)).masked_fill(leaves, 0.0).clamp_min(0.0)
        support[open_] = chosen.masked_fill(leaves, -1)
        open_ = open_[leaves.any(1)]
    return support, weights, kept


def _least_squares(chosen: Tensor, start: Tensor, gram: Tensor) -> tuple[Tensor, Tensor]:
    """(n, k) least-squares coefficients of the chosen atoms, 0 in empty places; (n,) whether the atoms are independent."""
    places, empty = chosen.clamp_min(0), chosen < 0
    small = gram[places[:, :, None], places[:, None, :]]
    small = small.masked_fill(empty[:, :, None] | empty[:, None, :], 0.0) + torch.diag_embed(empty.to(small.dtype))
    factor, failed = torch.linalg.cholesky_ex(small)
    sound = (failed == 0) & (factor.diagonal(dim1=1, dim2=2).amin(1) > DEPENDENT)
    factor = torch.where(sound[:, None, None], factor, torch.eye(chosen.shape[1], dtype=factor.dtype, device=factor.device))
    aims = start.gather(1, places).masked_fill(empty, 0.0)
    return torch.cholesky_solve(aims[:, :, None], factor)[:, :, 0], sound


def positive(atoms: Tensor) -> Tensor:
    """Atoms of norm 1 without negative numbers: the positive part of each atom, or of its negative if that is zero."""
    upper = atoms.clamp_min(0)
    return normalised(torch.where((upper > 0).any(1, keepdim=True), upper, -atoms))


def better_pair(without: Tensor, weights: Tensor, atom: Tensor, previous_energy: Tensor | float,
                update: str) -> tuple[Tensor, Tensor]:
    """An atom d >= 0 of norm 1 and coefficients g >= 0 with |E - g d^T| no larger than before.

    As |E - g d^T|^2 = |E|^2 - 2 g^T E d + |g|^2, for fixed g the best d maximises (g^T E) d over d >= 0 of norm 1, which is
    the positive part of E^T g, normalised; for fixed d, each coefficient g_i is best at max(0, (E d)_i). previous_energy
    damps the step as in ksvd.updated().

    Args:
        without: E (m, features), the residual of the signals that use the atom, without the atom.
        weights: g (m,).
        update: "approximate" (one alternation) or "exact" (until d stops changing).
    """
    for _ in range(SWEEPS[update]):
        aim = (weights @ without + previous_energy * atom).clamp_min(0)
        norm = aim.norm()
        if not float(norm) > 0:
            break
        moved = aim / norm
        weights, still = (without @ moved).clamp_min(0), bool((moved - atom).abs().max() < 1e-6)
        atom = moved
        if still:
            break
    return atom, weights
