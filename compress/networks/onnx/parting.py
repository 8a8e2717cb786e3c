"""A graph as a sequence of parts: cut wherever a single value, one row for each example, is on its way."""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import Tensor, nn

from compress.networks.graph.region import INPUT, LAYER, Region, Step
from compress.networks.graph.weighing import around
from compress.networks.onnx.evaluation import Known
from compress.networks.onnx.layering import Layered

MODULES: dict[str, type[nn.Module]] = {"Relu": nn.ReLU, "Tanh": nn.Tanh, "Sigmoid": nn.Sigmoid, "Identity": nn.Identity}


def in_order(nodes: list[Layered], target: str) -> list[Layered]:
    """The nodes that the target needs, each as late as possible: just before the first one that reads what it makes."""
    makers = {name: node for node in nodes for name in node.outputs}
    ordered: list[Layered] = []
    seen: set[int] = set()
    waiting = [(makers[target], False)] if target in makers else []
    while waiting:
        node, is_ready = waiting.pop()
        if is_ready:
            ordered.append(node)
        elif id(node) not in seen:
            seen.add(id(node))
            waiting.append((node, True))
            waiting += [(makers[name], False) for name in reversed(node.inputs) if name in makers]
    return ordered


def parts(nodes: list[Layered], source: str, target: str, values: dict[str, Known]) -> list[nn.Module]:
    """The modules of a graph from its input to the target.

    Args:
        nodes: as in_order() gives them.
    """
    nodes = _without_copies(nodes)
    last = {name: place for place, node in enumerate(nodes) for name in node.inputs}
    last[target] = len(nodes)
    made: list[nn.Module] = []
    group: list[Layered] = []
    alive = {source} if source in last else set()
    start = source
    for place, node in enumerate(nodes):
        group.append(node)
        alive |= set(node.outputs) & last.keys()
        alive = {name for name in alive if last[name] > place}
        if len(alive) == 1 and (values[end := next(iter(alive))].is_by_examples or place == len(nodes) - 1):
            made += _modules(group, start, end, values)
            group, start = [], end
    return _each_once(made)


def _each_once(modules: list[nn.Module]) -> list[nn.Module]:
    """Copies in the place of layers that an earlier part has too: a file keeps each tensor under one name."""
    seen: set[int] = set()
    found = []
    for module in modules:
        own = {id(part) for part in module.modules()}
        found.append(copy.deepcopy(module) if own & seen else module)
        seen |= own
    return found


def _without_copies(nodes: list[Layered]) -> list[Layered]:
    """Without Identity, whose readers read what it reads; the last node stays."""
    names: dict[str, str] = {}
    kept = []
    for place, node in enumerate(nodes):
        inputs = tuple(names.get(name, name) for name in node.inputs)
        if node.operator == "Identity" and place < len(nodes) - 1:
            names[node.outputs[0]] = inputs[0]
        else:
            kept.append(Layered(node.operator, inputs, node.outputs, node.options, node.layer))
    return kept


def _modules(group: list[Layered], start: str, end: str, values: dict[str, Known]) -> list[nn.Module]:
    if len(group) == 1 and group[0].inputs == (start,):
        single = _usual(group[0], values[start].two, values[end].two)
        if single:
            return single
    return [_region(group, start, end, values)]


def _usual(node: Layered, given: Tensor, made: Tensor) -> list[nn.Module]:
    """The usual modules that do the same as an operator; none if there are no such."""
    if node.operator == LAYER and node.layer is not None and not _is_recurrent(node.layer):
        return [node.layer]
    if node.operator in MODULES:
        return [MODULES[node.operator]()]
    is_flat = made.dim() == 2 and made.shape[1] == given[0].numel()
    if node.operator in ("Flatten", "Reshape", "Squeeze") and is_flat:
        return [nn.Flatten()]
    if node.operator == "MaxPool":
        return _pool(node.options, given)
    means = node.operator == "ReduceMean" and sorted(axis % given.dim() for axis in node.options.get("axes") or []) == list(
        range(2, given.dim()))
    if given.dim() in (3, 4) and (node.operator == "GlobalAveragePool" or means):
        mean: nn.Module = nn.AdaptiveAvgPool1d(1) if given.dim() == 3 else nn.AdaptiveAvgPool2d(1)
        return [mean] if made.dim() == given.dim() else [mean, nn.Flatten()]
    return []


def _pool(options: dict[str, Any], given: Tensor) -> list[nn.Module]:
    axes, kernel = given.dim() - 2, options["kernel_shape"]
    padding = around(options, given.shape[2:])
    before, behind = padding[::2][::-1], padding[1::2][::-1]
    if before != behind or options.get("ceil_mode", 0) or axes not in (1, 2) or any(
            2 * pad > size for pad, size in zip(before, kernel, strict=True)):
        return []
    strides, dilations = (options.get(name) or [1] * axes for name in ("strides", "dilations"))
    if axes == 1:
        return [nn.MaxPool1d(kernel[0], strides[0], before[0], dilations[0])]
    return [nn.MaxPool2d(tuple(kernel), tuple(strides), tuple(before), tuple(dilations))]


def _is_recurrent(layer: nn.Module) -> bool:
    return bool(list(layer.children()))


def _region(group: list[Layered], start: str, end: str, values: dict[str, Known]) -> Region:
    """A region of these nodes; values get short names."""
    names = {start: INPUT}
    layers: dict[str, nn.Module] = {}
    constants: dict[str, Tensor] = {}
    numbers: dict[str, Any] = {}
    made = {name for node in group for name in node.outputs}
    for name in (name for node in group for name in (*node.inputs, *node.outputs)):
        if name in names:
            continue
        names[name] = f"v{len(names)}"
        if name not in made:
            value = values[name].two
            if value.is_floating_point() and value.numel() > 1:
                constants[names[name]] = value.to(torch.float32).clone(memory_format=torch.contiguous_format)
            else:
                numbers[names[name]] = value.tolist()
    steps = []
    for node in group:
        word = next((known for known, layer in layers.items() if layer is node.layer), "") if node.layer else ""
        if node.layer and not word:
            word = f"l{len(layers)}"
            layers[word] = node.layer
        steps.append(Step(node.operator, tuple(names[name] for name in node.inputs),
                          tuple(names[name] for name in node.outputs), node.options, word))
    return Region(tuple(steps), layers, constants, numbers, names[end])
