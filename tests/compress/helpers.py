"""Small things that several test files need."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from compress.data import datasets
from compress.data.datasets import Dataset, Split
from compress.data.raw_data import RawData
from compress.method import Method
from compress.networks.evaluation import logits_of
from compress.networks.families import Network
from compress.recipe import Step
from compress.training.teachers import untrained

ROOT = Path(__file__).resolve().parents[2]


def toy_data(shape: tuple[int, ...] = (6,), classes: int = 3, examples: int = 150, seed: int = 0) -> Dataset:
    """Gaussian clouds, one a class, of examples of any shape; easy to learn, made in no time."""
    generator = np.random.default_rng(seed)
    labels = np.arange(examples) % classes
    inputs = 2.0 * generator.normal(size=(classes, *shape))[labels] + generator.normal(size=(examples, *shape))
    kind = {1: "tabular", 2: "sequence", 3: "image"}[len(shape)]
    names = tuple(str(number) for number in range(classes))
    return datasets.prepare(RawData("Toy", kind, names, inputs.astype(np.float32), labels), "toy", 0)


def ids_data() -> Dataset:
    """Rows of 7 ids below 20, for networks that look them up."""
    generator = np.random.default_rng(0)
    labels = np.arange(90) % 3
    ids = (generator.integers(0, 8, (90, 7)) + 6 * labels[:, None]).astype(np.float32)
    return datasets.prepare(RawData("Ids", "tabular", ("0", "1", "2"), ids, labels), "ids", 0)


def state(network: nn.Module) -> dict[str, Tensor]:
    """A copy of every weight and buffer."""
    return {name: tensor.clone() for name, tensor in network.state_dict().items()}


def identical(first: dict[str, Tensor], second: dict[str, Tensor]) -> bool:
    """Whether two states are equal bit for bit (NaN equal to NaN)."""
    return first.keys() == second.keys() and all(
        first[name].dtype == second[name].dtype and first[name].shape == second[name].shape
        and first[name].numpy().tobytes() == second[name].numpy().tobytes() for name in first)


def alike(first: dict[str, Tensor], second: dict[str, Tensor], rounding: float) -> bool:
    """Whether two states are equal: bit for bit where rounding is 0, else up to this share of the largest weight."""
    if rounding == 0:
        return identical(first, second)
    return first.keys() == second.keys() and all(
        float((first[name].double() - second[name].double()).abs().max())
        <= rounding * max(1.0, float(first[name].double().abs().max())) for name in first)


def poisoned(split: Split) -> Split:
    """The same number of examples, every value NaN and every label 0: whoever reads them shows it."""
    return Split(np.full_like(split.inputs, np.nan), np.zeros_like(split.labels))


def relabelled(data: Dataset, seed: int = 1) -> Dataset:
    """The data set with the labels of its TEST split shuffled."""
    test = data.open_test()
    shuffled = np.random.default_rng(seed).permutation(test.labels)
    return dataclasses.replace(data, _test=Split(test.inputs, shuffled))


def quick(kind: type[Method]) -> Method:
    """The method with its defaults, but no more than a little training: for tests over every method there is."""
    values: dict[str, Any] = {}
    for entry in kind.describe():
        if entry["name"].endswith(("epochs", "steps", "iterations", "rounds")) and entry["name"] != kind.dial:
            values[entry["name"]] = min(entry["default"], max(2, entry["low"] or 0))
    return kind.from_plain(values)


def few_values(kind: type[Method], data: Dataset) -> list[Any]:
    """Three of the method's own dial values that make sense for these data: the ends and one between."""
    network = untrained(Step.parse("mlp(hidden=48-32)"), data)
    values = sorted(value for value in kind.values if not kind().at(value).invalid_reason(network, data))
    return [values[0], values[len(values) // 2], values[-1]]


def planned(method: Method, values: list[Any]) -> list[Any]:
    """The methods of a plan, in its order."""
    return [run.method for run in method.plan(values)]


def python(*arguments: str, check: bool = False, **environment: str) -> subprocess.CompletedProcess[str]:
    """A fresh Python process in the repository's root."""
    paths = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    return subprocess.run([sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=300,
                          check=check, env={**os.environ, "PYTHONPATH": paths, **environment})


def random_matrix(rows: int, columns: int, rank: int | None = None, seed: int = 0, decay: float = 0.0) -> Tensor:
    """A float64 matrix of this rank (full where left out), its singular values falling as exp(-decay i)."""
    generator = torch.Generator().manual_seed(seed)
    full = min(rows, columns)
    left, right = (torch.linalg.qr(torch.randn(side, full, generator=generator, dtype=torch.float64)).Q
                   for side in (rows, columns))
    values = torch.exp(-decay * torch.arange(full, dtype=torch.float64))
    if decay == 0.0:
        values = torch.rand(full, generator=generator, dtype=torch.float64).sort(descending=True).values + 0.1
    values[full if rank is None else rank:] = 0.0
    return left @ torch.diag(values) @ right.mT


def agreement(one: Network, other: Network, data: Dataset) -> float:
    """The share of validation examples to which both give the same class."""
    inputs = torch.tensor(data.validation.inputs)
    return float((logits_of(one, inputs).argmax(1) == logits_of(other, inputs).argmax(1)).float().mean())
