"""Blocks of several layers, for many networks at once: the residual block and the gated recurrent unit."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from compress.networks.gru import GRU, Direction, gated
from compress.training.stack_layers import Layout, StackedLayer, StackedLinear


class StackedResidual(StackedLayer):
    """modules.Residual of every network: a body and a shortcut, each a sequence of named stacked layers."""

    def __init__(self, body: dict[str, StackedLayer], shortcut: dict[str, StackedLayer], layout: Layout) -> None:
        super().__init__()
        self.body, self.shortcut = body, shortcut
        self.layout = list(body.values())[-1].layout if body else layout
        for name, layer in (*body.items(), *shortcut.items()):
            self.add_part(name, layer)

    def forward(self, batch: Tensor, training: bool, noise_seed: int) -> Tensor:
        straight = batch
        for layer in self.body.values():
            batch = layer.forward(batch, training, noise_seed)
        for layer in self.shortcut.values():
            straight = layer.forward(straight, training, noise_seed)
        return torch.relu(batch + straight)


class StackedGRU(StackedLayer):
    """gru.GRU of every network, over the shared sequences or each over its own: one product a step computes the
    states of all networks."""

    def __init__(self, layers: Sequence[GRU], layout: Layout) -> None:
        super().__init__()
        self.forwards = _Direction([layer.forwards for layer in layers], layout)
        self.backwards = None
        self.add_part("forwards", self.forwards)
        size, places = self.forwards.units, self.forwards.places
        if layers[0].backwards is not None:
            self.backwards = _Direction([layer.backwards for layer in layers if layer.backwards is not None], layout)
            self.add_part("backwards", self.backwards)
            places, size = tuple(torch.cat([place, place + size]) for place in places), 2 * size
        self.layout = Layout("series", size, places)

    def forward(self, batch: Tensor, training: bool, noise_seed: int) -> Tensor:
        ahead = self.forwards.forward(batch, training, noise_seed)
        if self.backwards is None:
            return ahead
        return torch.cat([ahead, self.backwards.forward(batch.flip(-2), training, noise_seed).flip(2)], 3)


class _Direction(StackedLayer):
    """gru.Direction of every network: (b, steps, features), or a series (N, b, steps, features) -> (N, b, steps, units)."""

    def __init__(self, layers: Sequence[Direction], layout: Layout) -> None:
        super().__init__()
        self.units = max(layer.units for layer in layers)
        self.places = tuple(torch.arange(layer.units) for layer in layers)
        gates = tuple(torch.cat([place + gate * self.units for gate in range(3)]) for place in self.places)
        states = Layout("rows", self.units, self.places)
        self.input_map = StackedLinear([layer.input_map for layer in layers], layout, gates, 3 * self.units)
        self.state_map = StackedLinear([layer.state_map for layer in layers], states, gates, 3 * self.units)
        self.add_part("input_map", self.input_map)
        self.add_part("state_map", self.state_map)

    def forward(self, batch: Tensor, training: bool, noise_seed: int) -> Tensor:
        weight, bias = self.input_map.value("weight"), self.input_map.value("bias")
        if batch.dim() == 4:
            inputs = batch @ weight[:, None].mT + bias[:, None, None]
        else:
            inputs = functional.linear(batch, weight.flatten(0, 1), bias.flatten())
            inputs = inputs.unflatten(-1, weight.shape[:2]).movedim(2, 0)
        state = inputs.new_zeros(*inputs.shape[:2], self.units)
        states = []
        for step in inputs.unbind(2):
            state = gated(step, self.state_map.forward(state, training, noise_seed), state)
            states.append(state)
        return torch.stack(states, 2)
