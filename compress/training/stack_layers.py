"""Layers of many networks of one structure as one tensor program each.

The networks' sizes may differ: each is padded with zeros to the largest, and zeros stay zeros, because their gradients
are zero. A layer that reads the shared input is not padded at all: its rows stand one network under another. Between
layers, N networks' activations are

    shared  (b, ...)                     the batch itself, the same for all networks
    rows    (N, b, features)             after a linear layer
    maps    (b, N x channels, ...)       after a convolution
    series  (N, b, steps, features)      after a recurrent layer
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

LEAST_GROUPED = 8  # channels a group from which a CPU is quicker with one convolution a network than with a grouped one


@dataclass(frozen=True, eq=False)
class Flow:
    """What flows between two layers: its form (see above), the padded number of features or channels, and where in it
    each network's own ones stand."""

    form: str
    size: int
    places: tuple[Tensor, ...]

    @property
    def ragged(self) -> bool:
        """Whether some network is padded."""
        return any(len(place) != self.size for place in self.places)


class Packed:
    """One tensor of every network in one tensor (N, padded sizes...), or, unpadded, one under another (ragged)."""

    def __init__(self, tensors: Sequence[Tensor], indices: Sequence[tuple[Tensor, ...]] | None = None,
                 sizes: tuple[int, ...] = ()) -> None:
        self.indices = indices
        self.rows = [len(tensor) for tensor in tensors]
        if indices is None:
            self.data = torch.cat([tensor.detach() for tensor in tensors]).contiguous()
            return
        tail = tensors[0].shape[len(sizes):]
        self.data = tensors[0].new_zeros(len(tensors), *sizes, *tail)
        for number, tensor in enumerate(tensors):
            self.data[number].index_put_(self._grid(number), tensor.detach())

    def take(self, number: int, data: Tensor | None = None) -> Tensor:
        """A copy of one network's own tensor, out of a tensor like data where one is given."""
        data = self.data.detach() if data is None else data
        if self.indices is None:
            return data.split(self.rows)[number].clone()
        return data[number][self._grid(number)].clone()

    def keep(self, target: Tensor, chosen: Tensor) -> None:
        """Copies the chosen networks (mask (N,)) into a tensor like data."""
        if self.indices is None:
            chosen = chosen.repeat_interleave(torch.tensor(self.rows, device=chosen.device))
        target[chosen] = self.data.detach()[chosen]

    def _grid(self, number: int) -> tuple[Tensor, ...]:
        index = [place.to(self.data.device) for place in self.indices[number]]
        return (index[0][:, None], index[1][None, :]) if len(index) == 2 else tuple(index)


class StackedLayer:
    """One layer of every network. `parameters` and `buffers` are Packed, by the name inside the layer."""

    flow: Flow

    def __init__(self) -> None:
        self.parameters: dict[str, Packed] = {}
        self.buffers: dict[str, Packed] = {}

    def forward(self, batch: Tensor, training: bool, noise: int) -> Tensor:
        """The outputs; noise is the seed of this step's dropout."""
        raise NotImplementedError

    def adopt(self, name: str, layer: StackedLayer) -> None:
        """Takes a part's parameters and buffers in, under its name."""
        self.parameters.update({f"{name}.{own}": packed for own, packed in layer.parameters.items()})
        self.buffers.update({f"{name}.{own}": packed for own, packed in layer.buffers.items()})

    def settle(self, device: torch.device | str) -> None:
        """Moves what is neither parameter nor buffer to the device."""

    def value(self, name: str) -> Tensor:
        """A packed parameter's tensor."""
        return self.parameters[name].data


class StackedLinear(StackedLayer):
    """nn.Linear. `outputs` says where each network's units stand (a GRU's gates stand apart); in a row by default."""

    def __init__(self, layers: Sequence[nn.Linear], flow: Flow, outputs: tuple[Tensor, ...] | None = None,
                 size: int | None = None) -> None:
        super().__init__()
        self.shared = flow.form == "shared" and outputs is None
        self.widths = [layer.out_features for layer in layers]
        outputs = outputs or tuple(torch.arange(width) for width in self.widths)
        size = size or max(self.widths)
        if self.shared:
            self.parameters["weight"] = Packed([layer.weight for layer in layers])
            self.parameters["bias"] = Packed([layer.bias for layer in layers])
        else:
            pairs = list(zip(outputs, flow.places, strict=True))
            self.parameters["weight"] = Packed([layer.weight for layer in layers], pairs, (size, flow.size))
            self.parameters["bias"] = Packed([layer.bias for layer in layers], [(own,) for own in outputs], (size,))
        self.flow = Flow("rows", size, outputs)
        self.spots = torch.cat([own + number * size for number, own in enumerate(outputs)]) if self.flow.ragged else None

    def forward(self, batch: Tensor, training: bool, noise: int) -> Tensor:
        weight, bias = self.value("weight"), self.value("bias")
        if self.shared:
            return self._dense_weight(torch.addmm(bias[:, None], weight, batch.mT))
        return torch.baddbmm(bias[:, :, None], weight, batch.mT).mT  # the quickest of the orders on a CPU

    def settle(self, device: torch.device | str) -> None:
        self.spots = None if self.spots is None else self.spots.to(device)

    def _dense_weight(self, units: Tensor) -> Tensor:
        """All networks' units under each other (sum of widths, b) -> (N, b, size). Whole rows are copied, which costs
        less than columns, and nothing at all where no network is padded."""
        if self.spots is not None:
            units = units.new_zeros(len(self.widths) * self.flow.size, units.shape[1]).index_copy_(0, self.spots, units)
        return units.view(len(self.widths), self.flow.size, -1).mT


class StackedConvolution(StackedLayer):
    """nn.Conv1d and nn.Conv2d: one convolution with all networks' kernels on the shared input, a grouped one later."""

    def __init__(self, layers: Sequence[nn.Module], flow: Flow) -> None:
        super().__init__()
        first = layers[0]
        self.shared = flow.form == "shared"
        self.options = {"stride": first.stride, "padding": first.padding, "dilation": first.dilation}
        self.apply = functional.conv1d if isinstance(first, nn.Conv1d) else functional.conv2d
        self.widths = [layer.out_channels for layer in layers]
        self.flow = Flow("maps", max(self.widths), tuple(torch.arange(width) for width in self.widths))
        tensors = {"weight": [layer.weight for layer in layers]}
        if first.bias is not None:
            tensors["bias"] = [layer.bias for layer in layers]
        for name, values in tensors.items():
            if self.shared:
                self.parameters[name] = Packed(values)
            elif name == "weight":
                self.parameters[name] = Packed(values, list(zip(self.flow.places, flow.places, strict=True)),
                                               (self.flow.size, flow.size))
            else:
                self.parameters[name] = Packed(values, [(place,) for place in self.flow.places], (self.flow.size,))

    def forward(self, batch: Tensor, training: bool, noise: int) -> Tensor:
        weight = self.value("weight")
        bias = self.value("bias") if "bias" in self.parameters else None
        if not self.shared:
            if not batch.is_cuda and min(weight.shape[1:3]) >= LEAST_GROUPED:
                parts = zip(batch.chunk(len(weight), 1), weight, [None] * len(weight) if bias is None else bias, strict=True)
                return torch.cat([self.apply(*part, **self.options) for part in parts], 1)
            bias = bias if bias is None else bias.flatten()
            return self.apply(batch, weight.flatten(0, 1), bias, groups=len(weight), **self.options)
        outputs = self.apply(batch, weight, bias, **self.options)
        if not self.flow.ragged:
            return outputs
        rest = [0] * (2 * (outputs.dim() - 2))
        return torch.cat([functional.pad(part, [*rest, 0, self.flow.size - part.shape[1]])
                          for part in outputs.split(self.widths, 1)], 1)


class StackedNorm(StackedLayer):
    """nn.BatchNorm1d and 2d over maps: every network's channels have their own statistics already."""

    def __init__(self, layers: Sequence[nn.Module], flow: Flow) -> None:
        super().__init__()
        self.flow, self.momentum, self.epsilon = flow, layers[0].momentum, layers[0].eps
        where = [(place,) for place in flow.places]
        for name in ("weight", "bias"):
            self.parameters[name] = Packed([getattr(layer, name) for layer in layers], where, (flow.size,))
        for name in ("running_mean", "running_var"):
            self.buffers[name] = Packed([getattr(layer, name) for layer in layers], where, (flow.size,))

    def forward(self, batch: Tensor, training: bool, noise: int) -> Tensor:
        mean, variance = (self.buffers[name].data.view(-1) for name in ("running_mean", "running_var"))
        return functional.batch_norm(batch, mean, variance, self.value("weight").flatten(), self.value("bias").flatten(),
                                     training, self.momentum, self.epsilon)


class StackedDropout(StackedLayer):
    """nn.Dropout on rows. A unit's noise depends on the step's seed and the unit's number alone, so that a network
    trains alike in any company."""

    def __init__(self, layers: Sequence[nn.Dropout], flow: Flow, number: int) -> None:
        super().__init__()
        self.flow, self.share, self.number = flow, layers[0].p, number

    def forward(self, batch: Tensor, training: bool, noise: int) -> Tensor:
        if not training:
            return batch
        generator = torch.Generator().manual_seed(noise * 31 + self.number)
        kept = torch.rand(self.flow.size, batch.shape[1], generator=generator) >= self.share
        return batch * (kept.T.to(batch.device, batch.dtype) / (1 - self.share))


class StackedFlatten(StackedLayer):
    """nn.Flatten: the shared batch stays shared; maps and series become rows."""

    def __init__(self, flow: Flow, example: Tensor) -> None:
        super().__init__()
        self.before, self.flow = flow, flow
        if flow.form == "maps":  # features of a channel stand together, and padded channels stand last
            spots = example.shape[2:].numel()
            self.flow = Flow("rows", flow.size * spots, tuple(torch.arange(len(own) * spots) for own in flow.places))
        if flow.form == "series":
            steps = example.shape[2]
            own = tuple((torch.arange(steps)[:, None] * flow.size + place).flatten() for place in flow.places)
            self.flow = Flow("rows", flow.size * steps, own)

    def forward(self, batch: Tensor, training: bool, noise: int) -> Tensor:
        if self.before.form == "shared":
            return batch.flatten(1)
        if self.before.form == "series":
            return batch.flatten(2)
        return batch.reshape(batch.shape[0], len(self.before.places), -1).transpose(0, 1)


class StackedPlain(StackedLayer):
    """A module without weights that treats every network alike: ReLU, pooling, AsSequence, Identity."""

    def __init__(self, layers: Sequence[nn.Module], flow: Flow) -> None:
        super().__init__()
        self.module, self.flow = layers[0], flow

    def forward(self, batch: Tensor, training: bool, noise: int) -> Tensor:
        return self.module(batch)
