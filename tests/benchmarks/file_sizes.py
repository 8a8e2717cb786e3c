"""How small entropy-coded files are: python -m tests.benchmarks.file_sizes PART

    lenet   LeNet-300-100 without training and behind pruning: times smaller, and points of accuracy lost, over seeds
    packed  what xz -9e still takes off coded files of all methods

Sizes are of files; the teacher's is dense float32, not coded. What is measured is what was read from the file.
"""

from __future__ import annotations

import lzma
from dataclasses import dataclass
from functools import lru_cache

import torch

from compress.data import datasets
from compress.data.datasets import Dataset
from compress.data.tensors import on_device
from compress.files import network_file
from compress.files.made_for import MadeFor
from compress.method import Method
from compress.methods.distill import Distill
from compress.methods.low_rank import LowRank
from compress.methods.prune import Prune
from compress.methods.quantize import Quantize
from compress.methods.sparse_code import SparseCode
from compress.networks.evaluation import logits_of
from compress.networks.families import Network
from compress.points.statistics import mean_interval
from compress.recipe import Step
from compress.stored import PLAIN, Stored
from compress.training.teachers import train_teacher
from tests.benchmarks.report import show
from tests.benchmarks.timing import table

SEEDS = range(3)
CODED = Stored(coding="entropy")
RETRAINED = {"schedule": "gradual", "recovery_epochs": 10, "recovery_rate": 0.002}
WORTH = 20_000  # bytes of a file from which on it is asked what xz takes off


@dataclass(frozen=True)
class Row:
    """Methods, one on the result of the other; the bars."""

    title: str
    chain: tuple[Method, ...]
    smaller: str
    lost: str


ROWS = (
    Row("LeNet-300-100, GPTQ to 5 levels", (Quantize(levels=5),), "30, ambition 40", "0.6"),
    Row("the same, rounded to nearest", (Quantize(levels=5, scheme="nearest"),), "", ""),
    Row("LeNet-300-100, 95 % pruned with training, codebook of 8",
        (Prune(sparsity=0.95, **RETRAINED), Quantize(levels=8, scheme="codebook")), "40, ambition 60", "0.5"),
    Row("LeNet-300-100, 95 % pruned with training, GPTQ to 7 levels",
        (Prune(sparsity=0.95, **RETRAINED), Quantize(levels=7)), "40, ambition 60", "0.5"),
)


def lenet() -> str:
    """One line for each row."""
    data = datasets.load("mnist5k")
    return table(["network and methods", "times smaller", "bar", "points lost, mean (95 %)", "bar"],
                 [[row.title, *measured(row, data)] for row in ROWS])


def measured(row: Row, data: Dataset) -> list[str]:
    """Times smaller, its bar, points lost, its bar."""
    ratios, losses = [], []
    for seed in SEEDS:
        teacher = teacher_of(seed)
        network = teacher
        for method in row.chain:
            network = method.compress(network, data, seed=seed)
        contents = in_file(network, data)
        ratios.append(len(in_file(teacher, data, PLAIN)) / len(contents))
        losses.append(100 * (accuracy(teacher, data) - accuracy(network_file.from_bytes(contents), data)))
    middle, low, high = mean_interval(losses)
    return [f"{sum(ratios) / len(ratios):.1f}", row.smaller, f"{middle:+.2f} ({low:+.2f} to {high:+.2f})", row.lost]


def packed() -> str:
    """The share of each coded file of more than 20 kB that xz -9e takes off, and off the file that is not coded."""
    data = datasets.load("mnist5k")
    teacher, rows = teacher_of(0), []
    for method in (Quantize(levels=5), Quantize(levels=16), Quantize(levels=255, per="channel"), Prune(sparsity=0.9),
                   Prune(sparsity=0.5), LowRank(), Distill(epochs=2), SparseCode()):
        network = method.compress(teacher, data)
        coded, plain = in_file(network, data), in_file(network, data, PLAIN)
        shares = [1 - len(lzma.compress(contents, preset=9 | lzma.PRESET_EXTREME)) / len(contents)
                  for contents in (plain, coded)]
        rows.append([method.title, f"{method.dial} {getattr(method, method.dial)}", f"{len(plain):,}", f"{shares[0]:.1%}",
                     f"{len(coded):,}", f"{shares[1]:.1%}" if len(coded) > WORTH else "(small)"])
    return table(["method", "dial", "bytes, not coded", "xz takes", "bytes, coded", "xz takes (bar: 3 %)"], rows)


@lru_cache
def teacher_of(seed: int) -> Network:
    """LeNet-300-100 in the program's default training, trained once for all rows."""
    return train_teacher(datasets.load("mnist5k"), Step("mlp"), seed).network


def in_file(network: Network, data: Dataset, stored: Stored = CODED) -> bytes:
    """The network's file."""
    return network_file.to_bytes(network, MadeFor.of(data), stored)


def accuracy(network: Network, data: Dataset) -> float:
    """Share right on validation."""
    inputs, labels = on_device(data.validation, torch.device("cpu"))
    return float((logits_of(network, inputs).argmax(1) == labels).double().mean())


PARTS = {"lenet": lenet, "packed": packed}

if __name__ == "__main__":
    show(PARTS)
