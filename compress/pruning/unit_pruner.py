"""Removing whole units of a network: their scores, which of them go at any share, and the smaller network that is left."""

from __future__ import annotations

import copy
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn

from compress.data.datasets import Dataset
from compress.layers.base import dense_layers, with_layers
from compress.layers.opening import leave_out_zeros_only, opened
from compress.layers.sparse import smallest_form
from compress.networks.families import Network
from compress.progress import Reporter, no_report
from compress.pruning import layer_densities
from compress.pruning.pruner import Cut
from compress.pruning.ranking import Masks, kept_of
from compress.pruning.selection import Selection
from compress.pruning.sensitivity import LEVELS, Sensitivity, sensitivity
from compress.pruning.unit_removal import without_units
from compress.pruning.unit_saliency import consumer_columns, consumer_moments, unit_saliencies
from compress.pruning.units import Group, Member, bundles_of, groups_of
from compress.solvers.brain_surgeon import refitted_columns

Kept = dict[str, Tensor]


class UnitPruner:
    """Prunes one network to any share of its units; what all shares have in common is computed once.

    Groups that must keep equally many units (a GRU's two directions) are a bundle: the r-th worst units of all its groups
    go together.
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
        """Units of each bundle's groups."""
        return [first.units for first, *_ in self.bundles]

    def kept_counts(self, share: float, first: UnitPruner | None = None) -> list[int]:
        """How many units each bundle's groups keep when this share of all goes; at least one.

        Args:
            first: the pruner of the first round, whose network the share is one of; this one by default.
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
            # Earlier rounds may have left a layer fewer units than it is given now: the others get the rest.
            wanted = [min(count, own) / own for count, own in zip(counts, self.sizes, strict=True)]
            counts = layer_densities.proportional(self.sizes, wanted, total)
        else:
            counts = self._by_score(total)
        return [min(own, _multiple(count, size, selection.multiple))
                for count, size, own in zip(counts, whole.sizes, self.sizes, strict=True)]

    def _by_score(self, total: int) -> list[int]:
        """One ranking of all bundles' units, each bundle's scores divided by their norm; the best of each stays."""
        others = torch.cat([score[:-1] for score in self.ranked])
        owners = torch.cat([torch.full((len(score) - 1,), number) for number, score in enumerate(self.ranked)])
        best = others.argsort(descending=True, stable=True)[:max(0, total - len(self.ranked))]
        return [1 + int((owners[best] == number).sum()) for number in range(len(self.ranked))]

    def cut(self, share: float, first: UnitPruner | None = None) -> Cut:
        """The smaller network; with second_order the weights that read what stays make up for what goes."""
        counts = self.kept_counts(share, first)
        return self._without({bundle[0].path: count for bundle, count in zip(self.bundles, counts, strict=True)})

    def rewound(self, cut: Cut, initial: Network) -> Network:
        """A network of other weights, such as the initial ones; it has the sizes of the cut already."""
        return initial

    @property
    def sensitivity(self) -> Sensitivity:
        """Loss and accuracy with one bundle's units pruned at a time; measured once."""
        return self.measure_sensitivity(no_report)

    def measure_sensitivity(self, report: Reporter) -> Sensitivity:
        """The same, telling how far it is."""
        if self._sensitivity is None:
            sizes = dict(zip((bundle[0].path for bundle in self.bundles), self.sizes, strict=True))
            self._sensitivity = sensitivity(
                self.network, self.data, list(sizes),
                lambda path, level: self._without({path: max(1, kept_of(sizes[path], level))}).network, report, LEVELS)
        return self._sensitivity

    def title(self, path: str) -> str:
        """A layer in words."""
        group = next(group for group in self.groups if group.path == path)
        kind = "channels" if isinstance(self.network.get_submodule(path), nn.Conv1d | nn.Conv2d) else "units"
        return f"{path} · {group.units} {kind}"

    def widths(self, network: Network) -> list[tuple[str, int, int]]:
        """(path, units before, units now) of each bundle in a network that was cut from this one."""
        now = {group.path: group.units for group in groups_of(network)}
        return [(first.path, first.units, now[first.path]) for first, *_ in self.bundles]

    def layer_summaries(self, dense: Network, stored: Network) -> list[dict[str, Any]]:
        """Units left of each bundle's groups, and how many there were."""
        return [{"path": path, "kept": left, "total": before} for path, before, left in self.widths(dense)]

    def layer_view(self, path: str) -> dict[str, Any]:
        """Nothing but its name and sensitivity is shown of a layer whose units go."""
        return {}

    def file_sizes(self, sparsities: list[float]) -> dict[str, list[int]]:
        """None: a smaller dense network has one form only."""
        return {}

    def prune_in_place(self, network: Network, sparsity: float) -> Masks:
        """Raises ValueError: units are removed, not masked."""
        raise ValueError("Prune: schedule=gradual raises the sparsity of masks, but pattern=units leaves no mask. Choose "
                         "schedule=one_shot.")

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
        """Second moments of the inputs of every layer that reads units."""
        return consumer_moments(self.network, self.groups, self.data)

    @torch.no_grad()
    def _refitted(self, kept: Kept) -> Network:
        """A copy in which each layer that reads removed units makes up for them by least squares. Columns of the removed
        ones keep their weights: they go with the units."""
        network = copy.deepcopy(self.network)
        for tensor, stays in self._columns_that_stay(kept).items():
            weight = network.get_parameter(tensor)
            matrix = weight.flatten(1)
            if not bool(stays.all()):
                columns = stays.nonzero().flatten().to(weight.device)
                matrix[:, columns] = refitted_columns(matrix, columns, self.moments[tensor])
        return network

    def _columns_that_stay(self, kept: Kept) -> dict[str, Tensor]:
        """Name of each weight that reads units -> whether a column stays, (columns,) bool."""
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
    """The nearest multiple that the layer has, at least one of them; the whole layer where it is smaller than that."""
    return min(size, max(multiple, round(count / multiple) * multiple))
