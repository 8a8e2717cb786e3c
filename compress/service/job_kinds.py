"""The work for each kind of request: a table of functions."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from compress.curves import kept_teachers, race, sweep
from compress.curves.chains import duel, order
from compress.curves.chains import run as chain
from compress.curves.final_report import final_report
from compress.curves.sink import Sink
from compress.data import datasets
from compress.data.datasets import Dataset
from compress.data.pictures import PICTURES, pictures_file
from compress.files import kept_networks, network_file
from compress.files.made_for import MadeFor
from compress.methods import method
from compress.networks.families import Network
from compress.points import onnx_export, onnx_packages, opening_process, torch_export
from compress.points.inspection import inspection
from compress.points.speed_map import speed_map
from compress.progress import Cancelled, Reporter
from compress.recipe import Recipe
from compress.search import solver
from compress.search.budget import Budget, checked_fresh
from compress.search.target import Target
from compress.service.failures import sentence_of
from compress.service.requests import (
    ONNX,
    OPENED,
    PROGRAM,
    ChainRequest,
    CurveRequest,
    DuelRequest,
    FinalRequest,
    InspectRequest,
    NetworkRequest,
    OnnxRequest,
    OrderRequest,
    PointsRequest,
    ProgramRequest,
    RaceRequest,
    Request,
    SolveRequest,
    SpeedRequest,
    TeacherRequest,
    inspection_key,
    onnx_key,
    program_key,
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


def _points(request: PointsRequest, store: Sink, report: Reporter, device: torch.device) -> None:
    """Measures the networks alone, without controls and baselines. Raises ValueError after the last one, where some were
    impossible; the others are measured all the same."""
    recipes, refused = [Recipe.parse(text) for text in request.recipes], []
    for recipe, part in zip(recipes, report.phases(*[Phase(f"one of {recipe.text()}") for recipe in recipes]), strict=True):
        try:
            wanted = sweep.sweep_of(recipe, [method(recipe.methods[-1]).value])
            on = sweep.ground(wanted.recipe, datasets.load(recipe.data), store, part.part(0, 0.3), device)
            sweep.single(wanted, on, store, part.part(0.3, 1))
        except ValueError as error:
            refused.append(sentence_of(error))
    if refused:
        raise ValueError(refused[0] if len(recipes) == 1 else
                         f"{len(refused)} of {len(recipes)} networks could not be measured: {refused[0]}")


def _chain(request: ChainRequest, store: Sink, report: Reporter, device: torch.device) -> None:
    wanted = chain.chain_of(Recipe.parse(request.recipe), request.values, request.dial_step)
    for _ in chain.run(wanted, store, report, device):
        pass


def _race(request: RaceRequest, store: Sink, report: Reporter, device: torch.device) -> None:
    for _ in race.run(Recipe.parse(request.recipe), store, report, device, explained=sentence_of):
        pass


def _order(request: OrderRequest, store: Sink, report: Reporter, device: torch.device) -> None:
    wanted = order.order_of(Recipe.parse(request.recipe), request.smaller, request.seeds)
    for _ in order.run(wanted, store, report, device, explained=sentence_of):
        pass


def _duel(request: DuelRequest, store: Sink, report: Reporter, device: torch.device) -> None:
    recipes = Recipe.parse(request.first), Recipe.parse(request.second)
    for _ in duel.run(duel.duel_of(*recipes, request.by, request.size, request.seeds), store, report, device):
        pass


def _solve(request: SolveRequest, store: Sink, report: Reporter, device: torch.device) -> None:
    recipe = Recipe.parse(request.recipe)
    question = solver.Question(recipe, Target.parse(request.target), Budget.of_options(request.minutes), recipe.seed,
                               checked_fresh(request.fresh))
    for _ in solver.run(question, store, report, device):
        pass


def _speed(request: SpeedRequest, store: Sink, report: Reporter, device: torch.device) -> None:
    recipe = sweep.complete(Recipe.parse(request.recipe)).reference()
    data = datasets.load(recipe.data, report=report)
    training, mapping = report.phases(kept_teachers.phase(recipe, data, store), Phase(f"speed of {recipe.text()}"))
    teacher = kept_teachers.obtain(recipe, data, store, training, device)
    store.save_view("speed", teacher.digest, speed_map(teacher.network, mapping))


def _final(request: FinalRequest, store: Sink, report: Reporter, device: torch.device) -> None:
    data = datasets.load(request.data)
    networks = {digest: _kept(digest, data, store)[0].to(device) for digest in request.digests}
    store.save_view(request.key, "final", final_report(request.data, networks, store))


def _inspect(request: InspectRequest, store: Sink, report: Reporter, device: torch.device) -> None:
    data = datasets.load(request.data, report=report)
    report(0.2, "reading both networks")
    network, teacher = (_kept(digest, data, store)[0].to(device) for digest in (request.digest, request.reference))
    report(0.4, "comparing layers")
    found = inspection(network, teacher, store.artefacts.contents(request.digest), data)
    shown = store.artefacts.put(pictures_file(data), PICTURES)
    store.save_view(inspection_key(request.digest), request.reference, {**found, "pictures": shown})


def _onnx(request: OnnxRequest, store: Sink, report: Reporter, device: torch.device) -> None:
    onnx_export.require_packages()
    data, network, described = _described(request, store, report)
    report(0.2, "writing the ONNX file")
    made = onnx_export.to_onnx(network, described)
    report(0.7, "running it in ONNX Runtime")
    found = onnx_export.agreement(made, network, described, data)
    _keep_export(made, onnx_packages.SUFFIX, asdict(found), onnx_key(request.digest), ONNX, store)


def _program(request: ProgramRequest, store: Sink, report: Reporter, device: torch.device) -> None:
    data, network, described = _described(request, store, report)
    report(0.2, "writing the program")
    made = torch_export.to_program(network, described)
    report(0.7, "running it")
    found = torch_export.agreement(made, network, described, data)
    _keep_export(made, onnx_packages.PROGRAM_SUFFIX, asdict(found), program_key(request.digest), PROGRAM, store)


def _keep_export(made: bytes, suffix: str, found: dict[str, Any], key: str, name: str, store: Sink) -> None:
    """Keeps an exported file, and as a view what was found of it."""
    store.save_view(key, name, {**found, "digest": store.artefacts.put(made, suffix), "bytes": len(made)})


def _network(request: NetworkRequest, store: Sink, report: Reporter, device: torch.device) -> None:
    file = Path(request.file)
    if file.parent.parent != kept_networks.waiting():
        raise ValueError(f"{request.file} is no file that the app keeps for this.")
    try:
        found = opening_process.opened(request.file, request.data, request.shape, request.family, report)
        store.save_view(request.key, OPENED, found)
    finally:
        shutil.rmtree(file.parent, ignore_errors=True)


def _described(request: OnnxRequest | ProgramRequest, store: Sink, report: Reporter) -> tuple[Dataset, Network, MadeFor]:
    """The data, and the network of a request with what it was made for. Raises ValueError where its file does not say it."""
    data = datasets.load(request.data, report=report)
    network, described = _kept(request.digest, data, store)
    if described is None:
        raise ValueError(f"The file {request.digest} does not say which data it was made for, so that its normaliser is not "
                         "known. Measure the network again with this version.")
    return data, network, described


def _kept(digest: str, data: Dataset, store: Sink) -> tuple[Network, MadeFor | None]:
    """A kept network, and what it says about the data that it was made for. Raises ValueError where these were others."""
    network, made_for = network_file.with_description(store.artefacts.contents(digest), f"the file {digest}")
    if made_for and made_for.digest != data.digest:
        raise ValueError(f"The file {digest} was made for other contents of {data.name} than its files have now: "
                         "their test split may hold examples that it was trained on. Put the earlier files back, or "
                         "leave this network out.")
    return network, made_for


JOBS: dict[type[Request], Job] = {TeacherRequest: _teacher, CurveRequest: _curve, PointsRequest: _points,
                                  ChainRequest: _chain, RaceRequest: _race, OrderRequest: _order, DuelRequest: _duel,
                                  SolveRequest: _solve, SpeedRequest: _speed, FinalRequest: _final,
                                  InspectRequest: _inspect, OnnxRequest: _onnx, ProgramRequest: _program,
                                  NetworkRequest: _network}
