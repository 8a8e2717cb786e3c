"""Plain data of quantization for a page: of one point, and of the network before it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from compress.layers.rounded.corrected import Corrected
from compress.layers.rounded.quantized import Quantized
from compress.layers.rounded.quantized_codes import QuantizedCodes
from compress.layers.sensitivity import sensitivity
from compress.networks.families import Network
from compress.progress import Reporter, no_report
from compress.quantization.quantizer import Quantizer
from compress.quantization.rounding import Roundable, Rounding
from compress.solvers.rate_distortion import entropy

BINS = 60
MOST_VALUES = 256  # of a layer: with more of them (grids of many rows), their histogram in so many bins
FIRST = 4096  # weights; if these have more than MOST_VALUES, all have, and need not be counted


def point_view(quantizer: Quantizer, rounding: Rounding, levels: dict[str, int], network: Network,
               bits: int = 32) -> dict[str, Any]:
    """One dict for each layer of a quantized network: path, title, levels (values of its weights, rising), counts (of the
    weights that have them), bits (entropy of the levels, a weight), correction (bits of its numbers, a weight), distortion
    (squared error of the weights, as a part of their variance), error and error_nearest (squared error of the outputs on
    calibration, as a part of their energy, as stored and by rounding to nearest), is_stored (False for a layer that stays
    as it is, in 32 bits and without error).

    Args:
        bits: of a stored number of a correction."""
    return {"layers": [{"path": path, "title": quantizer.title(path), **_layer(one, network.get_submodule(path), bits),
                        "error_nearest": one.error_of_nearest(rounding, levels[path])}
                       for path, one in quantizer.roundable().items()]}


def inside_view(quantizer: Quantizer, rounding: Rounding, values: Sequence[int],
                report: Reporter = no_report) -> dict[str, Any]:
    """levels, and one dict for each layer: path, title, reach (the largest magnitude), weights (a histogram between -reach
    and reach), accuracy and loss with this layer alone quantized to each of the levels."""
    quantizer.prepare(rounding, values)
    measured = sensitivity(quantizer.open, quantizer.data, list(quantizer.layers),
                           lambda path, level: quantizer.with_one(path, rounding, int(level)), report, (0, *values))
    return {"values": list(values), "levels": list(values), "layers": [
        {"path": path, "title": quantizer.title(path), **histogram(layer.weight),
         "accuracy": measured.accuracies[path][1:], "loss": measured.losses[path][1:]}
        for path, layer in quantizer.layers.items()]}


def histogram(weight: Tensor) -> dict[str, Any]:
    """The number of weights in each of BINS equal bins around zero."""
    weight = weight.detach().float().cpu()
    reach = float(weight.abs().max()) or 1.0
    return {"reach": reach, "weights": torch.histc(weight, BINS, -reach, reach).int().tolist()}


def _layer(one: Roundable, layer: nn.Module, bits: int) -> dict[str, Any]:
    if isinstance(layer, QuantizedCodes):
        return _codes(one, layer)
    main = layer.main if isinstance(layer, Corrected) else layer
    if not isinstance(main, Quantized) or not isinstance(layer, Quantized | Corrected):
        return {"is_stored": False, "levels": [], "counts": [], "bits": 32.0, "correction": 0.0, "distortion": 0.0,
                "error": 0.0}
    matrix = layer.weight.detach().view(one.matrix.shape)
    values, counts = _values(main)
    added = sum(own.numel() for own in layer.correction.parameters()) if isinstance(layer, Corrected) else 0
    return {"is_stored": True, "levels": values, "counts": counts, "bits": entropy(main.levels.places()),
            "correction": bits * added / matrix.numel(), "distortion": one.distortion(matrix),
            "error": one.error(matrix, layer.bias)}


def _codes(one: Roundable, layer: QuantizedCodes) -> dict[str, Any]:
    """Of a sparsely coded layer: the histogram of its weights, which have many values, in the place of levels; the bits of
    atoms and coefficients."""
    matrix = layer.weight.detach().view(one.matrix.shape)
    values, counts = _binned(matrix.cpu())
    bits = sum(entropy(own.places()) * own.places().numel() for own in (layer.atom_levels, layer.value_levels))
    return {"is_stored": True, "levels": values, "counts": counts, "bits": bits / matrix.numel(), "correction": 0.0,
            "distortion": one.distortion(matrix), "error": one.error(matrix, layer.bias)}


def _values(layer: Quantized) -> tuple[list[float], list[int]]:
    matrix = layer.weight.detach().cpu()
    if len(torch.unique(matrix.flatten()[:FIRST])) > MOST_VALUES:
        return _binned(matrix)
    values, counts = layer.levels.used()
    return _binned(matrix) if len(values) > MOST_VALUES else _plain(values, counts)


def _binned(matrix: Tensor) -> tuple[list[float], list[int]]:
    low, high = float(matrix.min()), float(matrix.max())
    counts = torch.histc(matrix.float(), MOST_VALUES, low, high)
    width = (high - low) / MOST_VALUES
    values = low + width * (torch.arange(MOST_VALUES) + 0.5)
    return _plain(values, counts)


def _plain(values: Tensor, counts: Tensor) -> tuple[list[float], list[int]]:
    return [float(f"{value:.6g}") for value in values.tolist()], counts.int().tolist()
