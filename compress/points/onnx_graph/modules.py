"""Modules of networks as ONNX operators: each writer takes the name of the module's input and returns that of its output."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor, nn

from compress.layers.base import place_of
from compress.layers.factors import Factors
from compress.layers.fronts import Coder, PCABottleneck, Projection, Scale, SparseBottleneck
from compress.layers.rounded.corrected import Corrected
from compress.layers.rounded.integer_inputs import IntegerInputs
from compress.networks.architecture import Network
from compress.networks.composite import Composite
from compress.networks.embedding import AsChannels, LargestOverTime, LastState
from compress.networks.graph.reading import OneScore, Order, Reading
from compress.networks.graph.region import Region
from compress.networks.gru import GRU
from compress.networks.modules import AsSequence, Residual
from compress.points.onnx_graph import fronts, integers, recurrent, regions, tables
from compress.points.onnx_graph.builder import Graph
from compress.points.onnx_graph.matrices import Unwritten, has_weight, numbers_of, product, weight

Writer = Callable[[Graph, Any, str], str]


def written(graph: Graph, module: nn.Module, value: str) -> str:
    """Writes a module behind `value`; returns the name of its output.

    Raises:
        Unwritten: a module of another type, or with other options.
    """
    if type(module) in WRITERS:
        return WRITERS[type(module)](graph, module, value)
    if has_weight(module):
        return affine(graph, module, value)
    raise Unwritten(f"a module of type {type(module).__name__}")


def affine(graph: Graph, layer: nn.Module, value: str) -> str:
    """A linear or convolutional layer or a table of embeddings, dense or compressed, for inputs (n, features), (n, channels,
    ...) or ids."""
    plain = place_of(layer)
    if plain["type"] == "Embedding":
        return tables.embeddings(graph, layer, value)
    bias = graph.constant(numbers_of(layer.bias), "bias") if isinstance(layer.bias, Tensor) else None
    if plain["type"] == "Linear":
        return product(graph, layer, value, bias)
    return graph.add("Conv", value, weight(graph, layer), *([bias] if bias else []), attributes=convolution(plain))


def convolution(plain: dict[str, Any]) -> dict[str, Any]:
    """The options of a convolution, as ONNX names them."""
    return {"kernel_shape": plain["kernel_size"], "strides": plain["stride"], "dilations": plain["dilation"],
            "pads": [*plain["padding"], *plain["padding"]], "group": plain["groups"]}


def _sequence(graph: Graph, modules: nn.Module, value: str) -> str:
    for name, module in modules.named_children():
        with graph.at(name):
            value = written(graph, module, value)
    return value


def _corrected(graph: Graph, layer: Corrected, value: str) -> str:
    with graph.at("main"):
        first = written(graph, layer.main, value)
    with graph.at("correction"):
        second = written(graph, layer.correction, value)
    return graph.add("Add", first, second)


def _flatten(graph: Graph, module: nn.Flatten, value: str) -> str:
    if (module.start_dim, module.end_dim) != (1, -1):
        raise Unwritten(f"Flatten from axis {module.start_dim} to {module.end_dim}")
    return graph.add("Flatten", value)


def _largest(graph: Graph, module: nn.MaxPool1d | nn.MaxPool2d, value: str) -> str:
    axes = 1 if isinstance(module, nn.MaxPool1d) else 2
    size, stride, padding, dilation = (own if isinstance(own, tuple) else (own,) * axes for own in (
        module.kernel_size, module.stride, module.padding, module.dilation))
    if module.ceil_mode or module.return_indices:
        raise Unwritten("a pool that rounds up, or returns places")
    return graph.add("MaxPool", value, attributes={"kernel_shape": size, "strides": stride, "pads": [*padding, *padding],
                                                   "dilations": dilation})


def _mean(graph: Graph, module: nn.Module, value: str) -> str:
    size = module.output_size
    if any(one != 1 for one in (size if isinstance(size, tuple) else (size,))):
        raise Unwritten("an average over parts of an image")
    return graph.add("GlobalAveragePool", value)


def _normalised(graph: Graph, module: nn.modules.batchnorm._BatchNorm, value: str) -> str:
    parts = [module.weight, module.bias, module.running_mean, module.running_var]
    if any(one is None for one in parts):
        raise Unwritten("batch normalisation without scale, shift or statistics")
    numbers = [graph.constant(numbers_of(one), "norm") for one in parts if one is not None]
    return graph.add("BatchNormalization", value, *numbers, attributes={"epsilon": module.eps})


def _residual(graph: Graph, module: Residual, value: str) -> str:
    with graph.at("body"):
        inside = written(graph, module.body, value)
    with graph.at("shortcut"):
        beside = written(graph, module.shortcut, value)
    return graph.add("Relu", graph.add("Add", inside, beside))


def _as_sequence(graph: Graph, module: AsSequence, value: str) -> str:
    if len(graph.shape) == 2:
        return graph.add("Transpose", value, attributes={"perm": [0, 2, 1]})
    rows = graph.add("Transpose", value, attributes={"perm": [0, 2, 1, 3]})
    return graph.reshaped(rows, 0, 0, -1)


def _gru(graph: Graph, module: GRU, value: str) -> str:
    return recurrent.gru(graph, module, value, written)


def _same(graph: Graph, module: nn.Module, value: str) -> str:
    return value


def _region(graph: Graph, module: Region, value: str) -> str:
    return regions.region(graph, module, value, written)


def _last_state(graph: Graph, module: nn.Module, value: str) -> str:
    return graph.add("Gather", value, graph.count(-1), attributes={"axis": 1})


def _as_channels(graph: Graph, module: nn.Module, value: str) -> str:
    return graph.add("Transpose", value, attributes={"perm": [0, 2, 1]})


def _largest_over_time(graph: Graph, module: nn.Module, value: str) -> str:
    return graph.add("Flatten", graph.add("GlobalMaxPool", value))


def _alone(operator: str) -> Writer:
    """Of an operator without options."""
    return lambda graph, module, value: graph.add(operator, value)


def _integer_inputs(graph: Graph, layer: IntegerInputs, value: str) -> str:
    return integers.outputs(graph, layer, value, convolution)


WRITERS: dict[type[nn.Module], Writer] = {
    nn.Sequential: _sequence, Network: _sequence, Composite: _sequence, Factors: _sequence, Corrected: _corrected,
    nn.Flatten: _flatten, nn.ReLU: _alone("Relu"), nn.Dropout: _same, nn.Identity: _same, nn.MaxPool2d: _largest,
    nn.AdaptiveAvgPool1d: _mean, nn.AdaptiveAvgPool2d: _mean, nn.BatchNorm1d: _normalised, nn.BatchNorm2d: _normalised,
    Residual: _residual, AsSequence: _as_sequence, GRU: _gru, IntegerInputs: _integer_inputs,
    Reading: regions.reading, Region: _region, Order: regions.order, OneScore: regions.one_score, LastState: _last_state,
    AsChannels: _as_channels, LargestOverTime: _largest_over_time,
    nn.Tanh: _alone("Tanh"), nn.Sigmoid: _alone("Sigmoid"), nn.MaxPool1d: _largest,
    Projection: fronts.projection, Scale: fronts.scale, PCABottleneck: fronts.components, Coder: fronts.coder,
    SparseBottleneck: fronts.sparse}
