"""Outputs of the first layer at many ranks for the cost of one: each rank adds to the outputs of the rank before.

The first factorised layer of a multilayer perceptron has the same inputs x at every rank. Its output at rank r is
    y_r = B_r B_r^T W (x - mean) + W mean + bias = y_0 + sum_{i <= r} b_i z_i,
with the columns b_i of the full basis B, z = B^T W (x - mean) and y_0 = W mean + bias (the mean is zero unless the scheme is
centred), because B_r holds the first r columns of B. A step from rank r to s > r costs the product of the columns r to s.
The rest of the network is evaluated from y_r, one chunk of examples at a time while it is in the processor's cache. Examples
are columns, because matrix products are faster in this order than in that of nn.Linear.
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

CLOSE_CALL = 2e-5  # relative difference of the two best logits below which the order of summation could decide


@dataclass(eq=False)
class PrefixSums:
    """Outputs of the first layer on all examples at one rank, which is changed by each call. Ranks may come in any order; a
    rank lower than the one before starts from rank 0 again.

    Attributes:
        path: of the first layer.
        inputs: the examples (n, *shape).
        codes: z, one tensor (count, chunk) for each chunk of examples.
        basis: B (rows, count).
        start: y_0 (rows, 1).
        sums: y at the present `rank`, one tensor (rows, chunk) for each chunk.
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
        """The outputs at rank 0; None unless the network begins with nn.Flatten and a linear layer that was factorised."""
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
        """The network's outputs (n, classes); None if its first layer is dense.

        Examples with nearly equal logits of the two best classes are evaluated by the network itself: there another order of
        summation could change the predicted class.
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
        """The outputs at a rank, chunk by chunk. The iterator must be used up, because the stored sums change on the way."""
        if rank < self.rank:
            self.rank = 0
            for sums in self.sums:
                sums.copy_(self.start)
        new = slice(self.rank, rank)
        self.rank = rank
        for sums, codes in zip(self.sums, self.codes, strict=True):
            yield sums.addmm_(self.basis[:, new], codes[new])


def _rest(modules: list[nn.Module], sums: Tensor) -> Tensor:
    """(classes, n): the outputs of the remaining layers for these outputs of the first one, which are not changed."""
    starts_with_relu = bool(modules) and type(modules[0]) is nn.ReLU
    columns = sums.relu() if starts_with_relu else sums.clone()
    for module in modules[starts_with_relu:]:
        columns = _passed(module, columns)
    return columns


def _passed(module: nn.Module, columns: Tensor) -> Tensor:
    """A module's output for examples as columns (features, n), which may be overwritten."""
    if isinstance(module, Factors):
        return _passed(module[1], _passed(module[0], columns))
    if type(module) is nn.ReLU:
        return columns.relu_()
    if type(module) is not nn.Linear:
        return module(columns.mT).mT
    return (module.weight @ columns if module.bias is None else
            torch.addmm(module.bias[:, None], module.weight, columns))


def _close_calls(outputs: Tensor) -> Tensor:
    best = outputs.topk(2, dim=1).values
    return torch.nonzero(best[:, 0] - best[:, 1] <= CLOSE_CALL * best[:, 0].abs().clamp_min(1.0)).flatten()


def _rows(network: Network, inputs: Tensor, rows: Tensor) -> Tensor:
    """The network's outputs on some rows, from the chunks of a full evaluation, so that they are equal bit for bit."""
    chunks = sorted({int(row) // CHUNK for row in rows})
    outputs = {chunk: logits_of(network, inputs[chunk * CHUNK:(chunk + 1) * CHUNK]) for chunk in chunks}
    return torch.stack([outputs[int(row) // CHUNK][int(row) % CHUNK] for row in rows])
