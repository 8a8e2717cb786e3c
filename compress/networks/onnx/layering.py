"""The operators of a graph that have weights, as layers: linear, convolutional, tables of embeddings, batch normalisation,
recurrent."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from compress.networks.embedding import Embedding
from compress.networks.graph.elementwise import Options
from compress.networks.graph.recurrent import DIRECTIONS, Recurrence
from compress.networks.graph.refused import Refused
from compress.networks.graph.region import LAYER
from compress.networks.graph.weighing import around
from compress.networks.onnx.evaluation import Known, Simple
from compress.settings import shown

GATES = {"GRU": (1, 0, 2), "LSTM": (0, 1, 2, 3)}
"""ONNX's gates of a cell (GRU: update, reset, new) in the order of the layers here."""


@dataclass(frozen=True, eq=False)
class Layered(Simple):
    """A node that may be a layer: then its operator is LAYER."""

    layer: nn.Module | None = None


@dataclass
class Layering:
    """Turns nodes into layers; equal weights read by several nodes become one layer.

    Attributes:
        values: of the graph; readers: how many nodes read each value.
        after: called after each node, with the share of all nodes that are done.
        made: layers by the constants that they were made of.
    """

    values: dict[str, Known]
    readers: dict[str, int]
    after: Callable[[float], None] = lambda share: None
    made: dict[tuple[str, ...], nn.Module] = field(default_factory=dict)

    def of(self, nodes: list[Simple]) -> list[Layered]:
        """The nodes with layers in the place of those that have weights."""
        found: list[Layered] = []
        following = {node.inputs: node for node in nodes}
        additions = {name: node for node in following.values() if node.operator == "Add" for name in node.inputs}
        skipped: set[int] = set()
        for place, node in enumerate(nodes):
            self.after(place / len(nodes))
            if id(node) in skipped:
                continue
            addition = additions.get(node.outputs[0]) if node.operator == "MatMul" else None
            bias = addition and self._bias(node, addition)
            if addition and bias:
                skipped.add(id(addition))
                layer = self._linear(node.inputs[1], bias, node, turned=True)
                found.append(_as_layer(layer, node.inputs[0], addition.outputs))
            else:
                found += self._layers(node)
        return found

    def _layers(self, node: Simple) -> Iterable[Layered]:
        if node.operator == "MatMul" and self._is_matrix(node.inputs[1]):
            yield _as_layer(self._linear(node.inputs[1], "", node, turned=True), node.inputs[0], node.outputs)
        elif node.operator == "Gemm" and self._is_plain(node):
            bias = node.inputs[2] if len(node.inputs) > 2 else ""
            layer = self._linear(node.inputs[1], bias, node, turned=not node.options.get("transB", 0))
            yield _as_layer(layer, node.inputs[0], node.outputs)
        elif node.operator == "Gather" and self._is_table(node):
            yield _as_layer(self._table(node.inputs[0]), node.inputs[1], node.outputs)
        elif node.operator == "Conv":
            yield from self._convolution(node)
        elif node.operator == "BatchNormalization":
            yield _as_layer(self._norm(node), node.inputs[0], node.outputs[:1])
        elif node.operator in GATES:
            yield _as_layer(self._recurrence(node), node.inputs[0], node.outputs[:2])
        else:
            yield Layered(node.operator, node.inputs, node.outputs, node.options)

    def _is_matrix(self, name: str) -> bool:
        value = self.values[name]
        return value.is_constant and value.two.dim() == 2 and value.two.is_floating_point()

    def _is_table(self, node: Simple) -> bool:
        """Whether a Gather looks up rows of a matrix: its ids are those of an example."""
        return (self._is_matrix(node.inputs[0]) and node.options.get("axis", 0) in (0, -2)
                and not self.values[node.inputs[1]].is_constant)

    def _is_plain(self, node: Simple) -> bool:
        """Whether a Gemm is a linear layer: its matrix and its bias are constants."""
        rest = [self.values[name] for name in node.inputs[2:]]
        return (self._is_matrix(node.inputs[1]) and not node.options.get("transA", 0)
                and not self.values[node.inputs[0]].is_constant and all(one.is_constant for one in rest))

    def _bias(self, node: Simple, addition: Simple) -> str:
        """The name of the bias that an Add adds to a product with a matrix; "" if it adds something else."""
        others = [name for name in addition.inputs if name != node.outputs[0]]
        if len(others) != 1 or self.readers.get(node.outputs[0], 0) != 1 or not self._is_matrix(node.inputs[1]):
            return ""
        value = self.values[others[0]]
        width = self.values[node.inputs[1]].two.shape[1]
        alike = value.is_constant and value.two.dim() > 0 and value.two.numel() == value.two.shape[-1] == width
        return others[0] if alike and value.two.dim() <= self.values[node.outputs[0]].two.dim() else ""

    def _linear(self, weight: str, bias: str, node: Simple, turned: bool) -> nn.Module:
        """turned: whether the matrix is (inputs, outputs)."""
        alpha, beta = node.options.get("alpha", 1.0), node.options.get("beta", 1.0)
        key = (weight, bias, str(turned), str(alpha), str(beta))
        if key not in self.made:
            matrix = self.values[weight].two.mT if turned else self.values[weight].two
            matrix = matrix if alpha == 1 else alpha * matrix
            added = None
            if bias:
                if self.values[bias].two.numel() not in (1, len(matrix)):
                    raise Refused("the operator 'Gemm' has a bias that is no vector, which is not supported")
                added = beta * self.values[bias].two.flatten().expand(len(matrix))
            with torch.device("meta"):
                layer = nn.Linear(matrix.shape[1], matrix.shape[0], bias=added is not None)
            self.made[key] = _filled(layer, weight=matrix, bias=added)
        return self.made[key]

    def _table(self, name: str) -> nn.Module:
        """The table of embeddings with the rows of a matrix."""
        key = (name, "table")
        if key not in self.made:
            rows = self.values[name].two
            with torch.device("meta"):
                layer = Embedding(rows.shape[0], rows.shape[1], mean=False, padded=False)
            self.made[key] = _filled(layer, weight=rows.mT, bias=None)
        return self.made[key]

    def _convolution(self, node: Simple) -> Iterable[Layered]:
        weight, *bias = (self._constant(node, name) for name in node.inputs[1:3])
        axes, options = weight.dim() - 2, node.options
        sizes = self.values[node.inputs[0]].two.shape[2:]
        padding = around({**options, "kernel_shape": list(weight.shape[2:])}, sizes)
        before, behind = padding[::2][::-1], padding[1::2][::-1]
        source = node.inputs[0]
        if before != behind:
            source = f"{node.outputs[0]}/padded"
            yield Layered("Pad", (node.inputs[0],), (source,), {"pads": [0, 0, *before, 0, 0, *behind]})
            before = [0] * axes
        kind: Callable[..., nn.Module] = nn.Conv1d if axes == 1 else nn.Conv2d
        groups = options.get("group", 1)
        with torch.device("meta"):
            layer = kind(weight.shape[1] * groups, weight.shape[0], tuple(weight.shape[2:]),
                         tuple(options.get("strides") or [1] * axes), tuple(before),
                         tuple(options.get("dilations") or [1] * axes), groups, bias=bool(bias))
        yield _as_layer(_filled(layer, weight=weight, bias=bias[0] if bias else None), source, node.outputs)

    def _norm(self, node: Simple) -> nn.Module:
        scale, shift, mean, variance = (self._constant(node, name) for name in node.inputs[1:5])
        if node.options.get("training_mode", 0):
            raise Refused("the operator 'BatchNormalization' is in training mode. Export the network after "
                          "network.eval()")
        kind = nn.BatchNorm2d if self.values[node.inputs[0]].two.dim() == 4 else nn.BatchNorm1d
        layer = kind(len(scale), eps=float(node.options.get("epsilon", 1e-5)))
        layer.load_state_dict({"weight": scale, "bias": shift, "running_mean": mean, "running_var": variance}, strict=False)
        return layer

    def _recurrence(self, node: Simple) -> nn.Module:
        options = node.options
        problem = _unusual(node, self.values)
        if problem:
            raise Refused(f"the operator {shown(node.operator)} {problem}, which is not supported")
        inner, states = (self._constant(node, name) for name in node.inputs[1:3])
        biases = self._constant(node, node.inputs[3]) if len(node.inputs) > 3 and node.inputs[3] else (
            inner.new_zeros(len(inner), 2 * inner.shape[1]))
        direction, units = str(options.get("direction", "forward")), int(options["hidden_size"])
        layer = Recurrence(node.operator, direction, inner.shape[2], units)
        for place, name in enumerate(DIRECTIONS[layer.direction]):
            both = zip(("input_map", "state_map"), (inner[place], states[place]), biases[place].chunk(2), strict=True)
            for own, weight, bias in both:
                _filled(layer.get_submodule(f"{name}.{own}"), weight=_by_gate(weight, node.operator),
                        bias=_by_gate(bias, node.operator))
        return layer

    def _constant(self, node: Simple, name: str) -> Tensor:
        value = self.values.get(name)
        if value is None or not value.is_constant or value.two.is_meta:
            raise Refused(f"the operator {shown(node.operator)} has weights that are computed from examples, which is "
                          "not supported")
        return value.two


def _as_layer(layer: nn.Module, source: str, outputs: tuple[str, ...]) -> Layered:
    return Layered(LAYER, (source,), outputs, {}, layer)


def _unusual(node: Simple, values: dict[str, Known]) -> str:
    """What a recurrent node has that a usual one does not; "" if nothing."""
    options: Options = node.options
    usual = {"GRU": ["Sigmoid", "Tanh"], "LSTM": ["Sigmoid", "Tanh", "Tanh"]}[node.operator]
    names = options.get("activations") or []
    if any(name != usual[place % len(usual)] for place, name in enumerate(names)):
        return f"has the activations {shown(names)}"
    if node.operator == "GRU" and not options.get("linear_before_reset", 0):
        return "applies its reset gate before the product (linear_before_reset=0)"
    if options.get("clip") or options.get("layout", 0) or options.get("input_forget", 0):
        return "has the option clip, layout or input_forget"
    if str(options.get("direction", "forward")) not in DIRECTIONS:
        return f"has the direction {shown(options.get('direction'))}"
    if len(node.inputs) > 4 and node.inputs[4]:
        return "has lengths of sequences"
    if len(node.inputs) > 7 and node.inputs[7]:
        return "has peepholes"
    starts = [values[name].two for name in node.inputs[5:7] if name]
    if any(start.is_meta or bool(start.any()) for start in starts):
        return "begins with other states than zeros"
    return ""


def _by_gate(rows: Tensor, cell: str) -> Tensor:
    gates = rows.unflatten(0, (len(GATES[cell]), -1))
    return torch.cat([gates[gate] for gate in GATES[cell]])


def _filled(layer: nn.Module, weight: Tensor, bias: Tensor | None) -> nn.Module:
    """The layer with copies of these numbers."""
    layer.weight = nn.Parameter(weight.to(torch.float32).clone(memory_format=torch.contiguous_format))
    if bias is not None:
        layer.bias = nn.Parameter(bias.to(torch.float32).clone(memory_format=torch.contiguous_format))
    return layer
