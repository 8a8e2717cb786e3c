"""Layers whose inputs are whole numbers of 8 bits: products of whole numbers, summed in 32 bits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from compress.layers.rounded.integer_inputs import IntegerInputs
from compress.layers.rounded.integer_matmul import LARGEST, MOST_LEVELS, IntegerMatrix
from compress.points.onnx_graph.builder import Graph
from compress.points.onnx_graph.matrices import integers_of, numbers_of, product, weight
from compress.solvers.uniform_grid import Grid

# Both factors are unsigned and count from here: where a processor multiplies unsigned by signed bytes, it may add pairs of
# products in 16 bits, which overflow; unsigned bytes are exact everywhere.
ORIGIN = 128


def outputs(graph: Graph, layer: IntegerInputs, value: str, convolution: Callable[[dict[str, Any]], dict[str, Any]]) -> str:
    """A layer on `value`: MatMulInteger or ConvInteger where its weights are whole numbers times steps, else its weight on
    inputs that were rounded."""
    scale = float(layer.reach) / LARGEST
    found = matrix_of(layer)
    bias = None if layer.bias is None else graph.constant(_channels(numbers_of(layer.bias), layer), "bias")
    if found is None:
        return _simulated(graph, layer, _rounded(graph, value, scale, layer.zero), bias, convolution)
    origin, zero = (graph.constant(np.uint8(ORIGIN + own), name) for own, name in ((0, "origin"), (layer.zero, "zero")))
    ends = (graph.constant(np.float32(scale * end)) for end in (-LARGEST - layer.zero, LARGEST - layer.zero))
    rounded = graph.add("QuantizeLinear", graph.add("Clip", value, *ends), graph.constant(np.float32(scale), "reach"), zero)
    numbers = numbers_of(found.numbers).astype(np.int16) + ORIGIN
    step = graph.constant(_channels(numbers_of(found.step) * np.float32(scale), layer), "step")
    if layer.place()["type"] == "Linear":
        stored = integers_of(graph, np.ascontiguousarray(numbers.astype(np.uint8).T), ORIGIN)
        product = graph.add("MatMulInteger", rounded, stored, zero, origin)
    else:
        stored = integers_of(graph, numbers.astype(np.uint8).reshape(layer.weight.shape), ORIGIN)
        product = graph.add("ConvInteger", rounded, stored, zero, origin, attributes=convolution(layer.place()))
    whole = graph.add("Mul", graph.as_type(product, np.float32), step)
    return whole if bias is None else graph.add("Add", whole, bias)


def matrix_of(layer: IntegerInputs) -> IntegerMatrix | None:
    """The whole numbers of 8 bits with a step for the layer or each output, whose zero is 0; None where there are none."""
    levels = layer.main.levels
    if levels.form != "grid" or levels.step.shape[-1] != 1 or levels.levels > MOST_LEVELS:
        return None
    if len(levels.step) not in (1, levels.rows):
        return None
    meaning, numbers = levels.meaning(), layer._numbers()
    if numbers is None or not isinstance(meaning, Grid):
        return None
    found = IntegerMatrix.of(meaning, numbers, float(layer.reach), layer.zero)
    return found if found.shift is None else None


def _rounded(graph: Graph, value: str, scale: float, zero: int) -> str:
    """Inputs rounded to whole numbers times the scale, by arithmetic: behind QuantizeLinear and
    DequantizeLinear, ONNX Runtime 1.32 optimises a convolution of floating-point weights into one with other outputs
    (measured on a residual network: 0.18 away, 0.6 % of the classes; none without optimisation)."""
    step = graph.constant(np.float32(scale), "reach")
    whole = graph.add("Round", graph.add("Div", value, step))
    ends = (graph.constant(np.float32(end)) for end in (-LARGEST - zero, LARGEST - zero))
    return graph.add("Mul", graph.add("Clip", whole, *ends), step)


def _simulated(graph: Graph, layer: IntegerInputs, value: str, bias: str | None,
               convolution: Callable[[dict[str, Any]], dict[str, Any]]) -> str:
    if layer.place()["type"] == "Linear":
        found = product(graph, layer.main, value)
    else:
        found = graph.add("Conv", value, weight(graph, layer.main), attributes=convolution(layer.place()))
    return found if bias is None else graph.add("Add", found, bias)


def _channels(numbers: np.ndarray, layer: IntegerInputs) -> np.ndarray:
    """Numbers (rows,) in the form in which outputs are multiplied by them: channels of a convolution come before places."""
    axes = len(layer.place().get("kernel_size", []))
    return numbers.reshape(-1, *[1] * axes)
