"""How small quantization makes networks: without training, and after pruning, three seeds each; the time that shared
work saves; what xz still takes off coded files.

python -m tests.benchmarks.quantization [without_training | deep_compression | eight_bits | shared | packed]
"""

from __future__ import annotations

import copy
import lzma
import time
from collections.abc import Callable
from statistics import median

import torch

from compress.data import datasets
from compress.data.datasets import Dataset
from compress.files import network_file
from compress.files.made_for import MadeFor
from compress.methods.distill import Distill
from compress.methods.low_rank import LowRank
from compress.methods.prune import Prune
from compress.methods.quantize import Quantize
from compress.methods.sparse_code import SparseCode
from compress.networks.evaluation import logits_of
from compress.networks.families import Network
from compress.recipe import Step
from compress.stored import ENTROPY, PLAIN, Stored
from compress.training.teachers import train_teacher
from tests.benchmarks.report import show
from tests.benchmarks.timing import table, taking_turns

TEACHERS = {"LeNet-300-100": "mlp(hidden=300-100)", "LeNet-5": "cnn"}
EIGHT_BITS = {**TEACHERS, "ResNet": "resnet(channels=8-16,epochs=6)", "GRU": "gru"}
SEEDS = (0, 1, 2)
CODED = Stored(coding=ENTROPY)
WORTH = 20_000  # bytes of a file from which on it is asked what xz takes off
PRUNING = {"LeNet-300-100": Prune(sparsity=0.95, schedule="gradual", recovery_epochs=10, recovery_rate=0.001),
           "LeNet-5": Prune(sparsity=0.92, schedule="gradual", recovery_epochs=20, recovery_rate=0.001)}
Make = Callable[[Network, Dataset, int], Network]
Measured = tuple[float, int]


def accuracy(network: Network, data: Dataset) -> float:
    """On validation."""
    predicted = logits_of(network, torch.tensor(data.validation.inputs)).argmax(1)
    return float((predicted == torch.tensor(data.validation.labels)).double().mean())


def in_file(network: Network, data: Dataset, stored: Stored = CODED) -> bytes:
    """The network's file."""
    return network_file.to_bytes(network, MadeFor.of(data), stored)


def rows(makes: dict[str, Callable[[str], Make]], of: dict[str, str] = TEACHERS) -> str:
    """A row for each teacher and way to make it small. What is measured was read from the file."""
    data, found = datasets.load("mnist5k"), []
    for name, text in of.items():
        teachers = [train_teacher(data, Step.parse(text), seed).network for seed in SEEDS]
        for label, make in makes.items():
            lost, times = [], []
            for seed, teacher in zip(SEEDS, teachers, strict=True):
                small = in_file(make(name)(teacher, data, seed), data)
                lost.append(100 * (accuracy(teacher, data) - accuracy(network_file.from_bytes(small), data)))
                times.append(len(in_file(teacher, data, PLAIN)) / len(small))
            found.append([name, label, f"{sum(times) / len(times):.1f}", f"{sum(lost) / len(lost):.2f}", f"{max(lost):.2f}"])
    return table(["network", "levels", "times smaller", "points lost, mean", "most"], found)


def quantized(method: Quantize) -> Callable[[str], Make]:
    """The teacher quantized."""
    return lambda name: lambda teacher, data, seed: method.compress(teacher, data, seed=seed)


def pruned_and(method: Quantize) -> Callable[[str], Make]:
    """The teacher pruned with recovery, then quantized."""
    def of(name: str) -> Make:
        return lambda teacher, data, seed: method.compress(
            PRUNING[name].compress(teacher, data, seed=seed), data, seed=seed)
    return of


def without_training() -> str:
    """GPTQ and nearest levels, nothing trained."""
    return rows({f"{scheme}, {levels}": quantized(Quantize(levels=levels, scheme=scheme))
                 for scheme, levels in (("gptq", 5), ("nearest", 5), ("gptq", 9), ("nearest", 9), ("gptq", 255))})


def deep_compression() -> str:
    """Deep Compression's steps: prune with recovery, share values, train them; GPTQ in the place of the last two; GPTQ with
    levels by sensitivity, trained."""
    codebook = Quantize(levels=8, scheme="codebook", recovery_epochs=3)
    shared = Quantize(levels=9, allocation="measured", recovery_epochs=5)
    return rows({"codebook, 8, trained": pruned_and(codebook), "gptq, 9": pruned_and(Quantize(levels=9)),
                 "gptq, 9 in the mean, by sensitivity, trained": pruned_and(shared)})


def eight_bits() -> str:
    """A byte for each weight, and for each input of a layer, too."""
    inputs_too = Quantize(levels=256, per="channel", activations="int8")
    return rows({"256 for a layer": quantized(Quantize(levels=256)),
                 "256 for an output": quantized(Quantize(levels=256, per="channel")),
                 "the same, inputs of 8 bits": quantized(inputs_too)}, EIGHT_BITS)


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
    seconds = [median(own) for own in taking_turns(ways, 5, time.process_time)[0].values()]
    return table(["together, s", "one by one, s", "ratio"], [[*(f"{one:.1f}" for one in seconds),
                                                             f"{seconds[0] / seconds[1]:.2f}"]])


def packed() -> str:
    """The share of each coded file of LeNet-300-100 of more than 20 kB that xz -9e takes off, and off the file that is not
    coded, for all methods of networks."""
    data = datasets.load("mnist5k")
    teacher, found = train_teacher(data, Step.parse(TEACHERS["LeNet-300-100"]), 0).network, []
    for method in (Quantize(levels=5), Quantize(levels=16), Quantize(levels=255, per="channel"),
                   Quantize(levels=3, correction=8), Prune(sparsity=0.9), Prune(sparsity=0.5), LowRank(), Distill(epochs=2),
                   SparseCode()):
        network = method.compress(teacher, data)
        coded, plain = in_file(network, data), in_file(network, data, PLAIN)
        shares = [1 - len(lzma.compress(contents, preset=9 | lzma.PRESET_EXTREME)) / len(contents)
                  for contents in (plain, coded)]
        corrected = f", correction {method.correction}" if isinstance(method, Quantize) and method.correction else ""
        found.append([method.title, f"{method.dial} {getattr(method, method.dial)}{corrected}", f"{len(plain):,}",
                      f"{shares[0]:.1%}", f"{len(coded):,}", f"{shares[1]:.1%}" if len(coded) > WORTH else "(small)"])
    return table(["method", "dial", "bytes, not coded", "xz takes", "bytes, coded", "xz takes (bar: 3 %)"], found)


PARTS = {"without_training": without_training, "deep_compression": deep_compression, "eight_bits": eight_bits,
         "shared": shared, "packed": packed}

if __name__ == "__main__":
    show(PARTS)
