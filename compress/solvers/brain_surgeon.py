"""The optimal brain surgeon on one layer: the loss that the removal of weights costs, and the refit of the other weights.

For a row w of a layer and the second moment H of its inputs, the loss of other weights w' is half the squared error of the
outputs, (w' - w) H (w' - w)^T / 2. Let a set R of weights be removed and the set K be kept:
    In the kept weights the loss is least where its derivative (w' - w) H_:K is 0: w'_K = w H_:K (H_KK)^-1.
    By Lagrange multipliers for w'_R = 0, (w' - w) H is 0 outside R: w' = w - w_R ([H^-1]_RR)^-1 [H^-1]_R:.
    The loss is then w_R ([H^-1]_RR)^-1 w_R^T / 2, for one weight w_q^2 / (2 [H^-1]_qq) (Hassibi & Stork 1993).
Both formulas give the same weights: for each row, the smaller system is solved. SparseGPT (Frantar & Alistarh 2023) sweeps
over the columns instead, an approximation for layers too wide for these systems.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from compress.solvers.scale import check_finite

DAMPING = 0.1
MOST_NUMBERS = 4_000_000  # in the systems that are solved together: 32 MB of float64


def damped(second: Tensor) -> Tensor:
    """H (columns, columns) in float64 plus 0.1 times its mean diagonal: invertible, and weights stay bounded where few
    examples have an input. (On MNIST-5k 0.1 serves all sparsities; 0.01 costs half a point of accuracy at 95 %.) Raises
    ValueError for NaN or infinity."""
    check_finite("Brain surgeon", "the second moment of the inputs", second)
    second = second.double()
    mean = second.diagonal().mean()
    mean = torch.where(mean > 0, mean, 1.0)  # a layer whose inputs were all zero has no scale
    return second + DAMPING * mean * torch.eye(len(second), dtype=torch.float64, device=second.device)


def inverse_of(second: Tensor) -> Tensor:
    """The inverse of damped H (columns, columns)."""
    return torch.cholesky_inverse(torch.linalg.cholesky(damped(second)))


def removal_losses(matrix: Tensor, inverse: Tensor) -> Tensor:
    """(rows, columns): w_q^2 / (2 [H^-1]_qq), the loss of removing each weight alone, after a refit of its row. Raises
    ValueError for NaN or infinity among the weights."""
    check_finite("Brain surgeon", "the weights", matrix)
    return matrix.double().square() / (2 * inverse.diagonal())


def column_losses(matrix: Tensor, places: Tensor, inverse: Tensor) -> Tensor:
    """(units,): the loss of removing each unit's columns R after a refit of all others, w_R ([H^-1]_RR)^-1 w_R^T / 2 summed
    over the rows w.

    Args:
        matrix: W (rows, columns).
        places: (units, k), each unit's columns.
        inverse: H^-1 (columns, columns).
    """
    blocks = inverse[places[:, :, None], places[:, None, :]]
    weights = matrix.double()[:, places].permute(1, 2, 0)
    return (weights * torch.cholesky_solve(weights, torch.linalg.cholesky(blocks))).sum((1, 2)) / 2


def refitted(matrix: Tensor, mask: Tensor, second: Tensor) -> Tensor:
    """The weights W' (rows, columns) with the least loss that are zero where the mask is False.

    Args:
        matrix: W (rows, columns); mask: (rows, columns) bool; second: H (columns, columns), without damping.

    Raises:
        ValueError: NaN or infinity among the weights or in the moment.
    """
    check_finite("Brain surgeon", "the weights", matrix)
    if bool(mask.all()):
        return matrix.clone()
    moment, weights = damped(second), matrix.double()
    result = torch.zeros_like(weights)
    kept = mask.sum(1)
    few = kept <= mask.shape[1] // 2
    for rows in _chunks(few, kept, kept):
        result[rows] = _from_kept(weights[rows], mask[rows], moment)
    if not bool(few.all()):
        inverse = torch.cholesky_inverse(torch.linalg.cholesky(moment))
        for rows in _chunks(~few, kept, mask.shape[1] - kept):
            result[rows] = _from_removed(weights[rows], mask[rows], inverse)
    return (result * mask).to(matrix.dtype)


def refitted_columns(matrix: Tensor, kept: Tensor, second: Tensor) -> Tensor:
    """The same where whole columns are removed: W'_K (rows, kept), one system for all rows.

    Args:
        kept: indices of the columns that stay.

    Raises:
        ValueError: NaN or infinity among the weights or in the moment.
    """
    check_finite("Brain surgeon", "the weights", matrix)
    moment = damped(second)
    factor = torch.linalg.cholesky(moment[kept][:, kept])
    return torch.cholesky_solve((matrix.double() @ moment[:, kept]).mT, factor).mT.to(matrix.dtype)


def _from_kept(weights: Tensor, mask: Tensor, moment: Tensor) -> Tensor:
    """w'_K = w H_:K (H_KK)^-1, for each row with its own K."""
    places, real = _padded(mask)
    right = (weights @ moment).gather(1, places) * real
    found = _solved(_systems(moment, places, real), right)
    return torch.zeros_like(weights).scatter_add_(1, places, found * real)


def _from_removed(weights: Tensor, mask: Tensor, inverse: Tensor) -> Tensor:
    """w' = w - w_R ([H^-1]_RR)^-1 [H^-1]_R:, for each row with its own R."""
    places, real = _padded(~mask)
    removed = weights.gather(1, places) * real
    found = _solved(_systems(inverse, places, real), removed) * real
    return weights - torch.zeros_like(weights).scatter_add_(1, places, found) @ inverse


def _solved(systems: Tensor, right: Tensor) -> Tensor:
    """Solutions (rows, most) of positive definite systems (rows, most, most)."""
    return torch.cholesky_solve(right[..., None], torch.linalg.cholesky(systems))[..., 0]


def _padded(mask: Tensor) -> tuple[Tensor, Tensor]:
    """(rows, most) indices of the True entries, in order, and (rows, most) which of them are no padding."""
    count = mask.sum(1)
    most = max(1, int(count.max()))
    places = (~mask).to(torch.uint8).argsort(dim=1, stable=True)[:, :most]
    return places, torch.arange(most, device=mask.device) < count[:, None]


def _systems(matrix: Tensor, places: Tensor, real: Tensor) -> Tensor:
    """(rows, most, most): each row's part of the matrix, with the identity in the place of padding."""
    part = matrix[places[:, :, None], places[:, None, :]]
    both = real[:, :, None] & real[:, None, :]
    identity = torch.eye(places.shape[1], dtype=part.dtype, device=part.device)
    return torch.where(both, part, identity)


def _chunks(chosen: Tensor, kept: Tensor, sizes: Tensor) -> Iterator[Tensor]:
    """The chosen rows (mask) by rising number of kept weights, so that systems of similar size are solved together; in
    chunks whose systems have at most MOST_NUMBERS numbers."""
    rows = torch.nonzero(chosen).flatten()
    rows = rows[kept[rows].argsort()]
    start = 0
    while start < len(rows):
        stop, largest = start + 1, int(sizes[rows[start]])
        while stop < len(rows):
            larger = max(largest, int(sizes[rows[stop]]))
            if (stop + 1 - start) * larger ** 2 > MOST_NUMBERS:
                break
            largest, stop = larger, stop + 1
        yield rows[start:stop]
        start = stop
