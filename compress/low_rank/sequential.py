"""Factors layer by layer: each is fitted to the outputs that the layer had in the given network, from the inputs that the
smaller network gives it (SVD-LLM's update, Wang et al. 2025, solved exactly for the rank).

Shared by all ranks are the given network's outputs and the factors of the first layer, whose inputs are the same. The other
layers have other inputs at every rank: each needs a pass of the calibration examples and a regression of its own.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from compress.layers.base import DenseLayer, with_layers
from compress.layers.factors import Factors
from compress.layers.input_moments import recalibrated
from compress.layers.matrix_view import factorised, inputs_as_columns, matrix_of, outputs_as_columns
from compress.low_rank.factorisation import Factorisation
from compress.low_rank.reduced_rank import reduced_rank
from compress.memory import require
from compress.networks.evaluation import logits_of
from compress.networks.families import Network
from compress.progress import Reporter


@dataclass(frozen=True, eq=False)
class Sequential:
    """Fits the layers of one network at any ranks.

    Attributes:
        network: as it was given; pieces: path -> centred factorisation, in forward order.
        inputs: the calibration examples (n, *shape).
        wanted: path -> the layer's outputs on them, as columns (groups, rows, samples), one tensor for each call.
    """

    network: Network
    pieces: dict[str, Factorisation]
    inputs: Tensor
    wanted: dict[str, list[Tensor]]

    @classmethod
    def of(cls, network: Network, dense: Network, pieces: dict[str, Factorisation], inputs: Tensor) -> Sequential:
        """Reads the outputs of the layers.

        Args:
            dense: the network with a dense layer in the place of each compressed one.

        Raises:
            MemoryShort: they do not fit.
        """
        wanted: dict[str, list[Tensor]] = {path: [] for path in list(pieces)[1:]}

        def keep(path: str) -> torch.utils.hooks.RemovableHandle:
            def take(layer: nn.Module, arguments: tuple[Tensor, ...], output: Tensor) -> None:
                per_example = output.numel() * output.element_size() // len(arguments[0])
                require(per_example * len(inputs), f"LowRank: the outputs of layer {path}", "Choose the scheme centred.")
                wanted[path].append(outputs_as_columns(pieces[path].dense, output).clone())

            return dense.get_submodule(path).register_forward_hook(take)

        _read(dense, inputs, [keep(path) for path in wanted])
        return cls(network, pieces, inputs, wanted)

    def fitted(self, ranks: dict[str, int], report: Reporter) -> Network:
        """A NEW network with factors at these ranks; layers whose rank saves nothing stay as they are."""
        network, chosen = self.network, [path for path, piece in self.pieces.items() if ranks[path] < piece.useful]
        for number, path in enumerate(chosen):
            report(number / len(chosen), f"fitting layer {path}")
            piece, rank = self.pieces[path], ranks[path]
            layer = self._layer(network, path, rank) if number else piece.layer(rank)  # the first has the given inputs
            network = recalibrated(with_layers(network, {path: layer}), self.inputs)
        return network

    def _layer(self, network: Network, path: str, rank: int) -> Factors:
        """The factors of one layer, from its inputs in the network so far.

        With W' = U_r U_r^T V for the centred inputs, the outputs W' (z - mean z) + mean y = W' z + bias + shift."""
        dense, sums = self.pieces[path].dense, _Sums.of(network, path, self.pieces[path].dense, self.inputs,
                                                        self.wanted[path])
        matrix = matrix_of(dense)
        subspace, best = reduced_rank(matrix, sums.cross, sums.second)
        basis = subspace.basis[..., :rank]
        inner = basis.mT @ best
        mean = sums.mean_output - (basis @ (inner @ sums.mean_input[..., None]))[..., 0]
        shift = mean.flatten() - (0 if dense.bias is None else dense.bias.detach().double())
        return factorised(dense, basis, "channel", shift, inner)


@dataclass(frozen=True, eq=False)
class _Sums:
    """Moments around the means: cross E[y z^T] (groups, rows, columns), second E[z z^T] (groups, columns, columns)."""

    cross: Tensor
    second: Tensor
    mean_output: Tensor
    mean_input: Tensor

    @classmethod
    def of(cls, network: Network, path: str, dense: DenseLayer, inputs: Tensor, wanted: list[Tensor]) -> _Sums:
        """Over all calls of the layer while the network reads the inputs; the calls of both networks are in one order."""
        groups, rows, columns = matrix_of(dense).shape
        require(2 * 8 * groups * columns * (columns + rows), f"LowRank: the moments of layer {path}",
                "Choose the scheme plain.")
        cross, second, first, last = (wanted[0].new_zeros(groups, *shape, dtype=torch.float64)
                                      for shape in ((rows, columns), (columns, columns), (columns,), (rows,)))
        calls = iter(wanted)

        def take(layer: nn.Module, arguments: tuple[Tensor, ...]) -> None:
            given, output = inputs_as_columns(dense, arguments[0]).double(), next(calls).double()
            second.add_(given @ given.mT)
            cross.add_(output @ given.mT)
            first.add_(given.sum(-1))
            last.add_(output.sum(-1))

        _read(network, inputs, [network.get_submodule(path).register_forward_pre_hook(take)])
        samples = sum(output.shape[-1] for output in wanted)
        first, last = first / samples, last / samples
        return cls(cross / samples - last[..., None] * first[..., None, :],
                   second / samples - first[..., None] * first[..., None, :], last, first)


def _read(network: Network, inputs: Tensor, hooks: list[torch.utils.hooks.RemovableHandle]) -> None:
    try:
        logits_of(network, inputs)
    finally:
        for hook in hooks:
            hook.remove()
