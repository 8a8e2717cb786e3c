"""Measures a duel: two recipes on one teacher, made equally large for each of several seeds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch

from compress.curves import kept_teachers, sweep
from compress.curves.chains.contest import Meeting, met
from compress.curves.chains.duel_plan import BYTES, QUANTITIES, Duel
from compress.curves.chains.stair import Bench
from compress.curves.chains.structure import RefusedStep, refusal
from compress.curves.sink import Sink
from compress.data import datasets
from compress.data.datasets import Dataset
from compress.methods import method
from compress.points.measure import Reference
from compress.progress import Reporter, no_report
from compress.recipe import Recipe
from compress.settings import checked
from compress.workload import Phase

RULES: dict[str, dict[str, Any]] = {
    "by": {"name": "by", "type": "str", "choices": list(QUANTITIES), "default": BYTES, "low": None, "high": None},
    "size": {"name": "size", "type": "float", "low": 1, "high": 1e12, "choices": None, "default": 10000},
    "seeds": {"name": "seeds", "type": "int", "low": 1, "high": 20, "choices": None, "default": 3}}


def duel_of(first: Recipe, second: Recipe, by: Any, size: Any, seeds: Any) -> Duel:
    """A duel, all settings spelled out.

    Raises:
        ValueError: unknown names, values outside their range, recipes on different teachers, or methods that compress data.
    """
    complete = [sweep.complete(recipe) for recipe in (first, second)]
    if complete[0].reference() != complete[1].reference():
        raise ValueError(f"A duel needs one teacher and seed, but got {complete[0].reference().text()} and "
                         f"{complete[1].reference().text()}. Write both recipes with the same beginning and end.")
    for recipe in complete:
        if not recipe.methods:
            raise ValueError(f"The recipe {recipe.text()} has no method; add one, for example low_rank.")
        for number, step in enumerate(map(method, recipe.methods), start=1):
            if step.applies_to != "network":
                raise RefusedStep(number, f"Duel: {step.name} compresses data, and its file holds no network. Choose "
                                          "another method.")
    curves = [recipe.curve(method(recipe.methods[-1]).dial) for recipe in complete]
    return Duel(curves[0], curves[1], checked(RULES["by"], by), checked(RULES["size"], size), checked(RULES["seeds"], seeds))


def run(duel: Duel, store: Sink, report: Reporter = no_report, device: torch.device | str = "cpu") -> Iterator[Meeting]:
    """Measures the seeds that the store lacks, and yields the result of each after it was stored.

    Raises:
        ValueError: a step is impossible after those before it, or the sizes cannot be made equal. Cancelled: through
            `report`; finished seeds stay.
    """
    report(0.0, f"loading {duel.first.data}")
    data = datasets.load(duel.first.data, report=report)
    store.save_data_version(data.name, data.source, data.digest)
    for recipe in duel.at(0):
        if refused := refusal(recipe, data):
            raise refused
    cells = (store.view(duel.view_key, data.digest) or {}).get("cells", {})
    missing = [number for number in range(duel.seeds) if str(duel.first.seed + number) not in cells]
    phases = [phase for number in missing for phase in (kept_teachers.phase(duel.at(number)[0].reference(), data, store),
                                                        Phase("seed of a duel"))]
    parts = iter(report.phases(*phases) if phases else [])
    for number in missing:
        first, second = duel.at(number)
        teacher = kept_teachers.obtain(first.reference(), data, store, next(parts), device)
        bench = Bench(data, teacher.digest, Reference.of(teacher.network, data), store, latency=False)
        meeting = met(first, second, duel.size, bench, next(parts), duel.by)
        _keep(duel, data, store, first.seed, meeting)
        yield meeting
    report(1.0, "done")


def _keep(duel: Duel, data: Dataset, store: Sink, seed: int, meeting: Meeting) -> None:
    """Adds a seed to those that are kept; another process may add its own meanwhile."""
    is_kept = False
    while not is_kept:
        before = store.view(duel.view_key, data.digest)
        cells = {**(before or {}).get("cells", {}), str(seed): meeting.plain()}
        is_kept = store.replace_view(duel.view_key, data.digest, before, {"cells": cells})
