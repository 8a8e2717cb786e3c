"""Pruning of single weights: saliencies, one ranking, masks of any sparsity, and the sparse network."""

from __future__ import annotations

import copy
from functools import cached_property
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from compress.data.datasets import Dataset
from compress.data.tensors import on_device
from compress.files import network_file
from compress.files.made_for import MadeFor
from compress.layers.base import DenseLayer, is_dense, with_layers
from compress.layers.input_moments import Moments, input_moments
from compress.layers.opening import Part, opened, parts_of, recoded
from compress.layers.sensitivity import LEVELS, Sensitivity, sensitivity
from compress.layers.sparse import Sparse, smallest_form
from compress.layers.titles import layer_title
from compress.networks.evaluation import device_of
from compress.networks.families import Network
from compress.progress import Reporter, no_report
from compress.pruning import layer_densities
from compress.pruning.mask_view import histogram, reach_of, remaining_weights
from compress.pruning.pruner import Cut
from compress.pruning.ranking import Masks, Ranking, kept_of
from compress.pruning.saliency import REFITTED, saliencies
from compress.pruning.selection import Selection
from compress.solvers.brain_surgeon import refitted


class WeightPruner:
    """Prunes one network to any sparsity; saliencies and their ranking are computed once for all sparsities.

    A network that is compressed already is pruned part by part: both factors of a factorised layer, the coefficients of a
    sparsely coded one. Weights that are zero count, go first, and stay zero.

    Attributes:
        network: the given network with open layers; layers: path -> dense layer or coefficients.
        held: path -> (rows, columns) bool, True where a weight is not zero.
        ranking: the order in which weights are pruned.
        forms: in which the file's length is shown.
    """

    forms: ClassVar[tuple[str, ...]] = ("dense", "csr", "bitmask")

    def __init__(self, selection: Selection, network: Network, initial: Network, data: Dataset, seed: int = 0,
                 report: Reporter = no_report) -> None:
        """Raises ValueError if the network has no layer that can be pruned."""
        self.selection, self.initial, self.data, self.seed = selection, initial, data, seed
        self.network = opened(network, codes=True)
        self.layers = self._chosen()
        self.held = {path: (layer.weight.detach() != 0).flatten(1).cpu() for path, layer in self.layers.items()}
        self._sensitivity: Sensitivity | None = None
        self.ranking = self._ranked(report)

    def _chosen(self) -> dict[str, Part]:
        """Path -> part of the open network that is pruned."""
        return parts_of(self.network, "Prune")

    def _ranked(self, report: Reporter) -> Ranking:
        selection = self.selection
        scores = saliencies(self.network, self.layers, selection.criterion, self.data, self.seed, self.initial, report,
                            selection.group or 1)
        return Ranking.of(self._zeros_first(scores), self._within(), selection.group)

    def _zeros_first(self, scores: dict[str, Tensor]) -> dict[str, Tensor]:
        tiny = torch.finfo(torch.float32).tiny
        return {path: torch.where(self.held[path], score.cpu().clamp_min(tiny), 0.0) for path, score in scores.items()}

    def _within(self) -> str:
        selection = self.selection
        if selection.group:
            return "group"
        if selection.criterion == "wanda":
            return "row"
        alone = selection.criterion in REFITTED or selection.densities or selection.allocation != "global"
        return "layer" if alone else "network"

    @cached_property
    def sizes(self) -> dict[str, int]:
        """Path -> the number of weights of a layer."""
        return {path: layer.weight.numel() for path, layer in self.layers.items()}

    @cached_property
    def moments(self) -> dict[str, Moments]:
        """Second moments of the inputs of every layer on calibration, for the refit."""
        return input_moments(self.network, on_device(self.data.calibration, device_of(self.network))[0], self.layers)

    @property
    def sensitivity(self) -> Sensitivity:
        """Loss and accuracy with one layer pruned at a time; measured once."""
        return self.measure_sensitivity(no_report)

    def measure_sensitivity(self, report: Reporter) -> Sensitivity:
        """The same with progress reports."""
        if self._sensitivity is None:
            group = self.selection.group
            levels = tuple(step / group for step in range(group)) if group else LEVELS
            self._sensitivity = sensitivity(self.network, self.data, list(self.layers), self._with_one_layer_cut, report,
                                            levels)
        return self._sensitivity

    def title(self, path: str) -> str:
        """A layer's name for people."""
        return layer_title(path, self.layers[path])

    def kept_counts(self, sparsity: float) -> dict[str, int]:
        """Path -> the number of weights that a layer keeps, for allocations that divide the sparsity among layers."""
        sizes, selection = list(self.sizes.values()), self.selection
        total = kept_of(sum(sizes), sparsity)
        if selection.densities:
            counts = layer_densities.proportional(sizes, selection.densities, total)
        elif selection.allocation == "uniform":
            counts = layer_densities.uniform(sizes, sparsity)
        elif selection.allocation == "sensitivity":
            measured = self.sensitivity
            counts = layer_densities.by_sensitivity(sizes, measured.levels, list(measured.losses.values()), total)
        else:
            counts = [int(mask.sum()) for mask in self._by_magnitude.with_kept(total).values()]
        return dict(zip(self.sizes, counts, strict=True))

    @cached_property
    def _by_magnitude(self) -> Ranking:
        """The global ranking by magnitude: the layers' shares for criteria that compare weights of one layer or row only."""
        return Ranking.of(self._zeros_first(saliencies(self.network, self.layers, "magnitude", self.data)), "network")

    def masks(self, sparsity: float, kept: dict[str, int] | None = None) -> Masks:
        """Path -> (rows, columns) bool, True for weights that stay.

        Args:
            kept: the number of weights of each layer, to follow the shares of another network; by allocation otherwise.
        """
        return {path: mask & self.held[path] for path, mask in self._masks(sparsity, kept).items()}

    def _masks(self, sparsity: float, kept: dict[str, int] | None) -> Masks:
        if self.selection.group:
            return self.ranking.with_kept_of_groups(kept_of(self.selection.group, sparsity), self.selection.group)
        if self.ranking.within == "network":
            return self.ranking.with_kept(kept_of(self.ranking.size, sparsity))
        return self.ranking.with_kept_of_each(kept or self.kept_counts(sparsity))

    def cut(self, sparsity: float, first: WeightPruner | None = None) -> Cut:
        """The network with pruned weights set to zero; with second_order and surgeon, the other weights are refitted.

        Args:
            first: the pruner of the first round, whose shares of the layers are used.
        """
        kept = None if first is None or self.ranking.within not in ("layer", "row") else first.kept_counts(sparsity)
        masks = self.masks(sparsity, kept)
        return Cut(self.masked(masks), self.initial, masks)

    def rewound(self, cut: Cut, initial: Network) -> Network:
        """A network of other weights, such as the initial ones, with the masks of a cut."""
        return _with_weights(initial, {path: _masked(initial.get_parameter(f"{path}.weight"), mask)
                                       for path, mask in cut.masks.items()})

    @torch.no_grad()
    def apply_(self, masks: Masks) -> None:
        """Changes the pruner's network in place, for networks in training: pruned weights are set to zero; with
        second_order and surgeon, the other weights are refitted."""
        for path, mask in masks.items():
            self.layers[path].weight.copy_(self.pruned_weight(path, mask))

    def prune_in_place(self, network: Network, sparsity: float) -> Masks:
        """Masks by the present weights of a network in training, and these weights at zero, or refitted; each layer's share
        is the one that this pruner's own network has."""
        now = type(self)(self.selection, network, self.initial, self.data, self.seed)
        masks = now.masks(sparsity, self.kept_counts(sparsity) if self.ranking.within in ("layer", "row") else None)
        now.apply_(masks)
        return masks

    def masked(self, masks: Masks, refit: bool = True) -> Network:
        """The network with these masks applied to some of its layers."""
        weights = {path: self.pruned_weight(path, mask) if refit else _masked(self.layers[path].weight, mask)
                   for path, mask in masks.items()}
        return _with_weights(self.network, weights)

    def pruned_weight(self, path: str, mask: Tensor) -> Tensor:
        """A layer's weight with a mask, refitted with second_order and surgeon. The rows of a group of a convolution share
        moments."""
        weight = self.layers[path].weight.detach()
        if self.selection.criterion not in REFITTED:
            return _masked(weight, mask)
        groups = self.moments[path].full(path)
        parts = zip(weight.flatten(1).chunk(len(groups)), mask.to(weight.device).chunk(len(groups)), groups, strict=True)
        return torch.cat([refitted(*part) for part in parts]).view_as(weight)

    def _with_one_layer_cut(self, path: str, level: float) -> Network:
        group = self.selection.group
        if group:
            mask = self.ranking.of_groups(path, kept_of(group, level), group)
        else:
            mask = self.ranking.of_layer(path, max(1, kept_of(self.sizes[path], level)))
        return self.masked({path: mask})

    def layer_summaries(self, dense: Network, stored: Network) -> list[dict[str, Any]]:
        """For each layer the form in which it is stored, and number, image and histogram of its remaining weights."""
        return [{"path": path, "form": _form(stored, path),
                 **remaining_weights(dense.get_parameter(f"{path}.weight").flatten(1), reach_of(layer.weight))}
                for path, layer in self.layers.items()]

    def layer_view(self, path: str) -> dict[str, Any]:
        """The histogram of a layer's weights."""
        return histogram(self.layers[path].weight)

    def file_sizes(self, sparsities: list[float]) -> dict[str, list[int]]:
        """Form -> length of the file at each sparsity if every layer were stored in this form. The length depends only on
        the number of remaining weights, so that they are not refitted."""
        data, sizes = MadeFor.of(self.data), {form: list[int]() for form in self.forms}
        for sparsity in sparsities:
            network = self.masked(self.masks(sparsity), refit=False)
            for form in self.forms:
                stored = {} if form == "dense" else {path: Sparse.of(layer, form) for path, layer in self._dense(network)}
                sizes[form].append(len(network_file.to_bytes(recoded(with_layers(network, stored)), data)))
        return sizes

    def finished(self, network: Network) -> Network:
        """The network with layers stored without their zeros, wherever this makes the file smaller."""
        return recoded(with_layers(network, {path: smallest_form(layer, "columns" in self.forms)
                                             for path, layer in self._dense(network)}))

    def _dense(self, network: Network) -> list[tuple[str, DenseLayer]]:
        """Those of the parts that are dense layers, as they are in another open network."""
        layers = ((path, network.get_submodule(path)) for path in self.layers)
        return [(path, layer) for path, layer in layers if is_dense(layer)]


def _form(stored: Network, path: str) -> str:
    """How a part is stored: dense, by rows, with a bitmask, or as codes."""
    layer = stored.get_submodule(path.removesuffix(".coefficients"))
    return getattr(layer, "form", "dense")


def _masked(weight: Tensor, mask: Tensor) -> Tensor:
    return weight.detach() * mask.view_as(weight).to(weight.device)


def _with_weights(network: Network, weights: dict[str, Tensor]) -> Network:
    """A NEW network with the weights of some layers replaced."""
    # deepcopy uses its memo in the place of a copy: the replaced weights are not copied.
    given = {id(network.get_parameter(f"{path}.weight")): nn.Parameter(weight) for path, weight in weights.items()}
    return copy.deepcopy(network, given)
