"""What is no network of this program is refused in one sentence that names what it is, and takes no memory before."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from compress.networks.onnx.opening import opened
from tests.compress.networks.onnx import graphs
from tests.compress.networks.onnx.graphs import made, node, numbers, whole

WEIGHTS = [numbers("w", 4, 3)]


def _linear(*before: object, source: str = "y") -> bytes:
    return made([*before, node("MatMul", f"{source} w", "scores")], WEIGHTS)


def _outside() -> bytes:
    model = onnx.load_from_string(_linear(source="x"))
    (tensor,) = model.graph.initializer
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="/etc/passwd")
    return bytes(model.SerializeToString())


def _declares(count: int) -> bytes:
    model = onnx.load_from_string(_linear(source="x"))
    model.graph.initializer[0].dims[0] = count
    return bytes(model.SerializeToString())


def _branching() -> bytes:
    body = helper.make_graph([node("Identity", "x", "inner")], "body", [], [helper.make_tensor_value_info(
        "inner", TensorProto.FLOAT, [])])
    return made([helper.make_node("If", ["c"], ["y"], then_branch=body, else_branch=body), node("MatMul", "y w", "scores")],
                [*WEIGHTS, numpy_helper.from_array(np.array(True), "c")])


def _in_training() -> bytes:
    constants = [*WEIGHTS, *(numbers(name, 4) for name in "abc"), numpy_helper.from_array(np.ones(4, np.float32), "d")]
    return made([node("BatchNormalization", "x a b c d", "y", training_mode=1), node("MatMul", "y w", "scores")], constants)


def _gru(**options: object) -> bytes:
    constants = [numbers("i", 1, 9, 2), numbers("s", 1, 9, 3)]
    nodes = [node("GRU", "t i s", "all last", hidden_size=3, **options), node("Squeeze", "last zero", "scores")]
    nodes.insert(0, node("Transpose", "x", "t", perm=[1, 0, 2]))
    return made(nodes, [*constants, whole("zero", 0)], ("n", 5, 2))


REFUSED = {
    "no file of ONNX": (b"hello, I am a text", "is cut short|no ONNX file|wire type|field"),
    "nothing": (b"", "no ONNX file"),
    "cut short": (graphs.branches()[:-200], "cut short"),
    "data outside": (_outside(), "external data"),
    "more numbers than there are": (_declares(2**40), "declares .* numbers, but has 12"),
    "control flow": (_branching(), "'If'.*control flow"),
    "a custom operator": (_linear(helper.make_node("Magic", ["x"], ["y"], domain="my.company")), "'Magic' is a custom one"),
    "an unknown operator": (_linear(node("Det", "x", "y")), "the operator 'Det' is not one of"),
    "numbers of 8 bits": (_linear(node("DequantizeLinear", "x", "y")), "'DequantizeLinear' computes with numbers of 8 bits"),
    "two inputs": (made([node("Add", "x x1", "y"), node("MatMul", "y w", "scores")], WEIGHTS, inputs=2), "has 2 inputs"),
    "sizes left open": (made([node("MatMul", "x w", "scores")], WEIGHTS, ("n", "features")), "--shape"),
    "a value that nothing makes": (_linear(source="nothing"), "'nothing', which nothing makes"),
    "a cycle": (made([node("Add", "x z", "y"), node("Relu", "y", "z"), node("MatMul", "z w", "scores")], WEIGHTS), "cycle"),
    "sizes from examples": (made([node("Cast", "x", "c", to=7), node("Reshape", "x c", "y"),
                                  node("MatMul", "y w", "scores")], WEIGHTS), "depend on the examples"),
    "only labels": (made([node("ArgMax", "x", "label", axis=1)], [], output=[helper.make_tensor_value_info(
        "label", TensorProto.INT64, ["n", 1])]), "no scores of classes"),
    "one row for all": (made([node("ReduceSum", "x", "y", keepdims=0), node("Mul", "y w", "scores")], WEIGHTS),
                        "one row of scores"),
    "training mode": (_in_training(), "network.eval"),
    "a weight that is no number": (made([node("MatMul", "x w", "scores")], [numpy_helper.from_array(
        np.full((4, 3), np.nan, np.float32), "w")]), "no numbers"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_in_a_sentence(name: str) -> None:
    contents, words = REFUSED[name]
    with pytest.raises(ValueError, match=words) as caught:
        opened(contents, "network")
    assert len(str(caught.value)) < 500 and "\n" not in str(caught.value)


@pytest.mark.parametrize("size", [2**33, 2**62])
def test_a_value_of_many_numbers_takes_no_memory(size: int) -> None:
    nodes = [node("ConstantOfShape", "sizes", "big"), node("ReduceSum", "big", "one"), node("Add", "x one", "y"),
             node("MatMul", "y w", "scores")]
    with pytest.raises(ValueError, match="'ConstantOfShape'"):
        opened(made(nodes, [*WEIGHTS, whole("sizes", size)]), "network")
    nodes = [node("Expand", "x sizes", "big"), *nodes[1:]]
    with pytest.raises(ValueError, match="'Expand'"):
        opened(made(nodes, [*WEIGHTS, whole("sizes", size, 1, 1)]), "network")


def test_a_shape_that_was_left_open_can_be_said() -> None:
    contents = made([node("MatMul", "x w", "scores")], WEIGHTS, ("n", "features"))
    assert opened(contents, "network", (4,)).shape == (4,)
    with pytest.raises(ValueError, match="do not fit"):
        opened(graphs.branches(), "network", (5,))


@pytest.mark.parametrize(("options", "words"), [({}, "linear_before_reset"),
                                                ({"linear_before_reset": 1, "clip": 3.0}, "clip")])
def test_recurrent_layers_of_other_kinds_are_refused(options: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        opened(_gru(**options), "network")
