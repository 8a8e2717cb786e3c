"""Outputs at many ranks for the price of one: what the first layer adds with each rank is summed up, not recomputed.

The first factorised layer of a multilayer perceptron sees the same inputs at every rank. With z = B^T W (x - mean) for
the full basis, its output at rank r is y_r = y_0 + sum over i <= r of b_i z_i, where y_0 = W mean + bias (the mean is
zero unless the scheme is centred). So going from one rank to a higher one costs only the new columns' product. The rest
of the network is evaluated from y_r, a few hundred examples at a time, while they are still in the processor's cache.
"""

from __future__ import annotations

from collections.abc import Iterator
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
        path: where the first layer is.
        inputs: the examples; codes: (n, count), z above; basis: (rows, count); start: (rows,), y_0 above.
        sums: (n, rows), the outputs y at `rank`.
    """

    path: str
    inputs: Tensor
    codes: Tensor
    basis: Tensor
    start: Tensor
    sums: Tensor = field(init=False)
    rank: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        self.sums = self.start.repeat(len(self.codes), 1)

    @classmethod
    def over(cls, teacher: Network, pieces: dict[str, Factorisation], inputs: Tensor) -> PrefixSums | None:
        """None unless the network is a flattening followed by a linear layer that was factorised."""
        modules = list(teacher.named_children())
        if len(modules) < 2 or not isinstance(modules[0][1], nn.Flatten) or modules[1][0] not in pieces:
            return None
        path = modules[1][0]
        piece, bias = pieces[path], pieces[path].dense.bias
        basis, inner = piece.subspace.basis[0, :, :piece.useful - 1], piece.inner[0, :piece.useful - 1]
        codes, start = inputs.flatten(1) @ inner.mT, basis.new_zeros(len(basis))
        if piece.mean is not None:
            start = piece.mapped_mean[0, :, 0]
            codes -= (basis.mT @ start).to(codes.dtype)
        start = start if bias is None else start + bias.detach()
        return cls(path, inputs, codes, basis.to(codes.dtype), start.to(codes.dtype))

    def logits(self, network: Network, ranks: dict[str, int]) -> Tensor | None:
        """The network's outputs (n, classes); None where the first layer is dense.

        Examples whose two best classes are nearly tied are run through the network itself, so that the predicted
        class is the network's own also where another order of summation could tip it.
        """
        if not isinstance(network.get_submodule(self.path), Factors):
            return None
        rest = network[list(dict(network.named_children())).index(self.path) + 1:]
        with torch.inference_mode():
            outputs = torch.cat([logits_of(rest, sums) for sums in self._at(ranks[self.path])])
            close = _close_calls(outputs)
            if len(close):
                outputs[close] = _rows(network, self.inputs, close)
        return outputs

    def _at(self, rank: int) -> Iterator[Tensor]:
        """The sums at a rank, chunk by chunk; all of them must be taken."""
        if rank < self.rank:
            self.rank = 0
            self.sums.copy_(self.start)
        new = slice(self.rank, rank)
        self.rank = rank
        for sums, codes in zip(self.sums.split(CHUNK), self.codes.split(CHUNK), strict=True):
            yield sums.addmm_(codes[:, new], self.basis[:, new].mT)


def _close_calls(outputs: Tensor) -> Tensor:
    best = outputs.topk(2, dim=1).values
    return torch.nonzero(best[:, 0] - best[:, 1] <= CLOSE_CALL * best[:, 0].abs().clamp_min(1.0)).flatten()


def _rows(network: Network, inputs: Tensor, rows: Tensor) -> Tensor:
    """The network's outputs of some rows, computed in the very chunks of a full evaluation."""
    chunks = sorted({int(row) // CHUNK for row in rows})
    outputs = {chunk: logits_of(network, inputs[chunk * CHUNK:(chunk + 1) * CHUNK]) for chunk in chunks}
    return torch.stack([outputs[int(row) // CHUNK][int(row) % CHUNK] for row in rows])
