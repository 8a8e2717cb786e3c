"""The dense weight of a layer, made by ONNX operators from the numbers that the layer stores.

Operators on constants alone are run once, when ONNX Runtime reads the file, except DequantizeLinear, which is run each time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import nn

from compress.layers.base import is_dense
from compress.layers.coded import Coded
from compress.layers.rounded.half import Half
from compress.layers.rounded.levels import Levels
from compress.layers.rounded.quantized import Quantized
from compress.layers.rounded.quantized_codes import QuantizedCodes
from compress.layers.sparse import Sparse
from compress.points.onnx_graph.builder import Graph

FULL = 0.75  # share of places that have a weight, from which a dense array is smaller
ZERO = np.zeros(1, np.float32)
NEAR = 1e-4  # what a zero may be beside a level, in steps


class Unwritten(ValueError):
    """A module that has no counterpart here."""


def has_weight(layer: nn.Module) -> bool:
    """Whether weight() can make the weight of this layer."""
    return is_dense(layer) or type(layer) in WEIGHTS


def weight(graph: Graph, layer: nn.Module) -> str:
    """The name of a layer's dense weight (rows, ...). Raises Unwritten for a layer that has none."""
    if is_dense(layer):
        return graph.constant(numbers_of(layer.weight), "weight")
    if type(layer) not in WEIGHTS:
        raise Unwritten(f"a layer of type {type(layer).__name__}")
    return WEIGHTS[type(layer)](graph, layer)


def product(graph: Graph, layer: nn.Module, value: str, bias: str | None = None) -> str:
    """What a linear layer, whose weight() there is, makes of a value."""
    if graph.has_rows:
        return graph.add("Gemm", value, weight(graph, layer), *([bias] if bias else []), attributes={"transB": 1})
    found = graph.add("MatMul", value, turned_weight(graph, layer))
    return graph.add("Add", found, bias) if bias else found


def turned_weight(graph: Graph, layer: nn.Module) -> str:
    """The name of a linear layer's dense weight as (columns, rows)."""
    if is_dense(layer):
        return graph.constant(numbers_of(layer.weight).T, "weight")
    return graph.add("Transpose", weight(graph, layer), attributes={"perm": [1, 0]})


def numbers_of(tensor: torch.Tensor) -> np.ndarray:
    """A tensor's numbers."""
    return tensor.detach().cpu().numpy()


def scattered(graph: Graph, values: str, places: np.ndarray, count: int, otherwise: np.ndarray) -> str:
    """Values (m,) at rising places of a list (count,), another number at the other places. Places are stored as distances,
    of 8 bits where these suffice."""
    gaps = np.diff(places, prepend=0)
    kind = np.uint8 if gaps.max(initial=0) < 1 << 8 else np.uint16 if gaps.max(initial=0) < 1 << 16 else np.int32
    found = graph.as_type(graph.constant(gaps.astype(kind), "gaps"), np.int32)
    found = graph.add("CumSum", found, graph.constant(np.int64(0), "axis"))
    empty = graph.add("ConstantOfShape", graph.integers(count), attributes={"value": otherwise.reshape(1)})
    return graph.add("ScatterElements", empty, found, values)


# -- whole numbers -------------------------------------------------------------------------------------------------


def of_levels(graph: Graph, levels: Levels) -> str:
    """The matrix (rows, columns) of levels: DequantizeLinear where zero is one of the levels, a table that numbers look up,
    or the arithmetic of the grid."""
    places = levels.places().cpu().numpy()
    if levels.form == "codebook":
        return _looked_up(graph, levels, places)
    step, middle = _steps(levels)
    zero = np.rint((levels.levels - 1) / 2 - middle / np.where(step > 0, step, 1))
    exact = np.abs(zero * step - ((levels.levels - 1) / 2 * step - middle)) <= NEAR * step
    if exact.all() and zero.min() >= 0 and zero.max() < levels.levels and levels.levels > 2:
        return _dequantized(graph, levels, places, step, zero.astype(np.int64))
    if levels.kept is not None:
        return _few(graph, numbers_of(levels.matrix()))
    return _of_grid(graph, levels, places, step, middle)


def _steps(levels: Levels) -> tuple[np.ndarray, np.ndarray]:
    """Step and middle (1 or rows, groups), without groups that have no column."""
    width = -(-levels.columns // levels.step.shape[1])
    step = numbers_of(levels.step)[:, :-(-levels.columns // width)]
    middle = numbers_of(levels.middle)[:, :step.shape[1]] if levels.shifted else np.zeros_like(step)
    if len(step) in (1, levels.rows):
        return step, middle
    return np.repeat(step, levels.rows // len(step), 0), np.repeat(middle, levels.rows // len(step), 0)


def _is_full(places: np.ndarray) -> bool:
    """Whether numbers that are outside a mask are stored, too: a place that is left out costs a distance elsewhere."""
    return float((places >= 0).mean()) > FULL / 2


def _stored(graph: Graph, places: np.ndarray, most: int, zero: int) -> str:
    """Numbers (rows, columns) up to `most`; those outside a mask (-1) are `zero`, and left out where this is shorter."""
    held = places >= 0
    if _is_full(places):
        return graph.whole_numbers(np.where(held, places, zero), most)
    numbers = places[held].astype(np.uint8 if most < 1 << 8 else np.uint16)
    flat = scattered(graph, graph.constant(numbers, "numbers"), np.flatnonzero(held), held.size,
                     np.array(zero, numbers.dtype))
    return graph.reshaped(flat, *places.shape)


def _dequantized(graph: Graph, levels: Levels, places: np.ndarray, step: np.ndarray, zero: np.ndarray) -> str:
    """Whole numbers less those of zero, times the step of the matrix, of each row, or of each group of columns."""
    masked, of_tensor = levels.kept is not None, step.size == 1
    if masked and len(np.unique(zero)) > 1:
        return _few(graph, numbers_of(levels.matrix()))
    most = levels.levels - 1
    numbers = _stored(graph, places, most, int(zero.flat[0]))
    attributes: dict[str, Any] = {}
    if step.shape[1] > 1:
        attributes = {"axis": 1, "block_size": -(-levels.columns // step.shape[1])}
        step, zero = (np.broadcast_to(own, (levels.rows, own.shape[1])) for own in (step, zero))
    elif not of_tensor:
        attributes = {"axis": 0}
        step, zero = step[:, 0], zero[:, 0]
    else:
        step, zero = step.reshape(()), zero.reshape(())
    origin = graph.whole_numbers(zero, most, "zero", _is_full(places))  # of the type of the numbers
    return graph.add("DequantizeLinear", numbers, graph.constant(step.astype(np.float32), "step"), origin,
                     attributes=attributes)


def _of_grid(graph: Graph, levels: Levels, places: np.ndarray, step: np.ndarray, middle: np.ndarray) -> str:
    """middle + step (number - centre), for each group of columns; the last group is filled up."""
    width = -(-levels.columns // step.shape[1])
    padded = np.pad(places, ((0, 0), (0, step.shape[1] * width - levels.columns)))
    numbers = graph.as_type(graph.whole_numbers(padded.reshape(levels.rows, -1, width), levels.levels - 1), np.float32)
    centred = graph.add("Sub", numbers, graph.constant(np.float32((levels.levels - 1) / 2), "centre"))
    found = graph.add("Mul", centred, graph.constant(step[..., None], "step"))
    if levels.shifted:
        found = graph.add("Add", found, graph.constant(middle[..., None], "middle"))
    return _first_columns(graph, graph.reshaped(found, levels.rows, -1), levels.columns, padded.shape[1])


def _first_columns(graph: Graph, matrix: str, wanted: int, there: int) -> str:
    return matrix if wanted == there else graph.add("Slice", matrix, *(graph.integers(one) for one in (0, wanted, 1)))


def _looked_up(graph: Graph, levels: Levels, places: np.ndarray) -> str:
    """Values of a table; a zero is added to it for the places outside a mask."""
    table, bands = numbers_of(levels.codebook), len(levels.codebook)
    size = levels.levels
    if levels.kept is not None:
        table, size = np.pad(table, ((0, 0), (0, 1))), size + 1
    numbers = graph.as_type(_stored(graph, places, size - 1, size - 1), np.int32)
    if bands > 1:
        first = np.repeat(np.arange(bands, dtype=np.int32) * size, levels.rows // bands)[:, None]
        numbers = graph.add("Add", numbers, graph.constant(first, "first"))
    return graph.add("Gather", graph.constant(table.ravel(), "table"), numbers)


def integers_of(graph: Graph, numbers: np.ndarray, zero: int) -> str:
    """Whole numbers of 8 bits, most of which may be zero's."""
    held = numbers != zero
    if held.mean() > FULL / 2:
        return graph.constant(numbers)
    flat = scattered(graph, graph.constant(numbers[held], "numbers"), np.flatnonzero(held), held.size,
                     np.array(zero, numbers.dtype))
    return graph.reshaped(flat, *numbers.shape)


# -- layers --------------------------------------------------------------------------------------------------------


def _few(graph: Graph, matrix: np.ndarray) -> str:
    """A matrix or tensor whose zeros are left out where this is shorter."""
    held = matrix != 0
    if held.mean() > FULL:
        return graph.constant(matrix, "weight")
    flat = scattered(graph, graph.constant(matrix[held], "values"), np.flatnonzero(held), held.size, ZERO)
    return graph.reshaped(flat, *matrix.shape)


def _sparse(graph: Graph, layer: Sparse) -> str:
    return _few(graph, numbers_of(layer.weight))


def _half(graph: Graph, layer: Half) -> str:
    return graph.constant(numbers_of(layer.rounded.float()), "weight") if layer.form == "float16" else (
        graph.upper_half(numbers_of(layer.rounded.float())))


def _quantized(graph: Graph, layer: Quantized) -> str:
    return graph.reshaped(of_levels(graph, layer.levels), *layer.shape)


def _coded(graph: Graph, layer: Coded) -> str:
    """The sum of each block's atoms times coefficients; blocks of fewer atoms have zeros at the other places."""
    chosen = numbers_of(layer.chosen())
    places, height = layer.blocks, layer.blocks.height
    values = _coefficients(graph, layer, chosen.shape)
    atoms = of_levels(graph, layer.atom_levels) if isinstance(layer, QuantizedCodes) else (
        graph.constant(numbers_of(layer.atoms), "atoms"))
    numbers = graph.as_type(graph.whole_numbers(chosen, layer.count - 1, "indices"), np.int32)
    used = graph.add("Mul", graph.add("Gather", atoms, numbers), graph.reshaped(values, *chosen.shape, 1))
    signals = graph.add("ReduceSum", used, graph.integers(1), attributes={"keepdims": 0})
    tall = graph.add("Transpose", graph.reshaped(signals, places.bands, places.columns, height),
                     attributes={"perm": [0, 2, 1]})
    whole = graph.reshaped(tall, places.bands * height, places.columns)
    if places.bands * height != places.rows:
        whole = graph.add("Slice", whole, *(graph.integers(one) for one in (0, places.rows, 0)))
    return graph.reshaped(whole, *layer.shape)


def _coefficients(graph: Graph, layer: Coded, shape: tuple[int, ...]) -> str:
    """(blocks, nonzeros)."""
    if isinstance(layer, QuantizedCodes):
        stored = graph.reshaped(of_levels(graph, layer.value_levels), -1)
    elif layer.storage == "int8":
        stored = graph.add("DequantizeLinear", graph.constant(numbers_of(layer.values), "coefficients"),
                           graph.constant(numbers_of(layer.scale), "scale"))
        stored = graph.reshaped(stored, -1)
    else:
        stored = graph.constant(numbers_of(layer.values.float()).ravel(), "coefficients")
    if layer.places is None:
        return graph.reshaped(stored, *shape)
    used = numbers_of(layer._even(torch.ones(layer.places)))
    return graph.reshaped(scattered(graph, stored, np.flatnonzero(used), used.size, ZERO), *shape)


WEIGHTS: dict[type[nn.Module], Callable[[Graph, Any], str]] = {
    Sparse: _sparse, Half: _half, Quantized: _quantized, Coded: _coded, QuantizedCodes: _coded}
