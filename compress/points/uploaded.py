"""A network in a user's file: what it is, which methods can act on its layers, whether ONNX Runtime agrees, and how it is
kept."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch

from compress.data.datasets import Dataset
from compress.files import disk_quota, kept_networks, network_file
from compress.files.contents import contents_of
from compress.home import cache_folder
from compress.layers.base import is_dense
from compress.layers.titles import layer_title
from compress.networks.evaluation import logits_of
from compress.networks.families import Network
from compress.networks.graph.architecture import LONGEST_NAME, Own
from compress.networks.graph.refused import Refused
from compress.networks.onnx.opening import Opened, opened
from compress.progress import Reporter, no_report
from compress.training import own_network

ROWS = 16  # random examples on which ONNX Runtime is asked
SAME = 1e-3  # of the largest score: a difference up to here is rounding
RUNTIME = "onnxruntime"
MOST_LAYERS = 400  # that a table lists


@dataclass(frozen=True, eq=False)
class Uploaded:
    """A file's network; `differs` is the largest difference from ONNX Runtime's scores on random examples, None where that
    is not installed."""

    file: str
    bytes: int
    found: Opened
    differs: float | None


def opened_file(path: Path, called: str, shape: tuple[int, ...] = (), report: Reporter = no_report) -> Uploaded:
    """The network in an ONNX file.

    Args:
        called: its name for people; shape: of an example, where the file leaves it open.

    Raises:
        ValueError: a file that is missing, damaged, or has something that is not supported, in one sentence.
    """
    contents = contents_of(path)
    report(0.1, "reading the graph")
    try:
        found = opened(contents, called[:LONGEST_NAME], shape)
    except Refused as error:
        raise ValueError(f"{path.name} cannot be opened as a network: {str(error).rstrip('.')}.") from error
    report(0.7, "comparing with ONNX Runtime")
    return Uploaded(path.name, len(contents), found, _difference(contents, found, path.name))


def about(one: Uploaded) -> dict[str, Any]:
    """What is in the file, as plain data: shape, classes, layers and what can be done with each."""
    network, found = one.found.network, one.found
    rows = layer_rows(network)
    return {"file": one.file, "bytes": one.bytes, "producer": found.producer, "shape": list(found.shape),
            "classes": network.architecture.classes, "labels": list(found.classes),
            "parameters": sum(weight.numel() for weight in network.parameters()), "operators": found.operators,
            "layers": rows[:MOST_LAYERS], "compressible": sum(row["parameters"] for row in rows if row["methods"]),
            "largest_difference": one.differs}


def add(one: Uploaded, name: str) -> str:
    """Keeps the network and returns the name under which it is a teacher. Raises ValueError as kept_networks.add(), or where
    the disk's share is used up."""
    disk_quota.check(cache_folder(), "No network is added")
    return kept_networks.add(name, network_file.to_bytes(one.found.network))


def tried_on(one: Uploaded, data: Dataset, device: torch.device | str = "cpu") -> dict[str, Any]:
    """How the network reads the examples of a data set, as plain data. Raises ValueError if it cannot."""
    own = Own(network=one.found.network.architecture.title())
    found = own_network.adopt(one.found.network.to(device), own, data, device=device)
    return {"data": data.name, "notes": list(found.notes),
            "tried": [{"way": way.words(), "accuracy": accuracy} for way, accuracy in found.tried]}


def layer_rows(network: Network) -> list[dict[str, Any]]:
    """One dict for each layer with numbers: layer, parameters, and the methods that can act on it; why none can."""
    rows = []
    for path, module in network.named_modules():
        own = sum(parameter.numel() for parameter in module.parameters(recurse=False))
        if isinstance(module, torch.nn.ParameterDict):
            sizes = ", ".join("×".join(map(str, value.shape)) for value in module.values())
            own = sum(value.numel() for value in module.values())
            why = "positions, scales and tables stay dense"
            rows += [_row(f"{path} · constants {sizes}"[:80], own, "", why)] if own else []
        elif is_dense(module):
            rows.append(_row(layer_title(path, module), own, METHODS, ""))
        elif own:
            rows.append(_row(f"{path} · {type(module).__name__}", own, "", "stays dense"))
    return rows


METHODS = "low_rank, prune, quantize, sparse_code"


def _row(layer: str, parameters: int, methods: str, why: str) -> dict[str, Any]:
    return {"layer": layer, "parameters": parameters, "methods": methods, "why": why}


def _difference(contents: bytes, found: Opened, name: str) -> float | None:
    """The largest difference of any score, or probability, from ONNX Runtime's, divided by the largest score.

    Raises:
        ValueError: ONNX Runtime cannot run the file, or gives other scores.
    """
    if find_spec(RUNTIME) is None:
        return None
    examples = _examples(found)
    theirs = _in_runtime(contents, found, examples, name)
    ours = logits_of(found.network, torch.from_numpy(examples.astype(np.float32)))
    if found.source.has_probabilities:
        theirs = np.exp(theirs) if (theirs < 0).any() else theirs
        ours = ours.softmax(1)
    if found.source.is_one_score and theirs.shape[1] == 1:
        ours = ours[:, 1:]
    difference = float(np.abs(ours.numpy() - theirs).max() / max(1.0, float(np.abs(theirs).max())))
    if not difference <= SAME:
        raise ValueError(f"{name} was not opened: ONNX Runtime computes other scores for the same examples (they differ by "
                         f"{difference:.2g} of the largest). The file uses an operator in a way that is not supported.")
    return difference


def _examples(found: Opened) -> np.ndarray:
    """Random examples (n, *shape); as many as the file was written for, where it was for a fixed number."""
    random = np.random.default_rng(0)
    size = (found.source.examples or ROWS, *found.shape)
    return random.integers(0, 2, size).astype(np.int64) if found.reads_whole else random.normal(size=size).astype(np.float32)


def _in_runtime(contents: bytes, found: Opened, examples: np.ndarray, name: str) -> np.ndarray:
    """The file's own output (n, scores)."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    try:
        session = onnxruntime.InferenceSession(contents, options, providers=["CPUExecutionProvider"])
        kinds = {"tensor(int32)": np.int32, "tensor(double)": np.float64, "tensor(float16)": np.float16,
                 "tensor(uint8)": np.uint8, "tensor(int64)": np.int64}
        kind = kinds.get(session.get_inputs()[0].type, np.float32)
        made = session.run([found.source.output], {found.source.input: examples.astype(kind)})[0]
    except Exception as error:  # of its own classes, with its own words
        raise ValueError(f"{name} was not opened: ONNX Runtime cannot run it. Check the file with onnx.checker.") from error
    rows = [list(row.values()) for row in made] if isinstance(made, list) else made
    return np.asarray(rows, np.float64).reshape(len(examples), -1)
