"""Dictionaries for data: learned by K-SVD, or one of the dictionaries to compare with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from compress.files.quantised import components_for
from compress.progress import DictionarySoFar, Reporter
from compress.solvers.dictionary import INITS, initial, minibatch_dictionary
from compress.solvers.ksvd import KSVD, State, learn
from compress.solvers.nonnegative_omp import positive
from compress.solvers.svd import principal

SOURCES = ("ksvd", "sklearn", *INITS, "components")
MOST_SIGNALS = 50_000  # for learning a dictionary; a random part if there are more


@dataclass(frozen=True)
class Source:
    """How a dictionary is made.

    Attributes:
        kind: "ksvd", "sklearn", or one of dictionary.INITS.
        signal_shape: the shape of a signal before it was flattened, for "dct" (see dictionary.dct_atoms).
        iterations: of K-SVD, or passes of mini-batches; atoms, batch, nonnegative, seed: settings of KSVD.
    """

    kind: str
    atoms: int
    iterations: int
    batch: int = 0
    nonnegative: bool = False
    seed: int = 0
    signal_shape: tuple[int, ...] | None = None

    def fixed(self, signals: Tensor, report: Reporter) -> Tensor | None:
        """The dictionary (atoms, features) if it is the same for every number of non-zeros; None for K-SVD."""
        if self.kind == "sklearn":
            atoms = minibatch_dictionary(self._some(signals), self.atoms, self.iterations, self.seed, report)
        elif self.kind in INITS:
            atoms = initial(signals, self.atoms, self.kind, self.seed, self.signal_shape)
        else:
            return None
        return positive(atoms) if self.nonnegative else atoms

    def learned(self, signals: Tensor, nonzeros: int, report: Reporter, unit: float = 1.0,
                images: Callable[[State], str] = lambda state: "",
                found: Callable[[Tensor], float] | None = None) -> tuple[Tensor, dict[str, Any]]:
        """Atoms learned by K-SVD, and the learning curve; `report` gets a DictionarySoFar after each iteration.

        Args:
            unit: factor of reported errors; images: the atoms of a state as encoded images.
            found: atoms (atoms, features) -> the share of planted atoms that they have recovered, if atoms were planted.

        Returns:
            atoms (atoms, features), and for each iteration "errors", the mean number of non-zeros "used", and the shares
            "found" if there are planted atoms.
        """
        learning: dict[str, Any] = {"errors": [], "used": [], **({"found": []} if found else {})}
        settings = KSVD(atoms=self.atoms, nonzeros=nonzeros, iterations=self.iterations, seed=self.seed, batch=self.batch,
                        nonnegative=self.nonnegative)
        for state in learn(self._some(signals), settings, report=report):
            learning["errors"].append(state.error * unit)
            learning["used"].append(state.mean_nonzeros)
            if found:
                learning["found"].append(found(state.atoms))
            so_far = DictionarySoFar(
                nonzeros, tuple(learning["errors"]), tuple(learning["used"]), tuple(learning.get("found", ())),
                tuple(state.usage.sort(descending=True).values.tolist()), images(state))
            report(state.iteration / self.iterations, f"{nonzeros} non-zeros, iteration {state.iteration}", so_far)
        return state.atoms, learning

    def _some(self, signals: Tensor) -> Tensor:
        if len(signals) <= MOST_SIGNALS:
            return signals
        order = torch.randperm(len(signals), generator=torch.Generator().manual_seed(self.seed))
        return signals[order[:MOST_SIGNALS].to(signals.device)]


class Components:
    """Principal components of signals (n, features), computed at the first use.

    Attributes:
        centre: (features,), the signals' mean.
    """

    def __init__(self, signals: Tensor) -> None:
        self.centre = signals.mean(0)
        self._signals = signals
        self._basis: Tensor | None = None

    def first(self, size: int) -> Tensor:
        """(count, features): the first components, as many as take `size` bytes together with the signals' numbers."""
        if self._basis is None:
            self._basis = principal((self._signals - self.centre).double().mT).basis.to(self._signals.dtype)
        return self._basis[:, :components_for(size, *self._signals.shape)].mT
