"""What is known of a graph's values before any example is seen: constants, sizes, and the shapes of all others.

Every operator is computed for two and for three examples. Values that depend on the examples have shapes alone (torch's
device "meta"), and take no memory. What is equal both times is a constant; a size that differs is so many times the number
of examples.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from compress.networks.graph.elementwise import Operator, Options
from compress.networks.graph.refused import Refused
from compress.networks.graph.region import OPERATORS, computed
from compress.networks.graph.shapes import convolved
from compress.networks.graph.shaping import MOST_NUMBERS, sized
from compress.networks.graph.weighing import around
from compress.networks.onnx.model import Node
from compress.networks.plain_values import LARGEST
from compress.settings import shown

TWO, THREE = 2, 3
FAULTS = (RuntimeError, IndexError, TypeError, KeyError, NotImplementedError, OverflowError, AttributeError, ValueError,
          ZeroDivisionError)
"""What torch and Python raise where inputs and options do not fit each other."""
OF_EIGHT_BITS = ("QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear", "QLinearConv", "QLinearMatMul",
                 "ConvInteger", "MatMulInteger")
LEAST_KNOWN = 1 << 22  # numbers that may always be computed as constants; beyond, as many as the file has
REDUCTIONS = ("ReduceMean", "ReduceSum", "ReduceProd", "ReduceMax", "ReduceMin", "ReduceL2", "ReduceSumSquare")
LISTS: dict[str, dict[int, str]] = {
    "Reshape": {1: "shape"}, "Expand": {1: "shape"}, "Squeeze": {1: "axes"}, "Unsqueeze": {1: "axes"},
    "Tile": {1: "repeats"}, "CumSum": {1: "axis"}, "Resize": {1: "roi", 2: "scales", 3: "sizes"},
    "Slice": {1: "starts", 2: "ends", 3: "axes", 4: "steps"}, "Pad": {1: "pads", 3: "axes"}, "ConstantOfShape": {0: "shape"},
    "Split": {1: "split"}, **{name: {1: "axes"} for name in REDUCTIONS}}
SINGLE: dict[str, dict[int, str]] = {"Clip": {1: "min", 2: "max"}, "Pad": {2: "value"}}


@dataclass(frozen=True, eq=False)
class Known:
    """A value for two and for three examples: the same tensor twice for a constant; on device "meta" for what depends on the
    examples."""

    two: Tensor
    three: Tensor

    @property
    def is_constant(self) -> bool:
        """Whether it is the same for all examples."""
        return self.two is self.three

    @property
    def is_of_sizes(self) -> bool:
        """Whether its numbers are known, though they may depend on the number of examples."""
        return not self.two.is_meta

    @property
    def is_by_examples(self) -> bool:
        """Whether its first axis, and no other, is the examples."""
        two, three = self.two.shape, self.three.shape
        return len(two) > 0 and (two[0], three[0], two[1:]) == (TWO, THREE, three[1:])


@dataclass(frozen=True, eq=False)
class Simple:
    """A node whose sizes and axes are options."""

    operator: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    options: Options


class Evaluation:
    """The values of a graph, by their names.

    Raises:
        ValueError: an operator that is not known or is used in a way that is not, with its name.
    """

    def __init__(self, constants: dict[str, np.ndarray], version: int) -> None:
        self.version = version
        self.values: dict[str, Known] = {}
        self.examples = 0  # for which the file was written, as far as its constants say; 0 for any
        self.inner: dict[str, int] = {}  # blocks before an example's numbers within one axis, where these are not 1
        self.most = max(LEAST_KNOWN, sum(array.size for array in constants.values()))
        for name, array in constants.items():
            if array.dtype != object:
                tensor = _tensor(array)
                self.values[name] = Known(tensor, tensor)

    def add(self, node: Node) -> list[Simple]:
        """Evaluates a node and returns what has to be computed for each batch; nothing where all that it makes is
        constant."""
        if node.operator == "Constant":
            self._keep(node, [_constant(node)])
            return []
        if node.operator in OF_EIGHT_BITS:
            raise Refused(f"the operator {shown(node.operator)} computes with numbers of 8 bits, and networks are read "
                          "before they are quantized. Export the network with float32 weights, and quantize it here")
        if node.operator not in OPERATORS and node.operator not in SHAPED:
            raise Refused(f"the operator {shown(node.operator)} is not one of the {len(OPERATORS) + len(SHAPED)} that "
                          "are known")
        simple = self._simplified(node)
        for name in simple.inputs:
            if name and name not in self.values:
                raise Refused(f"the operator {shown(node.operator)} reads {shown(name)}, which is not an array of "
                              "numbers")
        before: list[Simple] = []
        if simple.operator == "Concat":
            simple, before = self._repeated(simple)
        given = [self.values[name] for name in simple.inputs if name]
        try:
            two = self._outputs(simple, [one.two for one in given], TWO)
            same = all(one.is_constant for one in given) and not _has_sizes(simple.options)
            three = two if same else self._outputs(simple, [one.three for one in given], THREE)
        except Refused as error:
            raise Refused(f"the operator {shown(node.operator)}: {error}") from error
        except FAULTS as error:
            raise Refused(f"the operator {shown(node.operator)} ({shown(node.name)}) has inputs or options that do not "
                          "fit each other, or that are not supported") from error
        inner = max((self.inner.get(name, 1) for name in simple.inputs), default=1)
        for name, one, other in zip(simple.outputs, two, three, strict=False):
            if name:
                self.inner.setdefault(name, inner)
                self.values[name] = Known(one, other)
        if simple.operator == "Cast" and given[0].two.dtype == two[0].dtype:
            simple = Simple("Identity", simple.inputs, simple.outputs, {})
        is_known = all(self.values[name].is_constant for name in simple.outputs if name in self.values)
        return [] if is_known else [*before, simple]

    def _keep(self, node: Node, made: Sequence[Tensor]) -> None:
        for name, value in zip(node.outputs, made, strict=False):
            self.values[name] = Known(value, value)

    def _outputs(self, simple: Simple, given: list[Tensor], examples: int) -> list[Tensor]:
        """First for shapes alone, so that what is too large takes no memory."""
        options = sized(simple.options, examples)
        known = all(not one.is_meta for one in given)
        shapes = self._computed(simple.operator, [one.to("meta") for one in given], options)
        for one in shapes:
            if one.numel() > (self.most if known else MOST_NUMBERS):
                raise Refused(f"a value of {one.numel():,} numbers, more than are possible")
        return self._computed(simple.operator, given, options) if known and shapes and shapes[0].is_meta else shapes

    def _computed(self, operator: str, given: list[Tensor], options: Options) -> list[Tensor]:
        made = SHAPED[operator](given, options) if operator in SHAPED else computed(operator, given, options)
        return list(made) if isinstance(made, tuple | list) else [made]

    def _simplified(self, node: Node) -> Simple:
        """The node with its sizes and axes as options."""
        options: Options = {name: value for name, value in node.attributes.items() if not isinstance(value, np.ndarray)}
        lists, single, operator = LISTS.get(node.operator, {}), SINGLE.get(node.operator, {}), node.operator
        if operator == "ConstantOfShape" and isinstance(filler := node.attributes.get("value"), np.ndarray):
            options["value"] = filler.flatten().tolist()[0] if filler.size else 0.0
        for place, name in enumerate(node.inputs):
            if name and place in lists:
                options[lists[place]] = self._sizes(node, name)
            if name and place in single:
                options[single[place]] = float(self._real(node, name).two.flatten()[0])
        inputs = tuple(name for place, name in enumerate(node.inputs) if place not in lists and place not in single)
        if operator == "Range":
            options["range"], inputs = [size for name in inputs for size in self._sizes(node, name)], ()
        if operator == "Reshape":
            options["shape"] = self._unfixed(options["shape"], node)
        if operator in ("Softmax", "LogSoftmax") and self.version < 13:
            options["axis"] = self._old_axis(node, options)
        if operator == "Dropout":
            return Simple("Identity", inputs[:1], node.outputs[:1], {})
        optional = ("GRU", "LSTM")  # whose places of inputs matter also where one is left out
        return Simple(operator, inputs if operator in optional else tuple(name for name in inputs if name), node.outputs,
                      options)

    def _repeated(self, simple: Simple) -> tuple[Simple, list[Simple]]:
        """A Concat whose constants were written for a fixed number of examples, with the same row for each: the row is
        repeated for any number of them. Returned with the operators that repeat."""
        values = [self.values[name] for name in simple.inputs]
        grows = any(one.is_by_examples for one in values) and simple.options.get("axis", 0) % max(1, values[0].two.dim())
        inputs, before = list(simple.inputs), []
        for place, value in enumerate(values if grows else []):
            if value.is_constant and value.two.dim() and bool((value.two == value.two[:1]).all()):
                self.examples = max(self.examples, len(value.two))
                row, wide = f"{simple.outputs[0]}/row{place}", f"{simple.outputs[0]}/rows{place}"
                first = value.two[:1]
                self.values[row] = Known(first, first)
                self.values[wide] = Known(*(first.expand(count, *first.shape[1:]) for count in (TWO, THREE)))
                before.append(Simple("Expand", (row,), (wide,), {"shape": [[1], *first.shape[1:]]}))
                inputs[place] = wide
        return Simple(simple.operator, tuple(inputs), simple.outputs, simple.options), before

    def _real(self, node: Node, name: str) -> Known:
        value = self.values.get(name)
        if value is None or not value.is_of_sizes:
            raise Refused(f"the operator {shown(node.operator)} takes sizes or axes from values that depend on the "
                          "examples themselves. Export the network for one shape of examples")
        return value

    def _sizes(self, node: Node, name: str) -> list[Any]:
        """A value as sizes: [k] for k times the number of examples."""
        value = self._real(node, name)
        pairs = zip(value.two.flatten().tolist(), value.three.flatten().tolist(), strict=True)
        return [_size(one, other, node.operator) for one, other in pairs]

    def _unfixed(self, wanted: list[Any], node: Node) -> list[Any]:
        """The shape of a Reshape that was written for a fixed number of examples, for any number of them: the entry into
        which the examples go is -1. A Reshape keeps the numbers in their order, so that as many blocks come before each
        example's numbers after it as before it."""
        value = self.values.get(node.inputs[0])
        if value is None or value.is_constant or any(isinstance(one, list) or one in (0, -1) for one in wanted):
            return wanted
        given = value.two.shape
        axis = next((place for place, size in enumerate(given) if size != value.three.shape[place]), None)
        if axis is None:
            return wanted
        blocks = prod(given[:axis]) * self.inner.get(node.inputs[0], 1)
        for place, size in enumerate(wanted):
            begins = prod(wanted[:place]) == blocks
            if begins and place > 0 and size != 1 and axis + 1 < len(given) and size == given[axis + 1]:
                place -= 1  # the axis behind the examples stays as it is: they were joined with the one before
            if begins or prod(wanted[:place + 1]) > blocks:
                self.inner[node.outputs[0]] = blocks // max(1, prod(wanted[:place]))
                return [*wanted[:place], -1, *wanted[place + 1:]]
        return wanted

    def _old_axis(self, node: Node, options: Options) -> int:
        """Before version 13, softmax was over all axes from this one on."""
        dimensions, axis = self.values[node.inputs[0]].two.dim(), options.get("axis", 1)
        if axis % dimensions != dimensions - 1:
            raise Refused(f"the operator {shown(node.operator)} of version {self.version} is over several axes, which is "
                          "not supported. Export the network with opset 13 or later")
        return axis


def _size(one: Any, other: Any, operator: str) -> Any:
    one, other = (max(-LARGEST, min(LARGEST, size)) for size in (one, other))
    if one == other:
        return one
    if one % TWO == 0 and one // TWO * THREE == other:
        return [one // TWO]
    raise Refused(f"a size of the operator {shown(operator)} depends on the number of examples in a way that is not "
                  "supported")


def _has_sizes(options: Options) -> bool:
    return any(isinstance(value, list) and any(isinstance(one, list) for one in value) for value in options.values())


def _constant(node: Node) -> Tensor:
    for name in ("value", "value_float", "value_int", "value_floats", "value_ints"):
        if name in node.attributes:
            value = node.attributes[name]
            return _tensor(value) if isinstance(value, np.ndarray) else torch.tensor(value)
    raise Refused("an operator Constant has no numbers")


def _tensor(array: np.ndarray) -> Tensor:
    """Without a copy of float32 numbers. The smallest float32 is put for -infinity, which masks attention: exp() of both is
    0."""
    if array.dtype == np.float32 and np.isneginf(array).any():
        array = np.maximum(array, np.finfo(np.float32).min)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch warns of read-only arrays, as views of a file are; nothing writes here
        return torch.from_numpy(array)


def _convolved(inputs: Sequence[Tensor], options: Options) -> Tensor:
    axes = inputs[0].dim() - 2
    if axes not in (1, 2):
        raise Refused(f"the operator 'Conv' over {axes} axes is not supported; over 1 or 2 axes it is")
    options = {**options, "kernel_shape": options.get("kernel_shape") or list(inputs[1].shape[2:])}
    convolve = functional.conv1d if axes == 1 else functional.conv2d
    padded = functional.pad(inputs[0], around(options, inputs[0].shape[2:]))
    if padded.is_meta:
        return convolved(padded, inputs[1], {"stride": options.get("strides") or 1, "groups": options.get("group", 1),
                                             "dilation": options.get("dilations") or 1})
    return convolve(padded, inputs[1], inputs[2] if len(inputs) > 2 else None, options.get("strides") or 1, 0,
                    options.get("dilations") or 1, options.get("group", 1))


def _recurred(inputs: Sequence[Tensor], options: Options) -> tuple[Tensor, Tensor, Tensor]:
    steps, examples, _ = inputs[0].shape
    states = torch.empty(steps, len(inputs[1]), examples, options["hidden_size"], device="meta")
    return states, states[0].clone(), states[0].clone()


SHAPED: dict[str, Operator] = {"Conv": _convolved, "GRU": _recurred, "LSTM": _recurred,
                               "BatchNormalization": lambda inputs, options: inputs[0]}
"""Operators that become modules: only the shapes of their outputs are computed here."""
