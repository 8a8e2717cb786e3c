"""Pruning of whole inputs of the first layer: rows of an embedding table (tokens), columns of a table (genes), pixels.

The columns of the layer's matrix are ranked and removed whole. A file stores the columns that stay (the form "columns" of
layers/sparse.py), so that a table without half of its tokens takes half of the bytes.
"""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from compress.data.tensors import on_device
from compress.data.texts.tokens import SPECIAL
from compress.layers.input_moments import input_mean_squares
from compress.layers.opening import Part, outer_path, parts_of
from compress.networks.embedding import Embedding
from compress.networks.evaluation import device_of
from compress.networks.families import Network
from compress.networks.graph.reading import Reading
from compress.progress import Reporter
from compress.pruning.ranking import Masks, Ranking, kept_of
from compress.pruning.saliency import BATCH, products, saliencies
from compress.pruning.weight_pruner import WeightPruner
from compress.solvers.brain_surgeon import column_losses, inverse_of, refitted_columns

FIRST_SHOWN = 24


class InputPruner(WeightPruner):
    """Removes any share of the inputs of a network's first layer; all other layers stay as they are.

    Attributes:
        path: of the first layer.
    """

    forms: ClassVar[tuple[str, ...]] = ("dense", "csr", "bitmask", "columns")

    def _chosen(self) -> dict[str, Part]:
        path = first_layer(self.network)
        if not path:
            raise ValueError(f"Prune: {WITHOUT_INPUTS}")
        self.path = path
        return {path: parts_of(self.network, "Prune")[path]}

    def _ranked(self, report: Reporter) -> Ranking:
        score, held = self._scores(report).cpu().float(), self.held[self.path].any(0)
        tiny = torch.finfo(torch.float32).tiny
        return Ranking.of({self.path: torch.where(held, score.clamp_min(tiny), 0.0)[None]}, "layer")

    def _scores(self, report: Reporter) -> Tensor:
        """(columns,): the saliency of each input, by the criteria for whole units (unit_saliency.py): of magnitude the root
        of the mean square of its weights, of taylor the square of the sum of gradients times weights in each batch, of
        second_order the loss after a refit of all other columns."""
        criterion, weight = self.selection.criterion, self.layers[self.path].weight.detach().double()
        if criterion == "magnitude":
            return weight.square().mean(0).sqrt()
        if criterion == "random":
            return torch.rand(weight.shape[1], generator=torch.Generator().manual_seed(self.seed))
        if criterion == "taylor":
            return self._by_gradient(report)
        if criterion == "wanda":
            inputs = on_device(self.data.calibration, device_of(self.network))[0]
            squares = input_mean_squares(self.network, inputs, [self.path])[self.path][0]
            return (weight.square().sum(0) * squares).sqrt()
        if criterion == "second_order":
            report(0.0, "reading calibration activations")
            places = torch.arange(weight.shape[1], device=weight.device)[:, None]
            return column_losses(weight, places, inverse_of(self.moments[self.path].full(self.path)[0]))
        return saliencies(self.network, [self.path], criterion, self.data, self.seed, self.initial, report)[self.path].sum(0)

    def _by_gradient(self, report: Reporter) -> Tensor:
        totals: list[Tensor] = []
        products(self.network, [self.path], self.data, lambda product: product, report, BATCH,
                 lambda found: totals.append(found[self.path].sum(0).square()))
        return torch.stack(totals).sum(0)

    @property
    def inputs(self) -> int:
        """The number of inputs that can be removed."""
        return self.ranking.size

    def kept_counts(self, sparsity: float) -> dict[str, int]:
        """Path -> the number of weights that the layer keeps."""
        return {self.path: max(1, kept_of(self.inputs, sparsity)) * len(self.layers[self.path].weight)}

    def _masks(self, sparsity: float, kept: dict[str, int] | None) -> Masks:
        return {self.path: self._mask(sparsity)}

    def _mask(self, sparsity: float) -> Tensor:
        """(rows, columns) bool: whole columns; at least one input stays."""
        stays = self.ranking.of_layer(self.path, max(1, kept_of(self.inputs, sparsity)))
        return stays.expand(len(self.layers[self.path].weight), -1)

    def pruned_weight(self, path: str, mask: Tensor) -> Tensor:
        """The layer's weight with a mask of whole columns; with second_order the columns that stay are refitted."""
        whole = bool((mask == mask.any(0)).all())  # otherwise some weights were zero before, and stay zero
        if self.selection.criterion != "second_order" or not whole:
            return super().pruned_weight(path, mask)
        weight, kept = self.layers[path].weight.detach(), mask.any(0).nonzero().flatten()
        kept = kept.to(weight.device)
        found = refitted_columns(weight, kept, self.moments[path].full(path)[0])
        return torch.zeros_like(weight).index_copy(1, kept, found)

    def _with_one_layer_cut(self, path: str, level: float) -> Network:
        return self.masked({path: self._mask(level)})

    def layer_view(self, path: str) -> dict[str, Any]:
        """The histogram of the layer's weights, and the words of the inputs of the highest saliency; none for inputs that
        are no words."""
        order = self.ranking.places[path][0].argsort(descending=True).tolist()
        words = self.data.words
        named: list[str] = []
        if isinstance(self.layers[path], Embedding) and words:
            named = [words[place] for place in order if len(SPECIAL) <= place < len(words)]
        elif self.data.kind == "tabular" and len(words) == self.inputs:
            named = [words[place] for place in order]
        return {**super().layer_view(path), "first_inputs": named[:FIRST_SHOWN]}

    def layer_summaries(self, dense: Network, stored: Network) -> list[dict[str, Any]]:
        """As for single weights, with the numbers of inputs that stay and of all."""
        left = int((dense.get_parameter(f"{self.path}.weight") != 0).any(0).sum())
        return [{**layer, "inputs_kept": left, "inputs": self.inputs} for layer in super().layer_summaries(dense, stored)]


WITHOUT_INPUTS = ("the pattern inputs removes columns of a first layer that is linear or an embedding table, but this "
                  "network reads its examples in another way. Choose the pattern unstructured or units.")


def first_layer(network: Network) -> str:
    """The path of the layer that reads the numbers or tokens of an example one by one, in an open network; "" if there is
    none: convolutions and recurrent layers read many inputs with the same weights."""
    ahead = [module for module in network if not isinstance(module, nn.Flatten | nn.Dropout) and not _keeps_places(module)]
    path = next((path for path, part in parts_of(network, "Prune").items() if isinstance(part, nn.Linear)), "")
    outermost = outer_path(network, path).partition(".")[0]
    return path if ahead and path and ahead[0] is network.get_submodule(outermost) else ""


def _keeps_places(module: nn.Module) -> bool:
    """Whether an uploaded network reads an example's numbers in their order."""
    return isinstance(module, Reading) and not (module.reversed_channels or module.channels_last)
