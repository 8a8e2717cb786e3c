"""The precision of a file's weights: 32 bits as they are trained, 16 bits, or 8 bits with a scale for each row.

Weights are the large tensors of floating-point numbers: those of layers, kept weights, factors, atoms. Biases, scales and
the numbers of batch normalisation keep 32 bits: they are few, and much depends on each of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from compress.settings import shown
from compress.stored import FLOAT16, FLOAT32, INT8, PRECISIONS

WEIGHTS = ("weight", "values", "atoms", "matrix")  # the last word of the name of a tensor of weights
LEAST = 64  # numbers of a tensor that gains by less precision
SHORT_ROW = 8  # numbers in a row for which a scale of its own would be too much
SCALE = ":scale"
_MOST_IN_HALF = torch.finfo(torch.float16).max
_LEVELS = 127


def lowered(tensors: Mapping[str, Tensor], precision: str) -> dict[str, Tensor]:
    """The tensors as a file of this precision stores them: weights in 16 bits; or in 8 bits (the level of each number), and
    NAME:scale (rows,), the float32 step between two levels of each row. A tensor whose rows are short has one scale."""
    found: dict[str, Tensor] = {}
    for name, tensor in tensors.items():
        if not _is_weight(name, tensor):
            found[name] = tensor
        elif precision == INT8:
            found[name], found[name + SCALE] = _levels(tensor.detach())
        elif precision == FLOAT16 and float(tensor.detach().abs().max()) <= _MOST_IN_HALF:
            found[name] = tensor.detach().half()
        else:
            found[name] = tensor
    return found


def raised(tensors: Mapping[str, Tensor], precision: Any, kinds: Mapping[str, torch.dtype]) -> dict[str, Tensor]:
    """The opposite of lowered(), up to rounding: tensors of float32.

    Args:
        precision: what the file says of itself; kinds: name -> type of each tensor of the network.

    Raises:
        ValueError: an unknown precision, or scales that do not fit.
    """
    if not isinstance(precision, str) or precision not in PRECISIONS:
        raise ValueError(f"precision must be one of {', '.join(PRECISIONS)}, but got {shown(precision)}")
    if precision == FLOAT32:
        return dict(tensors)
    found = {name: tensor for name, tensor in tensors.items() if not name.endswith(SCALE)}
    for name, tensor in found.items():
        if kinds.get(name) == torch.float32 and tensor.dtype == torch.float16 and precision == FLOAT16:
            found[name] = tensor.float()
    for name in tensors.keys() - found.keys():
        weights = name.removesuffix(SCALE)
        found[weights] = _values(weights, found.get(weights), tensors[name])
    return found


def _is_weight(name: str, tensor: Tensor) -> bool:
    last = name.rpartition(".")[2]
    return (tensor.dtype == torch.float32 and tensor.numel() >= LEAST and last in WEIGHTS
            and (tensor.dim() > 1 or last == "values"))


def _levels(weights: Tensor) -> tuple[Tensor, Tensor]:
    rows = weights.reshape(len(weights) if weights.numel() >= SHORT_ROW * len(weights) else 1, -1)
    scale = rows.abs().amax(1) / _LEVELS
    levels = (rows / torch.where(scale > 0, scale, torch.ones_like(scale))[:, None]).round().clamp(-_LEVELS, _LEVELS)
    return levels.to(torch.int8).reshape(weights.shape), scale


def _values(name: str, levels: Tensor | None, scale: Tensor) -> Tensor:
    """Raises ValueError for scales that do not fit."""
    if (levels is None or levels.dtype != torch.int8 or scale.dtype != torch.float32 or scale.dim() != 1 or not len(scale)
            or levels.numel() % len(scale) or bool((scale < 0).any())):
        raise ValueError(f"the scales of {shown(name)} do not fit its numbers")
    return (levels.reshape(len(scale), -1).float() * scale[:, None]).reshape(levels.shape)
