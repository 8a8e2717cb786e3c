"""K-SVD: a dictionary in which signals are sums of few atoms (Aharon, Elad & Bruckstein 2006)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from compress.progress import Reporter, no_report
from compress.settings import MOST_SEED, Settings, setting
from compress.solvers.codes import Codes
from compress.solvers.dictionary import INITS, initial, normalised
from compress.solvers.nonnegative_omp import better_pair, positive
from compress.solvers.omp import has_numba
from compress.solvers.pursuit import SparseCoder
from compress.solvers.scale import in_original_units, ordinary

WORTH_COMPILED = 500  # coefficients; below, importing numba (half a second) costs more than it saves
DUPLICATE = 0.99  # |cosine| of two atoms from which one of them is replaced


@dataclass(frozen=True)
class KSVD(Settings):
    """Settings of dictionary learning."""

    atoms: int = setting(128, low=2, high=65536, help="Atoms of the dictionary.")
    nonzeros: int = setting(3, low=1, high=4096, help="Atoms that a signal may use.")
    iterations: int = setting(10, low=1, high=10000, help="Rounds of coding and update.")
    update: str = setting("approximate", choices=("approximate", "exact"),
                          help="One power step for each atom (Rubinstein et al. 2008), or its rank-1 SVD.")
    init: str = setting("data", choices=INITS, help="The initial dictionary: signals, cosines or random atoms.")
    replace: bool = setting(True, help="Put badly coded signals in the place of unused and duplicate atoms.")
    seed: int = setting(0, low=0, high=MOST_SEED,
                        help="Of the initial dictionary, of replacements and of the order of mini-batches.")
    batch: int = setting(0, low=0, high=10**9, help="Signals that are coded between two updates of the atoms; 0 for all.")
    nonnegative: bool = setting(False, help="Neither atoms nor coefficients have negative numbers.")


@dataclass(frozen=True, eq=False)
class State:
    """The dictionary after an iteration.

    Attributes:
        atoms: (count, features), of norm 1.
        codes: of all signals, as updated together with the atoms.
        error: squared norm of the residual over that of the signals.
        usage: (count,) int64, the number of signals that use each atom.

    With mini-batches, codes and error are those of each batch before the atoms were updated with it: an error on signals
    that were not yet learned from, and codes for dictionaries of different moments.
    """

    iteration: int
    atoms: Tensor
    codes: Codes
    error: float
    usage: Tensor

    @property
    def mean_nonzeros(self) -> float:
        """The mean number of atoms of a signal."""
        return float(self.codes.nnz.double().mean())


def learn(signals: Tensor, settings: KSVD, initial_atoms: Tensor | None = None,
          report: Reporter = no_report) -> Iterator[State]:
    """Learns a dictionary and yields one State for each iteration.

    An iteration codes all signals by OMP, then updates every atom together with its coefficients, one atom after another.

    Args:
        signals: (n, features), float32 or float64, finite, of any scale.
        initial_atoms: (count, features), used in the place of settings.init.

    Raises:
        ValueError: NaN or infinity among the signals or the initial atoms.
    """
    signals, exponent = ordinary("K-SVD", "signals", signals)
    if initial_atoms is None:
        initial_atoms = initial(signals, settings.atoms, settings.init, settings.seed)
    atoms = normalised(initial_atoms)
    atoms = positive(atoms) if settings.nonnegative else atoms
    total = float(signals.double().square().sum()) or 1.0
    generator, previous_energy = torch.Generator().manual_seed(settings.seed), atoms.new_zeros(len(atoms))
    for iteration in range(1, settings.iterations + 1):
        report((iteration - 1) / settings.iterations, f"K-SVD, iteration {iteration} of {settings.iterations}")
        atoms, codes, residual = _iterated(signals, atoms, settings, previous_energy, generator)
        error = float(torch.linalg.vector_norm(residual, dtype=torch.float64)) ** 2 / total
        usage = torch.bincount(codes.indices[codes.coefficients != 0], minlength=len(atoms))
        yield State(iteration, atoms, _unscaled(codes, exponent), error, usage)
        if settings.replace and iteration < settings.iterations:
            before, atoms = atoms, replaced(signals, atoms, residual, usage, settings.nonnegative)
            previous_energy[(before != atoms).any(1)] = 0


def _unscaled(codes: Codes, exponent: int) -> Codes:
    """Codes of signals that were scaled by 2^-exponent, for the signals as they were given."""
    return codes if not exponent else Codes(codes.indices, in_original_units(codes.coefficients, exponent, "K-SVD"))


def _iterated(signals: Tensor, atoms: Tensor, settings: KSVD, previous_energy: Tensor, generator: torch.Generator
              ) -> tuple[Tensor, Codes, Tensor]:
    """One iteration over all signals, at once or in mini-batches: (atoms, codes, residual).

    An update from one mini-batch alone would forget the batches before it. Each atom is therefore weighted in its update
    by the energy of its coefficients in about the last full pass: `previous_energy` (count,), changed in place, is the sum
    of squared coefficients with the forgetting factor 1 - batch / n.
    """
    coder, count = SparseCoder(settings.nonzeros, nonnegative=settings.nonnegative), len(signals)
    if not 0 < settings.batch < count:
        return updated(signals, atoms, coder(signals, atoms), settings.update, settings.nonnegative)
    order = torch.randperm(count, generator=generator).to(signals.device)
    shuffled, back, parts, residuals = signals[order], order.argsort(), [], []
    for batch in shuffled.split(settings.batch):
        codes = coder(batch, atoms)
        parts.append(codes)
        residuals.append(batch - codes.decode(atoms))
        atoms, codes, _ = updated(batch, atoms, codes, settings.update, settings.nonnegative, previous_energy,
                                  residuals[-1])
        used = codes.indices >= 0
        previous_energy.index_add_(0, codes.indices[used], codes.coefficients[used].square()).mul_(1 - len(batch) / count)
    indices, coefficients = torch.cat([part.indices for part in parts]), torch.cat([part.coefficients for part in parts])
    return atoms, Codes(indices[back], coefficients[back]), torch.cat(residuals)[back]


def updated(signals: Tensor, atoms: Tensor, codes: Codes, update: str, nonnegative: bool = False,
            previous_energy: Tensor | None = None, residual: Tensor | None = None) -> tuple[Tensor, Codes, Tensor]:
    """One pass over all atoms that are used: (atoms, codes, residual (n, features)); the supports do not change.

    For an atom d with coefficients g on the m signals that use it, let E (m, features) be the residual without the atom:
        |E - g d^T|^2 = |E|^2 - 2 g^T E d + |g|^2 for |d| = 1, so for fixed g the best d is E^T g / |E^T g|, and for fixed d
        the best g is E d. The approximate update does each once; the exact one takes the first singular pair of E.
        With a = previous_energy, d' maximises g^T E d' + a d^T d' (exact: |E d'|^2 + a (d^T d')^2). As d^T d' <= 1, the
        first term is no less than for d: the step is shorter, and still cannot raise the error.

    Args:
        previous_energy: (count,), the weight of each atom in its own update; 0 by default.
        residual: signals - codes.decode(atoms), where the caller has it already.
    """
    atoms, coefficients = atoms.clone(), codes.coefficients.clone()
    energy = atoms.new_zeros(len(atoms)) if previous_energy is None else previous_energy
    plain = update == "approximate" and not nonnegative
    if plain and signals.device.type == "cpu" and coefficients.numel() >= WORTH_COMPILED and has_numba():
        return _improved_compiled(signals, atoms, Codes(codes.indices, coefficients), energy, residual)
    residual = signals - codes.decode(atoms) if residual is None else residual.clone()
    rows, slots = (codes.indices >= 0).nonzero(as_tuple=True)
    owners = codes.indices[rows, slots]
    order = owners.argsort(stable=True)
    rows, slots, counts = rows[order], slots[order], torch.bincount(owners, minlength=len(atoms)).tolist()
    _improve(atoms, coefficients, residual, rows.split(counts), slots.split(counts), energy, update, nonnegative)
    return atoms, Codes(codes.indices, coefficients), residual


def _improved_compiled(signals: Tensor, atoms: Tensor, codes: Codes, previous_energy: Tensor,
                       residual: Tensor | None) -> tuple[Tensor, Codes, Tensor]:
    """updated() by numba; atoms and coefficients change in place."""
    from compress.solvers.ksvd_numba import improve

    before = None if residual is None else residual.clone().numpy()
    left = improve(signals.contiguous().numpy(), atoms.numpy(), codes.indices.contiguous().numpy(),
                   codes.coefficients.numpy(), previous_energy.numpy(), before)
    return atoms, codes, torch.from_numpy(left)


def _improve(atoms: Tensor, coefficients: Tensor, residual: Tensor, rows: Sequence[Tensor], slots: Sequence[Tensor],
             previous_energy: Tensor, update: str, nonnegative: bool) -> None:
    """Updates every atom in place, with torch. The coefficients of atom j are coefficients[rows[j], slots[j]]."""
    for atom, (atom_rows, atom_slots) in enumerate(zip(rows, slots, strict=True)):
        if not len(atom_rows):
            continue
        weights = coefficients[atom_rows, atom_slots]
        without = residual[atom_rows].addr_(weights, atoms[atom])  # E = R + g d^T
        if nonnegative:
            atoms[atom], weights = better_pair(without, weights, atoms[atom], previous_energy[atom], update)
        elif update == "exact":
            atoms[atom] = _first_direction(without, atoms[atom], previous_energy[atom])
            weights = without @ atoms[atom]
        else:
            direction = weights @ without + previous_energy[atom] * atoms[atom]
            norm = direction.norm()
            if float(norm) > 0:
                atoms[atom] = direction / norm
            weights = without @ atoms[atom]
        coefficients[atom_rows, atom_slots] = weights
        residual[atom_rows] = without.addr_(weights, atoms[atom], alpha=-1)


def _first_direction(rows: Tensor, atom: Tensor, previous_energy: Tensor) -> Tensor:
    """(features,): the first right singular vector v of S, the rows (m, features) with sqrt(previous_energy) d^T below them.

    From the smaller Gram matrix in float64, which for one vector is as exact as an SVD of S and several times faster: v is
    the last eigenvector of S^T S, or S^T u / |S^T u| with u the last eigenvector of S S^T. The sign is chosen so that
    v^T d >= 0: otherwise an atom's picture would flip between black and white.
    """
    stacked = torch.cat([rows, previous_energy.sqrt() * atom[None]]).double()
    if len(stacked) > stacked.shape[1]:
        found = torch.linalg.eigh(stacked.mT @ stacked, UPLO="U").eigenvectors[:, -1]
    else:
        found = torch.linalg.eigh(stacked @ stacked.mT, UPLO="U").eigenvectors[:, -1] @ stacked
    norm, sign = float(found.norm()), -1.0 if float(found @ atom.double()) < 0 else 1.0
    return (found * (sign / norm)).to(rows) if norm > 0 else atom


def replaced(signals: Tensor, atoms: Tensor, residual: Tensor, usage: Tensor, nonnegative: bool = False) -> Tensor:
    """Unused atoms, and the less used of two nearly equal atoms, are replaced by the signals with the largest residuals."""
    unit = normalised(atoms)
    alike = ((unit @ unit.mT).abs() > DUPLICATE).fill_diagonal_(False)
    if not bool(alike.any()) and bool(usage.all()):
        return atoms
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
