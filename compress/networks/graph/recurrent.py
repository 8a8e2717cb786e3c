"""Recurrent layers of a graph, with ONNX's order of axes: (steps, n, features) -> (steps, directions, n, units).

Their matrices are linear layers, so that methods can replace them.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from compress.networks.gru import Direction

DIRECTIONS = {"forward": ("forwards",), "reverse": ("backwards",), "bidirectional": ("forwards", "backwards")}


class LongShort(nn.Module):
    """One direction of an LSTM (Hochreiter & Schmidhuber 1997, without peepholes): (n, steps, features) -> (n, steps,
    units). Its maps have 4 x units outputs: the gates in the order input, output, forget, new, as in ONNX."""

    def __init__(self, features: int, units: int) -> None:
        super().__init__()
        self.units = units
        self.input_map = nn.Linear(features, 4 * units)
        self.state_map = nn.Linear(units, 4 * units)

    def forward(self, batch: Tensor) -> Tensor:
        state = cell = batch.new_zeros(batch.shape[0], self.units)
        states = []
        for inputs in self.input_map(batch).unbind(1):
            opened, shown, kept, new = (inputs + self.state_map(state)).chunk(4, dim=-1)
            cell = torch.sigmoid(kept) * cell + torch.sigmoid(opened) * torch.tanh(new)
            state = torch.sigmoid(shown) * torch.tanh(cell)
            states.append(state)
        return torch.stack(states, dim=1)


CELLS: dict[str, type[Direction] | type[LongShort]] = {"GRU": Direction, "LSTM": LongShort}


class Recurrence(nn.Module):
    """A recurrent layer that begins with zeros. Returns the states of all steps (steps, directions, n, units), and those
    after the last step of each direction (directions, n, units)."""

    def __init__(self, cell: str, direction: str, features: int, units: int) -> None:
        super().__init__()
        self.kind, self.direction, self.features, self.units = cell, direction, features, units
        for name in DIRECTIONS[direction]:
            self.add_module(name, CELLS[cell](features, units))

    def forward(self, batch: Tensor) -> tuple[Tensor, Tensor]:
        if batch.is_meta:  # shapes alone: torch would load its compiler for them
            return self._shapes(batch)
        steps_second = batch.transpose(0, 1)
        states, last = [], []
        for name, cell in self.named_children():
            if name == "backwards":
                found = cell(steps_second.flip(1))
                last.append(found[:, -1])
                found = found.flip(1)
            else:
                found = cell(steps_second)
                last.append(found[:, -1])
            states.append(found.transpose(0, 1))
        return torch.stack(states, 1), torch.stack(last)

    def _shapes(self, batch: Tensor) -> tuple[Tensor, Tensor]:
        """Raises ValueError for inputs of other sizes."""
        if batch.dim() != 3 or batch.shape[2] != self.features:
            raise ValueError(f"a recurrent layer of {self.features} features reads values of {list(batch.shape)}")
        steps, examples, _ = batch.shape
        sizes = (len(DIRECTIONS[self.direction]), examples, self.units)
        return batch.new_empty(steps, *sizes), batch.new_empty(sizes)

    def extra_repr(self) -> str:
        return f"{self.kind}, {self.direction}"
