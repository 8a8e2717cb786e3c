"""A layer of few values whose inputs are rounded to 8 bits, too, and multiplied as whole numbers where this can be done."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn

from compress.layers.base import Compressed, DenseLayer, dense_outputs
from compress.layers.rounded.integer_matmul import LARGEST, MOST_COLUMNS, MOST_LEVELS, IntegerMatrix, rounded_inputs
from compress.layers.rounded.quantized import Quantized
from compress.networks.plain_values import mapping, whole
from compress.solvers.uniform_grid import Grid


class IntegerInputs(Compressed):
    """The layer `main`, with inputs rounded to t (a - z) for whole numbers a from -127 to 127, t = `reach` / 127 and z =
    `zero`. Reach and zero are measured on calibration examples (inputs behind ReLU have z = -127: none is negative); inputs
    outside are clipped.

    A linear layer on a grid of up to 256 levels with a step for the layer or each output multiplies whole numbers (see
    integer_matmul.py). Any other layer multiplies the rounded inputs in float32: a simulation. Later methods act on the
    weights of main, and the inputs are floating-point numbers again."""

    kind = "integer_inputs"
    reach: Tensor
    _matrix: IntegerMatrix | None

    def __init__(self, main: Quantized, reach: float, zero: int = 0) -> None:
        """main: a layer as it is stored. reach: half the width of what is represented, above 0; zero: from -127 to 127."""
        super().__init__()
        self.main, self.zero = main, zero
        self.register_buffer("reach", torch.tensor(reach, dtype=torch.float32))
        self.reach = self.reach.to(main.levels.numbers.device)
        self._is_ready, self._matrix = False, None
        self.train(main.training)

    @property
    def multiplies_integers(self) -> bool:
        """Whether products are of whole numbers; otherwise they are simulated."""
        levels = self.main.levels
        return (self.main.options["type"] == "Linear" and levels.form == "grid" and levels.step.shape[-1] == 1
                and len(levels.step) in (1, levels.rows) and levels.levels <= MOST_LEVELS
                and levels.columns <= MOST_COLUMNS and self._numbers() is not None)

    @property
    def weight(self) -> Tensor:
        """The weight of main."""
        return self.main.weight

    @property
    def bias(self) -> Tensor | None:
        """The bias of main."""
        return self.main.bias

    @property
    def macs_per_position(self) -> int:
        """Multiply-accumulates for one output position."""
        return self.main.macs_per_position

    def plain(self) -> dict[str, Any]:
        return {"main": self.main.plain(), **({"zero": self.zero} if self.zero else {})}

    @classmethod
    def rebuild(cls, plain: dict[str, Any]) -> IntegerInputs:
        zero = whole(plain, "zero", -LARGEST, LARGEST) if "zero" in plain else 0
        return cls(Quantized.rebuild(mapping(plain.get("main"), "main")), 1.0, zero)

    def place(self) -> dict[str, Any]:
        return self.main.place()

    def contradiction(self) -> str:
        reach = float(self.reach)
        return "" if math.isfinite(reach) and reach > 0 else "the range of the inputs of a layer is not above 0"

    def merged(self) -> DenseLayer:
        return self.main.merged()

    def forward(self, batch: Tensor) -> Tensor:
        matrix = None if self.main.wants_gradients else self._whole_numbers()
        if matrix is not None:
            found = matrix.outputs(batch.reshape(-1, batch.shape[-1]), self.main.bias)
            return found.view(*batch.shape[:-1], -1)
        return dense_outputs(self._rounded(batch), self.main.weight, self.main.bias, self.main.options)

    def _rounded(self, batch: Tensor) -> Tensor:
        """The inputs as they are multiplied; gradients pass as if they were not rounded."""
        rounded = rounded_inputs(batch, self.reach, self.zero)
        return batch + (rounded - batch).detach() if self.main.wants_gradients else rounded

    def _numbers(self) -> Tensor | None:
        """The numbers of the grid, weights outside a mask as the number of 0; None where 0 is no value."""
        levels, places = self.main.levels, self.main.levels.places()
        if levels.kept is None:
            return places
        grid = self._grid()
        zero = grid.nearest(torch.zeros_like(places, dtype=grid.step.dtype))
        return torch.where(places < 0, zero, places) if not bool(grid.values(zero).any()) else None

    def _whole_numbers(self) -> IntegerMatrix | None:
        """Made once; None where products are simulated."""
        if not self._is_ready:
            numbers = self._numbers() if self.multiplies_integers else None
            self._matrix = None if numbers is None else IntegerMatrix.of(self._grid(), numbers, float(self.reach), self.zero)
            self._is_ready = True
        return self._matrix

    def _grid(self) -> Grid:
        grid = self.main.levels.meaning()
        if not isinstance(grid, Grid):
            raise RuntimeError("a codebook has no step")
        return grid

    def train(self, mode: bool = True) -> IntegerInputs:
        self._is_ready = False
        return super().train(mode)

    def _load_from_state_dict(self, *arguments: Any) -> None:
        super()._load_from_state_dict(*arguments)
        self._is_ready = False

    def _apply(self, *arguments: Any, **options: Any) -> nn.Module:
        self._is_ready = False
        return super()._apply(*arguments, **options)
