"""One factorisation of a layer, from which the two smaller layers of every rank are cut."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import ceil

import torch
from torch import Tensor

from compress.files.scratch import Rows, Scratch
from compress.layers.base import DenseLayer
from compress.layers.factors import Factors
from compress.layers.input_moments import Moments
from compress.layers.matrix_view import factorised, matrix_of
from compress.memory import require
from compress.solvers.svd import Subspace, break_even, principal, randomized


@dataclass(frozen=True, eq=False)
class Kept:
    """The factors of a layer in a file, below the rank at which they save nothing.

    Attributes:
        directions: the columns of the basis, as rows (groups, useful - 1, rows), float64.
        inner: B^T W (groups, useful - 1, columns) in the layer's precision.
    """

    directions: Rows
    inner: Rows


@dataclass(frozen=True, eq=False)
class Factorisation:
    """A layer's best subspaces at every rank.

    Attributes:
        dense: the layer as it was.
        subspace: basis (groups, rows, count) and energies (groups, count) under the scheme's own metric.
        convolution: "channel" or "spatial", how the layer is seen as a matrix.
        mean: the inputs' mean (groups, columns) where the scheme is centred, else None.
        stored: bytes that the layer's weight takes as it is stored now; None for a dense layer's.
        kept: the factors in a file; the subspace has no basis then.
    """

    dense: DenseLayer
    subspace: Subspace
    convolution: str
    mean: Tensor | None = None
    stored: int | None = None
    kept: Kept | None = None

    @property
    def shape(self) -> tuple[int, int, int]:
        """(groups, rows, columns) of the layer's matrix."""
        groups, rows, columns = matrix_of(self.dense, self.convolution).shape
        return groups, rows, columns

    @property
    def full(self) -> int:
        """The largest rank of the layer's matrix: its smaller side."""
        return min(self.shape[1:])

    @property
    def break_even(self) -> float:
        """The rank at which the factors store as much as the layer: rows x columns / (rows + columns) if it is dense."""
        groups, rows, columns = self.shape
        if self.stored is None:
            return break_even(rows, columns)
        return self.stored / self.dense.weight.element_size() / (groups * (rows + columns))

    @property
    def useful(self) -> int:
        """The smallest rank that saves nothing. Only layers of smaller ranks are used."""
        return ceil(self.break_even)

    @property
    def size(self) -> int:
        """Numbers of the dense layer, biases left out."""
        groups, rows, columns = self.shape
        return groups * rows * columns

    def cost(self, rank: int) -> int:
        """Numbers stored at this rank (from `useful` on, those of the layer as it is), biases left out."""
        groups, rows, columns = self.shape
        if rank < self.useful:
            return groups * rank * (rows + columns)
        return self.size if self.stored is None else self.stored // self.dense.weight.element_size()

    def errors(self) -> list[float]:
        """Relative squared error at rank 0, 1, ..., full, summed over groups; 1.0 at rank 0."""
        tail = self.subspace.tail().sum(0)
        return (tail / tail[0].clamp_min(torch.finfo(tail.dtype).tiny)).tolist()

    @cached_property
    def outer(self) -> Tensor:
        """The basis B (groups, rows, useful - 1) in the layer's precision; its first r columns are the second factor of rank
        r."""
        basis = self._basis(self.useful - 1)
        return basis.to(self.dense.weight.dtype, memory_format=torch.contiguous_format)

    @cached_property
    def inner(self) -> Tensor:
        """B^T W (groups, useful - 1, columns) in the layer's precision: the first r rows are the first factor of rank r."""
        if self.kept is not None:
            return self.kept.inner.first(self.useful - 1)
        basis = self._basis(self.useful - 1)
        return (basis.mT @ matrix_of(self.dense, self.convolution).double()).to(self.dense.weight.dtype)

    @cached_property
    def mapped_mean(self) -> Tensor:
        """W mean (groups, rows, 1), float64. Raises ValueError unless the scheme is centred."""
        if self.mean is None:
            raise ValueError("mapped_mean: only a centred factorisation has a mean. Use the scheme centred.")
        return matrix_of(self.dense, self.convolution).double() @ self.mean[..., None]

    def layer(self, rank: int) -> Factors:
        """The two smaller layers of this rank, the same whatever other ranks are asked for.

        Centred, W' = B B^T W acts on x - mean: W' (x - mean) + W mean + bias = W' x + bias + shift, so that
        shift = W mean - B B^T W mean is added to the bias.

        Raises:
            ValueError: the factors are in a file, and those of a rank that saves nothing are not.
        """
        basis = self._basis(rank)
        shift = None
        if self.mean is not None:
            shift = (self.mapped_mean - basis @ (basis.mT @ self.mapped_mean)).flatten()
        if rank >= self.useful:
            return factorised(self.dense, basis, self.convolution, shift)
        if self.kept is not None:
            return factorised(self.dense, basis, self.convolution, shift, self.kept.inner.first(rank))
        return factorised(self.dense, self.outer[..., :rank], self.convolution, shift, self.inner[:, :rank])

    def in_file(self, scratch: Scratch) -> Factorisation:
        """The same with its factors in a file, which are read for the rank that is wanted. Raises StoreError where they
        cannot be written."""
        basis = self._basis(self.useful - 1)
        kept = Kept(scratch.put(basis.mT), scratch.put(self.inner))
        bare = Subspace(basis[..., :0].clone(), self.subspace.energies, self.subspace.total)
        return Factorisation(self.dense, bare, self.convolution, self.mean, self.stored, kept)

    def _basis(self, rank: int) -> Tensor:
        """The first columns of the basis, (groups, rows, rank), float64."""
        if self.kept is None:
            return self.subspace.basis[..., :rank]
        if rank >= self.useful:
            raise ValueError(f"The factors of rank {rank} are not kept, because from rank {self.useful} on they save "
                             "nothing. Choose a smaller rank.")
        return self.kept.directions.first(rank).mT


def placeholder(layer: DenseLayer, convolution: str, stored: int | None) -> Factorisation:
    """A factorisation of the same structure on arbitrary directions: made quickly, for the structure of the result."""
    groups, rows, columns = matrix_of(layer, convolution).shape
    basis = torch.eye(rows, min(rows, columns), dtype=torch.float64, device=layer.weight.device).repeat(groups, 1, 1)
    energies = basis.new_ones(groups, basis.shape[-1])
    return Factorisation(layer, Subspace(basis, energies, energies.sum(-1)), convolution, stored=stored)


def factorise(layer: DenseLayer, scheme: str, convolution: str = "channel", moments: Moments | None = None,
              seed: int = 0, stored: int | None = None) -> Factorisation:
    """Factorises one layer once for all ranks.

    Args:
        scheme: "plain", "randomized", "whitened" or "centred".
        moments: of the layer's inputs, for the last two schemes.
        stored: as Factorisation has it.

    Raises:
        MemoryShort: the outputs are too many for the last two schemes.
    """
    matrix = matrix_of(layer, convolution)
    if scheme == "randomized":
        # Always the same number of directions, so that the factors of a rank do not depend on the other ranks asked for.
        count = min(min(matrix.shape[1:]), ceil(break_even(*matrix.shape[1:])))
        return Factorisation(layer, randomized(matrix, count, seed), convolution, stored=stored)
    if scheme == "plain":
        return Factorisation(layer, principal(matrix), convolution, stored=stored)
    if moments is None:
        raise ValueError(f"factorise: the scheme {scheme} needs the moments of the layer's inputs. Give them, "
                         "or choose plain.")
    rows = matrix.shape[1]
    require(3 * 8 * rows ** 2, f"LowRank: the scheme {scheme} of a layer of {rows:,} outputs", "Choose the scheme plain.")
    metric = moments.covariance if scheme == "centred" else moments.second
    mean = moments.mean if scheme == "centred" else None
    return Factorisation(layer, principal(matrix, metric), convolution, mean, stored)
