"""What is measured of a network: a Point, from its own file."""

from __future__ import annotations

import builtins
import dataclasses
import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from compress.data.datasets import Dataset, Split
from compress.data.tensors import on_device
from compress.files import network_file
from compress.layers import base
from compress.method import Candidate
from compress.networks.evaluation import device_of, logits_of
from compress.networks.families import Network
from compress.points.latency import latency_ratio
from compress.points.statistics import wilson

BINS = 15
Timing = tuple[float | None, float | None, float | None]


@dataclass(frozen=True)
class Point:
    """Everything measured of one network on the validation split; plain data.

    accuracy, agreement (with the reference), expected_calibration_error: shares; negative_log_likelihood: nats an
    example; bytes: length of the file; macs: multiply-accumulates an example; latency: time over the teacher's, None
    where it was not measured. predictions: one class an example, as bytes (uint16, little-endian), for paired tests.
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
    file: str
    digest: str
    notes: tuple[str, ...] = ()
    inside: dict[str, Any] = field(default_factory=dict)
    predictions: builtins.bytes = b""

    def plain(self) -> dict[str, Any]:
        """JSON-able, without the predictions."""
        plain = dataclasses.asdict(self)
        del plain["predictions"]
        return plain


@dataclass(frozen=True, eq=False)
class Reference:
    """What points are compared with: the teacher (or, for compressed data, the same classifier on the raw data)."""

    network: Network
    predictions: Tensor

    @classmethod
    def of(cls, network: Network, data: Dataset) -> Reference:
        """Runs the network over validation once."""
        inputs, _ = on_device(data.validation, device_of(network))
        return cls(network, logits_of(network, inputs).argmax(1))


def measure(candidate: Candidate, data: Dataset, reference: Reference, path: Path | str, recipe: str = "",
            seed: int = 0, latency: bool | Timing = True) -> Point:
    """Writes the candidate's file and measures it on the validation split.

    Args:
        path: where the file is written; its length is the point's size.
        latency: whether to time it against the reference, which takes about a sixth of a second; or what was timed of a
            network of the same layers.
    """
    contents = candidate.contents if candidate.contents is not None else network_file.to_bytes(candidate.network)
    size = network_file.write_bytes(contents, path)
    device = device_of(candidate.network)
    inputs, labels = on_device(data.validation, device)
    logits = logits_of(candidate.network, inputs) if candidate.logits is None else candidate.logits
    times: Timing = latency if isinstance(latency, tuple) else (None, None, None)
    if latency is True:
        times = latency_ratio(candidate.network, reference.network, inputs[:128])
    return Point(
        recipe=recipe, dial=candidate.value, **scores(logits, labels, reference.predictions), bytes=size,
        **counts(candidate.network, inputs[:1]), latency=times[0], latency_low=times[1], latency_high=times[2],
        seed=seed, file=str(path), digest=hashlib.sha256(contents).hexdigest()[:16], notes=candidate.notes,
        inside=candidate.inside)


def evaluate(network: Network, split: Split, reference: Network | None = None) -> dict[str, Any]:
    """The accuracy part of a Point on any split, with agreement None where no reference is given."""
    inputs, labels = on_device(split, device_of(network))
    predictions = None if reference is None else logits_of(reference, inputs).argmax(1)
    return scores(logits_of(network, inputs), labels, predictions)


def scores(logits: Tensor, labels: Tensor, reference: Tensor | None) -> dict[str, Any]:
    """Accuracy with its Wilson interval, agreement, likelihood, calibration, predictions.

    Args:
        logits: (n, classes); labels: (n,); reference: (n,) predicted classes to agree with, or None.
    """
    predicted = logits.argmax(1)
    correct, total = int((predicted == labels).sum()), len(labels)
    low, high = wilson(correct, total)
    return {
        "accuracy": correct / total, "accuracy_low": low, "accuracy_high": high, "correct": correct,
        "examples": total, "agreement": None if reference is None else int((predicted == reference).sum()) / total,
        "negative_log_likelihood": float(torch.nn.functional.cross_entropy(logits.double(), labels)),
        "expected_calibration_error": calibration_error(logits, labels),
        "predictions": predicted.cpu().numpy().astype(np.dtype("<u2")).tobytes(),
    }


def calibration_error(logits: Tensor, labels: Tensor) -> float:
    """Expected calibration error over 15 equal bins of confidence (Naeini, Cooper & Hauskrecht 2015): the mean gap
    between how sure the network is and how often it is right."""
    confidence, predicted = logits.double().softmax(1).max(1)
    right = (predicted == labels).double()
    bins = (confidence * BINS).long().clamp_max(BINS - 1)
    gaps = torch.zeros(BINS, dtype=torch.float64, device=logits.device).index_add(0, bins, confidence - right)
    return float(gaps.abs().sum() / len(labels))


def counts(network: Network, example: Tensor) -> dict[str, Any]:
    """Parameters, those that are not zero, and multiply-accumulates for one example (1, *shape)."""
    return {"parameters": sum(parameter.numel() for parameter in network.parameters()),
            "nonzeros": network_file.nonzeros(network), "macs": base.macs(network, example)}
