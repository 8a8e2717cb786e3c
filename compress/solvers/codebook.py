"""Codebooks: a few values that all weights of a layer share, and the scaled grids of one bit and of three levels.

k-means in one dimension works on the sorted distinct weights: clusters are intervals, and their sums differences of running
sums, so that a step of Lloyd's algorithm costs a search for k - 1 borders. Results depend on the weights' values only, not
on their order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from compress.solvers.scale import check_finite
from compress.solvers.uniform_grid import Grid, Per, pieces_of, put_together

MOST_VALUES = 65536
BINS = 512  # distinct values, or places among more, among which the dynamic programme chooses borders
Start = Literal["optimal", "linear", "density", "random"]


@dataclass(frozen=True, eq=False)
class Codebook:
    """Values (k,) for a whole matrix, rising; number k stands for value k."""

    table: Tensor

    @property
    def borders(self) -> Tensor:
        """(k - 1,), float64: the middles between neighbouring values."""
        return _middles(self.table.double())

    def nearest(self, matrix: Tensor) -> Tensor:
        """Numbers (int32, the shape of the matrix) of the nearest values; of two equally near ones, the lower."""
        return torch.bucketize(matrix.double(), self.borders, out_int32=True)

    def values(self, numbers: Tensor) -> Tensor:
        """The values of these numbers."""
        return self.table[numbers.long()]

    def rounded(self, matrix: Tensor) -> Tensor:
        """values(nearest(matrix))."""
        return self.values(self.nearest(matrix))


@dataclass(frozen=True, eq=False)
class _Sorted:
    """Distinct values, rising, what each counts, and the running sums of counts, first and second moments, from 0.

    Moments are around the weights' middle, so that values far from 0 keep their digits."""

    values: Tensor
    counts: Tensor
    sums: Tensor  # (3, n + 1)

    @staticmethod
    def of(values: Tensor, counts: Tensor) -> _Sorted:
        moments = torch.stack([counts, counts * values, counts * values.square()]).cumsum(-1)
        return _Sorted(values, counts, torch.cat([torch.zeros_like(moments[:, :1]), moments], dim=-1))

    def means(self, borders: Tensor, otherwise: Tensor) -> Tensor:
        """Mean of each interval between borders (k + 1,); `otherwise` (k,) where nothing counts in it. The mean of an
        interval with one value is exactly that value."""
        low, high = borders[:-1], borders[1:]
        count, total, _ = self.sums[:, high] - self.sums[:, low]
        mean = torch.where(count > 0, total / torch.where(count > 0, count, 1.0), otherwise)
        single = high - low == 1
        return torch.where(single, self.values[low.clamp_max(len(self.values) - 1)], mean)

    def error(self, borders: Tensor) -> Tensor:
        """Squared error of each interval (k,) around its mean."""
        count, total, square = self.sums[:, borders[1:]] - self.sums[:, borders[:-1]]
        return (square - total.square() / torch.where(count > 0, count, 1.0)).clamp_min(0.0)


def kmeans(matrix: Tensor, count: int, start: Start = "optimal", importance: Tensor | None = None, iterations: int = 300,
           seed: int = 0) -> Codebook:
    """A codebook of `count` values with a small squared error; fewer values if the matrix has no more distinct ones, and
    then without any error.

    Starts (Han, Mao & Dally 2016, section 3.2): "linear" between the smallest and the largest weight, "density" at equal
    steps of the distribution function, "random" among the weights. "optimal" is the least error of all codebooks, found by
    a dynamic programme (Wang & Song 2011), for up to 512 distinct weights; among more, the least for borders at 512
    places. Lloyd's algorithm follows in every case, until no weight changes its cluster.

    Args:
        matrix: any shape, float32 or float64.
        count: 1 to 65,536.
        importance: >= 0, broadcastable to the matrix: what a squared error counts.

    Raises:
        ValueError: NaN or infinity, no weights, or no such count.
    """
    if not 1 <= count <= MOST_VALUES:
        raise ValueError(f"Codebook: the number of values must be between 1 and {MOST_VALUES:,}, but got {count}.")
    if not matrix.numel():
        raise ValueError("Codebook: there are no weights to share values; choose a layer that has some.")
    check_finite("Codebook", "the weights", matrix.reshape(1, -1))
    found, places = matrix.detach().flatten().unique(return_inverse=True)
    if len(found) <= count:
        return Codebook(found)
    counts = torch.ones_like(matrix) if importance is None else importance.to(matrix.device).expand_as(matrix)
    totals = torch.zeros(len(found), dtype=torch.float64, device=matrix.device)
    totals.index_add_(0, places, counts.double().flatten())
    if not bool(totals.any()):
        totals += 1.0
    values = found.double()
    middle, half = values[0] / 2 + values[-1] / 2, values[-1] / 2 - values[0] / 2
    data = _Sorted.of((values - middle) / half, totals / totals.sum())
    table = _lloyd(data, _started(data, count, start, seed), iterations)
    return Codebook((table * half + middle).to(matrix.dtype).unique())


def _started(data: _Sorted, count: int, start: Start, seed: int) -> Tensor:
    device = data.values.device
    if start == "linear":
        return torch.linspace(-1.0, 1.0, count, dtype=torch.float64, device=device)
    if start == "density":
        shares = (torch.arange(count, dtype=torch.float64, device=device) + 0.5) / count
        return data.values[torch.searchsorted(data.sums[0, 1:].contiguous(), shares).clamp_max(len(data.values) - 1)]
    if start == "random":
        generator = torch.Generator().manual_seed(seed)
        return data.values[torch.randperm(len(data.values), generator=generator)[:count].to(device)].sort().values
    borders = _optimal_borders(data, count)
    return data.means(borders, data.values[borders[:-1].clamp_max(len(data.values) - 1)])


def _optimal_borders(data: _Sorted, count: int) -> Tensor:
    """Borders (count + 1,) with the least squared error: among all of up to BINS distinct values, otherwise among BINS, half
    of them quantiles for where the weights are dense, half at equal distances for the tails.

    cost[k][j] = min over i < j of cost[k - 1][i] + error of values i to j - 1."""
    size = len(data.values)
    if size > BINS:
        shares = torch.linspace(0.0, 1.0, BINS // 2, dtype=torch.float64, device=data.values.device)
        dense = torch.searchsorted(data.sums[0].contiguous(), shares)
        wide = torch.searchsorted(data.values, shares * 2 - 1)
        ends = torch.linspace(0, size, count + 1, device=dense.device).long()  # enough borders, whatever the weights
        grid = torch.cat([dense.clamp_max(size), wide, ends]).unique()
    else:
        grid = torch.arange(size + 1, device=data.values.device)
    count_, total, square = data.sums[:, grid]
    counts, totals = count_ - count_[:, None], total - total[:, None]
    errors = (square - square[:, None] - totals.square() / torch.where(counts > 0, counts, 1.0)).clamp_min(0.0)
    errors = errors.masked_fill(torch.ones_like(errors, dtype=torch.bool).tril(), torch.inf)  # an interval has a value
    cost, choices = errors[0], []
    for _ in range(count - 1):
        cost, best = (cost[:, None] + errors).min(0)
        choices.append(best)
    place, borders = len(grid) - 1, [len(grid) - 1]
    for best in reversed(choices):
        place = int(best[place])
        borders.append(place)
    return grid[torch.tensor([0, *reversed(borders)], device=grid.device)]


def _lloyd(data: _Sorted, table: Tensor, iterations: int) -> Tensor:
    """Alternates nearest values and means until no border moves; a value that nothing is nearest to goes to where the
    error is largest."""
    last = None
    for _ in range(iterations):
        table = table.sort().values
        borders = _borders(data, table)
        if last is not None and torch.equal(borders, last):
            break
        last, table = borders, data.means(borders, table)
        empty = (borders.diff() == 0).nonzero().flatten()
        if len(empty):
            nearest = table[torch.bucketize(data.values, _middles(table))]
            errors = data.counts * (data.values - nearest).square()
            farthest = errors.argsort(descending=True, stable=True)[:len(empty)]
            table = table.index_copy(0, empty, data.values[farthest])
    return table


def _borders(data: _Sorted, table: Tensor) -> Tensor:
    inner = torch.searchsorted(data.values, _middles(table), right=True)
    ends = inner.new_tensor([0, len(data.values)])
    return torch.cat([ends[:1], inner, ends[1:]])


def _middles(table: Tensor) -> Tensor:
    return table[:-1] + table.diff() / 2


def ternary(matrix: Tensor, per: Per = "row", group: int = 128, importance: Tensor | None = None) -> Grid:
    """Levels -a, 0 and a with the least squared error, exactly (Li & Liu 2016 approximate the threshold by .7 E|w|).

    For a set S of weights that become +-a the best a is the mean magnitude in S, which takes
    (sum over S of |w|)^2 / |S| off the error; for an a, the best S has all magnitudes above a/2. So S has the m largest
    magnitudes, for one of the m, and all are tried. With importance h: (sum of h |w|)^2 / sum of h.

    Args, Raises: as uniform_grid.fitted().
    """
    pieces, counts = pieces_of(matrix, per, group, importance)
    magnitudes, places = pieces.abs().sort(dim=-1, descending=True)
    counts = counts.gather(-1, places)
    total, count = (counts * magnitudes).cumsum(-1), counts.cumsum(-1)
    best = torch.where(count > 0, total.square() / torch.where(count > 0, count, 1.0), -1.0).argmax(-1, keepdim=True)
    count = count.gather(-1, best)
    step = torch.where(count > 0, total.gather(-1, best) / torch.where(count > 0, count, 1.0), magnitudes[..., :1])
    return put_together(3, step, torch.zeros_like(step), matrix, per)


def binary(matrix: Tensor, per: Per = "row", group: int = 128, importance: Tensor | None = None) -> Grid:
    """Levels -a and a with the least squared error: a is the mean magnitude (Rastegari et al. 2016).

    Args, Raises: as uniform_grid.fitted().
    """
    pieces, counts = pieces_of(matrix, per, group, importance)
    count = counts.sum(-1, keepdim=True)
    mean = (counts * pieces.abs()).sum(-1, keepdim=True) / torch.where(count > 0, count, 1.0)
    step = 2 * torch.where(count > 0, mean, pieces.abs().mean(-1, keepdim=True))
    return put_together(2, step, torch.zeros_like(step), matrix, per)
