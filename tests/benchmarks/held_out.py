"""Whether looking at data pays, on LeNet-300-100 and MNIST-5k: python -m tests.benchmarks.held_out PART

    errors      output error of the first layer on held-out (validation) examples, as a share of what plain SVD leaves at the
                same rank
    accuracies  validation accuracy at equal numbers of parameters, and where whitening does not help it

Means over three teachers.
"""

from __future__ import annotations

from functools import lru_cache
from statistics import mean

import torch
from torch import nn

from compress.data import datasets
from compress.data.datasets import Dataset
from compress.data.tensors import on_device
from compress.low_rank.rank_allocation import choose_ranks
from compress.methods.low_rank import LowRank
from compress.networks.families import Network
from compress.points.measure import scores
from compress.recipe import Step
from compress.training.teachers import train_teacher
from tests.benchmarks.report import show
from tests.benchmarks.timing import table

TEACHER = "mlp(hidden=300-100,epochs=10)"
SEEDS = (0, 1, 2)
RANKS = (10, 20, 40, 80)
KEEPS = (0.02, 0.04, 0.06, 0.1, 0.15, 0.2)
WAYS = (("plain", "uniform"), ("whitened", "uniform"), ("centred", "uniform"), ("plain", "greedy"), ("whitened", "greedy"))


def errors() -> str:
    """Root mean square errors of the first layer over those of plain SVD: a table with one row for each rank."""
    data, networks = trained()
    return table(["rank", "whitened over plain", "centred over plain"],
                 [[rank, *error_ratios(networks, data, rank)] for rank in RANKS])


def accuracies() -> str:
    """A table with one row for each number of parameters, and a sentence."""
    data, networks = trained()
    dense = mean(accuracy(network, data) for network in networks)
    measured = [accuracies_at(networks, data, keep) for keep in KEEPS]
    found = table(["ranks (uniform)", "parameters of both layers", *(", ".join(way) for way in WAYS)],
                  [[ranks, f"{share:.1%}", *(f"{found:.1f}" for found in row.values())] for ranks, share, row in measured])
    return f"{found}\n\nThe dense networks: {dense:.1f} points. {verdict(measured)}"


@lru_cache(maxsize=1)
def trained() -> tuple[Dataset, list[Network]]:
    """MNIST-5k and a teacher for each seed."""
    data = datasets.load("mnist5k")
    return data, [train_teacher(data, Step.parse(TEACHER), seed).network for seed in SEEDS]


def error_ratios(networks: list[Network], data: Dataset, rank: int) -> list[str]:
    """Whitened and centred over plain: mean and range over the teachers."""
    ratios = {"whitened": [], "centred": []}
    for network in networks:
        errors = {scheme: output_error(network, data, scheme, rank) for scheme in ("plain", *ratios)}
        for scheme, found in ratios.items():
            found.append(errors[scheme] / errors["plain"])
    return [f"{mean(found):.2f} ({min(found):.2f}-{max(found):.2f})" for found in ratios.values()]


def output_error(network: Network, data: Dataset, scheme: str, rank: int) -> float:
    """Root mean square error of the first layer's outputs on validation examples."""
    inputs = on_device(data.validation, torch.device("cpu"))[0].flatten(1)
    layer: nn.Module = LowRank(scheme=scheme).factorised(network, data)["1"].layer(rank)
    with torch.inference_mode():
        return float((layer(inputs) - network[1](inputs)).square().mean().sqrt())


def accuracies_at(networks: list[Network], data: Dataset, keep: float) -> tuple[str, float, dict[tuple[str, str], float]]:
    """(the uniform ranks, their share of the dense parameters, accuracy in points of each way at this share)."""
    pieces = LowRank(scheme="plain").factorised(networks[0], data)
    ranks = choose_ranks(pieces, "uniform", keep)
    share = sum(piece.cost(ranks[path]) for path, piece in pieces.items()) / sum(
        piece.cost(piece.full + 1) for piece in pieces.values())
    row = {}
    for scheme, allocation in WAYS:
        method = LowRank(keep=keep if allocation == "uniform" else share, scheme=scheme, allocation=allocation)
        row[scheme, allocation] = mean(accuracy(method.compress(network, data), data) for network in networks)
    return "-".join(map(str, ranks.values())), share, row


def accuracy(network: Network, data: Dataset) -> float:
    """Of validation, in points."""
    inputs, labels = on_device(data.validation, torch.device("cpu"))
    with torch.inference_mode():
        return 100 * scores(network(inputs), labels, None)["accuracy"]


def verdict(measured: list[tuple[str, float, dict[tuple[str, str], float]]]) -> str:
    """At which ranks whitening does not help."""
    losing = [f"{ranks} ({row['whitened', 'uniform'] - row['plain', 'uniform']:+.1f} points)" for ranks, _, row in measured
              if row["whitened", "uniform"] <= row["plain", "uniform"]]
    return f"Whitening does not help accuracy at ranks {', '.join(losing)}." if losing else "Whitening helps everywhere."


PARTS = {"errors": errors, "accuracies": accuracies}

if __name__ == "__main__":
    show(PARTS)
