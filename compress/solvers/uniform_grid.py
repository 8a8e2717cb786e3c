"""Uniform grids: rounding of weights to equally spaced values, with one grid for a tensor, a row or a group of columns.

Level k of K has the value middle + step (k - (K - 1) / 2). The middle of a symmetric grid is 0: an odd number of levels has
0 among them, an even number has not (two levels are -step/2 and +step/2). Everything is exact under powers of two: a matrix
times 2^e has the same numbers on the grid times 2^e.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from compress.solvers.scale import check_finite

MOST_LEVELS = 65536
SHRINKS = 48  # ranges that the clipping search tries, in equal steps of the ratio
REFITS = 8  # alternations of least squares and rounding after the search
Per = Literal["tensor", "row", "group"]


@dataclass(frozen=True, eq=False)
class Grid:
    """Levels for a matrix (..., rows, columns).

    Attributes:
        levels: their number K, 2 to 65,536.
        step: (..., rows or 1, groups), the distance of neighbouring levels, >= 0. Group g of G belongs to the columns
            g * ceil(columns / G) up to the next group's.
        middle: the same shape, the value between the lowest and the highest level; 0 if symmetric.
    """

    levels: int
    step: Tensor
    middle: Tensor

    def __post_init__(self) -> None:
        check_levels(self.levels)
        if self.step.shape != self.middle.shape or self.step.dim() < 2:
            raise ValueError(f"Grid: step and middle must both be (..., rows or 1, groups), but got "
                             f"{tuple(self.step.shape)} and {tuple(self.middle.shape)}.")

    @property
    def centre(self) -> float:
        """The number, perhaps half a whole one, that has the value `middle`."""
        return (self.levels - 1) / 2

    def nearest(self, matrix: Tensor) -> Tensor:
        """Numbers (int32) from 0 to levels - 1 of the values nearest to the matrix (..., rows, columns)."""
        step, middle = self.by_column(matrix.shape[-1])
        return nearest_number(matrix, step, middle, self.levels).to(torch.int32)

    def values(self, numbers: Tensor) -> Tensor:
        """The values (..., rows, columns) of these numbers, in the type of the step."""
        step, middle = self.by_column(numbers.shape[-1])
        return middle + step * (numbers.to(step.dtype) - self.centre)

    def rounded(self, matrix: Tensor) -> Tensor:
        """values(nearest(matrix))."""
        return self.values(self.nearest(matrix))

    def by_column(self, columns: int) -> tuple[Tensor, Tensor]:
        """Step and middle for each column: (..., rows or 1, columns or 1)."""
        groups = self.step.shape[-1]
        if groups == 1:
            return self.step, self.middle
        width = -(-columns // groups)
        step, middle = (own[..., None].expand(*own.shape, width).flatten(-2)[..., :columns]
                        for own in (self.step, self.middle))
        return step, middle


def check_levels(levels: int) -> None:
    """Raises ValueError for a number of levels that no grid has."""
    if not 2 <= levels <= MOST_LEVELS:
        raise ValueError(f"Grid: levels must be between 2 and {MOST_LEVELS:,}, but got {levels}.")


def nearest_number(values: Tensor, step: Tensor, middle: Tensor, levels: int | Tensor) -> Tensor:
    """Whole numbers from 0 to levels - 1, in the type of the values. A grid of step 0 has one value for any number."""
    centre = (levels - 1) / 2
    number = ((values - middle) / torch.where(step > 0, step, 1.0) + centre).round()
    return number.clamp(0, levels - 1) if isinstance(levels, int) else number.clamp_min(0).minimum(levels - 1)


def fitted(matrix: Tensor, levels: int, per: Per = "row", group: int = 128, symmetric: bool = True, clip: bool = False,
           importance: Tensor | None = None) -> Grid:
    """A grid for a matrix: from the smallest to the largest weight, or with clipping for the least squared error.

    The clipping search tries narrower ranges around the same middle, and then alternates between least squares for step and
    middle with the numbers held, and rounding: neither raises the squared error (Lloyd's argument). The best of all is kept,
    the whole range included.

    Args:
        matrix: (..., rows, columns), float32 or float64.
        levels: 2 to 65,536.
        per: one grid for the matrix ("tensor"), for each "row" (output channel), or for each "group" of columns of a row.
        group: columns of a group.
        importance: (..., columns), >= 0, what a squared error in a column counts: the diagonal of the inputs' second moment.

    Raises:
        ValueError: NaN or infinity, also of the step; no such number of levels; a group of no column.
    """
    check_levels(levels)
    pieces, counts = pieces_of(matrix, per, group, importance)
    step, middle = _whole_range(pieces, levels, symmetric)
    if clip:
        step, middle = _clipped(pieces, counts, step, middle, levels, symmetric)
    return put_together(levels, step, middle, matrix, per)


def of_step(matrix: Tensor, ratio: float) -> Grid:
    """One symmetric grid for the whole matrix whose step is `ratio` times the root mean square of the weights, with 0 and as
    many levels as the weights need: for numbers that are entropy-coded, where rare levels cost little, so that nothing needs
    clipping. At small steps such a grid is within 0.255 bit of any code (Gish & Pierce 1968).

    Measured on LeNet-300-100 (MNIST-5k, 3 seeds) with gptq at damping 0.3 on the covariance of the inputs, the mean error
    added to the bias: ratios 3.5, 1.75 and 0.7 in its three layers leave 25 kB of entropy and lose 0.4 points of accuracy;
    3, 3 and 3 leave 26 kB and three times the divergence from the teacher. Rounding to nearest with a ratio of 2.5 loses 5.6
    points. Steps that differ from row to row, and a term for the bits of a level, gained nothing.

    Raises:
        ValueError: NaN or infinity; a ratio that is not above 0, or needs more than 65,536 levels.
    """
    pieces, _ = pieces_of(matrix, "tensor")
    largest = pieces.abs().amax()
    scaled = pieces / torch.where(largest > 0, largest, 1.0)
    step = ratio * scaled.square().mean().sqrt()
    if not ratio > 0 or 1 / MOST_LEVELS * 2 > step > 0:
        raise ValueError(f"Grid: the ratio of step and root mean square must be above 0 and need at most {MOST_LEVELS:,} "
                         f"levels, but got {ratio}. Choose a larger ratio, such as 1.")
    reach = 0 if not bool(step > 0) else int((scaled.abs().amax() / step).round())
    step = (step * largest).expand(*matrix.shape[:-2], 1)
    return put_together(2 * max(1, reach) + 1, step, torch.zeros_like(step), matrix, "tensor")


def pieces_of(matrix: Tensor, per: Per, group: int = 128, importance: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """The weights that share a grid as the last axis (float64), and what each counts; the last group is filled up with
    copies of the last column that count nothing.

    Raises:
        ValueError: NaN or infinity; a group of no column.
    """
    columns = matrix.shape[-1]
    check_finite("Grid", "the weights", matrix.reshape(-1, columns))
    if group < 1:
        raise ValueError(f"Grid: a group must have at least 1 column, but got {group}.")
    weights = matrix.double()
    counts = torch.ones_like(weights) if importance is None else importance.double()[..., None, :].expand_as(weights)
    if per == "tensor":
        return weights.flatten(-2), counts.flatten(-2)
    if per == "row":
        return weights, counts
    groups = -(-columns // group)
    width = -(-columns // groups)
    places = torch.arange(groups * width, device=matrix.device)
    padded, counts = (own[..., places.clamp_max(columns - 1)].unflatten(-1, (groups, width)) for own in (weights, counts))
    return padded, counts * (places < columns).view(groups, width)


def put_together(levels: int, step: Tensor, middle: Tensor, matrix: Tensor, per: Per) -> Grid:
    """A grid for the matrix of step and middle (..., 1) for each of its pieces, in the type of the matrix.

    Raises:
        ValueError: a step beyond that type.
    """
    shape = (*matrix.shape[:-2], 1 if per == "tensor" else matrix.shape[-2], -1)
    step, middle = (own.to(matrix.dtype).reshape(shape) for own in (step, middle))
    check_finite("Grid", "the step", step.flatten(0, -2))
    return Grid(levels, step, middle)


def _whole_range(pieces: Tensor, levels: int, symmetric: bool) -> tuple[Tensor, Tensor]:
    """Step and middle (..., 1) with which no weight is clipped."""
    low, high = pieces.amin(-1, keepdim=True), pieces.amax(-1, keepdim=True)
    if symmetric:
        reach = torch.maximum(high, -low)
        return 2 * reach / (levels - 1), torch.zeros_like(reach)
    return (high - low) / (levels - 1), (high + low) / 2


def _clipped(pieces: Tensor, counts: Tensor, step: Tensor, middle: Tensor, levels: int,
             symmetric: bool) -> tuple[Tensor, Tensor]:
    best, error = (step, middle), _error(pieces, counts, step, middle, levels)
    for place in range(1, SHRINKS):
        best, error = _better(pieces, counts, best, error, (step * (1 - place / SHRINKS), middle), levels)
    for _ in range(REFITS):
        numbers = nearest_number(pieces, *best, levels) - (levels - 1) / 2
        refit = _least_squares(pieces, counts, numbers, best, symmetric)
        best, error = _better(pieces, counts, best, error, refit, levels)
    return best


def _better(pieces: Tensor, counts: Tensor, best: tuple[Tensor, Tensor], error: Tensor, other: tuple[Tensor, Tensor],
            levels: int) -> tuple[tuple[Tensor, Tensor], Tensor]:
    """For each piece the grid with the smaller error, and that error."""
    found = _error(pieces, counts, *other, levels)
    wins = found < error
    step, middle = (torch.where(wins, new, old) for new, old in zip(other, best, strict=True))
    return (step, middle), torch.where(wins, found, error)


def _error(pieces: Tensor, counts: Tensor, step: Tensor, middle: Tensor, levels: int) -> Tensor:
    numbers = nearest_number(pieces, step, middle, levels)
    return (counts * (middle + step * (numbers - (levels - 1) / 2) - pieces).square()).sum(-1, keepdim=True)


def _least_squares(pieces: Tensor, counts: Tensor, numbers: Tensor, current: tuple[Tensor, Tensor],
                   symmetric: bool) -> tuple[Tensor, Tensor]:
    """Step and middle with the least squared error for these (centred) numbers; the current ones where there is no such."""
    total = counts.sum(-1, keepdim=True)
    share = counts / torch.where(total > 0, total, 1.0)
    shift = torch.zeros_like(total) if symmetric else (share * numbers).sum(-1, keepdim=True)
    mean = torch.zeros_like(total) if symmetric else (share * pieces).sum(-1, keepdim=True)
    square = (share * (numbers - shift).square()).sum(-1, keepdim=True)
    product = (share * (numbers - shift) * (pieces - mean)).sum(-1, keepdim=True)
    step = torch.where(square > 0, product / torch.where(square > 0, square, 1.0), current[0]).clamp_min(0.0)
    return step, current[1] if symmetric else mean - step * shift
