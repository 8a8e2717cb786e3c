"""Teachers: trained once for each (data set, architecture, training settings, seed), kept, reloaded at once."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch

from compress.curves.store import Store
from compress.data.datasets import Dataset
from compress.files import network_file as files
from compress.method import Candidate
from compress.networks.families import FAMILIES, Architecture, Family, Network, build, family
from compress.points.measure import Reference, measure
from compress.points.teacher_card import teacher_card
from compress.progress import Tell, silent
from compress.recipe import Recipe, Step
from compress.training.loop import Trained, Training, train


@dataclass(frozen=True)
class Preset:
    """A teacher worth starting from, with the kinds of data it suits."""

    title: str
    text: str
    step: Step
    kinds: tuple[str, ...] = ("image", "sequence", "tabular")


ON_SEQUENCES = {"batch": 100, "learning_rate": 0.01}
PRESETS = (
    Preset("LeNet-300-100", "Two hidden layers, the classic of the compression papers.", Step("mlp"),
           ("image", "tabular")),
    Preset("Wide MLP, 1200-1200", "Far more weights than these data need.",
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
    Preset("Logistic regression", "One layer: the floor that the others must beat.", Step("logistic")),
)


@dataclass(frozen=True, eq=False)
class Teacher:
    """A trained network with the digest of its file and its card (plain data for the page)."""

    network: Network
    digest: str
    file: str
    card: dict[str, Any]


def teacher_step(step: Step) -> Step:
    """The step with every setting of its family and of training spelled out.

    Raises:
        ValueError: unknown family or setting, or a value that is not allowed; says what is.
    """
    return _step_of(*_read_step(step))


def family_cards() -> list[dict[str, Any]]:
    """Every family as plain data: name, title, doc, its own settings and those of training."""
    return [{"name": kind.name, "title": kind.title, "doc": kind.__doc__, "settings": kind.describe(),
             "training": Training.describe()} for kind in FAMILIES.values()]


def train_teacher(data: Dataset, step: Step, seed: int = 0, tell: Tell = silent,
                  device: torch.device | str = "cpu") -> Trained:
    """Trains a fresh network as the step says, for instance Step.parse("mlp(hidden=300-100)")."""
    shape_of, plan = _read_step(step)
    architecture = Architecture(shape_of, data.shape, len(data.classes))
    return train(build(architecture, seed).to(device), data, plan, seed, tell, keep_best=True)


def obtain(recipe: Recipe, data: Dataset, store: Store, tell: Tell = silent,
           device: torch.device | str = "cpu", finish: bool = False) -> Teacher:
    """The recipe's teacher from the store, or trained now and kept. If training is cancelled after its first epoch,
    the best network so far is kept and its card says so.

    Args:
        finish: train again if the kept one was cancelled.
    """
    recipe = recipe.reference()
    kept = store.teacher(recipe.key())
    usable = kept and kept["data_digest"] == data.digest and Path(kept["file"]).is_file()
    if usable and not (finish and kept["card"]["cancelled"]):
        return Teacher(reloaded(kept["file"], str(device)), kept["digest"], kept["file"], kept["card"])
    trained = train_teacher(data, recipe.teacher, recipe.seed, tell, device)
    contents = files.to_bytes(trained.network)
    digest = hashlib.sha256(contents).hexdigest()[:16]
    path = store.artefacts / f"teacher-{digest}.safetensors"
    files.write_bytes(contents, path)
    card = teacher_card(trained, data, len(contents))
    _keep_as_point(recipe, trained.network, data, digest, path, store)
    store.save_teacher(recipe.key(), recipe.text(), digest, data.digest, str(path), card)
    return Teacher(trained.network, digest, str(path), card)


def _keep_as_point(recipe: Recipe, network: Network, data: Dataset, digest: str, path: Path, store: Store) -> None:
    """The teacher is a point too, so that others are compared with it on the same examples."""
    point = measure(Candidate(None, network), data, Reference.of(network, data), path, recipe.text(), recipe.seed,
                    latency=False)
    store.add_point(recipe.key(), recipe.key(), digest, recipe.data, recipe.teacher.text(), "teacher", point.plain(),
                    point.predictions)


def reloaded(path: str, device: str) -> Network:
    """A file's network on a device, kept in memory between jobs for as long as the file stays as it is."""
    return _reloaded(path, Path(path).stat().st_mtime_ns, device)


@lru_cache(maxsize=4)
def _reloaded(path: str, stamp: int, device: str) -> Network:
    return files.read(path).to(device)


def _read_step(step: Step) -> tuple[Family, Training]:
    if step.name not in FAMILIES:
        raise ValueError(f"There is no teacher {step.name!r}; choose one of {', '.join(FAMILIES)}, for example "
                         "mlp or mlp(hidden=300-100,epochs=20).")
    own = [entry["name"] for entry in FAMILIES[step.name].describe()]
    shared = [entry["name"] for entry in Training.describe()]
    for name in step.values:
        if name not in own + shared:
            raise ValueError(f"The teacher {step.name} has no setting {name!r}; its settings are "
                             f"{', '.join(own + shared)}.")
    return (family(step.name, {name: value for name, value in step.settings if name in own}),
            Training.from_plain({name: value for name, value in step.settings if name in shared}))


def _step_of(shape_of: Family, plan: Training) -> Step:
    return Step.of(shape_of.name, {**shape_of.plain(), **plan.plain()})
