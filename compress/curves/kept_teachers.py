"""Stored teachers: trained once for each data set, architecture, training settings and seed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import torch

from compress.curves.sink import Sink
from compress.data.datasets import Dataset
from compress.files import network_file
from compress.files.artefacts import Files
from compress.files.made_for import MadeFor
from compress.networks.families import Network
from compress.points.measure import Reference, measured
from compress.points.teacher_card import teacher_card
from compress.progress import Reporter, no_report
from compress.recipe import Recipe, Step
from compress.training.teachers import train_teacher
from compress.workload import Phase


@dataclass(frozen=True, eq=False)
class Teacher:
    """A trained network with the digest of its file and its card (plain data for the page)."""

    network: Network
    digest: str
    card: dict[str, Any]


def obtain(recipe: Recipe, data: Dataset, store: Sink, report: Reporter = no_report,
           device: torch.device | str = "cpu", finish: bool = False) -> Teacher:
    """The recipe's teacher from the store; trained and stored if it is not there, or its file is missing or damaged. If
    training is cancelled after its first epoch, the best network so far is stored with cancelled=True on its card.

    Args:
        finish: train again if the training of the stored teacher was cancelled.
    """
    recipe = recipe.reference()
    with report.exclusive("teacher", f"{recipe.key()} {data.digest}") as waited:
        # Who waited for a teacher whose training was cancelled trains it to the end.
        return _obtained(recipe, data, store, report, device, finish or waited)


def phase(recipe: Recipe, data: Dataset, store: Sink) -> Phase:
    """The work of obtain() for a complete recipe: epochs, or next to nothing for a teacher that is kept."""
    if kept_digest(recipe, data, store):
        return Phase("kept teacher")
    per_epoch = {name: value for name, value in recipe.teacher.settings if name != "epochs"}
    return Phase(f"teacher {recipe.data} {Step.of(recipe.teacher.name, per_epoch).text()}", _epochs(recipe))


def kept_digest(recipe: Recipe, data: Dataset, store: Sink) -> str:
    """The digest of the teacher's file in the store; "" if it has to be trained."""
    kept = store.teacher(recipe.reference().key(), data.digest)
    return kept["digest"] if kept and store.artefacts.has(kept["digest"]) else ""


def _obtained(recipe: Recipe, data: Dataset, store: Sink, report: Reporter, device: torch.device | str,
              finish: bool) -> Teacher:
    store.save_data_version(data.name, data.source, data.digest)
    kept = store.teacher(recipe.key(), data.digest)
    usable = kept and store.artefacts.has(kept["digest"])
    if kept and usable and not (finish and kept["card"]["cancelled"]):
        return Teacher(reloaded(store.artefacts, kept["digest"], str(device)), kept["digest"], kept["card"])
    training, measuring = report.phases(Phase("epochs", _epochs(recipe)), Phase("card", brief=True))
    trained = train_teacher(data, recipe.teacher, recipe.seed, training, device)
    contents = network_file.to_bytes(trained.network, MadeFor.of(data))
    digest = store.artefacts.put(contents)
    trained = replace(trained, network=network_file.from_bytes(contents).to(device))
    card = teacher_card(trained, data, len(contents))
    _keep_as_point(recipe, trained.network, contents, data, digest, store)
    store.save_teacher(recipe.key(), recipe.text(), digest, data.digest, card)
    if not card["cancelled"]:  # who cancelled still gets the network of the best epoch
        measuring(1.0, "kept")
    return Teacher(trained.network, digest, card)


def _epochs(recipe: Recipe) -> int:
    """Of the teacher's training; 1 for a network of the user's own, which is not trained."""
    return int(recipe.teacher.values.get("epochs", 1))


def _keep_as_point(recipe: Recipe, network: Network, contents: bytes, data: Dataset, digest: str, store: Sink) -> None:
    """The teacher is a point too, so that others are compared with it on the same examples."""
    point = measured(network, contents, data, Reference.of(network, data), recipe.text(), recipe.seed)
    store.add_point(recipe.key(), recipe.key(), digest, recipe.data, recipe.teacher.text(), "teacher", point.plain(),
                    point.predictions)


@lru_cache(maxsize=4)
def reloaded(files: Files, digest: str, device: str) -> Network:
    """A kept file's network on a device, in memory between jobs."""
    return network_file.from_bytes(files.contents(digest), f"the file {digest}").to(device)
