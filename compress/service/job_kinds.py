"""The work for each kind of request: a table of functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from compress.curves import kept_teachers, race, sweep
from compress.curves.chains import run as chain
from compress.curves.final_report import final_report
from compress.curves.sink import Sink
from compress.data import datasets
from compress.files import network_file
from compress.points.speed_map import speed_map
from compress.progress import Cancelled, Reporter
from compress.recipe import Recipe
from compress.service.failures import sentence_of
from compress.service.requests import (
    ChainRequest,
    CurveRequest,
    FinalRequest,
    RaceRequest,
    Request,
    SpeedRequest,
    TeacherRequest,
)
from compress.workload import Phase

Job = Callable[[Any, Sink, Reporter, torch.device], None]


def do(request: Request, store: Sink, report: Reporter, device: torch.device) -> None:
    """Does a job; its results are written to the store.

    Raises:
        ValueError: an impossible request.
        Cancelled: through `report`, or if the training of a teacher was cancelled.
    """
    JOBS[type(request)](request, store, report, device)


def _teacher(request: TeacherRequest, store: Sink, report: Reporter, device: torch.device) -> None:
    recipe = sweep.complete(Recipe.parse(request.recipe))
    report(0.0, f"loading {recipe.data}")
    data = datasets.load(recipe.data, report=report)
    (training,) = report.phases(kept_teachers.phase(recipe, data, store))
    teacher = kept_teachers.obtain(recipe, data, store, training, device, finish=True)
    if teacher.card["cancelled"]:
        raise Cancelled


def _curve(request: CurveRequest, store: Sink, report: Reporter, device: torch.device) -> None:
    wanted = sweep.sweep_of(Recipe.parse(request.recipe), request.values)
    for _ in sweep.run(wanted, store, report, device):
        pass


def _chain(request: ChainRequest, store: Sink, report: Reporter, device: torch.device) -> None:
    wanted = chain.chain_of(Recipe.parse(request.recipe), request.values, request.dial_step)
    for _ in chain.run(wanted, store, report, device):
        pass


def _race(request: RaceRequest, store: Sink, report: Reporter, device: torch.device) -> None:
    for _ in race.run(Recipe.parse(request.recipe), store, report, device, explained=sentence_of):
        pass


def _speed(request: SpeedRequest, store: Sink, report: Reporter, device: torch.device) -> None:
    recipe = sweep.complete(Recipe.parse(request.recipe)).reference()
    data = datasets.load(recipe.data, report=report)
    training, mapping = report.phases(kept_teachers.phase(recipe, data, store), Phase(f"speed of {recipe.text()}"))
    teacher = kept_teachers.obtain(recipe, data, store, training, device)
    store.save_view("speed", teacher.digest, speed_map(teacher.network, mapping))


def _final(request: FinalRequest, store: Sink, report: Reporter, device: torch.device) -> None:
    data, networks = datasets.load(request.data), {}
    for digest in request.digests:
        network, made_for = network_file.with_description(store.artefacts.contents(digest), f"the file {digest}")
        if made_for and made_for.digest != data.digest:
            raise ValueError(f"The file {digest} was made for other contents of {request.data} than its files have now: "
                             "their test split may hold examples that it was trained on. Put the earlier files back, or "
                             "unpin it.")
        networks[digest] = network.to(device)
    store.save_view(request.key, "final", final_report(request.data, networks, store))


JOBS: dict[type[Request], Job] = {TeacherRequest: _teacher, CurveRequest: _curve, ChainRequest: _chain, RaceRequest: _race,
                                  SpeedRequest: _speed, FinalRequest: _final}
