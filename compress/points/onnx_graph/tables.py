"""Tables of embeddings as ONNX operators: rows of the stored table are gathered by their ids."""

from __future__ import annotations

import numpy as np
from torch import Tensor, nn

from compress.layers.base import place_of
from compress.networks.embedding import PADDING, UNKNOWN
from compress.points.onnx_graph.builder import Graph
from compress.points.onnx_graph.matrices import numbers_of, turned_weight


def embeddings(graph: Graph, layer: nn.Module, value: str) -> str:
    """A table, dense or compressed, on ids (n, ...): what networks/embedding.py looks up."""
    plain = place_of(layer)
    ids, padded = graph.as_type(value, np.int64), plain.get("padded", True)
    if padded:
        ids = _known(graph, ids, plain["sizes"][0])
    found = graph.add("Gather", turned_weight(graph, layer), ids)
    if padded or plain["mean"]:
        held = graph.add("Unsqueeze", _held(graph, ids, padded), graph.integers(-1))
        found = graph.add("Mul", found, held)
        found = _mean(graph, found, held) if plain["mean"] else found
    if not isinstance(layer.bias, Tensor):
        return found
    return graph.add("Add", found, graph.constant(numbers_of(layer.bias), "bias"))


def _known(graph: Graph, ids: str, tokens: int) -> str:
    """Ids beyond the table are those of the unknown token."""
    is_known = graph.add("And", graph.add("Less", ids, graph.count(tokens)),
                         graph.add("GreaterOrEqual", ids, graph.count(0)))
    return graph.add("Where", is_known, ids, graph.count(UNKNOWN))


def _held(graph: Graph, ids: str, padded: bool) -> str:
    """1 for a token, 0 for padding."""
    if not padded:
        return graph.as_type(graph.add("Equal", ids, ids), np.float32)
    return graph.as_type(graph.add("Not", graph.add("Equal", ids, graph.count(PADDING))), np.float32)


def _mean(graph: Graph, found: str, held: str) -> str:
    """(n, width): the mean over the tokens of a text, of which there may be none."""
    total, count = (graph.add("ReduceSum", one, graph.integers(1), attributes={"keepdims": 0}) for one in (found, held))
    return graph.add("Div", total, graph.add("Max", count, graph.constant(np.float32(1))))
