"""The winner's curse, measured: the answer of a search was the best of many on the same validation examples, and a part of
that was luck. The same recipe with other seeds, of the teacher too, had no part in the choice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import torch

from compress.curves import sweep
from compress.curves.sink import Sink
from compress.data.datasets import Dataset
from compress.methods import method
from compress.points.measure import Point
from compress.progress import Reporter
from compress.recipe import Recipe
from compress.search.found import Fresh
from compress.settings import MOST_SEED

TEACHER = 0.8  # of the time of a seed, roughly


def with_seed(recipe: Recipe, number: int) -> Recipe:
    """The recipe with the fresh seed of this number, from 1."""
    return replace(recipe, seed=(recipe.seed + number) % (MOST_SEED + 1))


def measured(recipe: Recipe, data: Dataset, store: Sink, report: Reporter,
             device: torch.device | str, latency: bool = True) -> Iterator[Point | Fresh]:
    """The point of a recipe, if it is missing, and then what it says beside its own teacher. Raises as
    compress.curves.sweep.run()."""
    wanted = sweep.sweep_of(recipe, [method(recipe.methods[-1]).value])
    on = sweep.ground(wanted.recipe, data, store, report.part(0.0, TEACHER), device, latency)
    point = sweep.single(wanted, on, store, report.part(TEACHER, 1.0), latency)
    kept = point.plain() if point else store.point(wanted.recipe.key(), on.teacher.digest)
    if point:
        yield point
    if kept:
        lost = 100 * (on.teacher.card["accuracy"] - kept["accuracy"])
        yield Fresh(recipe.seed, kept["accuracy"], lost, kept["bytes"])
    report(1.0, f"seed {recipe.seed} measured")
