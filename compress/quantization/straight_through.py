"""Training of a quantized layer's numbers: gradients pass through the rounding as if it were not there."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from compress.layers.base import DenseLayer, Substitute, dense_like, dense_outputs, dense_plain
from compress.layers.rounded.quantized import Quantized


class StraightThrough(Substitute):
    """A layer in training: it computes with the levels nearest to its `latent` weights, whose gradients are those of the
    levels (Bengio, Léonard & Courville 2013; Jacob et al. 2018). The values of the levels stay. Never stored."""

    makes_its_weight = True

    def __init__(self, layer: Quantized, before: DenseLayer) -> None:
        """The layer as it is. Its latent weights are those before quantization where they are nearest to the levels that
        they were given, and the levels elsewhere.

        Args:
            before: the layer before quantization.
        """
        super().__init__()
        dense, levels = layer.merged(), layer.levels
        self.options, self.shape = dense_plain(dense), dense.weight.shape
        self.values, self.bias = levels.meaning(), dense.bias
        weights, rounded = before.weight.detach().flatten(1), dense.weight.detach().flatten(1)
        self.latent = nn.Parameter(torch.where(self.values.rounded(weights) == rounded, weights, rounded))
        self.held: Tensor | None
        self.register_buffer("held", None if levels.kept is None else levels.places() >= 0)
        self.train(layer.training)

    @property
    def weight(self) -> Tensor:
        """The levels (rows, ...), with gradients to the latent weights."""
        gap = (self._levels() - self.latent).detach()
        return (self.latent + gap).view(self.shape)

    def closed(self) -> Quantized:
        """The layer as it is stored."""
        return Quantized.of(self.merged(), self.values.nearest(self.latent.detach()), self.values, self.held)

    def merged(self) -> DenseLayer:
        layer = dense_like(self.options, self.bias, self.latent, self.training)
        layer.weight = nn.Parameter(self._levels().detach().clone().view(self.shape))
        return layer

    def forward(self, batch: Tensor) -> Tensor:
        return dense_outputs(batch, self.weight, self.bias, self.options)

    def _levels(self) -> Tensor:
        found = self.values.rounded(self.latent.detach())
        return found if self.held is None else torch.where(self.held, found, 0.0)
