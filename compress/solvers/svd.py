"""Singular values and principal subspaces of matrices: pure tensor functions, batched over leading dimensions.

Exact decompositions use the eigenvectors of a Gram matrix in float64: W W^T = U S^2 U^T for W = U S V^T. For a spectrum this
is faster than a full SVD. For truncation it is as exact, because U_r U_r^T W is an orthogonal projection of W whatever the
accuracy of the small singular values. (In float32 the vectors would lose their orthogonality.)
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

from compress.solvers.scale import check_finite, ordinary, times_power

BLOCKS = 8
TRIANGLE = "U"  # the half of a symmetric matrix that eigh reads; MKL is 20 % faster with the upper one
WELL_CONDITIONED = 1e-4  # smallest over largest squared singular value: above, the basis is orthonormal to about 1e-12


@dataclass(frozen=True, eq=False)
class Subspace:
    """An orthonormal basis of a matrix's columns, best direction first.

    Attributes:
        basis: (..., rows, count), float64. The rank-r approximation of W is basis_r basis_r^T W.
        energies: (..., count), float64, squared singular values, falling.
        total: (...), the squared norm of the matrix: energies / total are shares also for a basis of fewer directions.
    """

    basis: Tensor
    energies: Tensor
    total: Tensor

    def tail(self) -> Tensor:
        """(..., count + 1): squared error at rank 0, 1, ..., count (Eckart & Young 1936)."""
        beyond = (self.total - self.energies.sum(-1)).clamp_min(0.0)
        falling = self.energies.flip(-1).cumsum(-1).flip(-1)
        return torch.cat([falling, torch.zeros_like(falling[..., :1])], dim=-1) + beyond[..., None]


@dataclass(frozen=True, eq=False)
class Root:
    """A metric C = F F^T by its thin factor F: for inputs X (n, samples), C = E[x x^T] = X X^T / samples has n x n numbers,
    F = X / sqrt(samples) only n x samples. With fewer samples than inputs, C is never formed:
        W C W^T = (W F) (W F)^T, and u^T W C W^T u = |u^T W F|^2, whatever the rank of X.

    Attributes:
        factor: F (..., n, samples), float64.
    """

    factor: Tensor


@dataclass(frozen=True, eq=False)
class Diagonal:
    """A metric C = diag(values) - less less^T. The second moment of one-hot inputs, such as the ids of an embedding table,
    is diagonal; their covariance is it less the product of their mean with itself.

    Attributes:
        values, less: (..., n), float64; less is None for a diagonal metric.
    """

    values: Tensor
    less: Tensor | None = None

    def energies(self, rows: Tensor) -> Tensor:
        """(..., m): u^T C u of each row u of a matrix (..., m, n)."""
        found = (rows.square() @ self.values[..., None])[..., 0]
        return found if self.less is None else (found - (rows @ self.less[..., None])[..., 0].square()).clamp_min(0.0)


Metric = Tensor | Root | Diagonal


def gram(matrix: Tensor) -> Tensor:
    """M M^T (..., m, m) in float64 for M (..., m, n); each pair of row blocks is multiplied once, by symmetry."""
    matrix = matrix.double()
    rows = matrix.shape[-2]
    if rows < 4 * BLOCKS:
        return matrix @ matrix.mT
    result = matrix.new_empty(*matrix.shape[:-1], rows)
    bounds = [rows * block // BLOCKS for block in range(BLOCKS + 1)]
    for low, high in pairwise(bounds):
        strip = matrix[..., low:high, :] @ matrix[..., :high, :].mT
        result[..., low:high, :high] = strip
        result[..., :low, low:high] = strip[..., :low].mT
    return result


def spectrum(matrix: Tensor, count: int | None = None) -> Tensor:
    """The `count` largest singular values of M (..., m, n), falling, float64, exact to about 1e-8 of the largest.

    Raises:
        ValueError: NaN or infinity, or count is not between 1 and min(m, n).
    """
    matrix, exponent = ordinary("SVD", "the matrix", matrix.double())
    full = min(matrix.shape[-2:])
    count = full if count is None else count
    if not 1 <= count <= full:
        raise ValueError(f"spectrum: count must be between 1 and {full} (the smaller side), but got {count}.")
    slim = matrix if matrix.shape[-2] <= matrix.shape[-1] else matrix.mT
    values = torch.linalg.eigvalsh(gram(slim), UPLO=TRIANGLE).flip(-1)[..., :count].clamp_min(0.0).sqrt()
    return values if not exponent else times_power(values, exponent)


def principal(matrix: Tensor, metric: Metric | None = None) -> Subspace:
    """The best approximations W' = U_r U_r^T W of a matrix at every rank r, for the weights or for the outputs.

    With the second moment C = E[x x^T] of the inputs (a metric), the mean squared error of the outputs is made least:
        E|W x - W' x|^2 = trace((W - W') C (W - W')^T) = |W S - W' S|^2 for any square root C = S S^T.
        The best rank-r approximation of W S is U_r U_r^T W S (Eckart & Young 1936) with the eigenvectors U of
        (W S)(W S)^T = W C W^T, and W' = U_r U_r^T W gives it. The error is the sum of the other eigenvalues.
    C may be singular, because neither S nor C is inverted. Without a metric, C is the identity.

    Args:
        matrix: W (..., m, n); metric: C (..., n, n), its Root, or its Diagonal.

    Returns:
        a Subspace of min(m, n) directions, with the eigenvalues of W C W^T as energies.

    Raises:
        ValueError: NaN or infinity in the matrix or the metric.
    """
    check_finite("SVD", "the matrix", matrix)
    if metric is not None:
        check_finite("SVD", "the second moment of the inputs", _stored(metric))
    weights = matrix.double()
    rows, columns = weights.shape[-2:]
    if metric is None and columns < rows:
        return _principal_of_tall(weights)
    square = _square(weights, metric)
    energies, vectors = torch.linalg.eigh(square, UPLO=TRIANGLE)
    count = min(rows, columns)
    energies = energies.flip(-1).clamp_min(0.0)
    basis = vectors.flip(-1)[..., :count].contiguous()  # otherwise the other eigenvectors would stay in memory with it
    return Subspace(basis, energies[..., :count], energies.sum(-1))


def energy(matrix: Tensor, metric: Metric) -> Tensor:
    """(...): trace(W C W^T), the energy of all outputs of W (..., m, n) under a metric C."""
    weights = matrix.double()
    if isinstance(metric, Root):
        return (weights @ metric.factor).square().sum((-2, -1))
    if isinstance(metric, Diagonal):
        return metric.energies(weights).sum(-1)
    return ((weights @ metric.double()) * weights).sum((-2, -1))


def _square(weights: Tensor, metric: Metric | None) -> Tensor:
    """W C W^T (..., m, m)."""
    if metric is None:
        return gram(weights)
    if isinstance(metric, Diagonal):
        whole = gram(weights * metric.values.sqrt()[..., None, :])
        mapped = None if metric.less is None else weights @ metric.less[..., None]
        return whole if mapped is None else whole - mapped @ mapped.mT
    return gram(weights @ metric.factor) if isinstance(metric, Root) else weights @ metric.double() @ weights.mT


def _stored(metric: Metric) -> Tensor:
    """The numbers of which a metric is made."""
    return metric.factor if isinstance(metric, Root) else metric.values if isinstance(metric, Diagonal) else metric


def _principal_of_tall(weights: Tensor) -> Subspace:
    """For m > n, from the smaller Gram matrix W^T W = V L V^T: (W V)^T (W V) = L, so that the columns of W V are orthogonal,
    up to rounding errors relative to the longest one. If none is short, they are normalised; otherwise QR makes them
    orthonormal, also where a column is zero."""
    energies, right = torch.linalg.eigh(gram(weights.mT), UPLO=TRIANGLE)
    energies = energies.flip(-1).clamp_min(0.0)
    turned = weights @ right.flip(-1)
    short = energies[..., -1] <= WELL_CONDITIONED * energies[..., 0]
    basis = torch.linalg.qr(turned).Q if short.any() else turned / turned.norm(dim=-2, keepdim=True)
    return Subspace(basis, energies, energies.sum(-1))


def randomized(matrix: Tensor, count: int, seed: int = 0, oversampling: int = 10, iterations: int = 2) -> Subspace:
    """Randomized SVD (Halko, Martinsson & Tropp 2011, algorithms 4.4 and 5.1): an approximate subspace with its true error.

    The range of W times a random matrix is improved by `iterations` power iterations with QR. `total` is the exact squared
    norm of W, so that tail() is the true error of the subspace found, never less than that of the exact SVD.

    Raises:
        ValueError: NaN or infinity, or count is not between 1 and min(m, n).
    """
    check_finite("SVD", "the matrix", matrix)
    full = min(matrix.shape[-2:])
    if not 1 <= count <= full:
        raise ValueError(f"randomized: count must be between 1 and {full} (the smaller side), but got {count}.")
    weights = matrix.double()
    generator = torch.Generator().manual_seed(seed)
    width = min(full, count + oversampling)
    probe = torch.randn(*weights.shape[:-2], weights.shape[-1], width, generator=generator, dtype=torch.float64)
    basis = torch.linalg.qr(weights @ probe.to(weights.device)).Q
    for _ in range(iterations):
        basis = torch.linalg.qr(weights @ torch.linalg.qr(weights.mT @ basis).Q).Q
    left, values, _ = torch.linalg.svd(basis.mT @ weights, full_matrices=False)
    return Subspace((basis @ left)[..., :count], values[..., :count].square(),
                    weights.square().sum((-2, -1)))


def projection_energies(basis: Tensor, matrix: Tensor, metric: Metric | None = None) -> Tensor:
    """(..., count): the energy u^T W C W^T u of each direction u of a basis under a metric C, for instance of inputs that
    the basis was not fitted to. trace(W C W^T) less the first r energies is the error at rank r.

    Raises:
        ValueError: NaN or infinity in the matrix or the metric.
    """
    check_finite("SVD", "the matrix", matrix)
    if metric is not None:
        check_finite("SVD", "the second moment of the inputs", _stored(metric))
    turned = basis.double().mT @ matrix.double()
    if isinstance(metric, Root):
        return (turned @ metric.factor).square().sum(-1)
    if isinstance(metric, Diagonal):
        return metric.energies(turned)
    carried = turned if metric is None else turned @ metric.double()
    return (carried * turned).sum(-1)


def hard_threshold(values: Tensor, rows: int, columns: int) -> float:
    """Gavish & Donoho (2014): singular values below this threshold cannot be told from noise of unknown level.

    The optimal threshold is about (0.56 b^3 - 0.95 b^2 + 1.82 b + 1.43) times the median singular value, with b the
    ratio of the smaller to the larger side.
    """
    ratio = min(rows, columns) / max(rows, columns)
    return float((0.56 * ratio**3 - 0.95 * ratio**2 + 1.82 * ratio + 1.43) * values.median())


def break_even(rows: int, columns: int) -> float:
    """The rank at which two factors store as many numbers as the m x n matrix: mn / (m + n)."""
    return rows * columns / (rows + columns)



def correction(lost: Tensor, rank: int, metric: Metric | None = None) -> tuple[Tensor, Tensor]:
    """Factors A (..., rows, rank), with orthonormal columns, and B (..., rank, columns), in the type of the matrix, whose
    product gives back most of what a matrix lost, W - Q (..., rows, columns): for a metric C, Q + A B has the least output
    error of all corrections of Q of this rank (Zhang et al. 2024, "LQER", whose scales are the diagonal of C).

    Raises:
        ValueError: NaN or infinity, or rank is not between 1 and min(rows, columns).
    """
    full = min(lost.shape[-2:])
    if not 1 <= rank <= full:
        raise ValueError(f"LQER: the rank must be between 1 and {full} (the smaller side), but got {rank}.")
    basis = principal(lost, metric).basis[..., :rank]
    return basis.to(lost.dtype), (basis.mT @ lost.double()).to(lost.dtype)
