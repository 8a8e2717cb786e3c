"""Operators of a graph on whole vectors: products, pooling, normalisation, softmax, named as in ONNX."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from compress.networks.graph.elementwise import Operator, Options
from compress.networks.graph.refused import Refused


def around(options: Options, sizes: Sequence[int]) -> list[int]:
    """Padding (before, behind) of each spatial axis, the last axis first, as functional.pad() reads it.

    Args:
        sizes: of the spatial axes, for auto_pad.
    """
    axes, kernel = len(sizes), options["kernel_shape"]
    strides, dilations = options.get("strides") or [1] * axes, options.get("dilations") or [1] * axes
    mode = options.get("auto_pad", "NOTSET")
    if mode in ("SAME_UPPER", "SAME_LOWER"):
        missing = [max(0, (-(-size // stride) - 1) * stride + (extent - 1) * dilation + 1 - size)
                   for size, stride, extent, dilation in zip(sizes, strides, kernel, dilations, strict=True)]
        pairs = [(total // 2, total - total // 2) for total in missing]
        pairs = pairs if mode == "SAME_UPPER" else [(behind, before) for before, behind in pairs]
    else:
        pads = options.get("pads") or [0] * (2 * axes)
        pairs = list(zip(pads[:axes], pads[axes:], strict=True))
    return [side for pair in pairs[::-1] for side in pair]


def _largest(inputs: Sequence[Tensor], options: Options) -> Tensor:
    given = inputs[0]
    axes = given.dim() - 2
    padded = functional.pad(given, around(options, given.shape[2:]), value=-torch.inf)
    pool = functional.max_pool1d if axes == 1 else functional.max_pool2d
    return pool(padded, options["kernel_shape"], options.get("strides") or [1] * axes, 0,
                options.get("dilations") or [1] * axes, bool(options.get("ceil_mode", 0)))


def _average(inputs: Sequence[Tensor], options: Options) -> Tensor:
    """The mean over a window; numbers of the padding count where count_include_pad says so."""
    given = inputs[0]
    axes = given.dim() - 2
    padding = around(options, given.shape[2:])
    pool = functional.avg_pool1d if axes == 1 else functional.avg_pool2d
    sizes = options["kernel_shape"], options.get("strides") or [1] * axes, 0, bool(options.get("ceil_mode", 0))
    result = pool(functional.pad(given, padding), *sizes)
    if not any(padding) or options.get("count_include_pad", 0):
        return result
    return result / pool(functional.pad(torch.ones_like(given[:1, :1]), padding), *sizes)


def _spatial(one: Tensor) -> tuple[int, ...]:
    return tuple(range(2, one.dim()))


def _layer_norm(inputs: Sequence[Tensor], options: Options) -> Tensor:
    shape = inputs[0].shape[options.get("axis", -1):]
    scale, shift = (inputs[place] if len(inputs) > place else None for place in (1, 2))
    return functional.layer_norm(inputs[0], shape, scale, shift, options.get("epsilon", 1e-5))


def _instance_norm(inputs: Sequence[Tensor], options: Options) -> Tensor:
    return functional.instance_norm(inputs[0], weight=inputs[1], bias=inputs[2], eps=options.get("epsilon", 1e-5))


def _group_norm(inputs: Sequence[Tensor], options: Options) -> Tensor:
    return functional.group_norm(inputs[0], options["num_groups"], inputs[1], inputs[2], options.get("epsilon", 1e-5))


def _gemm(inputs: Sequence[Tensor], options: Options) -> Tensor:
    first, second = (one.mT if options.get(name, 0) else one for one, name in
                     zip(inputs, ("transA", "transB"), strict=False))
    product = options.get("alpha", 1.0) * (first @ second)
    return product + options.get("beta", 1.0) * inputs[2] if len(inputs) > 2 else product


def _softmax(inputs: Sequence[Tensor], options: Options) -> Tensor:
    return inputs[0].softmax(options.get("axis", -1))


def _einsum(inputs: Sequence[Tensor], options: Options) -> Tensor:
    """Of one or two values, so that nothing larger than them and the result is made on the way."""
    if len(inputs) > 2:
        raise Refused("it has more than two inputs, which is not supported")
    return torch.einsum(options["equation"], *inputs)


def resizing(given: Tensor, options: Options) -> tuple[list[int], dict[str, Any]]:
    """Height and width that images (n, channels, height, width) get, and how, in the words of functional.interpolate().

    Raises:
        Refused: other values, other axes, or what torch's interpolate() and its exporters do not have.
    """
    wanted, before = options.get("sizes"), list(given.shape)
    if not wanted:
        wanted = [size * factor for size, factor in zip(before, options.get("scales") or [], strict=False)]
    if len(before) != 4 or len(wanted) != 4 or wanted[:2] != before[:2] or any(size % 1 for size in wanted) or (
            min(wanted[2:]) < 1):
        raise Refused(f"it makes {wanted} of values of the sizes {before}; only height and width of images can be resized, "
                      "to whole numbers of pixels")
    size = [int(length) for length in wanted[2:]]
    mode, places = options.get("mode", "nearest"), options.get("coordinate_transformation_mode", "half_pixel")
    if size == before[2:]:  # each pixel is at its own place in every mode
        return size, {}
    if mode == "nearest" and places == "asymmetric" and options.get("nearest_mode") == "floor":
        return size, {"mode": "nearest"}
    is_usual = options.get("cubic_coeff_a", -0.75) == -0.75 and not options.get("antialias", 0)
    if mode not in ("linear", "cubic") or places not in ("half_pixel", "pytorch_half_pixel", "align_corners") or (
            not is_usual or 1 in size):
        raise Refused(f"the options mode = {mode} and coordinate_transformation_mode = {places} are not supported together. "
                      "Export the network with torch's own interpolation, or for images of one size")
    return size, {"mode": {"linear": "bilinear", "cubic": "bicubic"}[mode], "align_corners": places == "align_corners"}


def _resized(inputs: Sequence[Tensor], options: Options) -> Tensor:
    size, how = resizing(inputs[0], options)
    return functional.interpolate(inputs[0], size, **how) if how else inputs[0]


WEIGHING: dict[str, Operator] = {
    "MatMul": lambda inputs, options: inputs[0] @ inputs[1], "Gemm": _gemm, "Einsum": _einsum, "Softmax": _softmax,
    "LogSoftmax": lambda inputs, options: inputs[0].log_softmax(options.get("axis", -1)),
    "Resize": _resized, "MaxPool": _largest, "AveragePool": _average, "LayerNormalization": _layer_norm,
    "InstanceNormalization": _instance_norm, "GroupNormalization": _group_norm,
    "GlobalAveragePool": lambda inputs, options: inputs[0].mean(_spatial(inputs[0]), True),
    "GlobalMaxPool": lambda inputs, options: inputs[0].amax(_spatial(inputs[0]), True),
    "LRN": lambda inputs, options: functional.local_response_norm(
        inputs[0], options["size"], options.get("alpha", 1e-4), options.get("beta", 0.75), options.get("bias", 1.0)),
}


