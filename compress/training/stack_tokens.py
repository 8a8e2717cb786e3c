"""Embedding tables, and what reads token by token, of many networks as one tensor program each (see stack_layers.py)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from compress.networks.embedding import PADDING, Embedding, known_ids
from compress.training.stack_layers import Layout, StackedLayer, StackedTensor


class StackedEmbedding(StackedLayer):
    """The embedding table of every network, all with as many tokens: rows (N, b, width), or series without a mean."""

    def __init__(self, layers: Sequence[Embedding], layout: Layout) -> None:
        """Raises TypeError for tables of different lengths, with a bias or without padding, or inputs not shared."""
        super().__init__()
        first = layers[0]
        alike = all(layer.padded and layer.in_features == first.in_features and layer.bias is None for layer in layers)
        if layout.kind != "shared" or not alike:
            raise TypeError("embedding tables of different lengths, with a bias, or without padding cannot be stacked")
        self.mean, self.tokens = first.mean, first.in_features
        widths, size = [layer.out_features for layer in layers], max(layer.out_features for layer in layers)
        places = tuple(torch.arange(width) for width in widths)
        every = torch.arange(self.tokens)
        self.parameters["weight"] = StackedTensor([layer.weight for layer in layers], [(place, every) for place in places],
                                                  (size, self.tokens))
        self.layout = Layout("rows" if self.mean else "series", size, places)

    def forward(self, batch: Tensor, training: bool, noise_seed: int) -> Tensor:
        ids, weight = known_ids(batch, self.tokens), self.value("weight")
        held = (ids != PADDING).to(weight.dtype)
        found = functional.embedding(ids, weight.flatten(0, 1).mT) * held[..., None]
        if self.mean:
            found = found.sum(1) / held.sum(1, keepdim=True).clamp_min(1.0)
        return found.unflatten(-1, (len(weight), -1)).movedim(-2, 0)


class StackedAsChannels(StackedLayer):
    """Tokens in their order, as grouped convolutions read them: series -> maps."""

    def __init__(self, layout: Layout) -> None:
        super().__init__()
        self.layout = Layout("maps", layout.size, layout.places)

    def forward(self, batch: Tensor, training: bool, noise_seed: int) -> Tensor:
        return batch.permute(1, 0, 3, 2).flatten(1, 2)


class StackedLargestOverTime(StackedLayer):
    """The largest output of each channel: maps -> rows."""

    def __init__(self, layout: Layout) -> None:
        super().__init__()
        self.layout = Layout("rows", layout.size, layout.places)

    def forward(self, batch: Tensor, training: bool, noise_seed: int) -> Tensor:
        return batch.amax(2).unflatten(1, (len(self.layout.places), -1)).transpose(0, 1)


class StackedLastState(StackedLayer):
    """The state after the last step of every network: series -> rows."""

    def __init__(self, layout: Layout) -> None:
        super().__init__()
        self.layout = Layout("rows", layout.size, layout.places)

    def forward(self, batch: Tensor, training: bool, noise_seed: int) -> Tensor:
        return batch[:, :, -1]
