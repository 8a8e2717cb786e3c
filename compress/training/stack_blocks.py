"""Blocks of several layers, stacked: the residual block and the gated recurrent unit."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from compress.networks.gru import GRU, Direction, gated
from compress.training.stack_layers import Flow, StackedLayer, StackedLinear


class StackedResidual(StackedLayer):
    """networks.Residual: a body and a shortcut, each a row of named stacked layers."""

    def __init__(self, body: dict[str, StackedLayer], shortcut: dict[str, StackedLayer], flow: Flow) -> None:
        super().__init__()
        self.body, self.shortcut = body, shortcut
        self.flow = list(body.values())[-1].flow if body else flow
        for name, layer in (*body.items(), *shortcut.items()):
            self.adopt(name, layer)

    def forward(self, batch: Tensor, training: bool, noise: int) -> Tensor:
        straight = batch
        for layer in self.body.values():
            batch = layer.forward(batch, training, noise)
        for layer in self.shortcut.values():
            straight = layer.forward(straight, training, noise)
        return torch.relu(batch + straight)


class StackedGRU(StackedLayer):
    """gru.GRU over the shared sequences: every network's states are one product a step."""

    def __init__(self, layers: Sequence[GRU], flow: Flow) -> None:
        super().__init__()
        self.forwards = _Direction([layer.forwards for layer in layers], flow)
        self.backwards = None
        self.adopt("forwards", self.forwards)
        size, own = self.forwards.units, self.forwards.own
        if layers[0].backwards is not None:
            self.backwards = _Direction([layer.backwards for layer in layers], flow)
            self.adopt("backwards", self.backwards)
            own, size = tuple(torch.cat([place, place + size]) for place in own), 2 * size
        self.flow = Flow("series", size, own)

    def forward(self, batch: Tensor, training: bool, noise: int) -> Tensor:
        ahead = self.forwards.forward(batch, training, noise)
        if self.backwards is None:
            return ahead
        return torch.cat([ahead, self.backwards.forward(batch.flip(1), training, noise).flip(2)], 3)


class _Direction(StackedLayer):
    """gru.Direction: (b, steps, features) -> (N, b, steps, units)."""

    def __init__(self, layers: Sequence[Direction], flow: Flow) -> None:
        super().__init__()
        self.units = max(layer.units for layer in layers)
        self.own = tuple(torch.arange(layer.units) for layer in layers)
        gates = tuple(torch.cat([place + gate * self.units for gate in range(3)]) for place in self.own)
        states = Flow("rows", self.units, self.own)
        self.input_map = StackedLinear([layer.input_map for layer in layers], flow, gates, 3 * self.units)
        self.state_map = StackedLinear([layer.state_map for layer in layers], states, gates, 3 * self.units)
        self.adopt("input_map", self.input_map)
        self.adopt("state_map", self.state_map)

    def forward(self, batch: Tensor, training: bool, noise: int) -> Tensor:
        weight, bias = self.input_map.value("weight"), self.input_map.value("bias")
        inputs = functional.linear(batch, weight.flatten(0, 1), bias.flatten())
        state = inputs.new_zeros(len(weight), len(batch), self.units)
        states = []
        for step in inputs.unflatten(-1, weight.shape[:2]).permute(1, 2, 0, 3).unbind(0):
            state = gated(step, self.state_map.forward(state, training, noise), state)
            states.append(state)
        return torch.stack(states, 2)
