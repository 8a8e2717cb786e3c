"""A gated recurrent unit whose matrices are linear layers, so that methods can replace them."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class GRU(nn.Module):
    """GRU (Cho et al. 2014, with the reset gate after the product as in cuDNN): (n, steps, features) -> (n, steps,
    units or 2 units). Fused in torch's kernel while its maps are plain dense layers, step by step otherwise."""

    def __init__(self, features: int, units: int, both_ways: bool) -> None:
        super().__init__()
        self.forwards = Direction(features, units)
        self.backwards = Direction(features, units) if both_ways else None

    def forward(self, batch: Tensor) -> Tensor:
        ahead = self.forwards(batch)
        if self.backwards is None:
            return ahead
        return torch.cat([ahead, self.backwards(batch.flip(1)).flip(1)], dim=2)


class Direction(nn.Module):
    """One direction of a GRU. Its maps have 3 x units outputs: the gates in the order reset, update, new."""

    def __init__(self, features: int, units: int) -> None:
        super().__init__()
        self.units = units
        self.input_map = nn.Linear(features, 3 * units)
        self.state_map = nn.Linear(units, 3 * units)

    def forward(self, batch: Tensor) -> Tensor:
        state = batch.new_zeros(batch.shape[0], self.units)
        if _is_untouched(self.input_map) and _is_untouched(self.state_map):
            weights = [self.input_map.weight, self.state_map.weight, self.input_map.bias, self.state_map.bias]
            return torch.ops.aten.gru.input(batch, state[None], weights, True, 1, 0.0, self.training, False, True)[0]
        states = []
        for inputs in self.input_map(batch).unbind(1):
            state = gated(inputs, self.state_map(state), state)
            states.append(state)
        return torch.stack(states, dim=1)


def gated(inputs: Tensor, recurrent: Tensor, state: Tensor) -> Tensor:
    """The next state (..., units) from both maps' outputs (..., 3 x units), gates in the order reset, update, new."""
    reset_in, update_in, new_in = inputs.chunk(3, dim=-1)
    reset_state, update_state, new_state = recurrent.chunk(3, dim=-1)
    reset = torch.sigmoid(reset_in + reset_state)
    update = torch.sigmoid(update_in + update_state)
    new = torch.tanh(new_in + reset * new_state)
    return new + update * (state - new)


def _is_untouched(layer: nn.Module) -> bool:
    """Whether the fused kernel can be used: a layer with one weight and without hooks (which need the layer to be
    called)."""
    has_weight = type(layer) is nn.Linear or getattr(layer, "makes_its_weight", False)
    return has_weight and not layer._forward_hooks and not layer._forward_pre_hooks
