"""Classifiers of coded data: trained on what is left of the training examples, with a front that codes new ones."""

from __future__ import annotations

import dataclasses

import torch
from torch import Tensor, nn

from compress.data.datasets import Dataset
from compress.data.tensors import on_device, with_inputs
from compress.networks.evaluation import CHUNK
from compress.networks.families import MLP, Architecture, Network, build
from compress.progress import Reporter
from compress.solvers.pursuit import SparseCoder
from compress.sparse_coding.tiling import Tiling
from compress.training.loop import Training, train


class Coder(nn.Module):
    """Examples (n, *shape) -> their codes (n, tiles x atoms), by orthogonal matching pursuit."""

    def __init__(self, tiling: Tiling, mean: Tensor, atoms: Tensor, pursuit: SparseCoder) -> None:
        super().__init__()
        self.tiling, self.pursuit = tiling, pursuit
        self.register_buffer("mean", mean)
        self.register_buffer("atoms", atoms)

    def forward(self, batch: Tensor) -> Tensor:
        codes = self.pursuit(self.tiling.cut(batch) - self.mean, self.atoms)
        return codes.dense(len(self.atoms)).reshape(len(batch), -1)

    def extra_repr(self) -> str:
        """By which a network with another pursuit is told from this one; its tensors may look the same."""
        return str(self.pursuit)


class Projection(nn.Module):
    """Examples (n, *shape) -> (n, tiles x count): each tile less the mean, projected."""

    def __init__(self, tiling: Tiling, mean: Tensor, matrix: Tensor) -> None:
        super().__init__()
        self.tiling = tiling
        self.register_buffer("mean", mean)
        self.register_buffer("matrix", matrix)

    def forward(self, batch: Tensor) -> Tensor:
        return ((self.tiling.cut(batch) - self.mean) @ self.matrix).reshape(len(batch), -1)


class Scale(nn.Module):
    """Features over one number."""

    def __init__(self, scale: Tensor) -> None:
        super().__init__()
        self.register_buffer("scale", scale)

    def forward(self, batch: Tensor) -> Tensor:
        return batch / self.scale


def behind(front: nn.Module, features: Tensor, data: Dataset, epochs: int, report: Reporter, seed: int) -> Network:
    """A classifier of the training examples' features (n, count), with the front that turns examples into such before it."""
    inputs = on_device(data.validation, features.device)[0]
    with torch.inference_mode():
        held = torch.cat([front(chunk) for chunk in inputs.split(CHUNK)])
    scale = features.square().mean().sqrt().clamp_min(1e-12)
    coded = dataclasses.replace(data, train=with_inputs(data.train, features / scale),
                                validation=with_inputs(data.validation, held / scale))
    trained = classifier(features / scale, coded, epochs, report, seed)
    whole = Network(front, Scale(scale), *list(trained))
    whole.architecture = Architecture(trained.architecture.family, data.shape, len(data.classes))
    return whole.eval()


def classifier(inputs: Tensor, data: Dataset, epochs: int, report: Reporter, seed: int) -> Network:
    """One hidden layer of 100, trained on these inputs (n, *shape) in the place of the training ones."""
    kept = dataclasses.replace(data, train=with_inputs(data.train, inputs))
    architecture = Architecture(MLP(hidden=(100,)), kept.shape, len(data.classes))
    return train(build(architecture, seed).to(inputs.device), kept, Training(epochs=epochs), seed, report).network
