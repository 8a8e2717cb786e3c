"""Classifiers of coded data: trained on what is left of the training examples, with a front that codes new ones."""

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


def behind(front: Front, features: Tensor, data: Dataset, epochs: int, report: Reporter, seed: int) -> Composite:
    """A classifier of the training examples' features (n, count), with the front that turns examples into such before it."""
    inputs = on_device(data.validation, features.device)[0]
    with torch.inference_mode():
        held = torch.cat([front(chunk) for chunk in inputs.split(CHUNK)])
    scale = features.square().mean().sqrt().clamp_min(1e-12)
    coded = dataclasses.replace(data, train=with_inputs(data.train, features / scale),
                                validation=with_inputs(data.validation, held / scale))
    trained = classifier(features / scale, coded, epochs, report, seed)
    whole = Composite(front, Scale(scale), trained)
    whole.eval()
    return whole


def untrained(front: Front | None, data: Dataset, family: Family = CLASSIFIER) -> Network:
    """A network of the structure that behind() (or, without a front, classifier()) gives, in a moment."""
    if front is None:
        return build(Architecture(family, data.shape, len(data.classes))).eval()
    with torch.inference_mode():
        features = front(torch.zeros(1, *data.shape))
    own = Architecture(family, tuple(features.shape[1:]), len(data.classes))
    whole = Composite(front, Scale(torch.ones(())), build(own))
    whole.eval()
    return whole


def classifier(inputs: Tensor, data: Dataset, epochs: int, report: Reporter, seed: int) -> Network:
    """One hidden layer of 100, trained on these inputs (n, *shape) in the place of the training ones."""
    kept = dataclasses.replace(data, train=with_inputs(data.train, inputs))
    architecture = Architecture(CLASSIFIER, kept.shape, len(data.classes))
    return train(build(architecture, seed).to(inputs.device), kept, Training(epochs=epochs), seed, report).network
