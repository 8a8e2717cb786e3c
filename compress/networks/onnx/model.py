"""The graph of an ONNX file as plain data: nodes, constants, inputs and outputs. No code of the file runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from compress.networks.graph.refused import Refused
from compress.networks.onnx import wire
from compress.networks.onnx.tensors import tensor_of
from compress.networks.onnx.wire import Fields, Value
from compress.settings import shown

DOMAINS = ("", "ai.onnx", "ai.onnx.ml")
MOST_NODES = 20_000
MOST_TENSORS = 50_000
MOST_INTEGERS = 1_000_000  # of an attribute
WITH_GRAPHS = "If, Loop and Scan"
Attribute = int | float | str | list[int] | list[float] | list[str] | np.ndarray


@dataclass(frozen=True, eq=False)
class Node:
    """One operator; "" in the inputs is one that is left out."""

    operator: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: dict[str, Attribute]
    name: str = ""


@dataclass(frozen=True)
class Declared:
    """An input or output. kind: the number of its type, 0 for sequences and maps; sizes: None where the file has a name or
    nothing in the place of a number; names: of these sizes."""

    name: str
    kind: int
    sizes: tuple[int | None, ...] = ()
    names: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Model:
    """A graph, its nodes in an order in which every value is made before it is read.

    Attributes:
        version: of ONNX's operators (opset); 0 where the file does not say.
        words: of the file's metadata.
    """

    nodes: tuple[Node, ...]
    constants: dict[str, np.ndarray]
    inputs: tuple[Declared, ...]
    outputs: tuple[Declared, ...]
    version: int
    producer: str = ""
    words: dict[str, str] = field(default_factory=dict)


@dataclass
class _Draft:
    nodes: list[Node] = field(default_factory=list)
    constants: dict[str, np.ndarray] = field(default_factory=dict)
    inputs: list[Declared] = field(default_factory=list)
    outputs: list[Declared] = field(default_factory=list)


def read(contents: memoryview | bytes) -> Model:
    """The graph of an ONNX file.

    Raises:
        ValueError: the reason in words, for bytes that are no ONNX file, and for control flow, custom operators, data
            outside the file, sparse constants, a cycle, or a value that is made twice or by nobody.
    """
    fields, draft, version, producer, graphs = Fields(), _Draft(), 0, "", 0
    words: dict[str, str] = {}
    for number, value in fields.of(memoryview(contents)):
        if number == 2:
            producer = wire.text(value)[:100]
        elif number == 7:
            graphs += 1
            _graph(wire.view(value), fields, draft)
        elif number == 8:
            version = max(version, _version(wire.view(value), fields))
        elif number == 14:
            words.update([_entry(wire.view(value), fields)])
    if graphs != 1 or not draft.nodes:
        raise Refused("it holds no graph of operators: it is no ONNX file, or an empty one")
    inputs = tuple(one for one in draft.inputs if one.name not in draft.constants)
    return Model(_in_order(draft, inputs), draft.constants, inputs, tuple(draft.outputs), version, producer, words)


def _graph(message: memoryview, fields: Fields, draft: _Draft) -> None:
    for number, value in fields.of(message):
        if number == 1:
            draft.nodes.append(_node(wire.view(value), fields))
            if len(draft.nodes) > MOST_NODES:
                raise Refused(f"it has more than {MOST_NODES:,} operators")
        elif number == 5:
            name, tensor = tensor_of(wire.view(value), fields)
            _once(name, draft.constants)
            draft.constants[name] = tensor
            if len(draft.constants) > MOST_TENSORS:
                raise Refused(f"it has more than {MOST_TENSORS:,} constants")
        elif number == 11:
            draft.inputs.append(_declared(wire.view(value), fields))
        elif number == 12:
            draft.outputs.append(_declared(wire.view(value), fields))
        elif number == 15:
            raise Refused("it has sparse constants, which are not supported. Export the network with dense ones")


def _node(message: memoryview, fields: Fields) -> Node:
    inputs, outputs, attributes, operator, name, domain = [], [], {}, "", "", ""
    bodies = False
    for number, value in fields.of(message):
        if number == 1:
            inputs.append(wire.text(value))
        elif number == 2:
            outputs.append(wire.text(value))
        elif number == 3:
            name = wire.text(value)
        elif number == 4:
            operator = wire.text(value)
        elif number == 5:
            key, found, has_graph = _attribute(wire.view(value), fields)
            bodies |= has_graph
            if found is not None:
                attributes[key] = found
        elif number == 7:
            domain = wire.text(value)
    if bodies or operator in ("If", "Loop", "Scan"):
        raise Refused(f"the operator {shown(operator)} holds graphs of its own; control flow ({WITH_GRAPHS}) is not "
                      "supported. Export the network in evaluation mode, for one shape of examples")
    if domain not in DOMAINS:
        raise Refused(f"the operator {shown(operator)} is a custom one of {shown(domain)}, not one of ONNX. Export the "
                      "network with ONNX's own operators")
    return Node(operator, tuple(inputs), tuple(outputs), attributes, name)


def _attribute(message: memoryview, fields: Fields) -> tuple[str, Attribute | None, bool]:
    """Name, value and whether it is a graph."""
    name = ""
    found: Attribute | None = None
    floats: list[float] = []
    texts: list[str] = []
    integers: list[int] = []
    lists, is_graph, kind = False, False, 0
    for number, value in fields.of(message):
        if number == 1:
            name = wire.text(value)
        elif number == 2:
            found = wire.floating(value)
        elif number == 3:
            found = wire.signed(value)
        elif number == 4:
            found = wire.text(value)
        elif number == 5:
            found = tensor_of(wire.view(value), fields)[1]
        elif number in (6, 11):
            is_graph = True
        elif number == 7:
            floats += _floats(value)
        elif number == 8:
            integers += wire.packed_integers(value, MOST_INTEGERS)
        elif number == 9:
            texts.append(wire.text(value))
        elif number == 20:
            kind = wire.signed(value)
        if len(floats) > MOST_INTEGERS or len(integers) > MOST_INTEGERS:
            raise Refused(f"an attribute has more than {MOST_INTEGERS:,} numbers")
        lists |= number in (7, 8, 9)
    if kind in (6, 7, 8) and not lists:
        found = []
    return name, (floats or integers or texts) if lists else found, is_graph


def _floats(value: Value) -> list[float]:
    if isinstance(value, int):
        return [wire.floating(value)]
    if len(value) % 4:
        raise Refused("a list of numbers in it is cut short")
    return [float(one) for one in np.frombuffer(value, "<f4")]


def _declared(message: memoryview, fields: Fields) -> Declared:
    name, kind = "", 0
    sizes: list[int | None] = []
    names: list[str] = []
    for number, value in fields.of(message):
        if number == 1:
            name = wire.text(value)
        elif number == 2:
            for form, described in fields.of(wire.view(value)):
                if form == 1:
                    kind, sizes, names = _tensor_type(wire.view(described), fields)
    return Declared(name, kind, tuple(sizes), tuple(names))


def _tensor_type(message: memoryview, fields: Fields) -> tuple[int, list[int | None], list[str]]:
    kind, sizes, names = 0, [], []
    for number, value in fields.of(message):
        if number == 1:
            kind = wire.signed(value)
        elif number == 2:
            for part, dimension in fields.of(wire.view(value)):
                if part != 1:
                    continue
                known: dict[int, Any] = dict(fields.of(wire.view(dimension)))
                size = known.get(1)
                sizes.append(wire.signed(size) if isinstance(size, int) and size > 0 else None)
                names.append(wire.text(known[2]) if 2 in known else "")
    return kind, sizes, names


def _version(message: memoryview, fields: Fields) -> int:
    """Of the operators of ONNX itself; 0 for those of another domain."""
    found = dict(fields.of(message))
    domain = wire.text(found[1]) if 1 in found else ""
    return wire.signed(found.get(2, 0)) if domain in DOMAINS[:2] else 0


def _entry(message: memoryview, fields: Fields) -> tuple[str, str]:
    found = dict(fields.of(message))
    return wire.text(found.get(1, memoryview(b""))), wire.text(found.get(2, memoryview(b"")))


def _once(name: str, known: dict[str, Any]) -> None:
    if name in known:
        raise Refused(f"it has two constants of the name {shown(name)}")


def _in_order(draft: _Draft, inputs: tuple[Declared, ...]) -> tuple[Node, ...]:
    """The nodes so that every value is made before it is read. Raises ValueError where there is no such order."""
    known = {"", *draft.constants, *(one.name for one in inputs)}
    made: dict[str, int] = {}
    for place, node in enumerate(draft.nodes):
        for name in node.outputs:
            if name and (name in made or name in known):
                raise Refused(f"the value {shown(name)} is made twice")
            made[name] = place
    waiting = [{name for name in node.inputs if name not in known} for node in draft.nodes]
    for node, missing in zip(draft.nodes, waiting, strict=True):
        for name in missing:
            if name not in made:
                raise Refused(f"the operator {shown(node.operator)} reads the value {shown(name)}, which nothing makes")
    readers: dict[str, list[int]] = {}
    for place, missing in enumerate(waiting):
        for name in missing:
            readers.setdefault(name, []).append(place)
    ready = [place for place, missing in enumerate(waiting) if not missing][::-1]
    ordered = []
    while ready:
        place = ready.pop()
        ordered.append(draft.nodes[place])
        for name in draft.nodes[place].outputs:
            for reader in readers.get(name, ()):
                waiting[reader].discard(name)
                if not waiting[reader]:
                    ready.append(reader)
            readers.pop(name, None)
    if len(ordered) < len(draft.nodes):
        raise Refused("its operators form a cycle: a value would be needed before it is made")
    return tuple(ordered)
