"""Operators of a graph that act on each number alone. Each is a function (inputs, options) -> tensor, named as in ONNX."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

Options = dict[str, Any]
Operator = Callable[[Sequence[Tensor], Options], Any]
TYPES = {1: torch.float32, 10: torch.float32, 11: torch.float32, 16: torch.float32, 9: torch.bool}
"""Number of a type in ONNX -> the type that is computed with; int64 for every type of whole numbers."""


def _one(function: Callable[[Tensor], Tensor]) -> Operator:
    return lambda inputs, options: function(inputs[0])


def _two(function: Callable[[Tensor, Tensor], Tensor]) -> Operator:
    return lambda inputs, options: function(inputs[0], inputs[1])


def _all(function: Callable[[Tensor, Tensor], Tensor]) -> Operator:
    return lambda inputs, options: reduce(function, inputs)


def _quotient(one: Tensor, other: Tensor) -> Tensor:
    """Whole numbers are divided without their fractions."""
    return one / other if one.is_floating_point() else torch.div(one, other, rounding_mode="trunc")


def _remainder(inputs: Sequence[Tensor], options: Options) -> Tensor:
    return torch.fmod(inputs[0], inputs[1]) if options.get("fmod", 0) else torch.remainder(inputs[0], inputs[1])


def _cast(inputs: Sequence[Tensor], options: Options) -> Tensor:
    return inputs[0].to(TYPES.get(options["to"], torch.int64))


def _clip(inputs: Sequence[Tensor], options: Options) -> Tensor:
    """Whole numbers stay whole, though the limits are kept as fractions."""
    low, high = options.get("min"), options.get("max")
    return inputs[0] if low is None and high is None else inputs[0].clamp(low, high).to(inputs[0].dtype)


def _power(one: Tensor, other: Tensor) -> Tensor:
    """Of the base's type, also where the exponent has another one."""
    return torch.pow(one, other).to(one.dtype)


def _prelu(inputs: Sequence[Tensor], options: Options) -> Tensor:
    return torch.where(inputs[0] < 0, inputs[0] * inputs[1], inputs[0])


def _along(numbers: Tensor, like: Tensor, axis: int) -> Tensor:
    """Numbers of one axis in a shape that broadcasts to `like`."""
    shape = [-1 if place == axis % like.dim() else 1 for place in range(like.dim())]
    return numbers.reshape(shape) if numbers.dim() else numbers


def _dequantized(inputs: Sequence[Tensor], options: Options) -> Tensor:
    codes, (scale, *zero) = inputs[0], [_along(one, inputs[0], options.get("axis", 1)) for one in inputs[1:]]
    return (codes - zero[0] if zero else codes).to(torch.float32) * scale


ELEMENTWISE: dict[str, Operator] = {
    "Relu": _one(torch.relu), "Sigmoid": _one(torch.sigmoid), "Tanh": _one(torch.tanh), "Exp": _one(torch.exp),
    "Log": _one(torch.log), "Sqrt": _one(torch.sqrt), "Neg": _one(torch.neg), "Abs": _one(torch.abs),
    "Erf": _one(torch.erf), "Reciprocal": _one(torch.reciprocal), "Softplus": _one(functional.softplus),
    "Softsign": _one(functional.softsign), "Selu": _one(torch.selu), "Sign": _one(torch.sign), "Floor": _one(torch.floor),
    "Ceil": _one(torch.ceil), "Round": _one(torch.round), "Sin": _one(torch.sin), "Cos": _one(torch.cos),
    "Not": _one(torch.logical_not), "Identity": _one(lambda one: one), "HardSwish": _one(functional.hardswish),
    "Mish": _one(functional.mish),
    "Gelu": lambda inputs, options: functional.gelu(inputs[0], approximate=options.get("approximate", "none")),
    "Elu": lambda inputs, options: functional.elu(inputs[0], options.get("alpha", 1.0)),
    "LeakyRelu": lambda inputs, options: functional.leaky_relu(inputs[0], options.get("alpha", 0.01)),
    "HardSigmoid": lambda inputs, options: (inputs[0] * options.get("alpha", 0.2) + options.get("beta", 0.5)).clamp(0, 1),
    "PRelu": _prelu, "Clip": _clip, "Cast": _cast, "Mod": _remainder, "DequantizeLinear": _dequantized,
    "Add": _two(torch.add), "Sub": _two(torch.sub), "Mul": _two(torch.mul), "Div": _two(_quotient), "Pow": _two(_power),
    "Equal": _two(torch.eq), "Greater": _two(torch.gt), "Less": _two(torch.lt), "GreaterOrEqual": _two(torch.ge),
    "LessOrEqual": _two(torch.le), "And": _two(torch.logical_and), "Or": _two(torch.logical_or),
    "Where": lambda inputs, options: torch.where(inputs[0].bool(), inputs[1], inputs[2]),
    "Min": _all(torch.minimum), "Max": _all(torch.maximum), "Sum": _all(torch.add),
}
