"""Teachers: presets, their spelling in a recipe, and their training."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import torch

from compress.data.datasets import Dataset
from compress.networks.families import FAMILIES, Architecture, Family, Network, TokenFamily, build
from compress.networks.graph.architecture import Own
from compress.progress import Reporter, no_report
from compress.recipe import Step
from compress.settings import checked_seed, shown, similar
from compress.training import own_network
from compress.training.loop import Trained, Training, train
from compress.training.memory_needs import require_training


@dataclass(frozen=True)
class Preset:
    """A preset teacher, and the kinds of data that it is for."""

    title: str
    text: str
    step: Step
    kinds: tuple[str, ...] = ("image", "sequence", "tabular")


ON_SEQUENCES = {"batch": 100, "learning_rate": 0.01}
PRESETS = (
    Preset("LeNet-300-100", "Two hidden layers, the classic of the compression papers.", Step("mlp"),
           ("image", "tabular")),
    Preset("Wide MLP, 1200-1200", "Many more weights than these data need.",
           Step.of("mlp", {"hidden": "1200-1200", "dropout": 0.2, "epochs": 10}), ("image",)),
    Preset("LeNet-5", "Two convolutions, 6 and 16 channels.", Step.of("cnn", {"epochs": 15}), ("image",)),
    Preset("GRU over rows", "Reads an image row by row, both ways.", Step.of("gru", {"epochs": 12}), ("image",)),
    Preset("Three convolutions of 25", "The convolutional network of the MNIST-1D paper.",
           Step.of("cnn", {"epochs": 100, "batch": 100, "learning_rate": 0.02}), ("sequence",)),
    Preset("Two layers of 100", "The multilayer perceptron of the MNIST-1D paper.",
           Step.of("mlp", {"hidden": "100-100", "dropout": 0.2, "epochs": 100, "weight_decay": 0.1, **ON_SEQUENCES}),
           ("sequence",)),
    Preset("Small ResNet", "Batch-normed residual blocks of 16, 32, 64 channels.", Step.of("resnet", {"epochs": 6}),
           ("image", "sequence")),
    Preset("GRU over time", "Reads a sequence step by step, both ways.",
           Step.of("gru", {"epochs": 12, **ON_SEQUENCES}), ("sequence",)),
    Preset("Embedding bag", "The mean of the words' embeddings: the order of words does not matter.",
           Step.of("embedding_bag", {"epochs": 8, "learning_rate": 0.005}), ("text",)),
    Preset("GRU over tokens", "Reads the words' embeddings one after the other.",
           Step.of("token_gru", {"epochs": 6, "learning_rate": 0.005}), ("text",)),
    Preset("CNN over tokens", "Looks for three words in their order, wherever they stand.",
           Step.of("token_cnn", {"epochs": 6, "learning_rate": 0.005}), ("text",)),
    Preset("Logistic regression", "One layer: the baseline for all others.", Step("logistic")),
)


TEACHERS: dict[str, type[Family]] = {**FAMILIES, Own.name: Own}


def teacher_step(step: Step) -> Step:
    """The step with every setting of its family and of training spelled out.

    Raises:
        ValueError: an unknown family or setting, or a value outside its range; the message lists what is allowed.
    """
    return _step_of(*_read_step(step))


def family_cards() -> list[dict[str, Any]]:
    """Every family as plain data: name, title, doc, what it reads, the settings of the family and those of training."""
    return [{"name": kind.name, "title": kind.title, "doc": kind.__doc__, "reads": kind.reads, "settings": kind.describe(),
             "training": [] if kind is Own else Training.describe()} for kind in TEACHERS.values()]


def untrained(step: Step, data: Dataset, seed: int = 0) -> Network:
    """A fresh network as the step says, for data of these shapes and classes; of a network of the user's own, the network.
    Raises ValueError as teacher_step(), or where the family cannot take such examples, or where training the network would
    not fit into memory."""
    seed = checked_seed(seed, "Teacher")
    shape_of, plan = _read_step(step)
    if isinstance(shape_of, Own):
        return own_network.structure(shape_of, data)
    shape_of = fitted(shape_of, data)
    require_training(Architecture(shape_of, data.shape, len(data.classes)), plan.batch)
    return build(Architecture(shape_of, data.shape, len(data.classes)), seed).eval()


def train_teacher(data: Dataset, step: Step, seed: int = 0, report: Reporter = no_report,
                  device: torch.device | str = "cpu") -> Trained:
    """Trains a network with the settings of a step, for instance Step.parse("mlp(hidden=300-100)"). A network of the user's
    own is not trained: how it reads the data is found out."""
    shape_of, plan = _read_step(step)
    if isinstance(shape_of, Own):
        found = own_network.adopted(shape_of, data, report, device)
        return Trained(found.network, (), 0, notes=found.notes)
    return train(untrained(step, data, seed).to(device), data, plan, seed, report, keep_best=True)


def fitted(shape_of: Family, data: Dataset) -> Family:
    """The family for these data: with a table of no more rows than there are tokens.

    Raises:
        ValueError: it reads numbers and the data are texts, or the other way round.
    """
    wanted = "tokens" if data.kind == "text" else "numbers"
    if shape_of.reads != wanted:
        others = ", ".join(name for name, kind in FAMILIES.items() if kind.reads == wanted)
        raise ValueError(f"{shape_of.name} reads {shape_of.reads}, but the examples of {data.name} are {wanted}"
                         f"{' (the ids of words)' if wanted == 'tokens' else ''}. Choose one of {others}.")
    if isinstance(shape_of, TokenFamily) and data.words:
        return replace(shape_of, vocabulary=min(shape_of.vocabulary, len(data.words)))
    return shape_of


def _read_step(step: Step) -> tuple[Family, Training]:
    if step.name not in TEACHERS:
        raise ValueError(f"There is no teacher {shown(step.name)}; choose one of {', '.join(TEACHERS)}, for example "
                         f"mlp or mlp(hidden=300-100,epochs=20).{similar(step.name, TEACHERS)}")
    own = [entry["name"] for entry in TEACHERS[step.name].describe()]
    shared = [] if TEACHERS[step.name] is Own else [entry["name"] for entry in Training.describe()]
    for name in step.values:
        if name not in own + shared:
            raise ValueError(f"The teacher {step.name} has no setting {shown(name)}; its settings are "
                             f"{', '.join(own + shared)}.{similar(name, own + shared)}")
    return (TEACHERS[step.name].from_plain({name: value for name, value in step.settings if name in own}),
            Training.from_plain({name: value for name, value in step.settings if name in shared}))


def _step_of(shape_of: Family, plan: Training) -> Step:
    return Step.of(shape_of.name, shape_of.plain() if isinstance(shape_of, Own) else {**shape_of.plain(), **plan.plain()})
