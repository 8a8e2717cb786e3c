"""Shapes of what an operator makes, for tensors on torch's device "meta", found by hand.

For most operators torch finds them itself. For those here it would load its compiler first, which takes seconds and 100 MB.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from compress.networks.embedding import Embedding
from compress.networks.graph.elementwise import ELEMENTWISE, Operator, Options
from compress.networks.graph.refused import Refused
from compress.networks.graph.shaping import SHAPING
from compress.networks.graph.weighing import resizing


def _elementwise(operator: Operator) -> Operator:
    def made(given: Sequence[Tensor], options: Options) -> Tensor:
        kind = operator([torch.ones(1, dtype=one.dtype, device="cpu") for one in given], options).dtype
        return _empty(np.broadcast_shapes(*(one.shape for one in given)), kind)

    return made


def _joined(given: Sequence[Tensor], options: Options) -> Tensor:
    axis = options["axis"] % given[0].dim()
    if len({(*one.shape[:axis], *one.shape[axis + 1:]) for one in given}) > 1:
        raise Refused("its inputs differ in more than the axis along which they are joined")
    length = sum(one.shape[axis] for one in given)
    return _empty((*given[0].shape[:axis], length, *given[0].shape[axis + 1:]), given[0].dtype)


def _normalised(given: Sequence[Tensor], options: Options) -> Tensor:
    if any(one.shape != given[0].shape[options.get("axis", -1):] for one in given[1:]):
        raise Refused("its scale and shift have other sizes than the axes that it normalises")
    return _empty(given[0].shape, given[0].dtype)


def _softmax(given: Sequence[Tensor], options: Options) -> Tensor:
    axes, axis = given[0].dim(), options.get("axis", -1)
    if not -axes <= axis < max(1, axes) or not given[0].is_floating_point():
        raise Refused(f"its axis is {axis}, which values of {axes} axes do not have, or they are no floating-point numbers")
    return _empty(given[0].shape, given[0].dtype)


def _reduced(given: Sequence[Tensor], options: Options) -> Tensor:
    axes = given[0].dim()
    chosen = options.get("axes") or list(range(axes))
    if any(not -axes <= axis < axes for axis in chosen):
        raise Refused(f"its axes are {chosen}, which values of {axes} axes do not have")
    gone = {axis % axes for axis in chosen}
    if options.get("keepdims", 1):
        return _empty([1 if place in gone else size for place, size in enumerate(given[0].shape)], given[0].dtype)
    return _empty([size for place, size in enumerate(given[0].shape) if place not in gone], given[0].dtype)


def _gathered(given: Sequence[Tensor], options: Options) -> Tensor:
    if given[0].dim() != given[1].dim():
        raise Refused(f"its indices have {given[1].dim()} axes, its values {given[0].dim()}")
    if given[1].is_floating_point():
        raise Refused("its indices are no whole numbers")
    return _empty(given[1].shape, given[0].dtype)


def _gathered_places(given: Sequence[Tensor], options: Options) -> Tensor:
    axes = given[1].shape[-1] if given[1].dim() else 0
    if not 1 <= axes <= given[0].dim() or options.get("batch_dims", 0):
        raise Refused(f"it has indices along {axes} axes of values with {given[0].dim()}, or the option batch_dims, which "
                      "is not supported")
    return _empty((*given[1].shape[:-1], *given[0].shape[axes:]), given[0].dtype)


def _resized(given: Sequence[Tensor], options: Options) -> Tensor:
    return _empty((*given[0].shape[:2], *resizing(given[0], options)[0]), given[0].dtype)


def _pooled(given: Sequence[Tensor], options: Options) -> Tensor:
    if given[0].dim() < 3:
        raise Refused(f"its values have the sizes {list(given[0].shape)}, but examples, channels and positions are needed")
    return _empty((*given[0].shape[:2], *[1] * (given[0].dim() - 2)), given[0].dtype)


def _product(given: Sequence[Tensor], options: Options) -> Tensor:
    """Matrices in the last two axes, as numpy.matmul: a list of numbers is a row on the left, a column on the right."""
    first, second = given
    left, right = first.shape if first.dim() > 1 else (1, *first.shape), second.shape if second.dim() > 1 else (
        *second.shape, 1)
    if left[-1] != right[-2]:
        raise Refused(f"values of {list(first.shape)} and {list(second.shape)} have no product")
    shape = [*np.broadcast_shapes(left[:-2], right[:-2]), *([left[-2]] if first.dim() > 1 else []),
             *([right[-1]] if second.dim() > 1 else [])]
    return _empty(shape, first.dtype)


def _gemm(given: Sequence[Tensor], options: Options) -> Tensor:
    first, second = (one.mT if options.get(name, 0) else one for one, name in
                     zip(given, ("transA", "transB"), strict=False))
    product = _product([first, second], {})
    return _empty(np.broadcast_shapes(product.shape, *(one.shape for one in given[2:])), product.dtype)


def convolved(given: Tensor, weight: Tensor, options: Options) -> Tensor:
    """The shape (n, channels, *sizes) that a convolution makes of padded examples (n, channels, *sizes).

    Args:
        weight: (channels, channels in, *kernel); options: stride, dilation and groups, each as torch has it.
    """
    axes = weight.dim() - 2
    if given.dim() != weight.dim() or given.shape[1] != weight.shape[1] * options["groups"]:
        raise Refused(f"its weights have the sizes {list(weight.shape)}, which do not fit values of {list(given.shape)}")
    sizes = [(size - dilation * (kernel - 1) - 1) // stride + 1 for size, kernel, stride, dilation in
             zip(given.shape[2:], weight.shape[2:], *(_each(options[name], axes) for name in ("stride", "dilation")),
                 strict=True)]
    if min(sizes) < 1 or len(weight) % options["groups"]:
        raise Refused(f"its kernel of the sizes {list(weight.shape[2:])} does not fit values of {list(given.shape)}")
    return _empty((given.shape[0], len(weight), *sizes), given.dtype)


def of_layer(layer: nn.Module, given: Sequence[Tensor]) -> Tensor | None:
    """The shape that a linear layer, a table of embeddings, a convolution, a normalisation, an activation or a mean over
    positions makes; None for any other layer, which finds it itself."""
    is_norm = isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d) and (
        given[0].dim() in (2, 3) if isinstance(layer, nn.BatchNorm1d) else given[0].dim() == 4)
    if isinstance(layer, nn.ReLU | nn.Tanh | nn.Sigmoid) or (is_norm and given[0].shape[1] == layer.num_features):
        return _empty(given[0].shape, given[0].dtype)
    is_mean = isinstance(layer, nn.AdaptiveAvgPool1d | nn.AdaptiveAvgPool2d) and layer.output_size == 1
    if is_mean and given[0].dim() == (3 if isinstance(layer, nn.AdaptiveAvgPool1d) else 4):
        return _pooled(given, {})
    if type(layer) is nn.Linear and given[0].dim() and given[0].shape[-1] == layer.in_features:
        return _empty((*given[0].shape[:-1], layer.out_features), given[0].dtype)
    if isinstance(layer, Embedding):
        ids = given[0].shape[:-1] if layer.mean else given[0].shape
        return _empty((*ids, layer.out_features), layer.weight.dtype)
    if isinstance(layer, nn.Conv1d | nn.Conv2d) and not isinstance(layer.padding, str):
        around = [2 * pad for pad in layer.padding]
        wide = _empty((*given[0].shape[:2], *(size + more for size, more in zip(given[0].shape[2:], around, strict=True))),
                      given[0].dtype)
        return convolved(wide, layer.weight, {"stride": layer.stride, "dilation": layer.dilation, "groups": layer.groups})
    return None


def _each(value: int | Sequence[int], axes: int) -> Sequence[int]:
    return [value] * axes if isinstance(value, int) else value


def _empty(shape: Sequence[int], kind: torch.dtype) -> Tensor:
    return torch.empty(tuple(shape), dtype=kind, device="meta")


SHAPES: dict[str, Operator] = {**{name: _elementwise(operator) for name, operator in ELEMENTWISE.items()},
                               "Concat": _joined, "LayerNormalization": _normalised, "Gemm": _gemm, "MatMul": _product,
                               "Softmax": _softmax, "LogSoftmax": _softmax,
                               "GatherElements": _gathered, "GatherND": _gathered_places,
                               "GlobalAveragePool": _pooled, "Resize": _resized,
                               **{name: _reduced for name in SHAPING if name.startswith("Reduce")}}
