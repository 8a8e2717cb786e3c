"""A network as an ONNX file, and how far ONNX Runtime agrees with it on real examples.

The packages for it are an optional extra: without them, the error says which line installs them.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from compress.data.datasets import Dataset
from compress.files.made_for import MadeFor
from compress.layers.base import Compressed, is_dense, place_of
from compress.layers.plain_form import plain_form
from compress.networks.evaluation import evaluating, logits_of
from compress.networks.families import Network
from compress.networks.graph.reading import Reading
from compress.points import onnx_packages
from compress.points.latency import latency_ratio
from compress.points.onnx_graph import modules
from compress.points.onnx_graph.builder import OPSET, Graph, Node, model
from compress.points.onnx_graph.matrices import Unwritten

BATCH = 128
_LOGGER = "torch.onnx"


@dataclass(frozen=True)
class Agreement:
    """ONNX Runtime against torch on a data set's validation examples as they come, before normalising.

    Attributes:
        examples: how many; agreement: the share that both give the same class.
        largest_difference: of any two logits.
        latency: time of ONNX Runtime divided by torch's, one thread each, for a batch of at most BATCH examples;
            latency_low, latency_high: its 95 % interval.
    """

    examples: int
    agreement: float
    largest_difference: float
    latency: float
    latency_low: float
    latency_high: float


class WithNormaliser(nn.Module):
    """A network that reads examples as they come: the normaliser of its data stands before its first layer."""

    mean: Tensor
    standard_deviation: Tensor

    def __init__(self, network: nn.Module, described: MadeFor) -> None:
        super().__init__()
        self.network = network
        for name in ("mean", "standard_deviation"):
            self.register_buffer(name, torch.tensor(getattr(described.normaliser, name), dtype=torch.float32))

    def forward(self, examples: Tensor) -> Tensor:
        return self.network((examples - self.mean) / self.standard_deviation)


def to_onnx(network: Network, described: MadeFor) -> bytes:
    """The contents of an ONNX file with one input, `examples` (n, *shape) float32, not normalised, and one output, `logits`
    (n, classes). Names of classes and data stand in its metadata.

    Compressed layers keep their numbers: levels of 4, 8 or 16 bits, places of non-zeros, factors, atoms and indices. A
    network with a module that onnx_graph/ does not know is left to torch's exporter, with dense layers.

    Raises:
        ValueError: a package is missing, or a part of the network has no counterpart in ONNX.
    """
    require_packages()
    network = network.cpu().eval()
    try:
        return written(network, described)
    except Unwritten as reason:
        return exported(network, described, str(reason))


def written(network: Network, described: MadeFor) -> bytes:
    """The file module by module. Raises Unwritten for a module that is not known."""
    graph = Graph(shape=described.shape, has_rows=not any(map(_makes_rows_of_vectors, network.modules())))
    value = "examples"
    for operator, name in (("Sub", "mean"), ("Div", "standard_deviation")):
        numbers = np.asarray(getattr(described.normaliser, name), dtype=np.float32)
        value = graph.add(operator, value, graph.constant(numbers, name))
    with torch.no_grad():
        value = modules.written(graph, network, value)
    graph.nodes.append(Node("Identity", (value,), ("logits",), {}))
    return model(graph, ("examples", described.shape), ("logits", len(described.classes)), _words(described))


def _makes_rows_of_vectors(module: nn.Module) -> bool:
    """Whether values behind a module may have more axes than (n, features): an uploaded graph, or a table of tokens."""
    is_layer = is_dense(module) or isinstance(module, Compressed)
    place = place_of(module) if is_layer else {}
    return isinstance(module, Reading) or (place.get("type") == "Embedding" and not place["mean"])


def exported(network: Network, described: MadeFor, reason: str) -> bytes:
    """The file by torch's exporter, with dense layers. Raises ValueError where that cannot write it either.

    Args:
        reason: what the network has that has no writer here.
    """
    whole = WithNormaliser(plain_form(network), described).eval()
    example = torch.zeros(2, *described.shape)
    with _quiet(), evaluating(whole):
        try:
            program = torch.onnx.export(whole, (example,), dynamo=True, opset_version=OPSET, verbose=False,
                                        input_names=["examples"], output_names=["logits"],
                                        dynamic_shapes=({0: torch.export.Dim("n")},))
        except torch.onnx.OnnxExporterError as error:
            raise ValueError(f"ONNX has no operators for {reason}, which this network has. Export a network of "
                             "another method, or of other settings.") from error
    if program is None:
        raise RuntimeError("torch's exporter returned nothing, although it was asked for a program.")
    made = program.model_proto
    for key, value in _words(described).items():
        made.metadata_props.add(key=key, value=value)
    contents: bytes = made.SerializeToString()
    return contents


def _words(described: MadeFor) -> dict[str, str]:
    return {"classes": "\n".join(described.classes), "data": described.data, "made_by": "Compression Explorer"}


def agreement(contents: bytes, network: Network, described: MadeFor, data: Dataset) -> Agreement:
    """Runs an ONNX file and the network it was made of on the validation examples.

    Args:
        contents: of the ONNX file; network: on the CPU; described: what it was made for; data: of the same shape.
    """
    require_packages()
    session = session_of(contents)
    examples = data.normaliser.undo(data.validation.inputs).astype(np.float32)
    ours = logits_of(network, torch.from_numpy(described.normaliser.apply(examples))).numpy()
    theirs = session.run(None, {"examples": examples})[0]
    same = float((ours.argmax(1) == theirs.argmax(1)).mean())
    ratio = latency_ratio(_InRuntime(session), WithNormaliser(network, described), torch.from_numpy(examples[:BATCH]))
    return Agreement(len(ours), same, float(np.abs(ours - theirs).max()), *ratio)


def require_packages() -> None:
    """Raises ValueError with the line that installs what is missing."""
    if sentence := onnx_packages.missing():
        raise ValueError(sentence)


def session_of(contents: bytes) -> Any:
    """An ONNX file in ONNX Runtime, with one thread."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(contents, options, providers=["CPUExecutionProvider"])


class _InRuntime(nn.Module):
    """An ONNX file in ONNX Runtime, in the form in which latencies are compared."""

    def __init__(self, session: Any) -> None:
        super().__init__()
        self.session = session

    def forward(self, examples: Tensor) -> Tensor:
        return torch.from_numpy(self.session.run(None, {"examples": examples.numpy()})[0])


@contextmanager
def _quiet() -> Iterator[None]:
    """Without torch's remarks about packages that exports do not need."""
    logger = logging.getLogger(_LOGGER)
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
