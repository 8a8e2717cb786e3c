"""Parts of uploaded networks as ONNX operators: a region's are written with the names that they had in the user's file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import nn

from compress.networks.graph.reading import OneScore, Order, Reading
from compress.networks.graph.recurrent import Recurrence
from compress.networks.graph.region import INPUT, Region, Step
from compress.networks.onnx.evaluation import LISTS, SINGLE
from compress.points.onnx_graph import recurrent
from compress.points.onnx_graph.builder import Graph
from compress.points.onnx_graph.matrices import Unwritten, numbers_of

KINDS = {1: np.float32, 10: np.float32, 11: np.float32, 16: np.float32, 9: np.bool_}  # as elementwise.TYPES computes them
Writer = Callable[[Graph, nn.Module, str], str]


def reading(graph: Graph, module: Reading, value: str) -> str:
    """The examples as the user's file wants them."""
    for operator, numbers in (("Mul", module.scale), ("Add", module.shift)):
        value = graph.add(operator, value, graph.constant(numbers_of(numbers), operator.lower()))
    if module.reversed_channels:
        value = graph.add("Slice", value, *(graph.integers(end) for end in (-1, np.iinfo(np.int64).min, 1, -1)))
    axes = len(module.data)
    if module.channels_last and axes > 1:
        value = graph.add("Transpose", value, attributes={"perm": [0, *range(2, axes + 1), 1]})
    value = graph.reshaped(value, -1, *module.shape)
    return graph.as_type(graph.add("Round", value), np.int64) if module.whole else value


def order(graph: Graph, module: Order, value: str) -> str:
    """The scores in the order of the data's classes."""
    return graph.add("Gather", value, graph.integers(*module.places), attributes={"axis": 1})


def one_score(graph: Graph, module: OneScore, value: str) -> str:
    """A score of 0 before the only one."""
    return graph.add("Pad", value, graph.integers(0, 1, 0, 0))


def region(graph: Graph, module: Region, value: str, written: Writer) -> str:
    """Every operator of a region, with its layers as they are stored."""
    names = {INPUT: value}
    names |= {name: graph.constant(numbers_of(numbers), name) for name, numbers in module.constants.items()}
    names |= {name: graph.constant(torch.tensor(numbers).numpy(), name) for name, numbers in module.numbers.items()}
    for step in module.steps:
        given = [names[name] for name in step.inputs]
        if step.layer:
            layer = module.layers[step.layer]
            with graph.at(f"layers.{step.layer}"):
                made: tuple[str, ...] = ((written(graph, layer, given[0]),) if not isinstance(layer, Recurrence) else
                                         recurrent.of_graph(graph, layer, given[0], written))
        else:
            made = _operator(graph, step, given, value)
        names |= dict(zip(step.outputs, made, strict=False))
    return names[module.result]


def _operator(graph: Graph, step: Step, given: list[str], batch: str) -> tuple[str, ...]:
    """One operator; sizes that are a multiple of the number of examples are taken from the shape of `batch`."""
    operator, options = step.operator, dict(step.options)
    if operator == "DequantizeLinear":
        raise Unwritten("an operator DequantizeLinear of an uploaded network")
    if operator == "Range":
        return (graph.add("Range", *(_single(graph, one, batch) for one in options["range"])),)
    inputs = {} if operator == "ConstantOfShape" else dict(enumerate(given))
    for place, name in {**LISTS.get(operator, {}), **SINGLE.get(operator, {})}.items():
        found = options.pop(name, None)
        if found is not None:
            inputs[place] = _list(graph, found, batch) if isinstance(found, list) else graph.constant(np.float32(found))
    if operator == "Where":
        inputs[0] = graph.as_type(inputs[0], np.bool_)
    if operator == "Cast":
        options["to"] = np.dtype(KINDS.get(options["to"], np.int64))
    if operator == "ConstantOfShape":
        filler = options.pop("value", 0.0)
        options["value"] = np.array([filler], np.float32 if isinstance(filler, float) else np.int64)
    if operator == "Split" and 1 not in inputs:
        options["num_outputs"] = len(step.outputs)
    listed = tuple(inputs.get(place, "") for place in range(max(inputs, default=-1) + 1))
    attributes = {name: one for name, one in options.items() if one is not None}
    return graph.add_all(operator, listed, len(step.outputs), attributes)


def _list(graph: Graph, sizes: list[Any], batch: str) -> str:
    """Sizes as a list of int64; [k] is k times the number of examples."""
    if not any(isinstance(one, list) for one in sizes):
        return graph.integers(*(int(one) for one in sizes))
    parts = [_times(graph, one[0], batch) if isinstance(one, list) else graph.integers(int(one)) for one in sizes]
    return graph.add("Concat", *parts, attributes={"axis": 0})


def _times(graph: Graph, factor: int, batch: str) -> str:
    """(1,): the number of examples, so many times."""
    count = graph.add("Shape", batch, attributes={"start": 0, "end": 1})
    return count if factor == 1 else graph.add("Mul", count, graph.integers(factor))


def _single(graph: Graph, number: Any, batch: str) -> str:
    """One size, without axes."""
    if isinstance(number, list):
        return graph.add("Squeeze", _times(graph, number[0], batch), graph.integers(0))
    return graph.constant(np.array(number))
