"""Fronts and bottlenecks as ONNX operators; a pursuit is a loop over its atoms.

The loop is Batch-OMP as in solvers/omp.py, in a form without lists of chosen atoms. Each chosen atom, made orthogonal to
those before it, is a combination m (count,) of all atoms. With the Gram matrix G of the normalised atoms, for a new atom d:
    p = M g with g = G d, the products of d with the combinations M so far; d has the squared distance 1 - |p|^2 from them;
    m = (d - p M) / sqrt(1 - |p|^2);  z = m a with the products a of signal and atoms;
    coefficients grow by z m, the squared residual falls by z^2, and products with the residual by z m G.
"""

from __future__ import annotations

import numpy as np
import torch

from compress.layers.fronts import Coder, PCABottleneck, Projection, Scale, SparseBottleneck
from compress.layers.tiling import Tiling
from compress.points.onnx_graph.builder import Graph
from compress.points.onnx_graph.matrices import Unwritten, numbers_of
from compress.solvers.omp import DEPENDENT, ROUNDING
from compress.solvers.pursuit import SparseCoder

LARGEST = 127  # number of a coefficient of one byte


def projection(graph: Graph, module: Projection, value: str) -> str:
    """Tiles less their mean, times a matrix."""
    tiles = _centred(graph, _cut(graph, module.tiling, value), module.mean)
    found = graph.add("MatMul", tiles, graph.constant(numbers_of(module.matrix), "matrix"))
    return graph.reshaped(found, -1, module.tiling.count * module.matrix.shape[1])


def scale(graph: Graph, module: Scale, value: str) -> str:
    """Features over a number."""
    return graph.add("Div", value, graph.constant(numbers_of(module.scale), "scale"))


def components(graph: Graph, module: PCABottleneck, value: str) -> str:
    """Hidden outputs from principal components of one byte."""
    signals = _centred(graph, graph.reshaped(value, -1, len(module.mean)), module.mean)
    atoms = graph.constant(numbers_of(module.atoms), "atoms")
    kept = _of_one_byte(graph, graph.add("MatMul", signals, _turned(graph, atoms)), module.scale)
    return _like(graph, _decoded(graph, kept, atoms, module.mean), value)


def coder(graph: Graph, module: Coder, value: str) -> str:
    """The codes of tiles, all atoms of a tile beside each other."""
    signals = _centred(graph, _cut(graph, module.tiling, value), module.mean)
    atoms = graph.constant(numbers_of(module.atoms), "atoms")
    return graph.reshaped(_pursued(graph, module.pursuit, signals, atoms, module.atoms), -1,
                          module.tiling.count * len(module.atoms))


def sparse(graph: Graph, module: SparseBottleneck, value: str) -> str:
    """Hidden outputs from sparse codes of one byte."""
    signals = _centred(graph, graph.reshaped(value, -1, len(module.mean)), module.mean)
    atoms = graph.constant(numbers_of(module.atoms), "atoms")
    kept = _of_one_byte(graph, _pursued(graph, module.pursuit, signals, atoms, module.atoms), module.scale)
    return _like(graph, _decoded(graph, kept, atoms, module.mean), value)


def _cut(graph: Graph, tiling: Tiling, value: str) -> str:
    flat = graph.add("Flatten", value)
    if not tiling.side:
        return flat
    places = tiling.cut(torch.arange(int(np.prod(tiling.shape)))[None]).flatten()
    chosen = graph.add("Gather", flat, graph.constant(places.numpy(), "places"), attributes={"axis": 1})
    return graph.reshaped(chosen, -1, tiling.features)


def _centred(graph: Graph, signals: str, mean: torch.Tensor) -> str:
    return graph.add("Sub", signals, graph.constant(numbers_of(mean), "mean"))


def _decoded(graph: Graph, kept: str, atoms: str, mean: torch.Tensor) -> str:
    return graph.add("Add", graph.add("MatMul", kept, atoms), graph.constant(numbers_of(mean), "mean"))


def _like(graph: Graph, found: str, value: str) -> str:
    return graph.add("Reshape", found, graph.add("Shape", value))


def _turned(graph: Graph, matrix: str) -> str:
    return graph.add("Transpose", matrix, attributes={"perm": [1, 0]})


def _of_one_byte(graph: Graph, numbers: str, size: torch.Tensor) -> str:
    """As solvers/codes.py rounds coefficients."""
    step = graph.constant(numbers_of(size), "scale")
    whole = graph.add("Round", graph.add("Div", numbers, step))
    ends = (graph.constant(np.float32(end)) for end in (-LARGEST, LARGEST))
    return graph.add("Mul", graph.add("Clip", whole, *ends), step)


# -- orthogonal matching pursuit -----------------------------------------------------------------------------------


def _pursued(graph: Graph, pursuit: SparseCoder, signals: str, atoms: str, numbers: torch.Tensor) -> str:
    """Coefficients (n, count) of signals (n, features), most of them 0. atoms: a constant of these numbers."""
    if pursuit.nonnegative:
        raise Unwritten("a pursuit with coefficients that are not negative")
    norms = numbers.detach().norm(dim=1)
    scales = torch.where(norms > 0, 1 / norms, 0.0)
    unit = graph.add("Mul", atoms, graph.constant(numbers_of(scales[:, None]), "norms"))
    steps = min(pursuit.nonzeros, *numbers.shape)
    turned = _turned(graph, unit)
    start = graph.add("MatMul", signals, turned)
    left = graph.add("ReduceSumSquare", signals, graph.integers(1))
    eps = float(torch.finfo(torch.float32).eps) * ROUNDING
    least = graph.add("Max", graph.add("Mul", left, graph.constant(np.float32(eps))),
                      graph.constant(np.float32(pursuit.tolerance**2)))
    slack = graph.add("Mul", graph.add("Sqrt", left), graph.constant(np.float32(eps)))
    live = graph.as_type(graph.add("Greater", left, least), np.float32)
    nothing = graph.add("Mul", start, graph.constant(np.float32(0)))
    no_rows = graph.add("Tile", graph.add("Unsqueeze", nothing, graph.integers(1)), graph.integers(1, steps, 1))
    body = _step(graph, graph.add("MatMul", unit, turned), len(norms), start, least, slack)
    found = graph.add_all("Loop", (graph.count(steps), "", no_rows, nothing, left, start, live), 5, {"body": body})
    return graph.add("Mul", found[1], graph.constant(numbers_of(scales), "norms"))


def _step(graph: Graph, products: str, count: int, start: str, least: str, slack: str) -> Graph:
    """One atom more. rows: M (n, steps, count), zero where there is none yet; live: 1 for a signal that goes on, else 0."""
    ends, size_of = graph.constant(np.array([0, 1], np.float32), "ends"), graph.integers(count)
    zero, one = (graph.constant(np.float32(number)) for number in (0, 1))
    dependent = graph.constant(np.float32(DEPENDENT[torch.float32]), "dependent")
    body = graph.body()
    number, goes = body.named("step"), body.named("goes")
    rows, values, left, correlations, live = (body.named(name) for name in (
        "rows", "values", "left", "correlations", "live"))
    size = body.add("Abs", correlations)
    enough = body.add("Sub", body.add("ReduceMax", size, graph.integers(1)), slack)
    best = body.add("ArgMax", body.as_type(body.add("GreaterOrEqual", size, enough), np.uint8),
                    attributes={"axis": 1, "keepdims": 0})
    chosen = body.add("OneHot", best, size_of, ends)
    others = body.add("Unsqueeze", body.add("Gather", products, best), graph.integers(2))
    projected = body.add("MatMul", rows, others)
    distance = body.add("Sub", one, body.add("Squeeze", body.add("ReduceSumSquare", projected, graph.integers(1)),
                                             graph.integers(2)))
    turned = body.add("Transpose", projected, attributes={"perm": [0, 2, 1]})
    along = body.add("Squeeze", body.add("MatMul", turned, rows), graph.integers(1))
    length = body.add("Sqrt", body.add("Max", distance, dependent))
    row = body.add("Div", body.add("Sub", chosen, along), length)
    there = body.add("ReduceSum", body.add("Mul", chosen, size), graph.integers(1))
    fits = body.add("And", body.add("Greater", distance, dependent), body.add("Greater", there, zero))
    taken = body.add("Mul", live, body.as_type(fits, np.float32))
    row = body.add("Mul", row, taken)
    gain = body.add("ReduceSum", body.add("Mul", row, start), graph.integers(1))
    change = body.add("Mul", gain, row)
    after = body.add("Sub", left, body.add("Mul", gain, gain))
    moved = body.add("Sub", correlations, body.add("MatMul", change, products))
    used = body.add("Mul", chosen, taken)
    going = body.add("Mul", taken, body.as_type(body.add("Greater", after, least), np.float32))
    older = body.add("Slice", rows, graph.integers(1), graph.integers(np.iinfo(np.int64).max), graph.integers(1))
    newer = body.add("Concat", older, body.add("Unsqueeze", row, graph.integers(1)), attributes={"axis": 1})
    grown = body.add("Add", values, change)
    cleared = body.add("Mul", moved, body.add("Sub", one, used))
    body.inputs += [(number, "int64", 0), (goes, "bool", 0), (rows, "float32", 3), (values, "float32", 2),
                    (left, "float32", 2), (correlations, "float32", 2), (live, "float32", 2)]
    body.outputs += [(body.add("Identity", goes), "bool", 0), (newer, "float32", 3), (grown, "float32", 2),
                     (after, "float32", 2), (cleared, "float32", 2), (going, "float32", 2)]
    return body
