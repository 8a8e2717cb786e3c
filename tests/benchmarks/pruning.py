"""Pruning against a loop with torch.nn.utils.prune, and what each criterion costs: python -m tests.benchmarks.pruning PART

    curves    24 sparsities x 4 criteria of LeNet-300-100 on MNIST-5k: seconds of Prune.curve and of the naive loop
    recovery  layer densities 8/9/26 % (12x) with six epochs of recovery, over seeds
    shares    global magnitude without training at 50 % and 8 % left, over seeds
    refit     second order against magnitude, one shot, over seeds
    surgeon   error of a layer's outputs and accuracy: magnitude, second order scored once, one weight at a time; 3 seeds
    turns     seconds of one core for the order of removal, one weight at a time, of layers of 300, 784 and 1,200 inputs
    speed     latency of a network with half its units, and of unstructured ones, with intervals
    widths    the refit's seconds on wider layers

The naive loop is the good one: scores are found once a criterion; for every sparsity the teacher is copied, masks are made
by torch.nn.utils.prune and made permanent, and the network is run over validation. Ours does more: it also packs each layer,
draws the masks' pictures and looks for disconnected classes. No way writes files or measures latency.
"""

from __future__ import annotations

import copy
import time
from functools import lru_cache
from statistics import mean, median

import torch
from torch import Tensor
from torch.nn.utils import prune as torch_prune

from compress.data import datasets
from compress.data.datasets import Dataset
from compress.data.tensors import on_device
from compress.layers.base import dense_layers
from compress.layers.input_moments import input_moments
from compress.methods import prune
from compress.methods.prune import Prune
from compress.networks.evaluation import logits_of
from compress.networks.families import Network
from compress.points.latency import latency_ratio
from compress.points.statistics import mean_interval
from compress.pruning.ranking import kept_of
from compress.pruning.saliency import saliencies
from compress.pruning.weight_pruner import WeightPruner
from compress.recipe import Step
from compress.solvers.brain_surgeon import inverse_of
from compress.solvers.sequential_surgeon import removal
from compress.training.teachers import train_teacher
from tests.benchmarks.report import show
from tests.benchmarks.timing import spread, table, taking_turns

SPARSITIES = [round(number / 25, 4) for number in range(1, 25)]
CRITERIA = ("random", "magnitude", "taylor", "wanda")
SEEDS = range(5)
ROUNDS = 5


def curves() -> str:
    """Seconds of all curves, and how far masks and accuracies agree."""
    data = datasets.load("mnist5k")
    teacher = teacher_of(data, 0)
    ways = {"ours": lambda _: ours(teacher, data), "naive": lambda _: naive(teacher, data)}
    for way in ways.values():
        way(0)
    seconds, results = taking_turns(ways, ROUNDS)
    found, loops = results["ours"][0], results["naive"][0]
    same = all(torch.equal(found[key][0], loops[key][0]) for key in found if key[0] == "magnitude")
    gap = max(abs(found[key][1] - loops[key][1]) for key in found if key[0] in ("magnitude", "taylor"))
    return table(["ours, s", "naive, s", "ours / naive", "fastest of both", "magnitude masks equal",
                  "accuracies of magnitude and taylor differ by, at most"],
                 [[spread(seconds["ours"]), spread(seconds["naive"]),
                   f"1/{median(seconds['naive']) / median(seconds['ours']):.2f}",
                   f"1/{min(seconds['naive']) / min(seconds['ours']):.2f}", same, f"{gap:.4f}"]])


def ours(teacher: Network, data: Dataset) -> dict[tuple[str, float], tuple[Tensor, float]]:
    """(criterion, sparsity) -> (first layer's mask, accuracy), by the method itself."""
    prune._pruners.clear()
    return {(criterion, candidate.value): (_weight(candidate.network) != 0, accuracy(candidate.network, data))
            for criterion in CRITERIA for candidate in Prune(criterion=criterion).curve(teacher, data, SPARSITIES)}


def naive(teacher: Network, data: Dataset) -> dict[tuple[str, float], tuple[Tensor, float]]:
    """The same by torch.nn.utils.prune; wanda is ranked over the whole network here, which is all that module can."""
    found = {}
    for criterion in CRITERIA:
        scores = saliencies(teacher, dense_layers(teacher), criterion, data)
        for sparsity in SPARSITIES:
            network = copy.deepcopy(teacher)
            parameters = [(network.get_submodule(path), "weight") for path in scores]
            torch_prune.global_unstructured(
                parameters, torch_prune.L1Unstructured, amount=sparsity,
                importance_scores={(network.get_submodule(path), "weight"): score for path, score in scores.items()})
            for parameter in parameters:
                torch_prune.remove(*parameter)
            found[criterion, sparsity] = (_weight(network) != 0, accuracy(network, data))
    return found


def recovery() -> str:
    """The loss of accuracy against the dense teacher."""
    data = datasets.load("mnist5k")
    rows = []
    for title, settings in (("labels, 16 a step", {}), ("labels, 64 a step", {"recovery_batch": 64}),
                            ("the teacher's outputs", {"recovery_loss": "teacher"}),
                            ("labels, gradually", {"schedule": "gradual"}),
                            ("labels, global allocation", {"densities": ()}),
                            ("labels, from the initial weights at the full rate", {"schedule": "rewind",
                                                                                   "recovery_rate": 0.002}),
                            ("the same from other initial weights", {"schedule": "redraw", "recovery_rate": 0.002})):
        method = Prune(**{"densities": (8, 9, 26), "recovery_epochs": 6, "recovery_batch": 16, "sparsity": 0.9182,
                          **settings})
        losses = lost(method, data)
        rows.append([title, _points(losses), ", ".join(f"{loss:.1f}" for loss in losses)])
    return table(["recovery on", "points below the teacher, mean (95 %)", "each seed"], rows)


def shares() -> str:
    """The loss of accuracy without any training."""
    data = datasets.load("mnist5k")
    rows = []
    for left in (0.5, 0.2, 0.1, 0.08, 0.05):
        losses = lost(Prune(sparsity=1 - left), data)
        rows.append([f"{100 * left:g} %", _points(losses), ", ".join(f"{loss:.1f}" for loss in losses)])
    return table(["left", "points below the teacher, mean (95 %)", "each seed"], rows)


def refit() -> str:
    """Accuracies of one-shot criteria at each sparsity and seed."""
    data = datasets.load("mnist5k")
    rows = []
    for sparsity in (0.8, 0.85, 0.9, 0.95, 0.98):
        row = {criterion: [accuracy(Prune(criterion=criterion, sparsity=sparsity).compress(teacher, data, seed=seed), data)
                           for seed, teacher in teachers(data)] for criterion in ("magnitude", "wanda", "second_order")}
        above = sum(ours > theirs for ours, theirs in zip(row["second_order"], row["magnitude"], strict=True))
        rows.append([f"{100 * sparsity:g} %", *(", ".join(f"{100 * one:.1f}" for one in row[name]) for name in row),
                     f"{above} of {len(SEEDS)}"])
    return table(["removed", "magnitude, each seed", "wanda", "second order", "second order above magnitude"], rows)


def surgeon() -> str:
    """Squared error of the second layer's outputs on calibration over magnitude's, and accuracies of the whole network."""
    data, rows, ways = datasets.load("mnist5k"), [], ("magnitude", "second_order", "surgeon")
    examples = on_device(data.calibration, torch.device("cpu"))[0]
    found: dict[tuple[str, float], list[tuple[float, float]]] = {}
    for _, teacher in teachers(data)[:3]:
        weight, second = _weight(teacher, "3").double(), input_moments(teacher, examples, ["3"])["3"].full("3")[0]
        for criterion in ways:
            pruner = Prune(criterion=criterion).pruner(teacher, data)
            if not isinstance(pruner, WeightPruner):
                raise TypeError("single weights are ranked by a WeightPruner")
            for sparsity in (0.5, 0.7, 0.9, 0.95, 0.98):
                own = pruner.masked({"3": pruner.ranking.of_layer("3", kept_of(weight.numel(), sparsity))}) \
                    if criterion != "magnitude" else _smallest_gone(teacher, sparsity)
                gap = _weight(own, "3").double() - weight
                whole = Prune(criterion=criterion, sparsity=sparsity).compress(teacher, data)
                found.setdefault((criterion, sparsity), []).append((float(((gap @ second) * gap).sum()),
                                                                    accuracy(whole, data)))
    for sparsity in (0.5, 0.7, 0.9, 0.95, 0.98):
        errors = {way: [error for error, _ in found[way, sparsity]] for way in ways}
        ratios = {way: mean(own / other for own, other in zip(errors[way], errors["magnitude"], strict=True))
                  for way in ways}
        rows.append([f"{100 * sparsity:g} %", *(f"{ratios[way] ** 0.5:.2f}" for way in ways[1:]),
                     *(f"{100 * mean(right for _, right in found[way, sparsity]):.1f} %" for way in ways)])
    return table(["removed", "error of the second layer's outputs over magnitude's: second order, scored once",
                  "one weight at a time", "accuracy: magnitude", "second order, scored once", "one weight at a time"], rows)


def turns() -> str:
    """Seconds of one core for 100 outputs, all sparsities together, from fewer outputs of random layers."""
    rows = []
    torch.set_num_threads(1)
    for columns, outputs in ((300, 100), (784, 12), (1200, 6)):
        generator = torch.Generator().manual_seed(0)
        inputs = torch.randn(2 * columns, columns, generator=generator).relu()
        weights = torch.randn(outputs, columns, generator=generator)
        inverse = inverse_of(inputs.mT @ inputs / len(inputs))
        began = time.process_time()
        removal(weights, inverse)
        rows.append([f"{columns:,}", f"{(time.process_time() - began) * 100 / outputs:.1f}"])
    return table(["inputs", "seconds of one core for 100 outputs"], rows)


def _smallest_gone(teacher: Network, sparsity: float) -> Network:
    """The second layer alone without its smallest weights."""
    made = copy.deepcopy(teacher)
    torch_prune.l1_unstructured(made.get_submodule("3"), "weight", amount=sparsity)
    torch_prune.remove(made.get_submodule("3"), "weight")
    return made


def speed() -> str:
    """Time over the teacher's for batches of 128 on one core; below 1 is faster."""
    data = datasets.load("mnist5k")
    teacher, rows = teacher_of(data, 0), []
    batch = on_device(data.validation, torch.device("cpu"))[0][:128]
    for title, method in (("half the units", Prune(pattern="units", criterion="second_order", sparsity=0.5)),
                          ("80 % of the weights", Prune(sparsity=0.8)), ("90 % of the weights", Prune(sparsity=0.9)),
                          ("98 % of the weights", Prune(sparsity=0.98)), ("the teacher itself", None)):
        network = method.compress(teacher, data) if method else copy.deepcopy(teacher)
        ratio, low, high = latency_ratio(network, teacher, batch, 1.0)
        rows.append([title, f"{ratio:.3f} ({low:.3f}-{high:.3f})", f"{100 * accuracy(network, data):.1f} %"])
    return table(["removed", "time over the teacher's", "accuracy"], rows)


def widths() -> str:
    """Seconds of a refitted point."""
    data = datasets.load("mnist5k")
    rows = []
    for hidden in ("300-100", "600-600", "1200-1200"):
        teacher = train_teacher(data, Step.parse(f"mlp(hidden={hidden},epochs=2)")).network
        for sparsity in (0.5, 0.9):
            began = time.perf_counter()
            Prune(criterion="second_order", sparsity=sparsity).compress(teacher, data)
            rows.append([hidden, sparsity, f"{time.perf_counter() - began:.2f}"])
    return table(["hidden", "sparsity", "seconds"], rows)


def lost(method: Prune, data: Dataset) -> list[float]:
    """Points of accuracy below the teacher, for each seed's."""
    return [100 * (accuracy(teacher, data) - accuracy(method.compress(teacher, data, seed=seed), data))
            for seed, teacher in teachers(data)]


def teachers(data: Dataset) -> list[tuple[int, Network]]:
    """A LeNet-300-100 for each seed, trained once."""
    return [(seed, teacher_of(data, seed)) for seed in SEEDS]


@lru_cache(maxsize=len(SEEDS))
def teacher_of(data: Dataset, seed: int) -> Network:
    """LeNet-300-100 in the program's default training."""
    return train_teacher(data, Step("mlp"), seed).network


def accuracy(network: Network, data: Dataset) -> float:
    """Share right on validation."""
    inputs, labels = on_device(data.validation, torch.device("cpu"))
    return float((logits_of(network, inputs).argmax(1) == labels).double().mean())


def _weight(network: Network, path: str = "1") -> Tensor:
    return network.get_submodule(path).weight.detach()


def _points(losses: list[float]) -> str:
    middle, low, high = mean_interval(losses)
    return f"{middle:+.2f} ({low:+.2f} to {high:+.2f})"


PARTS = {"curves": curves, "recovery": recovery, "shares": shares, "refit": refit, "surgeon": surgeon,
         "turns": turns, "speed": speed, "widths": widths}

if __name__ == "__main__":
    show(PARTS)
