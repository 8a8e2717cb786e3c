"""The protocol that the pruners of weights and of units share, and the pruned network that they return."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from compress.data.datasets import Dataset
from compress.layers.sensitivity import Sensitivity
from compress.networks.families import Network
from compress.progress import Reporter
from compress.pruning.ranking import Masks
from compress.pruning.selection import Selection


@dataclass(frozen=True, eq=False)
class Cut:
    """A network after weights or units were removed.

    Attributes:
        network: the pruned network, with dense layers.
        initial: a network of the same sizes with the initial weights.
        masks: path -> (rows, columns) bool, True for weights that stay; empty if whole units were removed.
    """

    network: Network
    initial: Network
    masks: Masks


class Pruner(Protocol):
    """Prunes one network to any sparsity; scores and their order are computed once for all sparsities.

    Attributes:
        initial: a network of the same sizes with the initial weights.
    """

    selection: Selection
    network: Network
    initial: Network
    data: Dataset
    seed: int

    def cut(self, sparsity: float, first: Any = None) -> Cut:
        """The network without this share of its weights or units.

        Args:
            first: the pruner of the first round (of the same class), whose shares of the layers are used.
        """

    def rewound(self, cut: Cut, initial: Network) -> Network:
        """A network of other weights, such as the initial ones, without the weights or units that the cut removed."""

    def prune_in_place(self, network: Network, sparsity: float) -> Masks:
        """Prunes a network in training, of the same layers as the pruner's, by its present weights; gives the masks to be
        held. Raises ValueError where there are none, because whole units are removed."""

    def finished(self, network: Network) -> Network:
        """The network with its layers in the form in which they are stored."""

    def measure_sensitivity(self, report: Reporter) -> Sensitivity:
        """Loss and accuracy with one layer pruned at a time; measured at the first call."""

    def title(self, path: str) -> str:
        """A layer's name for people."""

    def layer_summaries(self, dense: Network, stored: Network) -> list[dict[str, Any]]:
        """One dict for each layer of a pruned network: path, kept, total and more.

        Args:
            dense: the pruned network with dense layers; stored: the same network as it is stored.
        """

    def layer_view(self, path: str) -> dict[str, Any]:
        """Plain data of a layer before it is pruned, for a page."""

    def file_sizes(self, sparsities: list[float]) -> dict[str, list[int]]:
        """Form -> length of the file at each sparsity if every layer were stored in this form; empty if there is one form
        only."""
