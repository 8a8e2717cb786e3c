"""Linear and convolutional layers as matrices, and the two smaller layers of a factorised matrix.

    channel   rows = output channels, columns = input channels x kernel. First layer: r kernels of full size; second:
              a 1x1 convolution (Denton et al. 2014, Zhang et al. 2015). For linear layers this is plain W = U V.
    spatial   rows = output channels x kernel width, columns = input channels x kernel height. First layer: r vertical
              kernels; second: horizontal ones (Jaderberg, Vedaldi & Zisserman 2014; Tai et al. 2016).

Every matrix has a leading axis for the groups of a grouped convolution (1 otherwise).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from compress.layers.base import DenseLayer
from compress.layers.factors import Factors
from compress.networks.embedding import Embedding, shares

Convolution = nn.Conv1d | nn.Conv2d


def matrix_of(layer: DenseLayer, view: str = "channel") -> Tensor:
    """The layer's weights as (groups, rows, columns)."""
    if isinstance(layer, nn.Linear):
        return layer.weight.detach()[None]
    kernels = _as_2d(layer.weight.detach()).unflatten(0, (layer.groups, -1))
    if view == "spatial":
        return kernels.permute(0, 1, 4, 2, 3).flatten(3).flatten(1, 2)
    return kernels.flatten(2)


def factorised(layer: DenseLayer, basis: Tensor, view: str = "channel", shift: Tensor | None = None,
               inner: Tensor | None = None) -> Factors:
    """The two layers for W' = B B^T W.

    Args:
        basis: B (groups, rows, rank), orthonormal columns.
        shift: (rows of all groups,) to be added to the bias, if the channel view is factorised around the inputs' mean.
        inner: B^T W (groups, rank, columns), where the caller has it already.
    """
    if inner is None:
        inner = basis.double().mT @ matrix_of(layer, view).double()
    inner, outer = inner.to(layer.weight.dtype), basis.to(layer.weight.dtype)
    bias = None if layer.bias is None else layer.bias.detach()
    if shift is not None:
        bias = shift.to(layer.weight.dtype) + (0 if bias is None else bias)
    if isinstance(layer, nn.Linear):
        return _linear_pair(layer, inner, outer, bias)
    return _convolution_pair(layer, inner, outer, bias, view)


def inputs_as_columns(layer: DenseLayer, batch: Tensor) -> Tensor:
    """The columns that a layer's matrix (channel view) is multiplied with: (groups, columns, samples).

    Args:
        batch: the layer's input: (..., features) for a linear layer, ids (n, ...) for an embedding table, (n, channels,
            [height,] width) otherwise. The columns of a table are the shares that tokens have in a text, or one-hot.
    """
    if isinstance(layer, Embedding):
        return shares(batch if layer.mean else batch.reshape(-1, 1), layer.in_features, layer.padded).mT[None]
    if isinstance(layer, nn.Linear):
        return batch.reshape(1, -1, layer.in_features).mT
    if isinstance(layer, nn.Conv1d):
        batch = batch.unsqueeze(2)
    kernel, stride, padding, dilation = (_pair(layer, name) for name in ("kernel_size", "stride", "padding", "dilation"))
    patches = functional.unfold(batch, kernel, dilation, padding, stride)
    return patches.unflatten(1, (layer.groups, -1)).permute(1, 2, 0, 3).flatten(2)


def outputs_as_columns(layer: DenseLayer, output: Tensor) -> Tensor:
    """The layer's outputs in the order of inputs_as_columns(): (groups, rows, samples)."""
    if isinstance(layer, nn.Linear):
        return output.reshape(1, -1, layer.out_features).mT
    return output.flatten(2).unflatten(1, (layer.groups, -1)).permute(1, 2, 0, 3).flatten(2)


def can_be_viewed(layer: DenseLayer) -> bool:
    """Whether a layer can be written as a product: not convolutions whose padding is not with zeros."""
    return isinstance(layer, nn.Linear) or (layer.padding_mode == "zeros" and not isinstance(layer.padding, str))


def _linear_pair(layer: nn.Linear, inner: Tensor, outer: Tensor, bias: Tensor | None) -> Factors:
    rank = inner.shape[1]
    first = (Embedding(layer.in_features, rank, layer.mean, padded=layer.padded, device="meta")
             if isinstance(layer, Embedding) else nn.Linear(layer.in_features, rank, bias=False, device="meta"))
    second = nn.Linear(rank, layer.out_features, bias=bias is not None, device="meta")
    return _filled(first, inner[0], second, outer[0], bias)


def _convolution_pair(layer: Convolution, inner: Tensor, outer: Tensor, bias: Tensor | None, view: str) -> Factors:
    groups, rank, _ = inner.shape
    flat = isinstance(layer, nn.Conv1d)
    kernel, stride, padding, dilation = (_pair(layer, name) for name in ("kernel_size", "stride", "padding", "dilation"))
    high, wide = (0, 1) if view == "spatial" else (slice(0, 2), None)
    inside, outside = layer.in_channels // groups, layer.out_channels // groups
    kind: Callable[..., Convolution] = nn.Conv1d if flat else nn.Conv2d

    def options(axis: int | slice | None) -> dict[str, Any]:
        """The layer's geometry along these axes, kernels of size 1 along the others."""
        chosen = {name: _only(value, axis, neutral) for name, value, neutral in
                  (("kernel_size", kernel, 1), ("stride", stride, 1), ("padding", padding, 0), ("dilation", dilation, 1))}
        return {name: value[1:] if flat else value for name, value in chosen.items()}

    first = kind(layer.in_channels, groups * rank, groups=groups, bias=False, device="meta", **options(high))
    second = kind(groups * rank, layer.out_channels, groups=groups, bias=bias is not None, device="meta",
                  **options(wide))
    inner_kernels = inner.reshape(groups * rank, inside, *_only(kernel, high, 1))
    width = kernel[1] if view == "spatial" else 1
    outer_kernels = outer.reshape(groups * outside, width, rank).mT.unsqueeze(2)
    if flat:
        inner_kernels, outer_kernels = inner_kernels.squeeze(2), outer_kernels.squeeze(2)
    return _filled(first, inner_kernels, second, outer_kernels, bias)


def _filled(first: DenseLayer, inner: Tensor, second: DenseLayer, outer: Tensor, bias: Tensor | None) -> Factors:
    """The pair of layers, made without weights (on torch's device "meta"), with copies of these weights."""
    first.weight, second.weight = _parameter(inner), _parameter(outer)
    if bias is not None:
        second.bias = _parameter(bias)
    return Factors(first, second)


def _parameter(values: Tensor) -> nn.Parameter:
    return nn.Parameter(values.clone(memory_format=torch.contiguous_format))


def _as_2d(kernels: Tensor) -> Tensor:
    """1-D kernels as 2-D kernels of height 1."""
    return kernels.unsqueeze(2) if kernels.dim() == 3 else kernels


def _pair(layer: DenseLayer, name: str) -> tuple[int, int]:
    """Geometry of a 1-D or 2-D convolution as (height, width)."""
    value = getattr(layer, name)
    neutral = 0 if name == "padding" else 1
    return (neutral, value[0]) if len(value) == 1 else (value[0], value[1])


def _only(value: tuple[int, int], axis: int | slice | None, neutral: int) -> tuple[int, int]:
    if isinstance(axis, slice):
        return value
    return (value[0], neutral) if axis == 0 else (neutral, value[1]) if axis == 1 else (neutral, neutral)


def by_rows(layer: DenseLayer, per_group: Tensor) -> Tensor:
    """(groups, columns) -> (rows, columns): values of a layer's inputs for each row of its matrix."""
    return per_group.repeat_interleave(layer.weight.shape[0] // len(per_group), dim=0)
