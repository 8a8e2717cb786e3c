"""The inside view of low rank: each layer's spectra and errors at every rank, as plain data for a page."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from compress.data.datasets import Dataset
from compress.data.tensors import on_device
from compress.layers.input_moments import Moments, input_moments
from compress.layers.matrix_view import matrix_of
from compress.layers.titles import layer_title
from compress.low_rank.factorisation import Factorisation
from compress.networks.evaluation import device_of
from compress.networks.families import Network
from compress.progress import Reporter, no_report
from compress.solvers.svd import Subspace, hard_threshold, principal, projection_energies


def layer_views(method: Any, teacher: Network, data: Dataset, pieces: dict[str, Factorisation],
                ranks: list[dict[str, int]], report: Reporter = no_report) -> list[dict[str, Any]]:
    """One dict a layer: path, title, shape, full, break_even, threshold, singular values, errors, ranks.

    Errors are relative and squared, at rank 0, 1, ..., full: of the weights (predicted by the tail of plain SVD), of
    the outputs on calibration (predicted by the whitened tail) and on validation (measured with the basis that the
    method really uses, and with plain SVD's for comparison).
    """
    device = device_of(teacher)
    fitted = input_moments(teacher, on_device(data.calibration, device)[0], pieces)
    held = input_moments(teacher, on_device(data.validation, device)[0], pieces)
    views = []
    for number, (path, piece) in enumerate(pieces.items()):
        report(number / len(pieces), f"spectra of layer {path}")
        view = _view(piece, fitted[path], held[path])
        views.append({"path": path, "title": layer_title(path, piece.dense), "ranks": [chosen[path] for chosen in ranks],
                      **view})
    return views


def _view(piece: Factorisation, fitted: Moments, held: Moments) -> dict[str, Any]:
    groups, rows, columns = piece.shape
    matrix = matrix_of(piece.dense, piece.convolution)
    plain = principal(matrix)
    sigma = plain.energies.sum(0).sqrt()
    largest = _positive(sigma[0])
    view = {
        "shape": [groups, rows, columns], "full": piece.full, "break_even": piece.break_even,
        "useful": piece.useful, "threshold": hard_threshold(sigma, rows, columns) / float(largest),
        "sigma": _numbers(sigma / largest), "energy": _numbers(1 - _relative(plain)),
        "weight_error": _numbers(_relative(plain)), "used_error": _numbers(_relative(piece.subspace)),
    }
    if piece.convolution == "channel":
        whitened = principal(matrix, fitted.second)
        spread = whitened.energies.sum(0).sqrt()
        view |= {
            "whitened_sigma": _numbers(spread / _positive(spread[0])), "whitened_energy": _numbers(1 - _relative(whitened)),
            "output_error_predicted": _numbers(_relative(whitened)),
            "output_error_plain": _numbers(_left(plain.basis, matrix, held.second)),
            "output_error_whitened": _numbers(_left(whitened.basis, matrix, held.second)),
        }
    return view


def _relative(subspace: Subspace) -> Tensor:
    tail = subspace.tail().sum(0)
    return tail / _positive(tail[0])


def _positive(value: Tensor) -> Tensor:
    """So that a layer of zeros, or one that no input reaches, can be divided by its size."""
    return value.clamp_min(torch.finfo(value.dtype).tiny)


def _left(basis: Tensor, matrix: Tensor, metric: Tensor) -> Tensor:
    """Relative output error left at every rank of a basis, under the given inputs' second moment."""
    carried = projection_energies(basis, matrix, metric).sum(0)
    total = float(_positive(((matrix.double() @ metric) * matrix.double()).sum()))
    left = total - torch.cat([carried.new_zeros(1), carried.cumsum(0)])
    return (left / total).clamp_min(0.0)


def _numbers(values: Tensor) -> list[float]:
    """Five significant digits: what a chart can show, at a third of the text."""
    return [float(f"{value:.5g}") for value in values.tolist()]
