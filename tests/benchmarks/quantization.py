"""How small quantization makes networks: without training, and after pruning, three seeds each; and the time that shared
work saves.

python -m tests.benchmarks.quantization [without_training | deep_compression | shared]
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable
from statistics import median

import torch

from compress.data import datasets
from compress.data.datasets import Dataset
from compress.files import network_file
from compress.files.made_for import MadeFor
from compress.methods.prune import Prune
from compress.methods.quantize import Quantize
from compress.networks.evaluation import logits_of
from compress.networks.families import Network
from compress.recipe import Step
from compress.stored import ENTROPY, PLAIN, Stored
from compress.training.teachers import train_teacher
from tests.benchmarks.report import show
from tests.benchmarks.timing import table, taking_turns

TEACHERS = {"LeNet-300-100": "mlp(hidden=300-100)", "LeNet-5": "cnn"}
SEEDS = (0, 1, 2)
SHARES = {"LeNet-300-100": 0.95, "LeNet-5": 0.88}
PRUNING = Prune(schedule="gradual", recovery_epochs=10, recovery_rate=0.001)
Make = Callable[[Network, Dataset, int], Network]
Measured = tuple[float, int]


def accuracy(network: Network, data: Dataset) -> float:
    """On validation."""
    predicted = logits_of(network, torch.tensor(data.validation.inputs)).argmax(1)
    return float((predicted == torch.tensor(data.validation.labels)).double().mean())


def size(network: Network, data: Dataset, stored: Stored) -> int:
    """Bytes of the file."""
    return len(network_file.to_bytes(network, MadeFor.of(data), stored))


def rows(makes: dict[str, Callable[[str], Make]]) -> str:
    """A row for each teacher and way to make it small."""
    data, found = datasets.load("mnist5k"), []
    for name, text in TEACHERS.items():
        teachers = [train_teacher(data, Step.parse(text), seed).network for seed in SEEDS]
        for label, make in makes.items():
            lost, times = [], []
            for seed, teacher in zip(SEEDS, teachers, strict=True):
                small = make(name)(teacher, data, seed)
                lost.append(100 * (accuracy(teacher, data) - accuracy(small, data)))
                times.append(size(teacher, data, PLAIN) / size(small, data, Stored(coding=ENTROPY)))
            found.append([name, label, f"{sum(times) / len(times):.1f}", f"{sum(lost) / len(lost):.2f}", f"{max(lost):.2f}"])
    return table(["network", "levels", "times smaller", "points lost, mean", "most"], found)


def quantized(method: Quantize) -> Callable[[str], Make]:
    """The teacher quantized."""
    return lambda name: lambda teacher, data, seed: method.compress(teacher, data, seed=seed)


def pruned_and(method: Quantize) -> Callable[[str], Make]:
    """The teacher pruned with recovery, then quantized."""
    def of(name: str) -> Make:
        return lambda teacher, data, seed: method.compress(
            PRUNING.at(SHARES[name]).compress(teacher, data, seed=seed), data, seed=seed)
    return of


def without_training() -> str:
    """GPTQ and nearest levels, nothing trained."""
    return rows({f"{scheme}, {levels}": quantized(Quantize(levels=levels, scheme=scheme))
                 for scheme, levels in (("gptq", 5), ("nearest", 5), ("gptq", 9), ("nearest", 9), ("gptq", 255))})


def deep_compression() -> str:
    """Deep Compression's steps: prune with recovery, share values, train them; and GPTQ in the place of the last two."""
    codebook = Quantize(levels=8, scheme="codebook", recovery_epochs=3)
    return rows({"codebook, 8, trained": pruned_and(codebook), "gptq, 9": pruned_and(Quantize(levels=9))})


def shared() -> str:
    """16 numbers of levels and 3 kinds of steps of LeNet-300-100 in one call, against a call for each; seconds of the
    processor, which other programs change less."""
    data = datasets.load("mnist5k")
    teacher = train_teacher(data, Step.parse(TEACHERS["LeNet-300-100"]), 0).network
    methods = [Quantize(levels=levels, per=per) for per in ("tensor", "channel", "group")
               for levels in (*range(2, 16), 64, 255)]

    def calls(parts: list[list[Quantize]]) -> Callable[[int], None]:
        def run(_: int) -> None:
            for part in parts:
                list(part[0].candidates(copy.deepcopy(teacher), data, part))
        return run

    ways = {"together": calls([methods]), "one by one": calls([[method] for method in methods])}
    seconds = [median(own) for own in taking_turns(ways, 3, time.process_time)[0].values()]
    return table(["together, s", "one by one, s", "ratio"], [[*(f"{one:.1f}" for one in seconds),
                                                             f"{seconds[0] / seconds[1]:.2f}"]])


PARTS = {"without_training": without_training, "deep_compression": deep_compression, "shared": shared}

if __name__ == "__main__":
    show(PARTS)
