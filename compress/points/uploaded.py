"""A network in a user's file: what it is, which methods can act on its layers, whether ONNX Runtime agrees, and how it is
kept."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch

from compress import memory
from compress.data.datasets import Dataset
from compress.files import disk_quota, kept_networks, network_file
from compress.files.contents import mapped
from compress.home import cache_folder
from compress.layers.base import is_dense
from compress.layers.titles import layer_title
from compress.networks.embedding import Embedding
from compress.networks.evaluation import logits_of
from compress.networks.families import Network
from compress.networks.graph.architecture import LONGEST_NAME, Own
from compress.networks.graph.refused import Refused
from compress.networks.onnx.evaluation import FAULTS
from compress.networks.onnx.opening import Opened, opened
from compress.points import state_dict
from compress.points.saved_models import of_timm, of_transformers
from compress.progress import Reporter, no_report
from compress.training import own_network

ROWS, ROWS_OF_LARGE, AT_ONCE = 16, 4, 2  # random examples on which ONNX Runtime is asked, and how many at a time
LARGE = 5_000_000  # parameters of a large network
SAME = 1e-3  # of the largest score: a difference up to here is rounding
RUNTIME = "onnxruntime"
PACKAGES = {"transformers": of_transformers, "timm": of_timm}
MOST_LAYERS = 400  # that a table lists


@dataclass(frozen=True, eq=False)
class Uploaded:
    """A file's network.

    Attributes:
        path: of the file that this program wrote of it, from which it is read again: it is not in memory meanwhile.
        about: what is in the user's file, as plain data: shape, classes, layers and what can be done with each.
    """

    path: Path
    about: dict[str, Any]


def opened_file(path: Path, called: str, shape: tuple[int, ...] = (), report: Reporter = no_report) -> Uploaded:
    """The network in an ONNX file, read once and written as a file of this program, of which kept_networks has the care.

    Args:
        called: its name for people; shape: of an example, where the file leaves it open.

    Raises:
        ValueError: a file that is missing, damaged, or has something that is not supported, in one sentence; a home folder
            that cannot be written, or whose share of the disk is used up.
        Cancelled: through `report`.
    """
    disk_quota.check(cache_folder(), "No network is opened")
    report(0.0, "reading the graph")
    contents = mapped(path)

    def after(share: float) -> None:
        contents.give_back()
        report(0.4 * share, "making layers")

    try:
        found = opened(contents.view, called[:LONGEST_NAME], shape, after)
    except Refused as error:
        raise ValueError(f"{path.name} cannot be opened as a network: {str(error).rstrip('.')}.") from error
    contents.give_back()
    about = _about(path.name, len(contents.view), found)
    examples = _examples(path.name, found)
    report(0.4, "writing its own file")
    kept = kept_networks.opened(lambda place: network_file.write_plain(found.network, place))
    try:
        if find_spec(RUNTIME) is not None:
            about["largest_difference"] = _difference(path, found, examples, report.part(0.45, 1.0))
        else:
            _scores(path.name, found, examples[0])
    except BaseException:
        kept.unlink(missing_ok=True)
        raise
    return Uploaded(kept, about)


def opened_model(name: str, package: str, called: str, shape: tuple[int, ...] = (),
                 report: Reporter = no_report) -> Uploaded:
    """A classifier of a package of networks: it is exported as an ONNX file, which is opened.

    Args:
        name: of its folder, or of a model in the package's cache; package: one of PACKAGES; shape: of an example, () for the
            model's own.

    Raises:
        ValueError: as the package's write(), or as opened_file().
        Cancelled: through `report`.
    """
    report(0.0, "exporting the model as an ONNX file")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{Path(name).name}.onnx"
        PACKAGES[package].write(name, path, shape)
        return opened_file(path, called, report=report.part(0.3, 1.0))


def opened_state_dict(path: Path, called: str, family: str, data: Dataset) -> Uploaded:
    """The network whose state_dict is in a safetensors file, as opened_file().

    Args:
        family: of networks of this program, with settings, "" for the one that the sizes of the tensors tell; data: whose
            shape and classes the network has.

    Raises:
        ValueError: as state_dict.network_of(), or as opened_file() about the home folder.
    """
    disk_quota.check(cache_folder(), "No network is opened")
    network, notes = state_dict.network_of(path, family, data, called)
    about = _facts(path.name, path.stat().st_size, network, f"torch, as {family}" if family else "torch")
    kept = kept_networks.opened(lambda place: network_file.write_plain(network, place))
    return Uploaded(kept, {**about, "notes": list(notes)})


def _about(file: str, size: int, found: Opened) -> dict[str, Any]:
    """What is in the user's file, before it was compared with ONNX Runtime."""
    return {**_facts(file, size, found.network, found.producer), "labels": list(found.classes),
            "operators": found.operators}


def _facts(file: str, size: int, network: Network, producer: str) -> dict[str, Any]:
    rows = layer_rows(network)
    return {"file": file, "bytes": size, "producer": producer, "shape": list(network.architecture.shape),
            "classes": network.architecture.classes, "labels": [], "operators": {}, "notes": [],
            "parameters": sum(weight.numel() for weight in network.parameters()), "largest_difference": None,
            "layers": rows[:MOST_LAYERS], "compressible": sum(row["parameters"] for row in rows if row["methods"])}


def tried_on(path: Path, data: Dataset, device: torch.device | str = "cpu",
             report: Reporter = no_report) -> dict[str, Any]:
    """How the network in a file of this program reads the examples of a data set, as plain data. Raises ValueError if it
    cannot, Cancelled through `report`."""
    network = network_file.read(path)
    found = own_network.adopt(network.to(device), Own(network=network.architecture.title()), data, report, device)
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
            why = "positions, scales and other constants stay dense"
            rows += [_row(f"{path} · constants {sizes}"[:80], own, "", why)] if own else []
        elif is_dense(module):
            rows.append(_row(layer_title(path, module), own, METHODS, ""))
        elif own:
            rows.append(_row(f"{path} · {type(module).__name__}", own, "", "stays dense"))
    return rows


METHODS = "low_rank, prune, quantize, sparse_code"


def _row(layer: str, parameters: int, methods: str, why: str) -> dict[str, Any]:
    return {"layer": layer, "parameters": parameters, "methods": methods, "why": why}


def _difference(path: Path, found: Opened, examples: list[np.ndarray], report: Reporter) -> float:
    """The largest difference of any score, or probability, from ONNX Runtime's on examples, over the largest score. Our
    network's weights are taken out of it before ONNX Runtime has its own in memory.

    Raises:
        ValueError: ONNX Runtime cannot run the file, or gives other scores.
        Cancelled: through `report`.
    """
    ours = []
    for number, some in enumerate(examples):
        report(0.5 * number / len(examples), "computing scores")
        ours.append(_as_in_file(_scores(path.name, found, some), found))
    found.network.to("meta")
    memory.give_back()
    report(0.5, "loading the file in ONNX Runtime")
    scores = _runtime(path, found)
    difference, largest = 0.0, 1.0
    for number, (some, own) in enumerate(zip(examples, ours, strict=True)):
        report(0.5 + 0.5 * (number + 1) / (len(examples) + 1), "comparing scores with ONNX Runtime's")
        theirs = scores(some)
        theirs = np.exp(theirs) if found.source.has_probabilities and (theirs < 0).any() else theirs
        own = own[:, 1:] if found.source.is_one_score and theirs.shape[1] == 1 else own
        difference = float(np.fmax(difference, np.nan_to_num(np.abs(own - theirs), nan=np.inf).max()))
        largest = max(largest, float(np.abs(theirs).max()))
    if not difference / largest <= SAME:
        raise ValueError(f"{path.name} was not opened: ONNX Runtime computes other scores for the same examples (they "
                         f"differ by {difference / largest:.2g} of the largest). The file uses an operator in a way that is "
                         "not supported.")
    return difference / largest


def _as_in_file(scores: torch.Tensor, found: Opened) -> np.ndarray:
    return (scores.softmax(1) if found.source.has_probabilities else scores).numpy()


def _scores(file: str, found: Opened, examples: np.ndarray) -> torch.Tensor:
    """Raises ValueError for operators that fit each other's shapes, but not each other's numbers."""
    try:
        return logits_of(found.network, torch.from_numpy(examples.astype(np.float32)))
    except FAULTS as error:
        raise ValueError(f"{file} cannot be opened as a network: its operators cannot compute the scores of an example. "
                         "Check the file with onnx.checker.") from error


def _examples(file: str, found: Opened) -> list[np.ndarray]:
    """Random examples (n, *shape), a few at a time so that a large network's values between its layers take little memory:
    as many as the file was written for, where it was for a fixed number. Whole numbers are ids of its own vocabulary.

    Raises:
        ValueError: the network cannot compute the scores of such an example.
    """
    random = np.random.default_rng(0)
    size = (found.source.examples or AT_ONCE, *found.shape)
    is_large = sum(weight.numel() for weight in found.network.parameters()) > LARGE
    times = 1 if found.source.examples else (ROWS_OF_LARGE if is_large else ROWS) // AT_ONCE
    if not found.reads_whole:
        return [random.normal(size=size).astype(np.float32) for _ in range(times)]
    words = _vocabulary(file, found, random.integers(0, 2, size))
    return [random.integers(0, words, size) for _ in range(times)]


def _vocabulary(file: str, found: Opened, ids: np.ndarray) -> int:
    """The numbers of the smallest table that reads the ids themselves; 2 where there is none."""
    read: dict[Embedding, np.ndarray] = {}
    tables = [one for one in found.network.modules() if isinstance(one, Embedding)]
    hooks = [one.register_forward_pre_hook(lambda table, given: read.update({table: given[0].numpy()})) for one in tables]
    _scores(file, found, ids)
    for hook in hooks:
        hook.remove()
    return min((table.in_features for table, given in read.items() if np.array_equal(given, ids)), default=2)


def _runtime(path: Path, found: Opened) -> Callable[[np.ndarray], np.ndarray]:
    """The file's own output (n, scores) for examples."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    options.enable_cpu_mem_arena = False  # which keeps what it has taken
    kinds = {"tensor(int32)": np.int32, "tensor(double)": np.float64, "tensor(float16)": np.float16,
             "tensor(uint8)": np.uint8, "tensor(int64)": np.int64}

    def scores(examples: np.ndarray) -> np.ndarray:
        """Examples (n, *shape) -> their scores (n, count), float64. Raises ValueError where ONNX Runtime cannot run them."""
        kind = kinds.get(session.get_inputs()[0].type, np.float32)
        try:
            made = session.run([found.source.output], {found.source.input: examples.astype(kind)})[0]
            rows = [list(row.values()) for row in made] if isinstance(made, list) else made
            return np.asarray(rows, np.float64).reshape(len(examples), -1)
        except Exception as error:
            raise cannot from error

    cannot = ValueError(f"{path.name} was not opened: ONNX Runtime cannot run it. Check the file with onnx.checker.")
    try:
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # of its own classes, with its own words
        raise cannot from error
    return scores
