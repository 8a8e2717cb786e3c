"""Where in a graph the scores of the classes are: what follows them (softmax, the label, a map of names) is cut off.

skl2onnx writes operators of ONNX's machine-learning domain at both ends of a network; those that are a linear map are
rewritten as one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from compress.networks.graph.refused import Refused
from compress.networks.onnx.model import Model, Node
from compress.networks.onnx.tensors import FLOATS
from compress.settings import shown

CUT = ("Identity", "ZipMap", "Normalizer", "Softmax", "LogSoftmax", "Cast")
MAPS = 0  # kind of an output that is no tensor


@dataclass(frozen=True)
class Scores:
    """A value of a graph that may be the scores of the classes.

    Attributes:
        value: its name; output: of the graph that is made from it.
        is_one_score: whether it is the score of the second of two classes alone.
        has_probabilities: whether the output is made of them by softmax, or for one score by the logistic function.
        classes: their names, where the file has them.
    """

    value: str
    output: str
    is_one_score: bool = False
    has_probabilities: bool = False
    classes: tuple[str, ...] = ()


def candidates(model: Model) -> list[Scores]:
    """The values that may be the scores, the most likely first. Raises ValueError if the graph has only whole numbers as
    outputs."""
    makers = {name: node for node in model.nodes for name in node.outputs}
    found = [_before(one.name, makers, model) for one in model.outputs if one.kind in (MAPS, *FLOATS)]
    if not found:
        names = ", ".join(shown(one.name) for one in model.outputs)
        raise Refused(f"its outputs ({names or 'none'}) are no scores of classes: floating-point numbers are needed, one "
                      "for each class")
    return found


def rewritten(model: Model) -> Model:
    """The model with its operators of the machine-learning domain as usual ones."""
    nodes: list[Node] = []
    constants = dict(model.constants)
    for node in model.nodes:
        if node.operator == "Scaler":
            nodes += _scaler(node, constants)
        elif node.operator == "LinearClassifier":
            nodes.append(_linear(node, constants))
        else:
            nodes.append(node)
    return Model(tuple(nodes), constants, model.inputs, model.outputs, model.version, model.producer, model.words)


def _before(output: str, makers: dict[str, Node], model: Model) -> Scores:
    value, probabilities, classes = output, False, tuple(filter(None, model.words.get("classes", "").split("\n")))
    while (node := makers.get(value)) and node.operator in CUT and node.inputs:
        if node.operator == "Cast" and node.attributes.get("to") not in FLOATS:
            break
        probabilities |= node.operator in ("Normalizer", "Softmax", "LogSoftmax")
        classes = _names(node) or classes
        value = node.inputs[0]
    pair = _of_pair(node, makers)
    if pair:
        return Scores(pair, output, True, True, classes)
    if node and node.operator == "LinearClassifier":
        classes = _names(node) or classes
    return Scores(value, output, False, probabilities, classes)


def _of_pair(node: Node | None, makers: dict[str, Node]) -> str:
    """The value z, where the node joins 1 - sigmoid(z) and sigmoid(z), or is sigmoid(z); "" otherwise."""
    if node and node.operator == "Concat" and len(node.inputs) == 2:
        first, second = (makers.get(name) for name in node.inputs)
        if first and first.operator == "Sub" and first.inputs[1:] == node.inputs[1:]:
            node = second
    return node.inputs[0] if node and node.operator == "Sigmoid" else ""


def _names(node: Node) -> tuple[str, ...]:
    for name in ("classlabels_strings", "classlabels_int64s", "classlabels_ints"):
        found = node.attributes.get(name)
        if isinstance(found, list) and found:
            return tuple(str(label) for label in found)
    return ()


def _scaler(node: Node, constants: dict[str, np.ndarray]) -> list[Node]:
    """(x - offset) * scale."""
    made = node.outputs[0]
    offset, scale, between = f"{made}/offset", f"{made}/scale", f"{made}/shifted"
    constants[offset], constants[scale] = _floats(node, "offset"), _floats(node, "scale")
    return [Node("Sub", (node.inputs[0], offset), (between,), {}), Node("Mul", (between, scale), (made,), {})]


def _linear(node: Node, constants: dict[str, np.ndarray]) -> Node:
    """The scores alone: the labels that the operator makes too are not read."""
    made, weights, bias = node.outputs[1], _floats(node, "coefficients"), _floats(node, "intercepts")
    if not len(bias) or len(weights) % len(bias):
        raise Refused("the operator 'LinearClassifier' has coefficients and intercepts that do not fit each other")
    constants[f"{made}/weights"], constants[f"{made}/bias"] = weights.reshape(len(bias), -1), bias
    return Node("Gemm", (node.inputs[0], f"{made}/weights", f"{made}/bias"), (made,), {"transB": 1})


def _floats(node: Node, name: str) -> np.ndarray:
    found = node.attributes.get(name)
    if not isinstance(found, list) or not all(isinstance(one, float) for one in found):
        raise Refused(f"the operator {shown(node.operator)} has no numbers {name!r}")
    return np.array(found, np.float32)
