"""Small ONNX files as other programs write them: torch's two exporters, onnx.helper, and skl2onnx."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

SHAPE = (1, 8, 8)
CLASSES = 3


class Steps(nn.Module):
    """A recurrent layer over the rows of an image, and a linear layer over the states."""

    def __init__(self, cell: Any, last: bool) -> None:
        super().__init__()
        self.cell, self.last = cell(8, 6, batch_first=True, bidirectional=not last), last
        self.scores = nn.Linear(6 if last else 96, CLASSES)

    def forward(self, batch: Tensor) -> Tensor:
        states = self.cell(batch.squeeze(1))[0]
        return self.scores(states[:, -1] if self.last else states.flatten(1))


class Attention(nn.Module):
    """A small vision transformer: patches, a class token, positions, one block."""

    def __init__(self) -> None:
        super().__init__()
        self.patches, self.token = nn.Conv2d(1, 8, 4, 4), nn.Parameter(torch.randn(1, 1, 8))
        self.positions = nn.Parameter(torch.randn(1, 5, 8))
        self.block = nn.TransformerEncoderLayer(8, 2, 16, 0.0, "gelu", batch_first=True, norm_first=True)
        self.scores = nn.Linear(8, CLASSES)

    def forward(self, batch: Tensor) -> Tensor:
        patches = self.patches(batch).flatten(2).transpose(1, 2)
        tokens = torch.cat([self.token.expand(batch.shape[0], -1, -1), patches], 1) + self.positions
        return self.scores(self.block(tokens)[:, 0])


class Words(nn.Module):
    """Numbers of words through a table and an LSTM."""

    def __init__(self) -> None:
        super().__init__()
        self.table, self.cell, self.scores = nn.Embedding(20, 6), nn.LSTM(6, 5, batch_first=True), nn.Linear(5, CLASSES)

    def forward(self, batch: Tensor) -> Tensor:
        return self.scores(self.cell(self.table(batch))[0].mean(1))


class Block(nn.Module):
    """A residual block with batch normalisation that halves the image."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(4, 6, 3, 2, 1, bias=False), nn.BatchNorm2d(6), nn.ReLU(),
                                  nn.Conv2d(6, 6, 3, 1, 1), nn.BatchNorm2d(6))
        self.shortcut = nn.Conv2d(4, 6, 1, 2)

    def forward(self, batch: Tensor) -> Tensor:
        return torch.relu(self.body(batch) + self.shortcut(batch))


def _perceptron() -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 12), nn.ReLU(), nn.Dropout(0.3), nn.Linear(12, CLASSES))


def _convolutions() -> nn.Module:
    return nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(4, 5, 3), nn.Tanh(),
                         nn.AvgPool2d(2), nn.Flatten(), nn.Linear(5, CLASSES), nn.LogSoftmax(1))


def _residual() -> nn.Module:
    return nn.Sequential(nn.Conv2d(1, 4, 3, 1, 1), nn.BatchNorm2d(4), nn.ReLU(), Block(), nn.AdaptiveAvgPool2d(1),
                         nn.Flatten(), nn.Linear(6, CLASSES))


@lru_cache(maxsize=16)
def script(name: str, fixed: bool = False) -> bytes:
    """What torch's older exporter writes. fixed: for exactly one example, as it does where no axis is said to be dynamic."""
    network, example = _module(name)
    stream = BytesIO()
    axes = {} if fixed else {"dynamic_axes": {"x": {0: "n"}}}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(network, (example[:1] if fixed else example,), stream, dynamo=False, input_names=["x"], **axes)
    return stream.getvalue()


def dynamo(name: str) -> bytes:
    """What torch's newer exporter wrote for a network of script() with random weights of its own, without metadata.

    The files are kept, since that exporter takes seconds: torch.onnx.export(network, (example,), dynamo=True,
    dynamic_shapes=({0: Dim("n")},)).
    """
    return (Path(__file__).parent / f"dynamo_{name}.onnx").read_bytes()


def _module(name: str) -> tuple[nn.Module, Tensor]:
    made: dict[str, Callable[[], nn.Module]] = {
        "mlp": _perceptron, "cnn": _convolutions, "resnet": _residual, "gru": lambda: Steps(nn.GRU, False),
        "lstm": lambda: Steps(nn.LSTM, True), "attention": Attention, "words": Words}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = made[name]()
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d):
                nn.init.uniform_(module.running_mean, -1, 1)
                nn.init.uniform_(module.running_var, 0.5, 2)
        example = torch.randint(0, 20, (2, 7)) if name == "words" else torch.randn(2, *SHAPE)
    return network.eval(), example


def numbers(name: str, *shape: int) -> Any:
    """A constant of random numbers."""
    generator = np.random.default_rng(sum(map(ord, name)))
    return numpy_helper.from_array(generator.normal(size=shape).astype(np.float32) * 0.4, name)


def whole(name: str, *values: int) -> Any:
    """A constant of whole numbers."""
    return numpy_helper.from_array(np.array(values), name)


def made(nodes: list[Any], constants: list[Any], shape: tuple[Any, ...] = ("n", 4), scores: tuple[Any, ...] = ("n", CLASSES),
         inputs: int = 1, opset: int = 17, domain: str = "ai.onnx.ml", output: Any = None) -> bytes:
    """A file of these nodes from `x` (then `x1`, ...) to `scores`."""
    declared = [helper.make_tensor_value_info(f"x{number or ''}", TensorProto.FLOAT, shape) for number in range(inputs)]
    result = output or [helper.make_tensor_value_info("scores", TensorProto.FLOAT, scores)]
    graph = helper.make_graph(nodes, "graph", declared, result, constants)
    versions = [helper.make_opsetid("", opset), helper.make_opsetid(domain, 1)]
    return bytes(helper.make_model(graph, opset_imports=versions, ir_version=8).SerializeToString())


def node(operator: str, inputs: str, output: str, **options: Any) -> Any:
    """An operator; inputs are joined by spaces."""
    return helper.make_node(operator, inputs.split(), output.split(), **options)


def channels_last() -> bytes:
    """A convolution that reads (height, width, channels) with padding on one side, a scale and a shift, and softmax."""
    nodes = [node("Transpose", "x", "t", perm=[0, 3, 1, 2]), node("Conv", "t w", "c", auto_pad="SAME_UPPER", strides=[2, 2]),
             node("Mul", "c s", "m"), node("Add", "m b", "a"), node("Clip", "a low high", "r"),
             node("GlobalAveragePool", "r", "g"), node("Squeeze", "g axes", "q"),
             node("Gemm", "q v d", "z", transB=1, alpha=0.5), node("Softmax", "z", "scores", axis=1)]
    limits = [numpy_helper.from_array(np.float32(limit), name) for name, limit in (("low", 0), ("high", 6))]
    constants = [numbers("w", 4, 1, 3, 3), numbers("s", 4, 1, 1), numbers("b", 1, 4, 1, 1), *limits, whole("axes", 2, 3),
                 numbers("v", CLASSES, 4), numbers("d", CLASSES)]
    return made(nodes, constants, ("n", 8, 8, 1))


def branches() -> bytes:
    """A value that two operators read, joined again; the product and its bias stand in either order."""
    nodes = [node("MatMul", "x w", "m"), node("Add", "b m", "a"), node("Relu", "a", "r"), node("MatMul", "r v", "u"),
             node("Sigmoid", "u", "s"), node("Concat", "s r", "j", axis=1), node("MatMul", "j y", "scores")]
    return made(nodes, [numbers("w", 4, 8), numbers("b", 8), numbers("v", 8, 5), numbers("y", 13, CLASSES)])


def scikit(classes: int) -> bytes:
    """MLPClassifier behind a StandardScaler as skl2onnx writes it, with labels and a map of probabilities."""
    outputs = 1 if classes == 2 else classes
    nodes = [helper.make_node("Scaler", ["x"], ["scaled"], domain="ai.onnx.ml", offset=[0.5] * 4, scale=[2.0] * 4),
             node("Cast", "scaled", "cast", to=1), node("MatMul", "cast w", "m"), node("Add", "m b", "a"),
             node("Tanh", "a", "h"), node("MatMul", "h v", "m2"), node("Add", "m2 d", "z")]
    if classes == 2:
        nodes += [node("Sigmoid", "z", "p"), node("Sub", "one p", "q"), node("Concat", "q p", "probabilities", axis=1)]
    else:
        nodes.append(node("Softmax", "z", "probabilities"))
    names = [f"kind {number}" for number in range(classes)]
    nodes += [helper.make_node("ZipMap", ["probabilities"], ["maps"], domain="ai.onnx.ml", classlabels_strings=names),
              node("ArgMax", "probabilities", "place", axis=1, keepdims=0), node("Cast", "place", "label", to=7)]
    constants = [numbers("w", 4, 6), numbers("b", 1, 6), numbers("v", 6, outputs), numbers("d", 1, outputs),
                 numpy_helper.from_array(np.float32(1), "one")]
    maps = helper.make_sequence_type_proto(helper.make_map_type_proto(
        TensorProto.STRING, helper.make_tensor_type_proto(TensorProto.FLOAT, [])))
    outputs_declared = [helper.make_tensor_value_info("label", TensorProto.INT64, ["n"]),
                        helper.make_value_info("maps", maps)]
    return made(nodes, constants, output=outputs_declared)
