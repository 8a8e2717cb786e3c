"""GPTQ: rounding of a matrix column by column, each error made good by the columns that are still to come.

Frantar, Ashkboos, Hoefler & Alistarh (2023), in the form of Chee et al. (2023, "LDLQ"), which needs no inverse: for the
second moment H of the inputs, factorised as H = U D U^T with a unit upper triangle U, the squared error of the outputs is
    trace((W - Q) H (W - Q)^T) = sum over columns j of D_j |q_j - t_j|^2
    with t_j = w_j + sum over i < j of (w_i - q_i) U_ij.
The target t_j depends on earlier columns only: rounding t_j in the place of w_j takes each term to its least. U and D do not
depend on the grid: one factorisation serves every number of levels. Rows are independent, so that the rows of many grids are
rounded together.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from compress.solvers.codebook import Codebook
from compress.solvers.scale import check_finite
from compress.solvers.uniform_grid import Grid, nearest_number

DAMPING = 0.3  # of 0.001 to 1, the fewest bits at equal divergence from the teacher on MNIST-5k; 0.01 takes a fifth more
BLOCK = 32  # columns between which errors are passed on one by one; to later blocks, by one product of matrices
Order = Literal["natural", "decreasing"]
Choose = Callable[[int, Tensor], tuple[Tensor, Tensor]]  # place in the order, targets (groups, rows) -> numbers, values


@dataclass(frozen=True, eq=False)
class Factor:
    """H + damping = U D U^T after a permutation of the columns, for each group of a grouped convolution.

    Attributes:
        order: (groups, columns), the columns in the order in which they are rounded.
        feedback: U (groups, columns, columns), strictly upper part, the rest 0.
        weights: D (groups, columns), what a squared error in each column costs, in the order of rounding.
        moment: H (groups, columns, columns), without damping, columns in their natural order.
    """

    order: Tensor
    feedback: Tensor
    weights: Tensor
    moment: Tensor


def factor(moment: Tensor, damping: float = DAMPING, order: Order = "decreasing") -> Factor:
    """The factorisation that rounding needs; made once for all grids.

    Args:
        moment: H (groups, columns, columns), mean of x x^T. Where the layer's bias takes up the mean error, the covariance.
        damping: share of the mean diagonal that is added to the diagonal, 0 to 1. Dead inputs (0 everywhere) need some.
        order: "decreasing": the inputs of the largest mean square first, while most columns are left to make errors good.

    Raises:
        ValueError: NaN or infinity; damping out of range; a moment that has no factorisation, with too little damping.
    """
    check_finite("GPTQ", "the second moment of the inputs", moment, "group")
    if not 0 <= damping <= 1:
        raise ValueError(f"GPTQ: damping must be between 0 and 1, but got {damping}.")
    moment = moment.double()
    diagonal = moment.diagonal(dim1=-2, dim2=-1)
    mean = diagonal.mean(-1, keepdim=True)
    mean = torch.where(mean > 0, mean, 1.0)  # a layer whose inputs were all zero has no scale
    places = torch.arange(moment.shape[-1], device=moment.device).expand_as(diagonal)
    if order == "decreasing":
        places = diagonal.argsort(dim=-1, descending=True, stable=True)
    ordered = moment.take_along_dim(places[..., :, None], -2).take_along_dim(places[..., None, :], -1)
    ordered = ordered / mean[..., None] + torch.diag_embed(torch.full_like(diagonal, damping))
    lower, failed = torch.linalg.cholesky_ex(ordered.flip(-2, -1))
    if bool(failed.any()):
        raise ValueError(f"GPTQ: the second moment has no Cholesky factor with damping {damping}; choose more, such as "
                         "0.01.")
    upper = lower.flip(-2, -1)
    root = upper.diagonal(dim1=-2, dim2=-1)
    return Factor(places, (upper / root[..., None, :]).triu(1), root.square() * mean, moment)


def rounded(matrix: Tensor, factor: Factor, grid: Grid | Codebook, held: Tensor | None = None) -> Tensor:
    """Numbers (groups, rows, columns), int32, of a grid or a codebook for a matrix; see rounded_to_all()."""
    if isinstance(grid, Grid):
        return rounded_to_all(matrix, factor, [grid], held)[0]
    check_finite("GPTQ", "the weights", matrix.flatten(0, -2))
    table, borders = grid.table, grid.borders

    def choose(column: int, target: Tensor) -> tuple[Tensor, Tensor]:
        numbers = torch.bucketize(target.double(), borders)
        return numbers, table[numbers]

    return _no_worse(matrix, _sweep(matrix, factor, choose, held), grid, factor, held)


def rounded_to_all(matrix: Tensor, factor: Factor, grids: Sequence[Grid], held: Tensor | None = None) -> list[Tensor]:
    """Numbers (groups, rows, columns), int32, for each grid. No row has a larger output error on the second moment H than
    rounding to nearest: where making errors good went wrong, the row is rounded to nearest.

    Args:
        held: (groups, rows, columns) bool, False for weights that are 0 and stay 0, whatever their number; None: none.

    Raises:
        ValueError: NaN or infinity among the weights.
    """
    columns = matrix.shape[-1]
    check_finite("GPTQ", "the weights", matrix.flatten(0, -2))
    places = factor.order[..., None]
    step, middle = (torch.cat([own.expand(*matrix.shape[:-1], columns) for own in parts], dim=-2)
                    .mT.take_along_dim(places, -2).contiguous()
                    for parts in zip(*(grid.by_column(columns) for grid in grids), strict=True))
    levels = torch.tensor([grid.levels for grid in grids], dtype=matrix.dtype, device=matrix.device)
    levels = levels.repeat_interleave(matrix.shape[-2])
    centre = (levels - 1) / 2

    def choose(column: int, target: Tensor) -> tuple[Tensor, Tensor]:
        own = nearest_number(target, step[:, column], middle[:, column], levels)
        return own, middle[:, column] + step[:, column] * (own - centre)

    kept = None if held is None else held.repeat(1, len(grids), 1)
    found = _sweep(matrix.repeat(1, len(grids), 1), factor, choose, kept).chunk(len(grids), dim=-2)
    return [_no_worse(matrix, numbers, grid, factor, held) for numbers, grid in zip(found, grids, strict=True)]


def output_errors(difference: Tensor, moment: Tensor) -> Tensor:
    """(groups, rows): E (d x)^2 of each row d of W - Q (groups, rows, columns), with H (groups, columns, columns)."""
    difference = difference.double()
    return ((difference @ moment) * difference).sum(-1).clamp_min(0.0)


def _no_worse(matrix: Tensor, numbers: Tensor, grid: Grid | Codebook, factor: Factor, held: Tensor | None) -> Tensor:
    nearest = grid.nearest(matrix)
    kept = torch.ones_like(matrix, dtype=torch.bool) if held is None else held
    errors = [output_errors(matrix - kept * grid.values(found), factor.moment) for found in (numbers, nearest)]
    return torch.where((errors[0] <= errors[1])[..., None], numbers, nearest)


def _sweep(matrix: Tensor, factor: Factor, choose: Choose, held: Tensor | None) -> Tensor:
    """Numbers (groups, rows, columns), int32. Works on columns as rows, which are contiguous then."""
    order = factor.order[..., None]
    weights = matrix.mT.take_along_dim(order, -2).contiguous()
    kept = None if held is None else held.mT.take_along_dim(order, -2).contiguous()
    feedback = factor.feedback.to(matrix.dtype).mT
    errors, numbers = torch.zeros_like(weights), torch.empty_like(weights, dtype=torch.int32)
    for start in range(0, weights.shape[-2], BLOCK):
        stop = min(start + BLOCK, weights.shape[-2])
        targets = weights[:, start:stop] + feedback[:, start:stop, :start] @ errors[:, :start]
        for column in range(start, stop):
            passed = feedback[:, column:column + 1, start:column] @ errors[:, start:column]
            numbers[:, column], value = choose(column, targets[:, column - start] + passed[:, 0])
            errors[:, column] = weights[:, column] - (value if kept is None else value * kept[:, column])
    return torch.empty_like(numbers).scatter_(-2, order.expand_as(numbers), numbers).mT
