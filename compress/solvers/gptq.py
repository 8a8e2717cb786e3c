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
from functools import cached_property
from typing import Literal

import torch
from torch import Tensor

from compress.solvers.codebook import Codebook
from compress.solvers.scale import check_finite
from compress.solvers.uniform_grid import Grid

DAMPING = 0.3  # of 0.001 to 1, the fewest bits at equal divergence from the teacher on MNIST-5k; 0.01 takes a fifth more
BLOCK = 32  # columns between which errors are passed on one by one; to later blocks, by one product of matrices
MOST_NUMBERS = 8_000_000  # that are rounded together: about 100 MB of float32
PIECE = 128  # columns of a block of a symmetric moment: small blocks leave out more, large ones are multiplied faster
LEAST = 1e-30  # of a sum of squares in float32: below, parts of it may have vanished
SLACK = 1e-3  # of a sum of squares in float32, far above its rounding
Order = Literal["natural", "decreasing"]
Choose = Callable[[int, Tensor], tuple[Tensor, Tensor]]  # place in the order, targets (..., groups, rows) -> numbers, values


@dataclass(frozen=True, eq=False)
class Factor:
    """H + damping = U D U^T after a permutation of the columns, for each group of a grouped convolution.

    Attributes:
        order: (groups, columns), the columns in the order in which they are rounded.
        feedback: U (groups, columns, columns), strictly upper part, the rest 0.
        weights: D (groups, columns), what a squared error in each column costs, in the order of rounding.
        moment: H (groups, columns, columns), without damping, columns in their natural order.
        added: (groups, 1), the damping, what was added to the diagonal.
    """

    order: Tensor
    feedback: Tensor
    weights: Tensor
    moment: Tensor
    added: Tensor

    def quick(self, kind: torch.dtype) -> QuickErrors:
        """Output errors on H in this type; made once."""
        if kind not in self._quick:
            self._quick[kind] = QuickErrors.of(self.moment, kind)
        return self._quick[kind]

    @cached_property
    def _quick(self) -> dict[torch.dtype, QuickErrors]:
        return {}


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
    return Factor(places, (upper / root[..., None, :]).triu(1), root.square() * mean, moment,
                  damping * mean)


def rounded(matrix: Tensor, factor: Factor, grid: Grid | Codebook, held: Tensor | None = None) -> Tensor:
    """Numbers (groups, rows, columns), int32, of a grid or a codebook for a matrix; see rounded_to_all()."""
    if isinstance(grid, Grid):
        return rounded_to_all(matrix, factor, [grid], held)[0].numbers
    check_finite("GPTQ", "the weights", matrix.flatten(0, -2))
    table, borders = grid.table, grid.borders

    def choose(column: int, target: Tensor) -> tuple[Tensor, Tensor]:
        numbers = torch.bucketize(target.double(), borders)
        return numbers, table[numbers]

    return _chosen(matrix, _sweep(matrix, factor, choose, held, 1)[0], grid, factor, held).numbers


def rounded_to_all(matrix: Tensor, factor: Factor, grids: Sequence[Grid], held: Tensor | None = None) -> list[Choice]:
    """The numbers for each grid, bit for bit those of each grid alone: many grids share the time of starting operations,
    which is most of the time of one.

    No row has a larger output error on the second moment H than rounding to nearest: where making errors good went wrong,
    the row is rounded to nearest.

    Args:
        held: (groups, rows, columns) bool, False for weights that are 0 and stay 0, whatever their number; None: none.

    Raises:
        ValueError: NaN or infinity among the weights.
    """
    check_finite("GPTQ", "the weights", matrix.flatten(0, -2))
    together = max(1, MOST_NUMBERS // matrix.numel())
    found = []
    for start in range(0, len(grids), together):
        part = grids[start:start + together]
        swept = _sweep(matrix, factor, _of_grids(matrix, factor, part), held, len(part))
        found += [_chosen(matrix, own, grid, factor, held) for own, grid in zip(swept, part, strict=True)]
    return found


@dataclass(frozen=True, eq=False)
class Choice:
    """The numbers of a grid for a matrix.

    Attributes:
        numbers: (groups, rows, columns), int32.
        nearest_errors: (groups, rows), float64: the output errors on H of rounding to nearest, which the numbers were
            compared with.
    """

    numbers: Tensor
    nearest_errors: Tensor


@dataclass(frozen=True, eq=False)
class QuickErrors:
    """Output errors in the weights' type, in a fifth of float64's time. Nothing cancels in their sum of squares, which was
    right to six digits at 2 to 4096 levels; differences and moments are brought near 1 before they are multiplied.

    H is symmetric: d H d^T is the sum over blocks of columns j of (d_j H_jj + 2 d_<j H_<jj) d_j^T, little more than half of
    a product with the whole H.

    Attributes:
        folded: H (groups, columns, columns), its largest number 1, blocks above the diagonal doubled and those below 0.
        scale: what to multiply it with.
    """

    folded: Tensor
    scale: float

    @staticmethod
    def of(moment: Tensor, kind: torch.dtype) -> QuickErrors:
        """For differences of this type."""
        scale = float(moment.abs().amax()) or 1.0
        folded = (moment / scale).to(kind)
        for start in range(0, moment.shape[-1], PIECE):
            folded[..., :start, start:start + PIECE] *= 2
            folded[..., start + PIECE:, start:start + PIECE] = 0
        return QuickErrors(folded, scale)

    def errors(self, difference: Tensor) -> Tensor:
        """(groups, rows), float64: about output_errors() of W - Q (groups, rows, columns)."""
        reach = float(difference.abs().amax()) or 1.0
        scaled = difference / reach
        found = scaled.new_zeros(scaled.shape[:-1], dtype=torch.float64)
        for start in range(0, scaled.shape[-1], PIECE):
            product = scaled[..., :start + PIECE] @ self.folded[..., :start + PIECE, start:start + PIECE]
            found += (product * scaled[..., start:start + PIECE]).sum(-1, dtype=torch.float64)
        return found.clamp_min_(0.0) * (self.scale * reach ** 2)


def output_errors(difference: Tensor, moment: Tensor) -> Tensor:
    """(groups, rows): E (d x)^2 of each row d of W - Q (groups, rows, columns), with H (groups, columns, columns)."""
    difference = difference.double()
    return ((difference @ moment) * difference).sum(-1).clamp_min(0.0)


@dataclass(frozen=True, eq=False)
class _Swept:
    """Numbers (groups, rows, columns), int32, and about what D_j |q_j - t_j|^2 sums up to for each row (groups, rows)."""

    numbers: Tensor
    cost: Tensor


def _of_grids(matrix: Tensor, factor: Factor, grids: Sequence[Grid]) -> Choose:
    """Rounds targets (grids, groups, rows) to these grids."""
    groups, rows, columns = matrix.shape
    width = max(grid.step.shape[-1] for grid in grids)

    def by_place(values: Tensor) -> Tensor:
        """(groups, columns or 1, rows): step or middle in the order of rounding."""
        values = values.expand(groups, rows, values.shape[-1]).mT
        if width == 1:
            return values
        places = factor.order // -(-columns // values.shape[-2])
        return torch.stack([own.index_select(0, place) for own, place in zip(values, places, strict=True)])

    step, middle = (torch.stack([by_place(own) for own in parts])
                    for parts in ([grid.step for grid in grids], [grid.middle for grid in grids]))
    divisor = torch.where(step > 0, step, 1.0)
    most = torch.tensor([grid.levels - 1 for grid in grids], dtype=matrix.dtype, device=matrix.device)[:, None, None]
    centre = most / 2

    def choose(column: int, target: Tensor) -> tuple[Tensor, Tensor]:
        place = column if width > 1 else 0
        own = (target - middle[:, :, place]).div_(divisor[:, :, place]).add_(centre).round_().clamp_min_(0)
        own = torch.minimum(own, most)
        return own, (own - centre).mul_(step[:, :, place]).add_(middle[:, :, place])

    return choose


def _sweep(matrix: Tensor, factor: Factor, choose: Choose, held: Tensor | None, count: int) -> list[_Swept]:
    """The matrix rounded `count` times. Works on columns as rows, which are contiguous then.

    Products of matrices are taken for one rounding at a time, and all else number by number, so that results do not depend
    on what is rounded together."""
    order = factor.order[..., None]
    weights = matrix.mT.take_along_dim(order, -2).contiguous()
    kept = None if held is None else held.mT.take_along_dim(order, -2).contiguous()
    feedback = factor.feedback.to(matrix.dtype).mT.contiguous()
    errors = weights.new_zeros(count, *weights.shape)
    misses, numbers = torch.empty_like(errors), torch.empty_like(errors, dtype=torch.int32)
    for start in range(0, weights.shape[-2], BLOCK):
        stop = min(start + BLOCK, weights.shape[-2])
        targets = torch.stack([weights[:, start:stop] + feedback[:, start:stop, :start] @ own[:, :start] for own in errors])
        for column in range(start, stop):
            target = targets[:, :, column - start]
            numbers[:, :, column], value = choose(column, target)
            if kept is not None:
                value = value * kept[:, column]
            error = torch.sub(weights[:, column], value, out=errors[:, :, column])
            torch.sub(target, value, out=misses[:, :, column])
            later = slice(column + 1 - start, stop - start)
            targets[:, :, later].addcmul_(feedback[:, column + 1:stop, column, None], error[:, :, None])
    costs = factor.weights.to(matrix.dtype)[..., None]
    return [_Swept(torch.empty_like(own).scatter_(-2, order.expand_as(own), own).mT, (missed.square() * costs).sum(-2))
            for own, missed in zip(numbers, misses, strict=True)]


def _chosen(matrix: Tensor, found: _Swept, grid: Grid | Codebook, factor: Factor, held: Tensor | None) -> Choice:
    """The numbers found, or in rows where these have a larger output error, the nearest ones."""
    nearest = grid.nearest(matrix)
    kept = None if held is None else held.to(matrix.dtype)
    ours, plain = (matrix - (grid.values(own) if kept is None else grid.values(own) * kept)
                   for own in (found.numbers, nearest))
    of_plain = factor.quick(matrix.dtype).errors(plain)
    worse = _worse(found, ours, plain, of_plain, factor)
    if worse is None:
        return Choice(found.numbers, of_plain)
    return Choice(torch.where(worse[..., None], nearest, found.numbers), of_plain)


def _worse(found: _Swept, ours: Tensor, plain: Tensor, of_plain: Tensor, factor: Factor) -> Tensor | None:
    """(groups, rows), where the error of `ours` is the larger one; None for nowhere. Errors that rounding in the matrix's
    type cannot confuse are compared in that type."""
    added = factor.added.to(ours.dtype)
    of_ours = found.cost - added * ours.square().sum(-1)
    is_sure = of_ours + SLACK * found.cost < of_plain - SLACK * (of_plain + added * plain.square().sum(-1))
    is_sure &= (found.cost > LEAST) & found.cost.isfinite()
    unsure = ~is_sure.all(0)  # the same rows of all groups of a convolution
    if not bool(unsure.any()):
        return None
    errors = [output_errors(own[:, unsure], factor.moment) for own in (ours, plain)]
    worse = torch.zeros_like(is_sure)
    worse[:, unsure] = errors[0] > errors[1]
    return worse
