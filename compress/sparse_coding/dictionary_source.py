"""Where a dictionary for data comes from: learned, or one of those that it is compared with."""

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
MOST_SIGNALS = 50_000  # that a dictionary is learned from, drawn at random where there are more


@dataclass(frozen=True)
class Source:
    """One way to a dictionary of so many atoms.

    Attributes:
        kind: "ksvd", "sklearn", or one of dictionary.INITS.
        signal_shape: the shape of a signal before it was flattened, for "dct" (see dictionary.dct_atoms).
        iterations: of K-SVD, or passes of mini-batches; batch, nonnegative, seed: as KSVD has them.
    """

    kind: str
    atoms: int
    iterations: int
    batch: int = 0
    nonnegative: bool = False
    seed: int = 0
    signal_shape: tuple[int, ...] | None = None

    def fixed(self, signals: Tensor, report: Reporter) -> Tensor | None:
        """The dictionary (atoms, features) that is the same for every number of non-zeros; None where it is not."""
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
        """Atoms by K-SVD, and how they were learned; `report` gets a DictionarySoFar after each iteration.

        Args:
            unit: what a reported error of 1 is multiplied by; images: a state's atoms, encoded for a page that shows them.
            found: the share of planted atoms that atoms (atoms, features) have found, where there are any.

        Returns:
            atoms (atoms, features), and "errors", mean non-zeros "used" and perhaps the shares "found" by iteration.
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
    """Principal components of signals (n, features), found when they are first asked for.

    Attributes:
        centre: (features,), the signals' mean.
    """

    def __init__(self, signals: Tensor) -> None:
        self.centre = signals.mean(0)
        self._signals = signals
        self._basis: Tensor | None = None

    def first(self, size: int) -> Tensor:
        """(count, features): as many as take so many bytes with the signals' numbers, most energy first."""
        if self._basis is None:
            self._basis = principal((self._signals - self.centre).double().mT).basis.to(self._signals.dtype)
        return self._basis[:, :components_for(size, *self._signals.shape)].mT
