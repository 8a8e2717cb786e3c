"""The optimal brain surgeon, one weight at a time: after every removal the row is refitted and the scores are renewed.

Of a row w with the inverse second moment M = H^-1 of its inputs, the weight q with the least loss w_q^2 / (2 M_qq) is
removed (Hassibi & Stork 1993). The others become w - (w_q / M_qq) M_q: and the inverse for the remaining weights is
M - M_:q M_q: / M_qq, from which the next weight is chosen (Frantar & Alistarh 2022, "Optimal Brain Compression").

These downdates are those of a Cholesky factorisation of M whose pivots are chosen on the way. As in a blocked Cholesky,
BLOCK of them are collected: with l_k = M_:q / sqrt(M_qq) of the k-th removal, a step needs one column
M_:q - sum_k l_k l_k[q] only, and after the block M - L L^T is one product, for many rows at once. All rows start from the
same M and have always equally many weights left; the removed ones are cut out now and then. A row of n weights takes about
n^3 operations.

The order of removal serves all sparsities. The weights that are left at one of them are brain_surgeon.refitted(): the
updates above lead to the same ones.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from compress.progress import Reporter, no_report
from compress.solvers.scale import check_finite

BLOCK = 32  # removals between two updates of all of M
SPARE = 0.75  # M is cut where less than this share of it is left: cutting after every block would take longer than products
TINY = torch.finfo(torch.float64).tiny
MOST_NUMBERS = 32_000_000  # in the inverses of the rows that are pruned together: 256 MB of float64


@dataclass(frozen=True, eq=False)
class Removal:
    """In which order the weights of a matrix are removed, and what this costs.

    Attributes:
        steps: (rows, columns) int64, the step of its row in which a weight is removed: 0 ... columns - 1.
        losses: (rows, columns) float64, the loss that this step adds, given all steps of the row before.
    """

    steps: Tensor
    losses: Tensor

    def of_all_rows(self) -> Tensor:
        """(rows, columns) int64: the place of every weight in one order for all rows, 0 for the first.

        The surgeon of the whole matrix takes the row whose next step is the cheapest. So a weight is removed when the
        largest loss up to it in its row is reached.
        """
        steps = self.steps.cpu().numpy()
        rows, columns = steps.shape
        losses = np.empty((rows, columns))
        np.put_along_axis(losses, steps, self.losses.cpu().numpy(), axis=1)  # in the order of steps
        reached = np.take_along_axis(np.maximum.accumulate(losses, axis=1), steps, axis=1)
        row = np.broadcast_to(np.arange(rows)[:, None], steps.shape)
        order = np.lexsort((steps.ravel(), row.ravel(), reached.ravel()))
        places = np.empty(rows * columns, dtype=np.int64)
        places[order] = np.arange(rows * columns)
        return torch.from_numpy(places).view(rows, columns)


def removal(matrix: Tensor, inverse: Tensor, group: int = 1, report: Reporter = no_report) -> Removal:
    """The order in which all weights of W are removed.

    Args:
        matrix: W (rows, columns).
        inverse: H^-1 (columns, columns) of the damped second moment, float64.
        group: with more than 1, the first step of every `group` consecutive columns is done before the second of any of
            them, and so on: the order serves all N:M patterns.

    Raises:
        ValueError: NaN or infinity among the weights.
    """
    check_finite("Brain surgeon", "the weights", matrix)
    rows, columns = matrix.shape
    together = max(1, MOST_NUMBERS // columns ** 2)
    parts = []
    for start in range(0, rows, together):
        report(start / rows, "removing one weight at a time")
        parts.append(_Rows(matrix[start:start + together].double(), inverse, group).removed())
    return Removal(torch.cat([part.steps for part in parts]), torch.cat([part.losses for part in parts]))


class _Rows:
    """Rows of one matrix, each with its own order.

    Attributes:
        weights: (rows, size), refitted so far; columns: (rows, size), which columns of the matrix they belong to.
        inverse: (rows, size, size), M as it was when the block began; diagonal: (rows, size), M_qq by now.
        gone: (rows, size) bool, removed, but not cut out yet.
    """

    def __init__(self, weights: Tensor, inverse: Tensor, group: int) -> None:
        count, self.size = weights.shape
        self.weights, self.inverse = weights, inverse.repeat(count, 1, 1)
        self.diagonal = inverse.diagonal().repeat(count, 1)
        self.gone = torch.zeros_like(weights, dtype=torch.bool)
        self.columns = torch.arange(self.size, device=weights.device).repeat(count, 1)
        self.found = Removal(torch.zeros_like(self.columns), torch.zeros_like(weights))
        self.rows = torch.arange(count, device=weights.device)
        self.group = group
        self.removed_of = torch.zeros(count, -(-self.size // group), dtype=torch.int64, device=weights.device)

    def removed(self) -> Removal:
        """All weights, block by block."""
        for start in range(0, self.size, BLOCK):
            stop = min(start + BLOCK, self.size)
            directions = self._block(start, stop)
            if self.size - stop < SPARE * self.weights.shape[1]:
                directions = self._cut_out(directions)
            self.inverse.baddbmm_(directions.mT, directions, alpha=-1)
        return self.found

    def _block(self, start: int, stop: int) -> Tensor:
        """Steps start ... stop - 1 of every row. Returns L^T (rows, steps, size)."""
        rows, size = self.weights.shape
        directions = self.weights.new_zeros(rows, stop - start, size)
        for number in range(stop - start):
            chosen, losses = self._cheapest()
            places = self.rows, self.columns[self.rows, chosen]
            self.found.steps[places], self.found.losses[places] = start + number, losses
            before = directions[:, :number]
            column = self.inverse[self.rows, chosen] - (before[self.rows, :, chosen][:, None] @ before)[:, 0]
            pivot = column[self.rows, chosen].clamp_min(TINY).sqrt()
            direction = column / pivot[:, None]
            directions[:, number] = direction
            self.weights = self.weights - direction * (self.weights[self.rows, chosen] / pivot)[:, None]
            self.diagonal = self.diagonal - direction.square()
            self.gone[self.rows, chosen] = True
        return directions

    def _cheapest(self) -> tuple[Tensor, Tensor]:
        """(rows,) places among the present columns, and (rows,) losses."""
        losses = self.weights.square() / (2 * self.diagonal.clamp_min(TINY))
        losses = losses.masked_fill(self.gone, torch.inf)
        if self.group == 1:
            least = losses.min(1)
            return least.indices, least.values
        taken = self.removed_of.gather(1, self.columns // self.group).masked_fill(self.gone, self.group)
        chosen = losses.masked_fill(taken > taken.amin(1, keepdim=True), torch.inf).argmin(1)
        self.removed_of[self.rows, self.columns[self.rows, chosen] // self.group] += 1
        return chosen, losses[self.rows, chosen]

    def _cut_out(self, directions: Tensor) -> Tensor:
        """Leaves the removed weights out everywhere. Returns the rest of L^T."""
        stay = (~self.gone).nonzero()[:, 1].view(len(self.rows), -1)
        self.inverse = torch.stack([own.index_select(0, left).index_select(1, left)
                                    for own, left in zip(self.inverse, stay, strict=True)])
        self.weights, self.diagonal, self.columns, self.gone = (
            values.gather(1, stay) for values in (self.weights, self.diagonal, self.columns, self.gone))
        return directions.gather(2, stay[:, None].expand(-1, directions.shape[1], -1))
