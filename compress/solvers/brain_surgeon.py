"""The optimal brain surgeon on one layer: what a weight's removal costs, and the refit that makes up for removed ones.

For a row w of a layer and the second moment H of its inputs, the squared error of the outputs is (w - w') H (w - w')^T.
Removing weight q and moving the others of its row so that this is least costs w_q^2 / [H^-1]_qq, half of which is the
usual loss (Hassibi & Stork 1993). For a whole set of removed weights the best remaining ones are a least-squares fit,
w'_K = w H_.K (H_KK)^-1, or by the complement, w - w_R ([H^-1]_RR)^-1 [H^-1]_R.: whichever is the smaller system is solved.
SparseGPT (Frantar & Alistarh 2023) approximates this for layers too wide for it by sweeping over columns.
"""

from __future__ import annotations

import torch
from torch import Tensor

DAMPING = 0.1
MOST_NUMBERS = 4_000_000  # in the systems that are solved together: 32 MB of float64


def damped(second: Tensor) -> Tensor:
    """H (columns, columns) float64 plus a tenth of its mean diagonal: invertible, and no weight runs away where few examples
    say anything about it. (On MNIST-5k a tenth serves all sparsities; a hundredth costs half a point at 95 %.)"""
    second = second.double()
    mean = second.diagonal().mean()
    mean = torch.where(mean > 0, mean, 1.0)  # a layer that saw nothing but zeros has no scale
    return second + DAMPING * mean * torch.eye(len(second), dtype=torch.float64, device=second.device)


def inverse_of(second: Tensor) -> Tensor:
    """The inverse of damped H (columns, columns)."""
    return torch.cholesky_inverse(torch.linalg.cholesky(damped(second)))


def removal_losses(matrix: Tensor, inverse: Tensor) -> Tensor:
    """(rows, columns): w^2 / (2 [H^-1]_qq), what the removal of each weight alone costs after a refit of its row."""
    return matrix.double().square() / (2 * inverse.diagonal())


def refitted(matrix: Tensor, mask: Tensor, second: Tensor) -> Tensor:
    """The weights W' (rows, columns) that are zero where the mask is False and nearest in the layer's outputs.

    Args:
        matrix: W (rows, columns); mask: (rows, columns) bool; second: H (columns, columns), without damping.
    """
    if bool(mask.all()):
        return matrix.clone()
    moment = damped(second)
    result, weights = torch.zeros_like(moment[:1]).repeat(len(matrix), 1), matrix.double()
    kept = mask.sum(1)
    few = kept <= mask.shape[1] // 2
    inverse = None if bool(few.all()) else torch.cholesky_inverse(torch.linalg.cholesky(moment))
    for small in (True, False):
        rows = torch.nonzero(few == small).flatten()
        rows = rows[kept[rows].argsort()]  # rows with systems of like size are solved together
        for chunk in _chunks(rows, kept if small else mask.shape[1] - kept):
            if small:
                result[chunk] = _from_kept(weights[chunk], mask[chunk], moment)
            else:
                result[chunk] = _from_removed(weights[chunk], mask[chunk], inverse)
    return (result * mask).to(matrix.dtype)


def refitted_columns(matrix: Tensor, kept: Tensor, second: Tensor) -> Tensor:
    """The same where whole columns go: W'_K (rows, kept), one system for all rows.

    Args:
        kept: indices of the columns that stay.
    """
    moment = damped(second)
    factor = torch.linalg.cholesky(moment[kept][:, kept])
    return torch.cholesky_solve((matrix.double() @ moment[:, kept]).mT, factor).mT.to(matrix.dtype)


def column_losses(matrix: Tensor, places: Tensor, inverse: Tensor) -> Tensor:
    """(units,): what the removal of each unit's columns costs after a refit of all others, half the squared error.

    Args:
        matrix: W (rows, columns); places: (units, k), each unit's columns; inverse: H^-1 (columns, columns).
    """
    own = inverse[places[:, :, None], places[:, None, :]]
    weights = matrix.double()[:, places].permute(1, 2, 0)
    return (weights * torch.cholesky_solve(weights, torch.linalg.cholesky(own))).sum((1, 2)) / 2


def _from_kept(weights: Tensor, mask: Tensor, moment: Tensor) -> Tensor:
    places, real = _padded(mask)
    system = _system(moment, places, real)
    wanted = (weights @ moment).gather(1, places) * real
    found = _solved(system, wanted)
    return torch.zeros_like(weights).scatter_add_(1, places, found * real)


def _from_removed(weights: Tensor, mask: Tensor, inverse: Tensor) -> Tensor:
    places, real = _padded(~mask)
    system = _system(inverse, places, real)
    removed = weights.gather(1, places) * real
    found = _solved(system, removed) * real
    return weights - torch.zeros_like(weights).scatter_add_(1, places, found) @ inverse


def _solved(systems: Tensor, wanted: Tensor) -> Tensor:
    """Solutions (rows, most) of positive definite systems (rows, most, most)."""
    return torch.cholesky_solve(wanted[..., None], torch.linalg.cholesky(systems))[..., 0]


def _padded(mask: Tensor) -> tuple[Tensor, Tensor]:
    """(rows, most) places of the True entries, in order, and which of these are real rather than padding."""
    count = mask.sum(1)
    most = max(1, int(count.max()))
    places = (~mask).to(torch.uint8).argsort(dim=1, stable=True)[:, :most]
    return places, torch.arange(most, device=mask.device) < count[:, None]


def _system(matrix: Tensor, places: Tensor, real: Tensor) -> Tensor:
    """(rows, most, most): each row's part of the matrix, with the identity where places are padding."""
    part = matrix[places[:, :, None], places[:, None, :]]
    both = real[:, :, None] & real[:, None, :]
    identity = torch.eye(places.shape[1], dtype=part.dtype, device=part.device)
    return torch.where(both, part, identity)


def _chunks(rows: Tensor, sizes: Tensor) -> list[Tensor]:
    """Rows in their order, cut so that the systems of a chunk stay within the bound."""
    chunks, start = [], 0
    while start < len(rows):
        stop = start + 1
        largest = int(sizes[rows[start]])
        while stop < len(rows):
            larger = max(largest, int(sizes[rows[stop]]))
            if (stop + 1 - start) * larger ** 2 > MOST_NUMBERS:
                break
            largest, stop = larger, stop + 1
        chunks.append(rows[start:stop])
        start = stop
    return chunks
