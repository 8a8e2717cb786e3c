"""Layers of many networks of one structure as one tensor program each.

The sizes of the networks may differ: each tensor is padded with zeros to the largest size. Gradients stay those of the
networks alone, and padded numbers stay zero:
    The sum of the losses L_1 + ... + L_N is differentiated, and L_m does not depend on the weights of network n != m.
    A padded row makes a unit that is 0 and is read by padded, zero columns only, so dL/d(unit) = 0 and dL/d(row) = 0.
    A padded column multiplies a unit that is 0, so dL/d(column) = 0. Moments and weight decay of zeros are zeros too.
A layer that reads the shared input is not padded: its networks' rows are concatenated. Between layers, the activations of
N networks are

    shared  (b, ...)                     the batch itself, the same for all networks
    rows    (N, b, features)             after a linear layer
    maps    (b, N x channels, ...)       after a convolution
    series  (N, b, steps, features)      after a recurrent layer
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

SEEDS = 2 ** 63  # torch's generators take fewer
UNGROUPED_CHANNELS = 8  # from so many channels a group, a CPU is faster with one convolution for each network


def dropout_generator(noise_seed: int, number: int) -> torch.Generator:
    """The generator of a dropout layer at one step: the same wherever the network is trained.

    Args:
        noise_seed: of the step; number: of the layer among those with dropout.
    """
    return torch.Generator().manual_seed((noise_seed * 31 + number) % SEEDS)


@dataclass(frozen=True, eq=False)
class Layout:
    """How the activations between two layers are arranged.

    Attributes:
        kind: "shared", "rows", "maps" or "series" (see above).
        size: features or channels of a network, padding included.
        places: for each network the indices (int64) of its features or channels; the others are padding.
    """

    kind: str
    size: int
    places: tuple[Tensor, ...]

    @property
    def ragged(self) -> bool:
        """Whether some network is padded."""
        return any(len(place) != self.size for place in self.places)


class StackedTensor:
    """The same tensor of every network as one tensor.

    Attributes:
        data: (N, padded sizes..., rest of the shape), or, where no indices are given, the tensors concatenated by rows.
    """

    def __init__(self, tensors: Sequence[Tensor], indices: Sequence[tuple[Tensor, ...]] | None = None,
                 sizes: tuple[int, ...] = ()) -> None:
        """Copies the tensors.

        Args:
            indices: for each network, along each padded axis the indices of the network's numbers.
            sizes: of the padded axes, which are the first ones.
        """
        self.indices = indices
        self.rows = [len(tensor) for tensor in tensors]
        if indices is None:
            self.data = torch.cat([tensor.detach() for tensor in tensors]).contiguous()
            return
        tail = tensors[0].shape[len(sizes):]
        self.data = tensors[0].new_zeros(len(tensors), *sizes, *tail)
        for number, tensor in enumerate(tensors):
            self.data[number].index_put_(self._grid(number), tensor.detach())

    def extract(self, number: int, data: Tensor | None = None) -> Tensor:
        """A copy of one network's tensor, without padding, out of `data` or of a given tensor of the same shape."""
        data = self.data.detach() if data is None else data
        if self.indices is None:
            return data.split(self.rows)[number].clone()
        return data[number][self._grid(number)].clone()

    def copy_into(self, target: Tensor, chosen: Tensor) -> None:
        """Copies the numbers of the chosen networks (mask (N,) bool) into a tensor of data's shape, in place."""
        if self.indices is None:
            chosen = chosen.repeat_interleave(torch.tensor(self.rows, device=chosen.device))
        target[chosen] = self.data.detach()[chosen]

    def _grid(self, number: int) -> tuple[Tensor, ...]:
        """The index of one network's numbers in data[number]."""
        assert self.indices is not None
        index = [place.to(self.data.device) for place in self.indices[number]]
        return (index[0][:, None], index[1][None, :]) if len(index) == 2 else tuple(index)


class StackedLayer:
    """One layer of every network.

    Attributes:
        parameters, buffers: by their names inside the layer.
        layout: of the layer's outputs.
    """

    layout: Layout

    def __init__(self) -> None:
        self.parameters: dict[str, StackedTensor] = {}
        self.buffers: dict[str, StackedTensor] = {}

    def forward(self, batch: Tensor, training: bool, noise_seed: int) -> Tensor:
        """The outputs of all networks, in this layer's layout."""
        raise NotImplementedError

    def add_part(self, name: str, layer: StackedLayer) -> None:
        """Adds the parameters and buffers of a part of this layer, their names prefixed with the part's name."""
        self.parameters.update({f"{name}.{inner}": tensor for inner, tensor in layer.parameters.items()})
        self.buffers.update({f"{name}.{inner}": tensor for inner, tensor in layer.buffers.items()})

    def move_to(self, device: torch.device | str) -> None:
        """Moves index tensors (neither parameters nor buffers) to the device."""

    def value(self, name: str) -> Tensor:
        """The tensor of a parameter."""
        return self.parameters[name].data


class StackedLinear(StackedLayer):
    """nn.Linear of every network."""

    def __init__(self, layers: Sequence[nn.Linear], layout: Layout, outputs: tuple[Tensor, ...] | None = None,
                 size: int | None = None) -> None:
        """Args:
            outputs: for each network the indices of its units among the padded ones; 0, 1, ... by default. (The gates of a
                padded GRU are not adjacent.)
            size: padded number of units.
        """
        super().__init__()
        self.shared = layout.kind == "shared" and outputs is None
        self.widths = [layer.out_features for layer in layers]
        outputs = outputs or tuple(torch.arange(width) for width in self.widths)
        size = size or max(self.widths)
        if self.shared:
            self.parameters["weight"] = StackedTensor([layer.weight for layer in layers])
            self.parameters["bias"] = StackedTensor([layer.bias for layer in layers])
        else:
            pairs = list(zip(outputs, layout.places, strict=True))
            self.parameters["weight"] = StackedTensor([layer.weight for layer in layers], pairs, (size, layout.size))
            units = [(place,) for place in outputs]
            self.parameters["bias"] = StackedTensor([layer.bias for layer in layers], units, (size,))
        self.layout = Layout("rows", size, outputs)
        self.padded_rows: Tensor | None = None
        if self.layout.ragged:
            self.padded_rows = torch.cat([place + number * size for number, place in enumerate(outputs)])

    def forward(self, batch: Tensor, training: bool, noise_seed: int) -> Tensor:
        weight, bias = self.value("weight"), self.value("bias")
        if self.shared:
            return self._padded(torch.addmm(bias[:, None], weight, batch.mT))
        return torch.baddbmm(bias[:, :, None], weight, batch.mT).mT  # the fastest order on a CPU

    def move_to(self, device: torch.device | str) -> None:
        self.padded_rows = None if self.padded_rows is None else self.padded_rows.to(device)

    def _padded(self, units: Tensor) -> Tensor:
        """The concatenated units of all networks (sum of widths, b) -> (N, b, size). Rows are copied, which is faster than
        copying columns; nothing is copied where no network is padded."""
        if self.padded_rows is not None:
            padded = units.new_zeros(len(self.widths) * self.layout.size, units.shape[1])
            units = padded.index_copy_(0, self.padded_rows, units)
        return units.view(len(self.widths), self.layout.size, -1).mT


class StackedConvolution(StackedLayer):
    """nn.Conv1d and nn.Conv2d of every network: on the shared input one convolution with the kernels of all networks, on
    maps a grouped convolution."""

    def __init__(self, layers: Sequence[nn.Conv1d | nn.Conv2d], layout: Layout) -> None:
        super().__init__()
        first = layers[0]
        self.shared = layout.kind == "shared"
        self.options: dict[str, Any] = {"stride": first.stride, "padding": first.padding, "dilation": first.dilation}
        self.apply = functional.conv1d if isinstance(first, nn.Conv1d) else functional.conv2d
        self.widths = [layer.out_channels for layer in layers]
        self.layout = Layout("maps", max(self.widths), tuple(torch.arange(width) for width in self.widths))
        tensors = {"weight": [layer.weight for layer in layers]}
        if first.bias is not None:
            tensors["bias"] = [layer.bias for layer in layers if layer.bias is not None]
        for name, values in tensors.items():
            if self.shared:
                self.parameters[name] = StackedTensor(values)
            elif name == "weight":
                pairs = list(zip(self.layout.places, layout.places, strict=True))
                self.parameters[name] = StackedTensor(values, pairs, (self.layout.size, layout.size))
            else:
                channels = [(place,) for place in self.layout.places]
                self.parameters[name] = StackedTensor(values, channels, (self.layout.size,))

    def forward(self, batch: Tensor, training: bool, noise_seed: int) -> Tensor:
        weight = self.value("weight")
        bias = self.value("bias") if "bias" in self.parameters else None
        if not self.shared:
            if not batch.is_cuda and min(weight.shape[1:3]) >= UNGROUPED_CHANNELS:
                parts = zip(batch.chunk(len(weight), 1), weight, [None] * len(weight) if bias is None else bias, strict=True)
                return torch.cat([self.apply(*part, **self.options) for part in parts], 1)
            bias = bias if bias is None else bias.flatten()
            return self.apply(batch, weight.flatten(0, 1), bias, groups=len(weight), **self.options)
        outputs = self.apply(batch, weight, bias, **self.options)
        if not self.layout.ragged:
            return outputs
        rest = [0] * (2 * (outputs.dim() - 2))
        return torch.cat([functional.pad(part, [*rest, 0, self.layout.size - part.shape[1]])
                          for part in outputs.split(self.widths, 1)], 1)


class StackedNorm(StackedLayer):
    """nn.BatchNorm1d and 2d over maps. Statistics belong to channels, so that one call serves all networks."""

    def __init__(self, layers: Sequence[nn.BatchNorm1d | nn.BatchNorm2d], layout: Layout) -> None:
        super().__init__()
        if layers[0].momentum is None:
            raise TypeError("batch normalisation with a cumulative average (momentum=None) cannot be stacked")
        self.layout, self.momentum, self.epsilon = layout, layers[0].momentum, layers[0].eps
        where = [(place,) for place in layout.places]
        for name in ("weight", "bias"):
            self.parameters[name] = StackedTensor([getattr(layer, name) for layer in layers], where, (layout.size,))
        for name in ("running_mean", "running_var"):
            self.buffers[name] = StackedTensor([getattr(layer, name) for layer in layers], where, (layout.size,))

    def forward(self, batch: Tensor, training: bool, noise_seed: int) -> Tensor:
        mean, variance = (self.buffers[name].data.view(-1) for name in ("running_mean", "running_var"))
        return functional.batch_norm(batch, mean, variance, self.value("weight").flatten(), self.value("bias").flatten(),
                                     training, self.momentum, self.epsilon)


class StackedDropout(StackedLayer):
    """nn.Dropout on rows. Whether a unit is dropped depends on the step's seed and the unit's number alone, not on the
    other networks of the stack."""

    def __init__(self, layers: Sequence[nn.Dropout], layout: Layout, number: int) -> None:
        super().__init__()
        self.layout, self.probability, self.number = layout, layers[0].p, number

    def forward(self, batch: Tensor, training: bool, noise_seed: int) -> Tensor:
        if not training:
            return batch
        generator = dropout_generator(noise_seed, self.number)
        kept = torch.rand(self.layout.size, batch.shape[1], generator=generator) >= self.probability
        return batch * (kept.T.to(batch.device, batch.dtype) / (1 - self.probability))


class StackedFlatten(StackedLayer):
    """nn.Flatten of every network: the shared batch stays shared; maps and series become rows."""

    def __init__(self, layout: Layout, example: Tensor) -> None:
        super().__init__()
        self.before, self.layout = layout, layout
        if layout.kind == "maps":  # the features of a channel are adjacent, and padded channels are the last ones
            positions = example.shape[2:].numel()
            places = tuple(torch.arange(len(place) * positions) for place in layout.places)
            self.layout = Layout("rows", layout.size * positions, places)
        if layout.kind == "series":
            steps = example.shape[2]
            places = tuple((torch.arange(steps)[:, None] * layout.size + place).flatten() for place in layout.places)
            self.layout = Layout("rows", layout.size * steps, places)

    def forward(self, batch: Tensor, training: bool, noise_seed: int) -> Tensor:
        if self.before.kind == "shared":
            return batch.flatten(1)
        if self.before.kind == "series":
            return batch.flatten(2)
        return batch.reshape(batch.shape[0], len(self.before.places), -1).transpose(0, 1)


class StackedPlain(StackedLayer):
    """A module without weights that is the same for every network: ReLU, pooling, AsSequence, Identity."""

    def __init__(self, layers: Sequence[nn.Module], layout: Layout) -> None:
        super().__init__()
        self.module, self.layout = layers[0], layout

    def forward(self, batch: Tensor, training: bool, noise_seed: int) -> Tensor:
        return self.module(batch)
