"""An ONNX graph in the making, as plain data: operators in the order of computation, and constants.

The package `onnx`, an optional extra, is imported where the file is made.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

OPSET = 21  # the first one with whole numbers of 4 bits, and scales for groups of columns; ONNX Runtime 1.19 (2024) reads it
FILE_VERSION = 10  # of ONNX's format, for this opset


@dataclass(frozen=True)
class Node:
    """An operator with the names of its inputs ("" for one that is left out) and outputs. A Graph among the attributes is
    the body of a loop."""

    operator: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class Constant:
    """Numbers of the file. kind: "uint4" for whole numbers from 0 to 15, two of them in a byte; "bfloat16" for float32
    numbers of which half the bits are stored; "" for the array's own type."""

    name: str
    numbers: np.ndarray
    kind: str = ""


@dataclass(eq=False)
class Graph:
    """Operators and constants.

    Attributes:
        path: of the module that is written, for names. shape: of one example.
        has_rows: whether linear layers read rows (n, features); in uploaded networks they may read (n, ..., features).
        around: the graph that this one is a loop's body of, which holds all constants; None for the whole.
        inputs, outputs: of a body: names, their types and numbers of dimensions.
    """

    path: str = ""
    shape: tuple[int, ...] = ()
    has_rows: bool = True
    around: Graph | None = None
    nodes: list[Node] = field(default_factory=list)
    constants: list[Constant] = field(default_factory=list)
    inputs: list[tuple[str, str, int]] = field(default_factory=list)
    outputs: list[tuple[str, str, int]] = field(default_factory=list)
    _used: dict[str, int] = field(default_factory=dict)

    def add(self, operator: str, *inputs: str, attributes: Mapping[str, Any] | None = None) -> str:
        """Appends an operator; returns the name of its only output."""
        return self.add_all(operator, inputs, 1, attributes)[0]

    def add_all(self, operator: str, inputs: tuple[str, ...], outputs: int,
                attributes: Mapping[str, Any] | None = None) -> tuple[str, ...]:
        """Appends an operator; returns the names of its outputs."""
        names = tuple(self.named(operator) for _ in range(outputs))
        self.nodes.append(Node(operator, inputs, names, attributes or {}))
        return names

    def constant(self, numbers: Any, name: str = "constant") -> str:
        """Adds an array. Float32 numbers that all have 16-bit floats of the same values are stored as such."""
        array = np.ascontiguousarray(numbers)
        if array.dtype == np.float64:
            array = array.astype(np.float32)
        if array.dtype == np.float32 and array.size > 64:
            with np.errstate(over="ignore"):
                half = array.astype(np.float16)
            if np.array_equal(half.astype(np.float32), array):
                return self.as_type(self._kept(Constant(self.named(name), half)), np.float32)
        return self._kept(Constant(self.named(name), array.reshape(np.shape(numbers))))

    def whole_numbers(self, numbers: np.ndarray, most: int, name: str = "numbers", short: bool = True) -> str:
        """Adds whole numbers from 0 to `most`, below 65,536, in 4, 8 or 16 bits. short: whether 4 bits are allowed."""
        if most < 1 << 4 and short:
            return self._kept(Constant(self.named(name), numbers.astype(np.uint8), "uint4"))
        return self.constant(numbers.astype(np.uint8 if most < 1 << 8 else np.uint16), name)

    def upper_half(self, numbers: np.ndarray, name: str = "weight") -> str:
        """Adds float32 numbers that are bfloat16 numbers, too, in 16 bits."""
        return self.as_type(self._kept(Constant(self.named(name), numbers, "bfloat16")), np.float32)

    def integers(self, *numbers: int) -> str:
        """A list of int64, as shapes and axes are given."""
        return self.constant(np.array(numbers, dtype=np.int64), "sizes")

    def count(self, number: int) -> str:
        """One int64, as loops are given their length."""
        return self.constant(np.array(number, dtype=np.int64), "count")

    def reshaped(self, value: str, *sizes: int) -> str:
        """Other sizes: -1 for what is left, 0 for the size that the input has."""
        return self.add("Reshape", value, self.integers(*sizes))

    def as_type(self, value: str, kind: Any) -> str:
        """Numbers of another numpy type."""
        return self.add("Cast", value, attributes={"to": np.dtype(kind)})

    def body(self) -> Graph:
        """A graph for the body of a loop, whose constants are kept here."""
        return Graph(self.path, self.shape, self.has_rows, around=self)

    def named(self, name: str) -> str:
        """A name that nothing else has."""
        if self.around is not None:
            return self.around.named(name)
        whole = f"{self.path}.{name}" if self.path else name
        self._used[whole] = count = self._used.get(whole, 0) + 1
        return whole if count == 1 else f"{whole}_{count}"

    @contextmanager
    def at(self, path: str) -> Iterator[None]:
        """Inside the block, names begin with the path of a module below the present one."""
        before, top = self.path, self
        while top.around is not None:
            top = top.around
        outer, whole = top.path, f"{top.path}.{path}" if top.path else path
        self.path = top.path = whole
        try:
            yield
        finally:
            self.path, top.path = before, outer

    def _kept(self, constant: Constant) -> str:
        if self.around is not None:
            return self.around._kept(constant)
        self.constants.append(constant)
        return constant.name


def model(graph: Graph, example: tuple[str, tuple[int, ...]], result: tuple[str, int], words: Mapping[str, str]) -> bytes:
    """The contents of an ONNX file.

    Args:
        example: name and shape of an input, of which n come together; result: name and width (n, width) of the output.
        words: metadata.
    """
    import onnx

    n = "n"
    inputs = [onnx.helper.make_tensor_value_info(example[0], onnx.TensorProto.FLOAT, [n, *example[1]])]
    outputs = [onnx.helper.make_tensor_value_info(result[0], onnx.TensorProto.FLOAT, [n, result[1]])]
    whole = onnx.helper.make_graph([_node(node) for node in graph.nodes], "network", inputs, outputs,
                                   [_tensor(one) for one in graph.constants])
    made = onnx.helper.make_model(whole, opset_imports=[onnx.helper.make_opsetid("", OPSET)], ir_version=FILE_VERSION)
    for key, value in words.items():
        made.metadata_props.add(key=key, value=value)
    contents: bytes = made.SerializeToString()
    return contents


def _node(node: Node) -> Any:
    import onnx

    attributes = {name: _attribute(value) for name, value in node.attributes.items()}
    return onnx.helper.make_node(node.operator, node.inputs, node.outputs, **attributes)


def _attribute(value: Any) -> Any:
    import onnx

    if isinstance(value, np.dtype):
        return onnx.helper.np_dtype_to_tensor_dtype(value)
    if isinstance(value, np.ndarray):
        return onnx.numpy_helper.from_array(value)
    if isinstance(value, Graph):
        inputs, outputs = ([_end(*one) for one in ends] for ends in (value.inputs, value.outputs))
        return onnx.helper.make_graph([_node(node) for node in value.nodes], "body", inputs, outputs)
    return value


def _end(name: str, kind: str, axes: int) -> Any:
    import onnx

    return onnx.helper.make_tensor_value_info(name, onnx.helper.np_dtype_to_tensor_dtype(np.dtype(kind)), [None] * axes)


def _tensor(constant: Constant) -> Any:
    import onnx

    numbers = constant.numbers
    if constant.kind == "bfloat16":
        halves = (numbers.view(np.uint32) >> 16).astype("<u2")
        return onnx.helper.make_tensor(constant.name, onnx.TensorProto.BFLOAT16, numbers.shape, halves.tobytes(), raw=True)
    if constant.kind == "uint4":
        flat = np.append(numbers.ravel(), np.zeros(numbers.size % 2, np.uint8))
        return onnx.helper.make_tensor(constant.name, onnx.TensorProto.UINT4, numbers.shape,
                                       (flat[::2] | flat[1::2] << 4).tobytes(), raw=True)
    return onnx.numpy_helper.from_array(numbers, constant.name)
