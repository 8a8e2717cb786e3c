"""The inside view of low rank: spectra and errors of each layer at every rank, as plain data for a page."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch import Tensor

from compress.data.datasets import Dataset
from compress.data.tensors import on_device
from compress.layers.base import bytes_of
from compress.layers.input_moments import Moments, in_turn, input_moments
from compress.layers.matrix_view import matrix_of
from compress.layers.titles import layer_title
from compress.low_rank.factorisation import Factorisation
from compress.memory import give_back_of
from compress.networks.evaluation import device_of
from compress.networks.families import Network
from compress.progress import LayersSoFar, Reporter, no_report
from compress.solvers.svd import Metric, Subspace, energy, hard_threshold, principal, projection_energies

SPECTRUM = ("path", "title", "ranks", "shape", "full", "break_even", "useful", "threshold", "sigma", "whitened_sigma")


def layer_views(teacher: Network, data: Dataset, pieces: dict[str, Factorisation], ranks: dict[float, dict[str, int]],
                report: Reporter = no_report) -> list[dict[str, Any]]:
    """One dict for each layer: path, title, shape, full, break_even, threshold, singular values, errors, ranks. `report`
    gets a LayersSoFar after each layer.

    Errors are relative and squared, at rank 0, 1, ..., full: of the weights (predicted by the tail of plain SVD), of the
    outputs on calibration (predicted by the whitened tail), and of the outputs on validation (measured, with the whitened
    basis and with that of plain SVD).
    """
    device, size = device_of(teacher), bytes_of([teacher])
    so_far: LayersSoFar | None = None
    views: list[dict[str, Any]] = []
    for group in in_turn(teacher, pieces):
        reading = partial(report, len(views) / len(pieces), "reading activations", so_far)
        calibration, validation = (input_moments(teacher, on_device(split, device)[0], group, reading) for split in
                                   (data.calibration, data.validation))
        for path in group:
            report(len(views) / len(pieces), f"spectra of layer {path}", so_far)
            view = _view(pieces[path], calibration.pop(path), validation.pop(path))
            views.append({"path": path, "title": layer_title(path, pieces[path].dense),
                          "ranks": [chosen[path] for chosen in ranks.values()], **view})
            so_far = LayersSoFar(len(pieces), tuple(ranks), tuple(
                {name: one[name] for name in SPECTRUM if name in one} for one in views))
            give_back_of(size)
    return views


def _view(piece: Factorisation, calibration: Moments, validation: Moments) -> dict[str, Any]:
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
        whitened = principal(matrix, calibration.second)
        whitened_sigma = whitened.energies.sum(0).sqrt()
        view |= {
            "whitened_sigma": _numbers(whitened_sigma / _positive(whitened_sigma[0])),
            "whitened_energy": _numbers(1 - _relative(whitened)),
            "output_error_predicted": _numbers(_relative(whitened)),
            "output_error_plain": _numbers(_output_error(plain.basis, matrix, validation.second)),
            "output_error_whitened": _numbers(_output_error(whitened.basis, matrix, validation.second)),
        }
    return view


def _relative(subspace: Subspace) -> Tensor:
    tail = subspace.tail().sum(0)
    return tail / _positive(tail[0])


def _positive(value: Tensor) -> Tensor:
    """The value, or the smallest positive number in the place of 0: the divisor for a layer of zeros or without inputs."""
    return value.clamp_min(torch.finfo(value.dtype).tiny)


def _output_error(basis: Tensor, matrix: Tensor, metric: Metric) -> Tensor:
    """Relative squared error of the outputs at rank 0, 1, ... of a basis, for inputs with this second moment."""
    carried = projection_energies(basis, matrix, metric).sum(0)
    total = float(_positive(energy(matrix, metric).sum()))
    remaining = total - torch.cat([carried.new_zeros(1), carried.cumsum(0)])
    return (remaining / total).clamp_min(0.0)


def _numbers(values: Tensor) -> list[float]:
    """Rounded to five significant digits: enough for a chart, and a third of the text."""
    return [float(f"{value:.5g}") for value in values.tolist()]
