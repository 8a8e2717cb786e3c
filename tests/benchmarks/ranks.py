"""Accuracy at many ranks: python -m tests.benchmarks.ranks PART

    speed       32 ranks of both hidden layers of a 784-1024-1024-10 perceptron
    sequential  few ranks of both hidden layers of LeNet-300-100, each layer alone and layer by layer, over seeds

In speed there are three ways to the same accuracies, plain SVD, the output layer dense:

    ours    LowRank.curve: one factorisation a layer for all ranks, running sums of the first layer's outputs
    reused  the good loop: one float32 SVD a layer; for every rank two pairs of nn.Linear are built and evaluated
    naive   the same loop with both SVDs inside it

A round runs ours and reused completely and the naive loop at some of the ranks; after all rounds the naive loop has
done every rank once. No way writes files or measures latency.
"""

from __future__ import annotations

import dataclasses
from statistics import mean, median
from unittest.mock import patch

import numpy as np
import torch
from torch import Tensor, nn

from compress.data import datasets
from compress.data.datasets import Dataset, Split
from compress.data.tensors import on_device
from compress.methods import low_rank
from compress.networks.evaluation import CHUNK, logits_of
from compress.networks.families import Network
from compress.recipe import Step
from compress.training.teachers import train_teacher
from tests.benchmarks.report import show
from tests.benchmarks.timing import spread, table, taking_turns

WIDTH = 1024
TEACHER = f"mlp(hidden={WIDTH}-{WIDTH},epochs=3,batch=128)"
RANKS = [round(rank) for rank in np.linspace(8, 436, 32)]  # break-even is 444 and 512
ROUNDS = 8
FEW = (3, 5, 8, 12, 20)
SVD = tuple[Tensor, Tensor, Tensor]


def speed() -> str:
    """A table with one row for each number of images."""
    data = datasets.load("mnist5k")
    teacher = train_teacher(data, Step.parse(TEACHER)).network
    rows = [compared(teacher, with_images(data, images)) for images in (1000, 5000)]
    return table(["images", "ours, s", "reused, s", "naive, s", "ours / reused", "fastest of both", "ours / naive",
                  "predictions that differ, at most", "accuracies differ by, at most"], rows)


def sequential() -> str:
    """Mean accuracies at each rank, nothing trained afterwards."""
    data, rows = datasets.load("mnist5k"), []
    inputs, labels = on_device(data.validation, torch.device("cpu"))
    teachers = [train_teacher(data, Step("mlp"), seed).network for seed in range(3)]
    for scheme in ("plain", "whitened", "centred", "sequential"):
        found = []
        for teacher in teachers:
            method = low_rank.LowRank(scheme=scheme)
            with patch.object(low_rank, "choose_ranks", lambda pieces, _, keep: dict.fromkeys(pieces, round(keep * 100))):
                networks = [one.network for one in method.curve(teacher, data, [rank / 100 for rank in FEW])]
            found.append([float((logits_of(one, inputs).argmax(1) == labels).double().mean()) for one in networks])
        rows.append([scheme, *(f"{100 * mean(column):.1f} %" for column in zip(*found, strict=True))])
    return table(["scheme", *(f"rank {rank}" for rank in FEW)], rows)


def compared(teacher: Network, data: Dataset) -> list[object]:
    """One row of the table."""
    ways = {"ours": lambda number: ours(teacher, data), "reused": lambda number: reused(teacher, data),
            "naive": lambda number: naive(teacher, data, RANKS[number::ROUNDS])}
    seconds, results = taking_turns(ways, ROUNDS)
    loops = torch.empty_like(results["reused"][0])
    for number, part in enumerate(results["naive"]):
        loops[number::ROUNDS] = part
    naive_in_all = ROUNDS * median(seconds["naive"])
    differing, gap = disagreement(results["ours"][0], [results["reused"][0], loops], data)
    return [len(data.validation), spread(seconds["ours"]), spread(seconds["reused"]), f"{naive_in_all:.3g}",
            f"1/{median(seconds['reused']) / median(seconds['ours']):.2f}",
            f"1/{min(seconds['reused']) / min(seconds['ours']):.2f}",
            f"1/{naive_in_all / median(seconds['ours']):.1f}", differing, f"{gap:.4f}"]


def ours(teacher: Network, data: Dataset) -> Tensor:
    """Predicted classes (ranks, images) by the method itself; its dial gives the same rank in both layers here."""
    low_rank._factorised.clear()
    method = low_rank.LowRank(scheme="plain", allocation="uniform")
    keeps = [rank / WIDTH for rank in RANKS]
    with patch.object(low_rank, "choose_ranks", lambda pieces, _, keep: dict.fromkeys(pieces, round(keep * WIDTH))):
        found = [candidate.logits for candidate in method.curve(teacher, data, keeps)]
    return torch.stack([logits.argmax(1) for logits in found if logits is not None])


def reused(teacher: Network, data: Dataset) -> Tensor:
    """Predicted classes (ranks, images) by the good loop."""
    pieces = [decomposed(teacher[1]), decomposed(teacher[3])]
    return torch.stack([predicted(teacher, pieces, rank, data) for rank in RANKS])


def naive(teacher: Network, data: Dataset, ranks: list[int]) -> Tensor:
    """Predicted classes (ranks, images) by the loop that decomposes anew at every rank."""
    return torch.stack([predicted(teacher, [decomposed(teacher[1]), decomposed(teacher[3])], rank, data)
                        for rank in ranks])


def decomposed(layer: nn.Linear) -> SVD:
    """The layer's float32 SVD."""
    return torch.linalg.svd(layer.weight.detach(), full_matrices=False)


def predicted(teacher: Network, pieces: list[SVD], rank: int, data: Dataset) -> Tensor:
    """Builds the network of this rank and runs it, in chunks that fit the cache: faster than all images at once."""
    first, second = (pair(teacher[place], svd, rank) for place, svd in zip((1, 3), pieces, strict=True))
    network = nn.Sequential(nn.Flatten(), *first, nn.ReLU(), *second, nn.ReLU(), teacher[5]).eval()
    inputs, _ = on_device(data.validation, torch.device("cpu"))
    with torch.inference_mode():
        return torch.cat([network(chunk) for chunk in inputs.split(CHUNK)]).argmax(1)


def pair(layer: nn.Linear, svd: SVD, rank: int) -> tuple[nn.Linear, nn.Linear]:
    """Two linear layers for one."""
    left, values, right = svd
    first, second = nn.Linear(layer.in_features, rank, bias=False), nn.Linear(rank, layer.out_features)
    with torch.no_grad():
        first.weight.copy_(right[:rank])
        second.weight.copy_(left[:, :rank] * values[:rank])
        second.bias.copy_(layer.bias)
    return first, second


def disagreement(found: Tensor, others: list[Tensor], data: Dataset) -> tuple[int, float]:
    """The most images at one rank that ours and another way call differently, and the largest gap in accuracy."""
    labels = torch.tensor(data.validation.labels)
    accuracy = (found == labels).double().mean(1)
    differing = max(int((found != other).sum(1).max()) for other in others)
    return differing, max(float((accuracy - (other == labels).double().mean(1)).abs().max()) for other in others)


def with_images(data: Dataset, count: int) -> Dataset:
    """The data set with this many images in the place of validation, some of them twice: a load, not a measurement of
    accuracy. The test split stays closed."""
    splits = (data.validation, data.train, data.train)
    inputs, labels = (np.concatenate([getattr(split, name) for split in splits])[:count] for name in ("inputs", "labels"))
    return dataclasses.replace(data, validation=Split(inputs, labels))


PARTS = {"speed": speed, "sequential": sequential}

if __name__ == "__main__":
    show(PARTS)
