"""Integer products on the CPU against float32: PYTHONPATH=FOLDER python -m tests.benchmarks.integer speed

    speed  LeNet-300-100, batches of 1 and 128: time over that of torch's float32, and accuracy, weights of 8 bits

Ways: ours with the scale of each example (layers/rounded/integer_matmul.py), and the network that quantization with inputs
of 8 bits makes, with ranges measured on calibration; torch's dynamic quantization; ONNX Runtime in float32 and with its
dynamic quantization, where onnxruntime and onnx are installed (in FOLDER: pip install --target FOLDER onnxruntime onnx). All
use one thread.
"""

from __future__ import annotations

import importlib
import importlib.util
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from compress.data import datasets
from compress.data.datasets import Dataset
from compress.data.tensors import on_device
from compress.layers.base import dense_layers
from compress.layers.rounded.integer_matmul import IntegerMatrix, is_fast
from compress.methods.quantize import Quantize
from compress.networks.families import Network
from compress.recipe import Step
from compress.solvers.uniform_grid import fitted
from compress.training.teachers import train_teacher
from tests.benchmarks.report import show
from tests.benchmarks.timing import table, taking_turns

BATCHES = (1, 128)
ROUNDS = 15
EXAMPLES = 4096  # in a round, for each batch size, so that short calls are timed together
Model = Callable[[Tensor], Any]


def speed() -> str:
    """A table with one row for each way."""
    torch.set_num_threads(1)
    data = datasets.load("mnist5k")
    teacher = train_teacher(data, Step("mlp")).network.eval()
    inputs, labels = on_device(data.validation, torch.device("cpu"))
    with tempfile.TemporaryDirectory() as folder, torch.inference_mode():
        models = ways(teacher, data, Path(folder))
        times = {batch: timed(models, inputs[:batch]) for batch in BATCHES}
        right = {name: 100 * float((torch.as_tensor(model(inputs)).argmax(1) == labels).double().mean())
                 for name, model in models.items()}
    reference = {batch: median(times[batch]["torch, float32"]) for batch in BATCHES}
    rows = [[name, *(f"{median(times[batch][name]) / reference[batch]:.2f}" for batch in BATCHES), f"{right[name]:.1f} %"]
            for name in models]
    how = "integers" if is_fast() else "float64 in the place of integers, which this processor or torch lacks"
    return table(["way", *(f"batch {batch}, time over float32's" for batch in BATCHES), "right"], rows) + (
        f"\n\nOurs multiplies {how}.{'' if has_runtime() else ' ONNX Runtime was not installed.'}")


def timed(models: dict[str, Model], batch: Tensor) -> dict[str, list[float]]:
    """Seconds of each round."""
    calls = max(8, EXAMPLES // len(batch) // 4)

    def repeated(model: Model) -> Callable[[int], None]:
        def run(_: int) -> None:
            for _ in range(calls):
                model(batch)
        return run

    for model in models.values():
        repeated(model)(0)
    return taking_turns({name: repeated(model) for name, model in models.items()}, ROUNDS)[0]


def ways(teacher: Network, data: Dataset, folder: Path) -> dict[str, Model]:
    """Name -> logits of a batch."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch announces that this interface will move
        dynamic = torch.ao.quantization.quantize_dynamic(nn.Sequential(*teacher), {nn.Linear}, dtype=torch.qint8)
    calibrated = Quantize(levels=255, per="channel", activations="int8").compress(teacher, data).eval()
    own = {"torch, float32": teacher, "ours, a scale for each example": ours(teacher),
           "ours, ranges from calibration": calibrated,
           "torch, dynamic int8": dynamic}
    return {**own, **(runtime(teacher, folder) if has_runtime() else {})}


def ours(teacher: Network) -> Model:
    """The three layers with weights of 255 levels, a step for each row, and a scale for each example."""
    layers = []
    for layer in dense_layers(teacher).values():
        grid = fitted(layer.weight.detach(), 255)
        layers.append((IntegerMatrix.of(grid, grid.nearest(layer.weight.detach())), layer.bias))

    def logits(batch: Tensor) -> Tensor:
        values = batch.flatten(1)
        for number, (matrix, bias) in enumerate(layers):
            values = matrix.outputs(values.relu_() if number else values, bias)
        return values

    return logits


def has_runtime() -> bool:
    """Whether the peer is installed."""
    return all(importlib.util.find_spec(name) for name in ("onnx", "onnxruntime"))


def runtime(teacher: Network, folder: Path) -> dict[str, Model]:
    """ONNX Runtime with the same graph in float32, and after its dynamic quantization with a scale for each row."""
    onnx, session = importlib.import_module("onnx"), importlib.import_module("onnxruntime")
    quantization = importlib.import_module("onnxruntime.quantization")
    plain, small = folder / "plain.onnx", folder / "small.onnx"
    onnx.save(graph(teacher, onnx), plain)
    quantization.quantize_dynamic(plain, small, per_channel=True, weight_type=quantization.QuantType.QInt8)
    options = session.SessionOptions()
    options.intra_op_num_threads = 1

    def opened(path: Path) -> Model:
        loaded = session.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        return lambda batch: loaded.run(None, {"input": batch.flatten(1).numpy()})[0]

    return {"ONNX Runtime, float32": opened(plain), "ONNX Runtime, dynamic int8": opened(small)}


def graph(teacher: Network, onnx: Any) -> Any:
    """The perceptron as an ONNX model: MatMul, Add and Relu for each layer."""
    nodes, constants, value = [], [], "input"
    layers = list(dense_layers(teacher).values())
    for number, layer in enumerate(layers):
        for name, tensor in (("w", layer.weight.detach().T), ("b", layer.bias.detach())):
            constants.append(onnx.numpy_helper.from_array(np.ascontiguousarray(tensor.numpy()), f"{name}{number}"))
        nodes += [onnx.helper.make_node("MatMul", [value, f"w{number}"], [f"product{number}"]),
                  onnx.helper.make_node("Add", [f"product{number}", f"b{number}"], [f"sum{number}"])]
        value = f"sum{number}"
        if number + 1 < len(layers):
            nodes.append(onnx.helper.make_node("Relu", [value], [f"relu{number}"]))
            value = f"relu{number}"
    ends = [onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [None, size]) for name, size in
            (("input", layers[0].in_features), (value, layers[-1].out_features))]
    made = onnx.helper.make_graph(nodes, "perceptron", ends[:1], ends[1:], constants)
    return onnx.helper.make_model(made, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8)


PARTS = {"speed": speed}

if __name__ == "__main__":
    show(PARTS)
