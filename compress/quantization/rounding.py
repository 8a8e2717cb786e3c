"""Rounding of one layer's matrix to any number of levels by any scheme; what these share is computed once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypeVar

import torch
from torch import Tensor, nn

from compress.files.scratch import Rows, Scratch
from compress.layers.base import DenseLayer
from compress.layers.input_moments import Moments, diagonal_of
from compress.layers.matrix_view import matrix_of
from compress.layers.rounded.corrected import Corrected, correction_of
from compress.layers.rounded.quantized import Quantized
from compress.layers.rounded.quantized_codes import QuantizedCodes
from compress.networks.embedding import Embedding
from compress.solvers.codebook import Codebook, binary, kmeans, ternary
from compress.solvers.gptq import Factor, QuickErrors, factor, output_errors, rounded_to_all
from compress.solvers.svd import Diagonal, Metric, correction, energy
from compress.solvers.uniform_grid import Grid, Per, fitted

KEPT = 50_000_000  # numbers of roundings that a layer keeps, one byte each up to 256 levels
FEWEST = 4  # roundings that it keeps in any case
Stored = TypeVar("Stored", Quantized, QuantizedCodes)
PER: dict[str, Per] = {"tensor": "tensor", "channel": "row", "group": "group"}


@dataclass(frozen=True)
class Rounding:
    """The settings that determine how a matrix is rounded to any number of levels."""

    scheme: str = "gptq"
    per: str = "tensor"
    group: int = 64
    symmetric: bool = True
    clipping: str = "none"
    damping: float = 0.3
    correction: int = 0

    def uncorrected(self) -> Rounding:
        """The settings that determine the numbers."""
        return self if not self.correction else replace(self, correction=0)

    def to_nearest(self) -> Rounding:
        """The same grids, each weight rounded to its nearest level."""
        return replace(self, scheme="nearest")


@dataclass(frozen=True, eq=False)
class Rounded:
    """A matrix after rounding.

    Attributes:
        numbers: (groups, rows, columns) int32; values: what gives them values.
        matrix: the values (groups, rows, columns), 0 where a weight is not held, and the correction.
        shift: (rows of all groups,), the mean of what the outputs lack, to be added to the bias; None for nothing.
        correction: its two factors, (groups, rows, rank) and (groups, rank, columns); None for nothing.
    """

    numbers: Tensor
    values: Grid | Codebook
    matrix: Tensor
    shift: Tensor | None
    correction: tuple[Tensor, Tensor] | None


class Roundable:
    """A dense layer with what rounding needs.

    Attributes:
        matrix: (groups, rows, columns), as matrix_of() has it.
        held: the same shape, False for weights that are 0 and stay 0; None if there is no such weight.
        moments: of the inputs: second (groups, columns, columns), float64, or for very wide layers its root; mean. Of a
            large network, the second moment is in a file; see in_file().
    """

    def __init__(self, path: str, layer: DenseLayer, moments: Moments | None) -> None:
        """
        Args:
            path: for messages. moments: of the inputs; None if only its structure matters: all inputs are alike then.

        Raises:
            MemoryShort: the second moment does not fit.
        """
        self.layer = layer
        self.matrix = matrix_of(layer)
        held = self.matrix != 0
        self.held = None if bool(held.all()) else held
        self.path, self._moments = path, Moments(torch.zeros(1, 1, 1), torch.zeros(1, 1))
        self._kept_moment: Rows | None = None
        self._quick: QuickErrors | None = None
        if moments is not None:
            self._moments = moments if moments.is_wide else Moments(moments.full(path), moments.mean)
        self.mean = self._moments.mean
        self.squares = diagonal_of(self._moments.second)
        self.is_one_hot = isinstance(self._moments.second, Diagonal)
        self._reads_inputs = moments is not None
        self._factors: dict[float, Factor] = {}
        self._most = max(FEWEST, KEPT // self.matrix.numel())
        self._kept: dict[tuple[Rounding, int], tuple[Tensor, Grid | Codebook]] = {}
        self._grids: dict[tuple[Rounding, int], Grid] = {}
        self._nearest_errors: dict[tuple[Rounding, int], float] = {}  # on gptq's moment, by its settings

    def in_file(self, scratch: Scratch) -> None:
        """Puts the second moment into a file, from which it is read when it is needed: it has as many numbers as the square
        of the layer's inputs, and what follows from it takes as much again. Nothing of that is kept in memory then."""
        if isinstance(self._moments.second, Tensor):
            self._kept_moment = scratch.put(self._moments.second)
            self._moments = Moments(self._moments.second[:, :0], self.mean)

    @property
    def moments(self) -> Moments:
        """Of the inputs."""
        kept = self._kept_moment
        return self._moments if kept is None else Moments(kept.first(kept.shape[1]), self.mean)

    def prepare(self, rounding: Rounding, levels: Iterable[int]) -> None:
        """Rounds to many numbers of levels at once, which takes less time and gives the same."""
        rounding = rounding.uncorrected()
        wanted = [count for count in dict.fromkeys(levels) if (rounding, count) not in self._kept][:self._most]
        meanings = [self._meaning(rounding, count) for count in wanted]
        grids = [values for values in meanings if isinstance(values, Grid)]
        # Where inputs are one-hot, no weight can make up for another one's error: GPTQ rounds to nearest.
        if rounding.scheme == "gptq" and grids and not self.is_one_hot:
            choices = rounded_to_all(self.matrix, self._factor(rounding.damping), grids, self.held)
            found = [choice.numbers for choice in choices]
            self._nearest_errors.update(zip([(rounding, count) for count in wanted], (
                float(choice.nearest_errors.sum()) for choice in choices), strict=True))
        else:
            found = [values.nearest(self.matrix) for values in meanings]
        for count, numbers, values in zip(wanted, found, meanings, strict=True):
            self._kept[rounding, count] = numbers.to(torch.uint8 if count <= 256 else torch.int32), values

    def rounded(self, rounding: Rounding, levels: int) -> Rounded:
        """The matrix rounded to this number of levels. The last numbers are kept, because a curve and the inside view share
        them."""
        self.prepare(rounding, [levels])
        numbers, values = self._kept[rounding.uncorrected(), levels]
        while len(self._kept) > self._most:
            del self._kept[next(iter(self._kept))]
        matrix, factors = self._values(numbers.int(), values), None
        if rounding.correction:
            factors = self._correction(matrix, rounding)
            matrix = matrix + factors[0] @ factors[1]
        shift = self._shift(matrix) if rounding.scheme == "gptq" else None
        return Rounded(numbers.int(), values, matrix, shift, factors)

    def quantized(self, found: Rounded, always_masked: bool = False) -> Quantized | Corrected | QuantizedCodes:
        """The layer as it is stored: with a mask where zeros take less room in it than as levels, or in any case."""
        main = self._levels(found, always_masked)
        return main if found.correction is None else Corrected(main, correction_of(self.layer, *found.correction))

    def _levels(self, found: Rounded, always_masked: bool) -> Quantized:
        values = found.values
        numbers = found.numbers.flatten(0, 1)
        if isinstance(values, Grid):
            values = Grid(values.levels, values.step.flatten(0, 1), values.middle.flatten(0, 1))
        if self.held is None:
            return self._shifted(Quantized.of(self.layer, numbers, values), found.shift)
        held, zero = self.held.flatten(0, 1), found.values.nearest(torch.zeros_like(self.matrix))
        masked = self._shifted(Quantized.of(self.layer, numbers, values, held), found.shift)
        if always_masked or bool((found.values.values(zero) != 0).any()):
            return masked
        numbers = torch.where(held, numbers, zero.flatten(0, 1))
        whole = self._shifted(Quantized.of(self.layer, numbers, values), found.shift)
        return min(masked, whole, key=lambda one: sum(len(tensor) for tensor in one.levels.buffers()))

    def error(self, matrix: Tensor, bias: Tensor | None, spread: float | None = None) -> float:
        """Mean squared error of the outputs on the examples of the moments, as a part of the mean square of W x, of a layer
        with another matrix (groups, rows, columns) and bias: with the covariance C and the mean m of the inputs,
        E |D x + d|^2 = tr(D C D^T) + |D m + d|^2.

        Args:
            spread: tr(D C D^T), where it is known.
        """
        lost = self.matrix - matrix
        mean = (lost.double() @ self.mean[..., None]).flatten()
        if bias is not None and self.layer.bias is not None:
            mean = mean + (self.layer.bias.detach().double() - bias.detach().double())
        if not self._energy > 0:
            return 0.0
        if spread is None:
            spread = self._spread_of(lost)
        return (spread + float(mean.square().sum())) / self._energy

    def error_of_nearest(self, rounding: Rounding, levels: int) -> float:
        """error() of rounding to nearest on the same grids. GPTQ has compared its errors with those of the nearest levels;
        what it found is taken from there, which saves a product of matrices."""
        nearest = self.rounded(rounding.to_nearest(), levels).matrix
        self.prepare(rounding, [levels])
        known = None if rounding.correction or self.layer.bias is None else self._nearest_errors.get((rounding, levels))
        return self.error(nearest, self.layer.bias, known)

    def distortion(self, matrix: Tensor) -> float:
        """Mean squared error of another matrix (groups, rows, columns), as a part of the weights' variance."""
        energy = self._weights_energy
        return float((self.matrix.double() - matrix).square().sum()) / energy if energy > 0 else 0.0

    @cached_property
    def _weights_energy(self) -> float:
        """Sum of squares of the weights around their mean."""
        weights = self.matrix.double()
        return float((weights - weights.mean()).square().sum())

    def _spread_of(self, lost: Tensor) -> float:
        """tr(D C D^T) for what a matrix lost D and the covariance C of the inputs."""
        covariance = self._moment(True)
        if not isinstance(covariance, Tensor):
            return float(energy(lost, covariance).sum())
        return float(self._spread().errors(lost).sum())

    def _spread(self) -> QuickErrors:
        """Of the covariance of the inputs."""
        if self._quick is not None:
            return self._quick
        found = QuickErrors.of(self._whole_moment(True), self.matrix.dtype)
        if self._kept_moment is None:
            self._quick = found
        return found

    @cached_property
    def _energy(self) -> float:
        """Mean square of W x."""
        second = self.moments.second
        if not isinstance(second, Tensor):
            return float(energy(self.matrix, second).sum())
        return float(output_errors(self.matrix, second).sum())

    def _factor(self, damping: float) -> Factor:
        if damping in self._factors:
            return self._factors[damping]
        found = factor(self._whole_moment(self.layer.bias is not None), damping)
        if self._kept_moment is None:
            self._factors[damping] = found
        return found

    def _moment(self, centred: bool) -> Metric:
        """The second moment, or the covariance: the errors that matter where the bias takes up their mean."""
        moments = self.moments
        return moments.covariance if centred else moments.second

    def _whole_moment(self, centred: bool) -> Tensor:
        """The same, columns x columns numbers in any case. Raises MemoryShort if they do not fit."""
        return Moments(self._moment(centred), self.mean).full(self.path)

    def _correction(self, matrix: Tensor, rounding: Rounding) -> tuple[Tensor, Tensor]:
        """The factors of this rank, or the layer's full one, that give the outputs back most of what they lost; around the
        mean of the inputs where the bias takes up the mean of what is lost."""
        rank = min(rounding.correction, *self.matrix.shape[-2:])
        has_shift = rounding.scheme == "gptq" and self.layer.bias is not None
        return correction(self.matrix - matrix, rank, self._moment(has_shift) if self._reads_inputs else None)

    def _meaning(self, rounding: Rounding, levels: int) -> Grid | Codebook:
        if rounding.scheme == "codebook":
            weights = self.matrix if self.held is None or not bool(self.held.any()) else self.matrix[self.held]
            return kmeans(weights, levels)
        if rounding.scheme == "ternary":
            return self._of_rows(rounding, lambda matrix: ternary(matrix, PER[rounding.per], rounding.group))
        key = replace(rounding.to_nearest(), damping=0.0), levels  # a grid depends neither on the scheme nor on damping
        if key not in self._grids:
            self._grids[key] = self._of_rows(rounding, lambda matrix: self._grid(matrix, rounding, levels))
            while len(self._grids) > self._most:
                del self._grids[next(iter(self._grids))]
        return self._grids[key]

    def _of_rows(self, rounding: Rounding, fit: Callable[[Tensor], Grid]) -> Grid:
        """A grid for the matrix. Where each row has its own, the rows of an embedding table are meant, one for each token:
        the columns of its matrix."""
        if rounding.per != "channel" or not isinstance(self.layer, Embedding):
            return fit(self.matrix)
        grid = fit(self.matrix.mT)
        return Grid(grid.levels, grid.step.mT.contiguous(), grid.middle.mT.contiguous())

    def _grid(self, matrix: Tensor, rounding: Rounding, levels: int) -> Grid:
        """A symmetric grid has 0 among its levels, unless there are two. An even number of levels is an odd one without the
        end on the side of the smaller extreme. Two levels are clipped in any case: the largest weight says nothing of where
        most of the weights are."""
        clip = rounding.clipping == "least_error" or levels == 2
        is_even = rounding.symmetric and levels > 2 and levels % 2 == 0
        weighs = clip and self._reads_inputs and matrix is self.matrix  # the weights of one token share their input
        importance = self.squares if weighs else None
        if levels == 2 and rounding.symmetric:
            return binary(matrix, PER[rounding.per], rounding.group, importance)
        grid = fitted(matrix, levels + is_even, PER[rounding.per], rounding.group, rounding.symmetric, clip, importance)
        if not is_even:
            return grid
        side = _larger_side(matrix, grid)
        return Grid(levels, grid.step, side * grid.step / 2)

    def _values(self, numbers: Tensor, meaning: Grid | Codebook) -> Tensor:
        values = meaning.values(numbers)
        return values if self.held is None else values * self.held

    def _shift(self, values: Tensor) -> Tensor | None:
        if self.layer.bias is None:
            return None
        return ((self.matrix - values).double() @ self.mean[..., None]).flatten()

    def _shifted(self, made: Stored, shift: Tensor | None) -> Stored:
        """With what the outputs lack in the mean in its bias."""
        if shift is not None and made.bias is not None:
            made.bias = nn.Parameter((made.bias.detach() + shift).to(made.bias.dtype))
        return made


def _larger_side(matrix: Tensor, grid: Grid) -> Tensor:
    """1 or -1 for each step of a grid: the sign of the weight farthest from 0."""
    columns, groups = matrix.shape[-1], grid.step.shape[-1]
    parts = matrix.split(-(-columns // groups), dim=-1)
    axes = (-2, -1) if grid.step.shape[-2] == 1 else (-1,)
    signs = [torch.where(part.amax(axes) >= -part.amin(axes), 1.0, -1.0) for part in parts]
    return torch.stack(signs, dim=-1).view(grid.step.shape).to(grid.step.dtype)
