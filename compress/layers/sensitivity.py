"""Sensitivity of each layer: loss and accuracy of the network with this layer alone compressed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from compress.data.datasets import Dataset, Split
from compress.data.tensors import on_device
from compress.networks.evaluation import chunk_of, device_of, evaluating
from compress.networks.families import Network
from compress.progress import Reporter, no_report

LEVELS = (0.0, 0.25, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99)
EXAMPLES = 512  # of calibration and of validation each: enough for smooth curves


@dataclass(frozen=True, eq=False)
class Sensitivity:
    """Measured with one layer compressed at a time.

    Attributes:
        levels: of compression (sparsities, numbers of levels); at the first of them the network is whole.
        losses: path -> mean cross-entropy on calibration at each level, for the allocation.
        accuracies: path -> accuracy on validation at each level, for the chart.
    """

    levels: tuple[float, ...]
    losses: dict[str, list[float]]
    accuracies: dict[str, list[float]]


def sensitivity(network: Network, data: Dataset, paths: Sequence[str], compressed: Callable[[str, float], Network],
                report: Reporter = no_report, levels: Sequence[float] = LEVELS) -> Sensitivity:
    """Measures every layer at every level.

    Args:
        compressed: (path, level) -> the network with this layer alone compressed. The inputs of the layer are computed once.
    """
    device = device_of(network)
    splits = [_part(split, device) for split in (data.calibration, data.validation)]
    losses: dict[str, list[float]] = {}
    accuracies: dict[str, list[float]] = {}
    untouched = [_scores(network, 0, [inputs], labels) for inputs, labels in splits]
    for number, path in enumerate(paths):
        place = list(dict(network.named_children())).index(path.partition(".")[0])
        with evaluating(network):
            starts = [[network[:place](chunk) for chunk in inputs.split(chunk_of(network))] for inputs, _ in splits]
        losses[path], accuracies[path] = [untouched[0][0]], [untouched[1][1]]
        for step, level in enumerate(levels[1:]):
            report((number + step / len(levels)) / len(paths), f"sensitivity of layer {path}")
            smaller = compressed(path, level)
            measured = [_scores(smaller, place, start, labels)
                        for start, (_, labels) in zip(starts, splits, strict=True)]
            losses[path].append(measured[0][0])
            accuracies[path].append(measured[1][1])
    return Sensitivity(tuple(levels), losses, accuracies)


def _part(split: Split, device: torch.device) -> tuple[Tensor, Tensor]:
    inputs, labels = on_device(split, device)
    return inputs[:EXAMPLES], labels[:EXAMPLES]


def _scores(network: Network, place: int, starts: list[Tensor], labels: Tensor) -> tuple[float, float]:
    """(mean cross-entropy, accuracy) of the modules from `place` on, given the outputs of those before."""
    with evaluating(network):
        logits = torch.cat([network[place:](start) for start in starts])
    return (float(nn.functional.cross_entropy(logits.double(), labels)),
            float((logits.argmax(1) == labels).double().mean()))
