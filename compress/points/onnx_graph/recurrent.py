"""Gated recurrent units: ONNX's own operator where both maps are one matrix each, else a loop over the steps."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from torch import Tensor, nn

from compress.layers.base import place_of
from compress.networks.graph.recurrent import Recurrence
from compress.networks.gru import GRU, Direction
from compress.points.onnx_graph.builder import Graph
from compress.points.onnx_graph.matrices import Unwritten, has_weight, numbers_of, weight

Writer = Callable[[Graph, nn.Module, str], str]


def gru(graph: Graph, module: GRU, value: str, written: Writer) -> str:
    """(n, steps, features) -> (n, steps, units, or 2 units)."""
    ahead = _direction(graph, module.forwards, value, "forwards", written)
    if module.backwards is None:
        return ahead
    back = _reversed(graph, _direction(graph, module.backwards, _reversed(graph, value), "backwards", written))
    return graph.add("Concat", ahead, back, attributes={"axis": 2})


def _direction(graph: Graph, module: Direction, value: str, name: str, written: Writer) -> str:
    with graph.at(name):
        steps = graph.add("Transpose", value, attributes={"perm": [1, 0, 2]})
        one_matrix = has_weight(module.input_map) and has_weight(module.state_map)
        states = _fused(graph, module, steps) if one_matrix else _in_steps(graph, module, steps, written)
        return graph.add("Transpose", states, attributes={"perm": [1, 0, 2]})


def of_graph(graph: Graph, module: Recurrence, value: str, written: Writer) -> tuple[str, str]:
    """A recurrent layer of an uploaded network: (steps, n, features) -> the states of all steps (steps, directions, n,
    units), and the last of each direction. Raises Unwritten for an LSTM where a map is no single matrix."""
    states, last = [], []
    for name, cell in module.named_children():
        given = value if name == "forwards" else _turned(graph, value)
        with graph.at(name):
            if all(has_weight(cell.get_submodule(part)) for part in ("input_map", "state_map")):
                found = _fused(graph, cell, given) if isinstance(cell, Direction) else _long_short(graph, cell, given)
            elif isinstance(cell, Direction):
                found = _in_steps(graph, cell, given, written)
            else:
                raise Unwritten("an LSTM whose matrices are factors")
        last.append(graph.add("Gather", found, graph.integers(-1)))
        ordered = found if name == "forwards" else _turned(graph, found)
        states.append(graph.add("Unsqueeze", ordered, graph.integers(1)))
    return (graph.add("Concat", *states, attributes={"axis": 1}), graph.add("Concat", *last, attributes={"axis": 0}))


def _turned(graph: Graph, value: str) -> str:
    """The steps (steps, n, ...) from the last to the first."""
    ends = (graph.integers(number) for number in (-1, np.iinfo(np.int64).min, 0, -1))
    return graph.add("Slice", value, *ends)


def _reversed(graph: Graph, value: str) -> str:
    """The steps (n, steps, features) from the last to the first."""
    ends = (graph.integers(number) for number in (-1, np.iinfo(np.int64).min, 1, -1))
    return graph.add("Slice", value, *ends)


def _fused(graph: Graph, module: Direction, steps: str) -> str:
    """(steps, n, features) -> (steps, n, units). The operator has the gates in the order update, reset, new."""
    matrices = []
    for name in ("input_map", "state_map"):
        with graph.at(name):
            reset, update, new = graph.add_all("Split", (weight(graph, getattr(module, name)),), 3,
                                               {"axis": 0, "num_outputs": 3})
            whole = graph.add("Concat", update, reset, new, attributes={"axis": 0})
            matrices.append(graph.add("Unsqueeze", whole, graph.integers(0)))
    biases = np.concatenate([_bias(getattr(module, name)) for name in ("input_map", "state_map")])
    found, _ = graph.add_all("GRU", (steps, *matrices, graph.constant(biases[None], "bias")), 2,
                             {"hidden_size": module.units, "linear_before_reset": 1})
    return graph.add("Squeeze", found, graph.integers(1))


def _long_short(graph: Graph, module: nn.Module, steps: str) -> str:
    """(steps, n, features) -> (steps, n, units). The operator has the gates in the order of the layer."""
    matrices, biases = [], []
    for name in ("input_map", "state_map"):
        layer = module.get_submodule(name)
        with graph.at(name):
            matrices.append(graph.add("Unsqueeze", weight(graph, layer), graph.integers(0)))
        biases.append(_numbers_of_bias(layer))
    bias = graph.constant(np.concatenate(biases)[None], "bias")
    found, _, _ = graph.add_all("LSTM", (steps, *matrices, bias), 3, {"hidden_size": module.units})
    return graph.add("Squeeze", found, graph.integers(1))


def _numbers_of_bias(layer: nn.Module) -> np.ndarray:
    bias = layer.bias
    return numbers_of(bias) if isinstance(bias, Tensor) else np.zeros(place_of(layer)["sizes"][1], np.float32)


def _bias(layer: nn.Module) -> np.ndarray:
    reset, update, new = np.split(_numbers_of_bias(layer), 3)
    return np.concatenate([update, reset, new])


def _in_steps(graph: Graph, module: Direction, steps: str, written: Writer) -> str:
    """(steps, n, features) -> (steps, n, units): a loop that applies the layer of the state at each step."""
    features, gates = place_of(module.input_map)["sizes"][0], 3 * module.units
    with graph.at("input_map"):
        mapped = written(graph, module.input_map, graph.reshaped(steps, -1, features))
    count = graph.add("Shape", steps, attributes={"start": 0, "end": 2})
    inputs = graph.add("Reshape", mapped, graph.add("Concat", count, graph.integers(gates), attributes={"axis": 0}))
    sizes = graph.add("Concat", graph.add("Shape", steps, attributes={"start": 1, "end": 2}), graph.integers(module.units),
                      attributes={"axis": 0})
    first = graph.add("ConstantOfShape", sizes)
    body = graph.body()
    state, own = body.named("state"), body.named("inputs")
    with body.at("state_map"):
        recurrent = written(body, module.state_map, state)
    new = _gated(body, own, recurrent, state)
    body.inputs += [(state, "float32", 2), (own, "float32", 2)]
    body.outputs += [(new, "float32", 2), (body.add("Identity", new), "float32", 2)]
    _, states = graph.add_all("Scan", (first, inputs), 2, {"body": body, "num_scan_inputs": 1})
    return states


def _gated(graph: Graph, inputs: str, recurrent: str, state: str) -> str:
    """As networks/gru.py has it."""
    parts = [graph.add_all("Split", (one,), 3, {"axis": 1, "num_outputs": 3}) for one in (inputs, recurrent)]
    (reset_in, update_in, new_in), (reset_state, update_state, new_state) = parts
    reset = graph.add("Sigmoid", graph.add("Add", reset_in, reset_state))
    update = graph.add("Sigmoid", graph.add("Add", update_in, update_state))
    new = graph.add("Tanh", graph.add("Add", new_in, graph.add("Mul", reset, new_state)))
    return graph.add("Add", new, graph.add("Mul", update, graph.add("Sub", state, new)))
