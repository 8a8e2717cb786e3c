"""A race: the curves with which every method takes part (Method.race), on one teacher.

It is one job made of ordinary sweeps on common ground: each sweep yields its points coarse to fine, and the race takes one
of each in turn, so that all curves have their ends first. Each sweep stores what it would store alone. A curve that
cannot go on ends, and the others go on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import torch

from compress.curves import sweep
from compress.curves.plan import Plan
from compress.curves.race_plan import Entry, entries, view_key
from compress.curves.sink import Sink
from compress.curves.sweep import Checked, Ground, Sweep, checked_values, sweep_of
from compress.data import datasets
from compress.data.datasets import Dataset
from compress.methods import methods
from compress.points.measure import Point
from compress.progress import Progress, Reporter, no_report
from compress.recipe import Recipe
from compress.workload import Phase

TEACHER = 10  # the effort of its training, in networks that are only measured


@dataclass(frozen=True)
class Runner:
    """An entry with its sweep, and the dial's values that are possible for this network and data."""

    entry: Entry
    sweep: Sweep
    checked: Checked

    @property
    def effort(self) -> float:
        """How long it takes, roughly, in networks that are only measured."""
        return len(self.sweep.method.plan(self.checked[0])) * self.entry.effort


@dataclass(frozen=True)
class Field:
    """Who takes part, and the reasons why others cannot: entry in words -> sentence."""

    runners: list[Runner]
    refused: dict[str, str]


def field_of(recipe: Recipe, data: Dataset) -> Field:
    """The field of a race, before anything is trained.

    Args:
        recipe: of the teacher, complete; the race's methods follow those that it has.

    Raises:
        ValueError: nobody can take part; the message is the first reason.
    """
    runners, refused = [], {}
    for entry in entries(recipe, {name: kind.card() for name, kind in methods().items()}):
        wanted = sweep_of(entry.request, entry.values)
        try:
            runners.append(Runner(entry, wanted, checked_values(wanted, data)))
        except ValueError as reason:
            refused[entry.words] = str(reason)
    if not runners:
        raise ValueError(next(iter(refused.values()), "No method takes part in a race; give one a class attribute `race`."))
    return Field(runners, refused)


def plan_of(field: Field) -> Plan:
    """Everything that a race measures; runs without a label of their own have their entry's words."""
    runs = []
    for runner in field.runners:
        planned = sweep.plan_of(runner.sweep, sweep.coarse_to_fine(runner.checked[0]), runner.checked[1])
        runs += [replace(run, label=run.label or runner.entry.words) for run in planned.runs]
    return Plan(tuple(runs))


def curves_of(field: Field, store: Sink, teacher: str) -> list[tuple[Entry, list[dict[str, Any]]]]:
    """The points of each entry that the store has. teacher: the digest of its file."""
    return [(runner.entry, [point for key in runner.entry.keys if (point := store.point(key, teacher))])
            for runner in field.runners]


def run(recipe: Recipe, store: Sink, report: Reporter = no_report, device: torch.device | str = "cpu",
        latency: bool = True, field: Field | None = None, explained: Callable[[Exception], str] = str) -> Iterator[Point]:
    """Measures what the race's curves lack, one point of each in turn, and yields each point after it was stored. What
    refused() gives is stored too.

    Args:
        recipe: as for field_of(); field: what that gave, where the caller has asked already.
        explained: the sentence for a user of an error with which a curve has ended.

    Raises:
        ValueError: unknown data or settings, or nobody can take part, or every curve has ended with an error; the message is
            the first reason. Cancelled: through `report`; finished points stay.
    """
    recipe = sweep.complete(recipe)
    report(0.0, f"loading {recipe.data}")
    data = datasets.load(recipe.data, report=report)
    field = field or field_of(recipe, data)
    before, racing = report.phases(Phase("", TEACHER), Phase("", sum(runner.effort for runner in field.runners)))
    parts = racing.phases(*[Phase("", runner.effort) for runner in field.runners], in_order=False)
    board = _Board(report, [TEACHER, *(runner.effort for runner in field.runners)], [before, *parts])
    shared = sweep.ground(field.runners[0].sweep.recipe, data, store, board.reporter(0, "teacher"), device, latency)
    ended: dict[str, str] = {}
    _keep_reasons(recipe, shared, field, ended, store)
    for point in _in_turns(field.runners, shared, store, board, device, latency):
        if isinstance(point, Point):
            yield point
        else:
            ended[point.runner.entry.words] = explained(point.error)
            _keep_reasons(recipe, shared, field, ended, store)
    if len(ended) == len(field.runners):
        raise ValueError(next(iter(ended.values())))
    report(1.0, "done")


def refused(recipe: Recipe, store: Sink, teacher: str) -> dict[str, str]:
    """Who did not take part in the last race of this complete recipe, or not to the end: entry in words -> sentence.
    teacher: the digest of its file."""
    found: dict[str, str] = (store.view(view_key(recipe), teacher) or {}).get("refused", {})
    return found


def _keep_reasons(recipe: Recipe, shared: Ground, field: Field, ended: dict[str, str], store: Sink) -> None:
    store.save_view(view_key(recipe), shared.teacher.digest, {"refused": {**field.refused, **ended}})


@dataclass(frozen=True)
class _Ended:
    """A runner whose curve cannot go on."""

    runner: Runner
    error: ValueError


def _in_turns(runners: list[Runner], shared: Ground, store: Sink, board: _Board, device: torch.device | str,
              latency: bool) -> Iterator[Point | _Ended]:
    """The points of all runners: in each round of each the next one of its curve, with what its plan has before it."""
    running = [(runner, sweep.run(runner.sweep, store, board.reporter(place, runner.entry.words), device, latency,
                                  runner.checked, shared)) for place, runner in enumerate(runners, start=1)]
    while running:
        still = []
        for runner, points in running:
            try:
                for point in points:
                    yield point
                    if Recipe.parse(point.recipe).key() in runner.entry.keys:
                        still.append((runner, points))
                        break
            except ValueError as error:
                board.reporter(1 + runners.index(runner), runner.entry.words)(1.0, "ended")
                yield _Ended(runner, error)
        running = still


class _Board:
    """One progress of several pieces of work that go on in turns, each with its effort."""

    def __init__(self, report: Reporter, efforts: list[float], parts: list[Reporter]) -> None:
        """
        Args:
            parts: a Reporter for each, by which its time is measured.
        """
        self.report, self.efforts, self.parts, self.shares = report, efforts, parts, [0.0] * len(efforts)

    def reporter(self, place: int, name: str) -> Reporter:
        """The Reporter of one piece of work, whose name precedes what it reports."""
        whole = replace(self.report, task=None)  # only the part has advanced

        def write(progress: Progress) -> None:
            self.shares[place] = progress.share
            done = sum(share * effort for share, effort in zip(self.shares, self.efforts, strict=True))
            whole(done / sum(self.efforts), f"{name}: {progress.text}", progress.live)

        return Reporter(write, exclusive=self.report.exclusive, task=self.parts[place].task)
