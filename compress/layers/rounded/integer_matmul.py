"""Products of whole numbers of 8 bits: weights on a grid times activations rounded for each example, summed in 32 bits.

With weights w = s k + c (k whole numbers of 8 bits; s and c of each row) and activations x = t (a - z) (a from -127 to 127;
z stands for 0), the output of a row is t (s (sum of k a - z sum of k) + c sum of (a - z)): one product of matrices of whole
numbers, exact, a whole number to be added to each output, and a few operations. torch multiplies such matrices by
`torch._int_mm`, which is no part of its public interface: its result is checked once in a process, and where it is missing
or wrong the products are computed in float64, which is exact and slow.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from compress.solvers.uniform_grid import Grid

LARGEST = 127  # of activations: -128 has no counterpart
MOST_LEVELS = 256
MOST_COLUMNS = 1 << 16  # with more of them a sum can be beyond 32 bits: (1 << 16) * 128 * 255 < 2^31
SMALLEST = 1e-30  # an example with no larger activation is 0


@dataclass(frozen=True)
class InputRange:
    """What 8 bits represent: t (a - zero) for whole numbers a from -127 to 127, t = reach / 127."""

    reach: float
    zero: int

    @staticmethod
    def between(low: float, high: float) -> InputRange:
        """From the smaller of `low` and 0 to the larger of `high` and 0, about: 0 is represented exactly, because it is what
        convolutions are padded with and ReLU gives most often."""
        low, high = min(low, 0.0), max(high, 0.0)
        step = max((high - low) / (2 * LARGEST), SMALLEST)
        return InputRange(step * LARGEST, max(-LARGEST, round(-LARGEST - low / step)))

    def rounded(self, batch: Tensor) -> Tensor:
        """The numbers nearest to inputs of any shape."""
        return rounded_inputs(batch, batch.new_tensor(self.reach), self.zero)


def rounded_inputs(batch: Tensor, reach: Tensor, zero: int) -> Tensor:
    """InputRange.rounded() with a reach ()."""
    scale = reach.to(batch) / LARGEST
    return (batch / scale).round().clamp(-LARGEST - zero, LARGEST - zero) * scale


@dataclass(frozen=True, eq=False)
class IntegerMatrix:
    """Weights (rows, columns) as whole numbers.

    Attributes:
        numbers: k (rows, columns) int8.
        step: s (rows,), float32.
        shift: c (rows,), float32; None if all are 0.
        reach: 127 t, where t was measured on calibration examples; larger activations are clipped. None: the largest
            activation of each example.
        zero: z, from -127 to 127.
        added: -z sum of k (rows,), int32; None if z is 0.
    """

    numbers: Tensor
    step: Tensor
    shift: Tensor | None
    reach: float | None = None
    zero: int = 0
    added: Tensor | None = None

    @staticmethod
    def of(grid: Grid, numbers: Tensor, reach: float | None = None, zero: int = 0) -> IntegerMatrix:
        """Of numbers (rows, columns) on a grid of up to 256 levels, with one step for the tensor or for each row.

        Raises:
            ValueError: more levels, or steps for groups of columns.
        """
        if grid.levels > MOST_LEVELS or grid.step.shape[-1] != 1 or grid.step.dim() != 2:
            raise ValueError(f"Integer weights: a matrix must have at most {MOST_LEVELS} levels and a step for the tensor "
                             f"or for each row, but has {grid.levels} levels and steps of shape {tuple(grid.step.shape)}. "
                             f"Choose at most {MOST_LEVELS} levels, and no groups.")
        lowest = grid.levels // 2  # the number that becomes 0; a symmetric grid of an odd number of levels has no shift then
        rows = numbers.shape[0]
        step, middle = (own[:, 0].float().expand(rows) for own in (grid.step, grid.middle))
        shift = middle + step * (lowest - grid.centre)
        whole = (numbers - lowest).to(torch.int8).contiguous()
        added = -zero * whole.sum(1, dtype=torch.int32) if zero else None
        return IntegerMatrix(whole, step.contiguous(), shift if bool(shift.any()) else None, reach, zero, added)

    def outputs(self, batch: Tensor, bias: Tensor | None = None) -> Tensor:
        """Outputs (n, rows), float32, for a batch (n, columns). Without a measured reach each example has its own scale, so
        that its outputs do not depend on the others of its batch."""
        if self.reach is None:
            largest = batch.abs().amax(1, keepdim=True).clamp_min_(SMALLEST)  # vector_norm takes 30 times as long
            rounded = (batch * (LARGEST / largest)).round_().to(torch.int8)
        else:
            largest = batch.new_tensor(self.reach)
            rounded = (batch * (LARGEST / largest)).round_().add_(self.zero).clamp_(-LARGEST, LARGEST).to(torch.int8)
        whole = integer_product(rounded, self.numbers)
        found = (whole if self.added is None else whole + self.added).to(batch.dtype)
        scale = largest * (1 / LARGEST)
        if self.shift is not None:
            sums = rounded.sum(1, keepdim=True, dtype=torch.int32) - self.zero * rounded.shape[1]
            found = found * self.step + sums * self.shift
            return found * scale if bias is None else torch.addcmul(bias, found, scale)
        return found * (scale * self.step) if bias is None else torch.addcmul(bias, found, scale * self.step)


def integer_product(left: Tensor, right: Tensor) -> Tensor:
    """left (n, columns) times the transpose of right (rows, columns), both int8: (n, rows) int32, exact."""
    if left.device.type == "cpu" and is_fast():
        return torch._int_mm(left, right.mT)
    return (left.double() @ right.double().mT).to(torch.int32)


@lru_cache(maxsize=1)
def is_fast() -> bool:
    """Whether this torch multiplies matrices of int8 on this processor, and exactly, also at the largest sums. (Processors
    without the instructions for it add pairs of products in 16 bits, which can overflow.)"""
    if not hasattr(torch, "_int_mm"):
        return False
    generator = torch.Generator().manual_seed(0)
    for rows, columns in ((1, 784), (33, 129)):
        left, right = (torch.randint(-128, 128, (count, columns), generator=generator, dtype=torch.int8)
                       for count in (rows, 17))
        left[0], right[0], right[1] = -128, -128, 127
        try:
            found = torch._int_mm(left, right.mT)
        except RuntimeError:  # not built for this processor: float64 takes its place
            return False
        if not torch.equal(found.double(), left.double() @ right.double().mT):
            return False
    return True
