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
from compress.files import network_file
from compress.method import Candidate
from compress.networks.families import Network
from compress.points.measure import Reference, measure
from compress.points.teacher_card import teacher_card
from compress.progress import Reporter, no_report
from compress.recipe import Recipe
from compress.training.teachers import train_teacher


@dataclass(frozen=True, eq=False)
class Teacher:
    """A trained network with the digest of its file and its card (plain data for the page)."""

    network: Network
    digest: str
    file: str
    card: dict[str, Any]


def obtain(recipe: Recipe, data: Dataset, store: Store, report: Reporter = no_report,
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
    trained = train_teacher(data, recipe.teacher, recipe.seed, report, device)
    contents = network_file.to_bytes(trained.network)
    digest = hashlib.sha256(contents).hexdigest()[:16]
    path = store.artefacts / f"teacher-{digest}.safetensors"
    network_file.write_bytes(contents, path)
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
    return network_file.read(path).to(device)
