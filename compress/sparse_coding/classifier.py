"""Classifiers of compressed data: trained on the compressed training examples, with a front that codes new examples."""

from __future__ import annotations

import dataclasses

import torch
from torch import Tensor

from compress.data.datasets import Dataset
from compress.data.tensors import on_device, with_inputs
from compress.layers.fronts import Scale
from compress.networks.composite import Composite, Front
from compress.networks.evaluation import CHUNK
from compress.networks.families import MLP, Architecture, Family, Network, build
from compress.progress import Reporter
from compress.training.loop import Training, train

CLASSIFIER = MLP(hidden=(100,))
OF_TEXTS = ("texts are ids of words, which are names rather than numbers: they have no components and no atoms. Choose a "
            "method for networks, or read the column of text as counts of its words.")


def behind(front: Front, features: Tensor, data: Dataset, epochs: int, report: Reporter, seed: int) -> Composite:
    """A composite of a front and a classifier that is trained on the features (n, count) of the training examples."""
    inputs = on_device(data.validation, features.device)[0]
    with torch.inference_mode():
        validation = torch.cat([front(chunk) for chunk in inputs.split(CHUNK)])
    scale = features.square().mean().sqrt().clamp_min(1e-12)
    coded = dataclasses.replace(data, train=with_inputs(data.train, features / scale),
                                validation=with_inputs(data.validation, validation / scale))
    trained = classifier(features / scale, coded, epochs, report, seed)
    whole = Composite(front, Scale(scale), trained)
    whole.eval()
    return whole


def untrained(front: Front | None, data: Dataset, family: Family = CLASSIFIER) -> Network:
    """A network with the structure of behind() (without a front: of classifier()), made without training."""
    if front is None:
        return build(Architecture(family, data.shape, len(data.classes))).eval()
    with torch.inference_mode():
        features = front(torch.zeros(1, *data.shape))
    architecture = Architecture(family, tuple(features.shape[1:]), len(data.classes))
    whole = Composite(front, Scale(torch.ones(())), build(architecture))
    whole.eval()
    return whole


def classifier(inputs: Tensor, data: Dataset, epochs: int, report: Reporter, seed: int) -> Network:
    """A classifier with one hidden layer of 100 units, trained on these inputs (n, *shape) in the place of those of
    train."""
    kept = dataclasses.replace(data, train=with_inputs(data.train, inputs))
    architecture = Architecture(CLASSIFIER, kept.shape, len(data.classes))
    return train(build(architecture, seed).to(inputs.device), kept, Training(epochs=epochs), seed, report).network
