"""Outputs at many ranks for the price of one: what the first layer adds with each rank is summed up, not recomputed.

The first factorised layer of a multilayer perceptron sees the same inputs at every rank. With z = B^T W (x - mean) for
the full basis, its output at rank r is y_r = y_0 + sum over i <= r of b_i z_i, where y_0 = W mean + bias (the mean is
zero unless the scheme is centred). So going from one rank to a higher one costs only the new columns' product. The
rest of the network is evaluated from y_r, a chunk of examples at a time while it is still in the processor's cache.
Examples stand in columns, because matrix products are faster in this order than in the one of nn.Linear.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from compress.layers.factors import Factors
from compress.low_rank.factorisation import Factorisation
from compress.networks.evaluation import CHUNK, evaluating, logits_of
from compress.networks.families import Network

CLOSE_CALL = 2e-5


@dataclass(eq=False)
class PrefixSums:
    """Running first-layer outputs over the examples. One use goes through ranks in any order, but only rising ranks
    are cheap.

    Attributes:
        path: where the first layer is.
        inputs: the examples (n, *shape).
        codes: z above, a chunk of examples at a time: (count, chunk).
        basis: (rows, count); start: (rows, 1), y_0 above.
        sums: the outputs y at `rank`, like codes: (rows, chunk).
    """

    path: str
    inputs: Tensor
    codes: list[Tensor]
    basis: Tensor
    start: Tensor
    sums: list[Tensor] = field(init=False)
    rank: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        self.sums = [self.start.repeat(1, codes.shape[1]) for codes in self.codes]

    @classmethod
    def over(cls, teacher: Network, pieces: dict[str, Factorisation], inputs: Tensor) -> PrefixSums | None:
        """None unless the network is a flattening followed by a linear layer that was factorised."""
        modules = list(teacher.named_children())
        if len(modules) < 2 or not isinstance(modules[0][1], nn.Flatten) or modules[1][0] not in pieces:
            return None
        piece = pieces[modules[1][0]]
        outer, inner = piece.outer[0], piece.inner[0]
        start = outer.new_zeros(len(outer), 1) if piece.mean is None else piece.mapped_mean[0].to(outer.dtype)
        offset = outer.mT @ start
        codes = [torch.addmm(offset, inner, chunk.mT, beta=-1) for chunk in inputs.flatten(1).split(CHUNK)]
        if piece.dense.bias is not None:
            start = start + piece.dense.bias.detach()[:, None]
        return cls(modules[1][0], inputs, codes, outer, start)

    def logits(self, network: Network, ranks: dict[str, int]) -> Tensor | None:
        """The network's outputs (n, classes); None where the first layer is dense.

        Examples whose two best classes are nearly tied are run through the network itself, so that the predicted
        class is the network's own also where another order of summation could tip it.
        """
        if not isinstance(network.get_submodule(self.path), Factors):
            return None
        place = list(dict(network.named_children())).index(self.path)
        with evaluating(network):
            outputs = torch.cat([_rest(list(network)[place + 1:], sums).mT for sums in self._at(ranks[self.path])])
            close = _close_calls(outputs)
            if len(close):
                outputs[close] = _rows(network, self.inputs, close)
        return outputs

    def _at(self, rank: int) -> Iterator[Tensor]:
        """The sums at a rank, chunk by chunk; all of them must be taken."""
        if rank < self.rank:
            self.rank = 0
            for sums in self.sums:
                sums.copy_(self.start)
        new = slice(self.rank, rank)
        self.rank = rank
        for sums, codes in zip(self.sums, self.codes, strict=True):
            yield sums.addmm_(self.basis[:, new], codes[new])


def _rest(modules: list[nn.Module], sums: Tensor) -> Tensor:
    """(classes, n): what the layers behind the first one make of its outputs, which stay as they are."""
    starts_with_relu = bool(modules) and type(modules[0]) is nn.ReLU
    columns = sums.relu() if starts_with_relu else sums.clone()
    for module in modules[starts_with_relu:]:
        columns = _passed(module, columns)
    return columns


def _passed(module: nn.Module, columns: Tensor) -> Tensor:
    """A module's output for examples in columns (features, n), which may be overwritten."""
    if isinstance(module, Factors):
        return _passed(module[1], _passed(module[0], columns))
    if type(module) is nn.ReLU:
        return columns.relu_()
    if type(module) is not nn.Linear:
        return module(columns.mT).mT
    if module.bias is None:
        return module.weight @ columns
    return torch.addmm(module.bias[:, None], module.weight, columns)


def _close_calls(outputs: Tensor) -> Tensor:
    best = outputs.topk(2, dim=1).values
    return torch.nonzero(best[:, 0] - best[:, 1] <= CLOSE_CALL * best[:, 0].abs().clamp_min(1.0)).flatten()


def _rows(network: Network, inputs: Tensor, rows: Tensor) -> Tensor:
    """The network's outputs of some rows, computed in the very chunks of a full evaluation."""
    chunks = sorted({int(row) // CHUNK for row in rows})
    outputs = {chunk: logits_of(network, inputs[chunk * CHUNK:(chunk + 1) * CHUNK]) for chunk in chunks}
    return torch.stack([outputs[int(row) // CHUNK][int(row) % CHUNK] for row in rows])
