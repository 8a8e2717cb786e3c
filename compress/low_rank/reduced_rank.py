"""Reduced-rank regression: the best matrix of low rank from one set of inputs to the outputs of another.

Wanted are the outputs y of a matrix W for its own inputs x; given are other inputs z (of a network whose earlier layers were
made smaller). All are centred. With C = E[z z^T] and D = E[(y - W z) z^T], least squares give
    V = W + D (C + ridge)^-1,  E|y - W' z|^2 = E|y - V z|^2 + E|V z - W' z|^2  for every W' (without ridge),
because the residual y - V z is uncorrelated with z. The second term is least, among the W' of rank r, for
W' = U_r U_r^T V with the first eigenvectors U of V C V^T (Izenman 1975; see svd.principal). With z = x, D is zero and V = W:
whitening as usual. Written as a correction of W, the solution stays near W in directions that z does not have.
"""

from __future__ import annotations

import torch
from torch import Tensor

from compress.solvers.scale import check_finite
from compress.solvers.svd import Subspace, principal

RIDGE = 0.003  # of the mean diagonal of C: directions that hardly occur in z are not fitted to noise


def least_squares(matrix: Tensor, cross: Tensor, second: Tensor, ridge: float = RIDGE) -> Tensor:
    """V (..., rows, columns), float64.

    Args:
        matrix: W (..., rows, columns).
        cross: E[y z^T] (..., rows, columns), around the means.
        second: C (..., columns, columns), around the mean; may be singular if ridge is above 0.
        ridge: as a share of the mean diagonal of C.

    Raises:
        ValueError: NaN or infinity among the weights or in a moment.
    """
    for name, values in (("the matrix", matrix), ("the moments of outputs and inputs", cross),
                         ("the second moment of the inputs", second)):
        check_finite("Reduced-rank regression", name, values)
    weights, second = matrix.double(), second.double()
    mean = second.diagonal(dim1=-2, dim2=-1).mean(-1)
    mean = torch.where(mean > 0, mean, 1.0)[..., None, None]  # inputs that never vary have no scale
    identity = torch.eye(second.shape[-1], dtype=torch.float64, device=second.device)
    factor = torch.linalg.cholesky(second + ridge * mean * identity)
    missing = cross.double() - weights @ second
    return weights + torch.cholesky_solve(missing.mT, factor).mT


def reduced_rank(matrix: Tensor, cross: Tensor, second: Tensor, ridge: float = RIDGE) -> tuple[Subspace, Tensor]:
    """(directions U with the energies of V C V^T, V): the best matrix of rank r is U_r U_r^T V. Arguments and errors are
    those of least_squares()."""
    fitted = least_squares(matrix, cross, second, ridge)
    return principal(fitted, second), fitted
