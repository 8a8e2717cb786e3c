"""What removes parts of one network: the protocol that pruners of weights and of units share, and what they give."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from compress.data.datasets import Dataset
from compress.networks.families import Network
from compress.progress import Reporter
from compress.pruning.ranking import Masks
from compress.pruning.selection import Selection
from compress.pruning.sensitivity import Sensitivity


@dataclass(frozen=True, eq=False)
class Cut:
    """A network after some of it was removed.

    Attributes:
        network: what is left, its layers dense; origin: a network of the same sizes with its initial weights.
        masks: path -> (rows, columns) bool of what stays, if single weights were removed; empty if whole units were.
    """

    network: Network
    origin: Network
    masks: Masks


class Pruner(Protocol):
    """Prunes one network to any sparsity; what all sparsities share is computed once.

    Attributes:
        origin: a network of the same sizes with the network's initial weights.
    """

    selection: Selection
    network: Network
    origin: Network
    data: Dataset
    seed: int

    def cut(self, sparsity: float, first: Any = None) -> Cut:
        """The network without this share of its weights or units. first: the pruner of the first round, of the same
        kind, whose shares of the layers are followed."""

    def rewound(self, cut: Cut, origin: Network) -> Network:
        """A network of other weights, such as the initial ones, of which the same is removed."""

    def finished(self, network: Network) -> Network:
        """The network as it is stored."""

    def sensitivity_told(self, report: Reporter) -> Sensitivity:
        """Loss and accuracy with one layer pruned at a time; measured once."""

    def title(self, path: str) -> str:
        """A layer in words."""

    def layers_left(self, dense: Network, stored: Network) -> list[dict[str, Any]]:
        """For each layer what is left of it in a pruned network, as plain data: path, kept, total and more. dense: its
        layers dense; stored: as it is stored."""

    def layer_view(self, path: str) -> dict[str, Any]:
        """What a page shows of a layer before it is pruned, as plain data."""

    def file_sizes(self, sparsities: list[float]) -> dict[str, list[int]]:
        """Form -> length of the file at each sparsity, were every layer stored in this form; empty where there is one
        form only."""
