"""Measures an order matrix: for every two methods, one before the other against the other way round, at equal bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import torch

from compress.curves import kept_teachers, sweep
from compress.curves.chains.contest import Meeting, half_way, met
from compress.curves.chains.order_plan import Order, Pair, chainable, named
from compress.curves.chains.stair import Bench
from compress.curves.chains.structure import refusal
from compress.curves.sink import Sink
from compress.data import datasets
from compress.data.datasets import Dataset
from compress.methods import methods
from compress.points.measure import Reference
from compress.progress import Reporter, no_report
from compress.recipe import Recipe, Step
from compress.settings import checked
from compress.workload import Phase


@dataclass(frozen=True)
class Cell:
    """A finished comparison: the meeting of a pair for one seed, or the reason why the pair is refused."""

    pair: Pair
    seed: int
    meeting: Meeting | None
    refused: str = ""


def order_of(recipe: Recipe, smaller: Any, seeds: Any) -> Order:
    """An order matrix of a recipe's teacher, settings spelled out.

    Raises:
        ValueError: an unknown name; `smaller` outside 2..1000 or `seeds` outside 1..20.
    """
    whole = {"name": "seeds", "type": "int", "low": 1, "high": 20, "choices": None, "default": 3}
    times = {"name": "smaller", "type": "float", "low": 2, "high": 1000, "choices": None, "default": 16}
    cards = {name: {"applies_to": kind.applies_to} for name, kind in methods().items()}
    return Order(sweep.complete(recipe).reference(), checked(times, smaller), checked(whole, seeds), chainable(cards))


def run(order: Order, store: Sink, report: Reporter = no_report, device: torch.device | str = "cpu",
        explained: Callable[[Exception], str] = str) -> Iterator[Cell]:
    """Measures the cells that the store lacks, and yields each after it was stored: all pairs for the first seed, then for
    the next. A pair that is refused, before anything is trained or because its files cannot be made equal, has no cell.

    Raises:
        ValueError: unknown data or settings. Cancelled: through `report`; finished cells stay.
    """
    report(0.0, f"loading {order.recipe.data}")
    data = datasets.load(order.recipe.data, report=report)
    store.save_data_version(data.name, data.source, data.digest)
    for pair in order.pairs:
        if reason := _refused(order.recipe, pair, data):
            _keep(order, data, store, Cell(pair, order.recipe.seed, None, reason))
            yield Cell(pair, order.recipe.seed, None, reason)
    view = store.view(order.view_key, data.digest) or {}
    wanted = {number: [pair for pair in order.pairs if _lacks(order, view, pair, number)] for number in range(order.seeds)}
    wanted = {number: pairs for number, pairs in wanted.items() if pairs}
    phases = [phase for number, pairs in wanted.items()
              for phase in (kept_teachers.phase(order.at(number), data, store),
                            *[Phase(f"both orders on {order.recipe.data} {order.recipe.teacher.text()}")] * len(pairs))]
    parts = iter(report.phases(*phases) if phases else [])
    for number, pairs in wanted.items():
        for cell in _of_seed(order, number, pairs, data, store, parts, device, explained):
            _keep(order, data, store, cell)
            yield cell
    report(1.0, "done")


def _of_seed(order: Order, number: int, pairs: list[Pair], data: Dataset, store: Sink, parts: Iterator[Reporter],
             device: torch.device | str, explained: Callable[[Exception], str]) -> Iterator[Cell]:
    recipe = order.at(number)
    teacher = kept_teachers.obtain(recipe, data, store, next(parts), device)
    bench = Bench(data, teacher.digest, Reference.of(teacher.network, data), store, latency=False)
    wanted, first = teacher.card["bytes"] / order.smaller, dict[str, Recipe]()
    for pair in pairs:
        part = next(parts)
        part(0.0, f"{pair[0]} and {pair[1]}, seed {recipe.seed}")
        if named(pair) in (store.view(order.view_key, data.digest) or {}).get("refused", {}):
            part(1.0, "refused")
            continue
        try:
            for name in pair:
                if name not in first:
                    first[name] = half_way(_chain(recipe, name), wanted, bench, part.part(0, 0.2))
            forward, backward = _after(first[pair[0]], pair[1]), _after(first[pair[1]], pair[0])
            meeting = met(forward, backward, wanted, bench, part.part(0.2, 1))
        except ValueError as error:
            yield Cell(pair, recipe.seed, None, explained(error))
        else:
            yield Cell(pair, recipe.seed, meeting)
        part(1.0, f"{pair[0]} and {pair[1]} compared")


def _chain(recipe: Recipe, *names: str) -> Recipe:
    """These methods with their defaults."""
    return sweep.complete(replace(recipe, methods=tuple(map(Step, names))))


def _after(first: Recipe, second: str) -> Recipe:
    """A method with its defaults after a recipe of one."""
    return sweep.complete(replace(first, methods=(*first.methods, Step(second))))


def _refused(recipe: Recipe, pair: Pair, data: Dataset) -> str:
    found = (refusal(_chain(recipe, *names), data) for names in (pair, pair[::-1]))
    return next((str(reason) for reason in found if reason), "")


def _lacks(order: Order, view: dict[str, Any], pair: Pair, number: int) -> bool:
    known = str(order.at(number).seed) in view.get("cells", {}).get(named(pair), {})
    return not known and named(pair) not in view.get("refused", {})


def _keep(order: Order, data: Dataset, store: Sink, cell: Cell) -> None:
    """Adds a cell to those that are kept; another process may add its own meanwhile."""
    name, is_kept = named(cell.pair), False
    while not is_kept:
        before = store.view(order.view_key, data.digest)
        view = {"cells": {}, "refused": {}, **(before or {})}
        if cell.meeting is None:
            view = {**view, "refused": {**view["refused"], name: cell.refused}}
        else:
            own = {**view["cells"].get(name, {}), str(cell.seed): cell.meeting.plain()}
            view = {**view, "cells": {**view["cells"], name: own}}
        is_kept = store.replace_view(order.view_key, data.digest, before, view)
