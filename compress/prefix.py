"""Outputs at many ranks for the price of one: what the first layer adds with each rank is summed up, not recomputed.

The first factorised layer of a multilayer perceptron sees the same inputs at every rank. With z = (B^T W) x for the
full basis, its output at rank r is y_r = sum over i <= r of b_i z_i + bias, so going from one rank to a higher one
costs only the new columns' product. The rest of the network is evaluated from y_r.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from compress.batches import CHUNK, logits_of
from compress.factorisation import Factorisation
from compress.layers import Factors
from compress.networks import Network

CLOSE_CALL = 2e-5


@dataclass(eq=False)
class PrefixSums:
    """Running first-layer outputs over the examples (n, features). One use goes through ranks in any order, but only
    rising ranks are cheap.

    Attributes:
        path, piece: where the first layer is, and its factorisation.
        inputs: (n, features); codes: (n, count), z above; sums: (n, rows), the sum up to `rank` without the bias.
    """

    path: str
    piece: Factorisation
    inputs: Tensor
    codes: Tensor
    basis: Tensor
    sums: Tensor = field(init=False)
    rank: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        self.sums = self.codes.new_zeros(len(self.codes), self.basis.shape[0])

    @classmethod
    def over(cls, teacher: Network, pieces: dict[str, Factorisation], inputs: Tensor) -> PrefixSums | None:
        """None unless the network is a flattening followed by a linear layer that was factorised."""
        modules = list(teacher.named_children())
        if len(modules) < 2 or not isinstance(modules[0][1], nn.Flatten) or modules[1][0] not in pieces:
            return None
        path = modules[1][0]
        piece = pieces[path]
        basis = piece.subspace.basis[0, :, :piece.useful - 1]
        inner = (basis.mT @ piece.dense.weight.detach().double()).to(inputs.dtype)
        return cls(path, piece, inputs, inputs.flatten(1) @ inner.mT, basis.to(inputs.dtype))

    def logits(self, network: Network, ranks: dict[str, int]) -> Tensor | None:
        """The network's outputs (n, classes); None where the first layer is dense.

        Examples whose two best classes are nearly tied are run through the network itself, so that the predicted
        class is the network's own also where another order of summation could tip it.
        """
        layer = network.get_submodule(self.path)
        if not isinstance(layer, Factors):
            return None
        self._move_to(ranks[self.path])
        first = self.sums if layer[1].bias is None else self.sums + layer[1].bias.detach()
        rest = network[list(dict(network.named_children())).index(self.path) + 1:]
        outputs = logits_of(rest, first)
        close = _close_calls(outputs)
        if len(close):
            outputs[close] = _rows(network, self.inputs, close)
        return outputs

    def _move_to(self, rank: int) -> None:
        if rank < self.rank:
            self.sums, self.rank = torch.zeros_like(self.sums), 0
        self.sums = torch.addmm(self.sums, self.codes[:, self.rank:rank], self.basis[:, self.rank:rank].mT)
        self.rank = rank


def _close_calls(outputs: Tensor) -> Tensor:
    best = outputs.topk(2, dim=1).values
    return torch.nonzero(best[:, 0] - best[:, 1] <= CLOSE_CALL * best[:, 0].abs().clamp_min(1.0)).flatten()


def _rows(network: Network, inputs: Tensor, rows: Tensor) -> Tensor:
    """The network's outputs of some rows, computed in the very chunks of a full evaluation."""
    chunks = sorted({int(row) // CHUNK for row in rows})
    outputs = {chunk: logits_of(network, inputs[chunk * CHUNK:(chunk + 1) * CHUNK]) for chunk in chunks}
    return torch.stack([outputs[int(row) // CHUNK][int(row) % CHUNK] for row in rows])
