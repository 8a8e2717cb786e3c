"""Pruning of whole units: saliencies, the number of units that each layer keeps, and the smaller network."""

from __future__ import annotations

import copy
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn

from compress.data.datasets import Dataset
from compress.layers.base import dense_layers, with_layers
from compress.layers.opening import leave_out_zeros_only, opened
from compress.layers.sensitivity import LEVELS, Sensitivity, sensitivity
from compress.layers.sparse import smallest_form
from compress.networks.families import Network
from compress.progress import Reporter, no_report
from compress.pruning import layer_densities
from compress.pruning.pruner import Cut
from compress.pruning.ranking import Masks, kept_of
from compress.pruning.selection import Selection
from compress.pruning.unit_removal import without_units
from compress.pruning.unit_saliency import consumer_columns, consumer_moments, unit_saliencies
from compress.pruning.units import Group, Member, bundles_of, groups_of
from compress.solvers.brain_surgeon import refitted_columns

Kept = dict[str, Tensor]


class UnitPruner:
    """Removes any share of a network's units; saliencies and orders are computed once for all shares.

    Groups that must keep equally many units (the two directions of a GRU) form a bundle: the units with the r-th lowest
    saliency in each group of a bundle are removed together.
    """

    def __init__(self, selection: Selection, network: Network, initial: Network, data: Dataset, seed: int = 0,
                 report: Reporter = no_report) -> None:
        """The network must have hidden units, and no layers compressed in another way than by leaving out zeros: see
        refusal()."""
        self.selection, self.initial, self.data, self.seed = selection, initial, data, seed
        self.network = opened(network) if leave_out_zeros_only(network) else network
        self._has_zeros = self.network is not network
        self.groups = groups_of(self.network)
        self.bundles = bundles_of(self.groups)
        self._sensitivity: Sensitivity | None = None
        scores = unit_saliencies(self.network, self.groups, selection.criterion, data, seed, initial, report)
        self.orders = {path: score.argsort(stable=True) for path, score in scores.items()}
        ranked = [torch.stack([scores[group.path].sort().values for group in bundle]).mean(0) for bundle in self.bundles]
        self.ranked = [score / score.norm().clamp_min(1e-30) for score in ranked]

    @cached_property
    def sizes(self) -> list[int]:
        """The number of units in each group of each bundle."""
        return [first.units for first, *_ in self.bundles]

    def kept_counts(self, share: float, first: UnitPruner | None = None) -> list[int]:
        """The number of units that the groups of each bundle keep when this share of all units is removed; at least 1.

        Args:
            first: the pruner of the first round: the share is one of its network's units. By default this pruner.
        """
        whole, selection = first or self, self.selection
        total = kept_of(sum(whole.sizes), share)
        if selection.densities:
            counts = layer_densities.proportional(whole.sizes, selection.densities, total)
        elif selection.allocation == "uniform":
            counts = layer_densities.uniform(whole.sizes, share)
        elif selection.allocation == "sensitivity":
            losses = [whole.sensitivity.losses[group.path] for group, *_ in whole.bundles]
            counts = layer_densities.by_sensitivity(whole.sizes, whole.sensitivity.levels, losses, total)
            # Earlier rounds may have left a layer fewer units than its count: the other layers keep the difference.
            wanted = [min(count, size) / size for count, size in zip(counts, self.sizes, strict=True)]
            counts = layer_densities.proportional(self.sizes, wanted, total)
        else:
            counts = self._by_score(total)
        return [min(present, _multiple(count, size, selection.multiple))
                for count, size, present in zip(counts, whole.sizes, self.sizes, strict=True)]

    def _by_score(self, total: int) -> list[int]:
        """Counts by one ranking of all units, the scores of each bundle divided by their norm; at least one unit of each
        bundle stays."""
        others = torch.cat([score[:-1] for score in self.ranked])
        owners = torch.cat([torch.full((len(score) - 1,), number) for number, score in enumerate(self.ranked)])
        best = others.argsort(descending=True, stable=True)[:max(0, total - len(self.ranked))]
        return [1 + int((owners[best] == number).sum()) for number in range(len(self.ranked))]

    def cut(self, share: float, first: UnitPruner | None = None) -> Cut:
        """The smaller network; with second_order, the layers that read removed units are refitted."""
        counts = self.kept_counts(share, first)
        return self._without({bundle[0].path: count for bundle, count in zip(self.bundles, counts, strict=True)})

    def rewound(self, cut: Cut, initial: Network) -> Network:
        """The network of other weights, such as the initial ones: it has the sizes of the cut already."""
        return initial

    @property
    def sensitivity(self) -> Sensitivity:
        """Loss and accuracy with one bundle pruned at a time; measured once."""
        return self.measure_sensitivity(no_report)

    def measure_sensitivity(self, report: Reporter) -> Sensitivity:
        """The same with progress reports."""
        if self._sensitivity is None:
            sizes = dict(zip((bundle[0].path for bundle in self.bundles), self.sizes, strict=True))
            self._sensitivity = sensitivity(
                self.network, self.data, list(sizes),
                lambda path, level: self._without({path: max(1, kept_of(sizes[path], level))}).network, report, LEVELS)
        return self._sensitivity

    def title(self, path: str) -> str:
        """A layer's name for people."""
        group = next(group for group in self.groups if group.path == path)
        kind = "channels" if isinstance(self.network.get_submodule(path), nn.Conv1d | nn.Conv2d) else "units"
        return f"{path} · {group.units} {kind}"

    def widths(self, network: Network) -> list[tuple[str, int, int]]:
        """(path, units before, units now) of each bundle, for a network that was made by cut()."""
        now = {group.path: group.units for group in groups_of(network)}
        return [(first.path, first.units, now[first.path]) for first, *_ in self.bundles]

    def layer_summaries(self, dense: Network, stored: Network) -> list[dict[str, Any]]:
        """The numbers of units in each bundle, after pruning ("kept") and before ("total")."""
        return [{"path": path, "kept": left, "total": before} for path, before, left in self.widths(dense)]

    def layer_view(self, path: str) -> dict[str, Any]:
        """Empty: for pruning of units, only a layer's name and sensitivity are shown."""
        return {}

    def file_sizes(self, sparsities: list[float]) -> dict[str, list[int]]:
        """Empty: a smaller dense network has one form only."""
        return {}

    def prune_in_place(self, network: Network, sparsity: float) -> Masks:
        """Raises ValueError: units are removed, not masked."""
        raise ValueError("Prune: the schedule gradual raises the sparsity of masks, but the pattern units leaves no mask. "
                         "Choose the schedule one_shot.")

    def finished(self, network: Network) -> Network:
        """The network as it is, smaller and dense; without its zeros where some of its weights were pruned before."""
        if not self._has_zeros:
            return network
        return with_layers(network, {path: smallest_form(layer) for path, layer in dense_layers(network).items()})

    def _without(self, counts: dict[str, int]) -> Cut:
        kept = {group.path: self.orders[group.path][group.units - counts[bundle[0].path]:].sort().values
                for bundle in self.bundles for group in bundle if bundle[0].path in counts}
        network = self.network if self.selection.criterion != "second_order" else self._refitted(kept)
        return Cut(without_units(network, kept), without_units(self.initial, kept), {})

    @cached_property
    def moments(self) -> dict[str, Tensor]:
        """Second moments of the inputs of all layers that read units."""
        return consumer_moments(self.network, self.groups, self.data)

    @torch.no_grad()
    def _refitted(self, kept: Kept) -> Network:
        """A copy in which the layers that read removed units are refitted by least squares. The columns of removed units
        keep their weights; they are removed together with the units."""
        network = copy.deepcopy(self.network)
        for tensor, stays in self._columns_that_stay(kept).items():
            weight = network.get_parameter(tensor)
            matrix = weight.flatten(1)
            if not bool(stays.all()):
                columns = stays.nonzero().flatten().to(weight.device)
                matrix[:, columns] = refitted_columns(matrix, columns, self.moments[tensor])
        return network

    def _columns_that_stay(self, kept: Kept) -> dict[str, Tensor]:
        """Name of each weight that reads units -> (columns,) bool, True for columns that stay."""
        stays: dict[str, Tensor] = {}
        for group, member in _consumers(self.groups):
            columns = consumer_columns(self.network, member)
            length = self.network.get_parameter(member.tensor).flatten(1).shape[1]
            gone = torch.ones(group.units, dtype=torch.bool)
            gone[kept.get(group.path, torch.arange(group.units))] = False
            stays.setdefault(member.tensor, torch.ones(length, dtype=torch.bool))[columns[gone].flatten()] = False
        return stays


def _consumers(groups: list[Group]) -> list[tuple[Group, Member]]:
    return [(group, member) for group in groups for member in group.consumers]


def _multiple(count: int, size: int, multiple: int) -> int:
    """The multiple nearest to the count, at least one multiple; the layer's size if the layer is smaller."""
    return min(size, max(multiple, round(count / multiple) * multiple))
