"""The measurements of a network: a Point, measured on the network that was read back from its file."""

from __future__ import annotations

import builtins
import dataclasses
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from compress.data.datasets import Dataset, Split
from compress.data.tensors import on_device
from compress.files import container, network_file
from compress.files.artefacts import Files, digest_of
from compress.files.made_for import MadeFor
from compress.files.waterfall import waterfall
from compress.layers import base
from compress.memory import give_back_of
from compress.method import Candidate
from compress.networks.evaluation import device_of, logits_of
from compress.networks.families import Network
from compress.points import predicted as predicted_classes
from compress.points.latency import latency_ratio
from compress.points.statistics import wilson
from compress.stored import PLAIN

BINS = 15
PREDICTED = np.dtype("<u2")  # of the number of a predicted class
Timing = tuple[float | None, float | None, float | None]


@dataclass(frozen=True)
class Point:
    """All measurements of a network on the validation split, as plain data.

    Attributes:
        accuracy, agreement (with the reference), expected_calibration_error: shares.
        negative_log_likelihood: nats for each example.
        bytes: length of the file; digest: of the file's contents, which identifies the file.
        macs: multiply-accumulates for each example.
        latency: ratio of the times of network and teacher; None if it was not measured.
        decode_seconds: time of reading the file, once, until its tensors are in memory; None if it was not measured.
        predictions: one class for each example, as bytes (uint16, little-endian), for paired tests.
    """

    recipe: str
    dial: Any
    accuracy: float
    accuracy_low: float
    accuracy_high: float
    correct: int
    examples: int
    agreement: float
    negative_log_likelihood: float
    expected_calibration_error: float
    bytes: int
    parameters: int
    nonzeros: int
    macs: int
    latency: float | None
    latency_low: float | None
    latency_high: float | None
    seed: int
    digest: str
    notes: tuple[str, ...] = ()
    inside: dict[str, Any] = field(default_factory=dict)
    predictions: builtins.bytes = b""
    decode_seconds: float | None = field(default=None, compare=False)

    def plain(self) -> dict[str, Any]:
        """JSON-able, without the predictions."""
        plain = dataclasses.asdict(self)
        del plain["predictions"]
        return plain


@dataclass(frozen=True, eq=False)
class Reference:
    """The network that points are compared with: the teacher, or for compressed data the classifier of the raw data."""

    network: Network
    predictions: Tensor

    @classmethod
    def of(cls, network: Network, data: Dataset) -> Reference:
        """Runs the network over validation once."""
        inputs, _ = on_device(data.validation, device_of(network))
        return cls(network, logits_of(network, inputs).argmax(1))


def measure(candidate: Candidate, data: Dataset, reference: Reference, files: Files, recipe: str = "",
            seed: int = 0, latency: bool | Timing = True) -> Point:
    """Stores the candidate's file, reads the network back from its bytes, and measures it on the validation split.

    If the file holds compressed data, the network trained on them is written to bytes and read back too.

    Args:
        files: the store of files; the length of the file is the size of the point, its digest that of the point.
        latency: whether to measure latency, which takes about a sixth of a second; or the latency of a network with the
            same layers.
    """
    is_network = candidate.contents is None
    stored = candidate.method.stored if is_network else PLAIN
    own = network_file.to_bytes(candidate.network, MadeFor.of(data), stored)
    contents = candidate.contents or own
    begin = time.perf_counter()
    network = network_file.from_bytes(own)
    if not is_network:
        begin = time.perf_counter()
        container.unpack(contents)
    seconds = time.perf_counter() - begin
    network = network.to(device_of(candidate.network))
    logits = candidate.logits if same_tensors(network, candidate.network) else None
    point = measured(network, contents, data, reference, recipe, seed, latency, logits)
    del network, logits  # the waterfall reads the file once more
    bytes_before = 4 * sum(parameter.numel() for parameter in reference.network.parameters())
    give_back_of(bytes_before)
    fall = waterfall(contents, bytes_before if is_network else None, network_file.hints(candidate.network))
    return dataclasses.replace(point, dial=candidate.value, digest=files.put(contents), notes=candidate.notes,
                               inside={**candidate.inside, "waterfall": fall}, decode_seconds=seconds)


def measured(network: Network, contents: bytes, data: Dataset, reference: Reference, recipe: str = "", seed: int = 0,
             latency: bool | Timing = False, logits: Tensor | None = None) -> Point:
    """All measurements of a network on the validation split.

    Args:
        contents: of the file; latency: as for measure().
        logits: the network's outputs on validation (n, classes), if they are known already.
    """
    inputs, labels = on_device(data.validation, device_of(network))
    logits = logits_of(network, inputs) if logits is None else logits
    times: Timing = latency if isinstance(latency, tuple) else (None, None, None)
    if latency is True:
        times = latency_ratio(network, reference.network, inputs[:128])
    return Point(
        recipe=recipe, dial=None, **scores(logits, labels, reference.predictions), bytes=len(contents),
        **counts(network, inputs[:1]), latency=times[0], latency_low=times[1], latency_high=times[2],
        seed=seed, digest=digest_of(contents))


def same_tensors(one: Network, other: Network) -> bool:
    """Whether two networks have equal weights, bit for bit, and therefore equal outputs."""
    ours, theirs = one.state_dict(), other.state_dict()
    return ours.keys() == theirs.keys() and all(torch.equal(tensor, theirs[name]) for name, tensor in ours.items())


def evaluate(network: Network, split: Split, reference: Network | None = None) -> dict[str, Any]:
    """The accuracy measurements of a Point on any split; agreement is None without a reference."""
    inputs, labels = on_device(split, device_of(network))
    predictions = None if reference is None else logits_of(reference, inputs).argmax(1)
    return scores(logits_of(network, inputs), labels, predictions)


def recalls(predictions: builtins.bytes, split: Split, classes: Sequence[str]) -> list[dict[str, Any]]:
    """For each class of a split its name, its number of examples, and the share of these that is predicted right, with its
    95 % interval (Wilson 1927); None where the split has no example of the class.

    Args:
        predictions: as scores() has them.
    """
    return predicted_classes.recalls(np.frombuffer(predictions, PREDICTED).tolist(), split.labels.tolist(), classes)


def scores(logits: Tensor, labels: Tensor, reference: Tensor | None) -> dict[str, Any]:
    """Accuracy with its Wilson interval, agreement, likelihood, calibration, predictions.

    Args:
        logits: (n, classes); labels: (n,); reference: (n,) predicted classes to agree with, or None.

    Raises:
        ValueError: some logits are NaN or infinite; the highest of them is no prediction.
    """
    _require_finite(logits)
    predicted = logits.argmax(1)
    correct, total = int((predicted == labels).sum()), len(labels)
    low, high = wilson(correct, total)
    return {
        "accuracy": correct / total, "accuracy_low": low, "accuracy_high": high, "correct": correct,
        "examples": total, "agreement": None if reference is None else int((predicted == reference).sum()) / total,
        "negative_log_likelihood": float(torch.nn.functional.cross_entropy(logits.double(), labels)),
        "expected_calibration_error": calibration_error(logits, labels),
        "predictions": predicted.cpu().numpy().astype(PREDICTED).tobytes(),
    }


def _require_finite(logits: Tensor) -> None:
    failed = int((~logits.isfinite()).any(1).sum())
    if failed:
        raise ValueError(f"The network's outputs are NaN or infinite for {failed} of {len(logits)} examples, so that it has "
                         "no accuracy: its training diverged, or its weights are too large. Train it again with a lower "
                         "learning rate, or choose another network.")


def calibration_error(logits: Tensor, labels: Tensor) -> float:
    """Expected calibration error over 15 equal bins of confidence (Naeini, Cooper & Hauskrecht 2015): the mean gap
    between how sure the network is and how often it is right. Raises ValueError where logits are NaN or infinite."""
    _require_finite(logits)
    confidence, predicted = logits.double().softmax(1).max(1)
    right = (predicted == labels).double()
    bins = (confidence * BINS).long().clamp_max(BINS - 1)
    gaps = torch.zeros(BINS, dtype=torch.float64, device=logits.device).index_add(0, bins, confidence - right)
    return float(gaps.abs().sum() / len(labels))


def counts(network: Network, example: Tensor) -> dict[str, Any]:
    """The numbers of parameters, of non-zero parameters, and of multiply-accumulates for one example (1, *shape)."""
    return {"parameters": sum(parameter.numel() for parameter in network.parameters()),
            "nonzeros": network_file.nonzeros(network), "macs": base.macs(network, example)}
