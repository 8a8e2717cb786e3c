"""Searches for the smallest file within one point of the teacher: python -m tests.benchmarks.search

Needs optuna. `reached` counts minutes (6 together), teacher's training apart, and should run on an idle machine; `random`
counts networks that are measured, so that its figures are the same on every machine.
"""

from __future__ import annotations

import random as dice
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

from compress.curves import sweep
from compress.curves.store import Store
from compress.data import datasets
from compress.method import Method
from compress.methods import method, methods
from compress.recipe import Recipe, Step
from compress.search import solver
from compress.search.budget import Budget
from compress.search.found import Found, view_key, words
from compress.search.solver import Question
from compress.search.space import Space, recipe_of
from compress.search.target import Target
from tests.benchmarks.report import show
from tests.benchmarks.timing import table

TARGET = Target(points_lost=1.0)
NETWORKS = (("LeNet-300-100", "mlp", True, 2.0, 30.0), ("LeNet-300-100 without quantization", "mlp", False, 1.5, 12.0),
            ("LeNet-5", "cnn(epochs=15)", True, 2.5, 20.0))  # teacher, quantization too, minutes, times smaller
QUANTIZED = ("int8",)  # values of settings of files that are quantization, too
SEEDS, MEASUREMENTS = 5, 20


class Dice:
    """Chooses at random, as space.Chooser."""

    def __init__(self, seed: int) -> None:
        self.random = dice.Random(seed)

    def suggest_categorical(self, name: str, choices: Any) -> Any:
        """One of the choices."""
        return self.random.choice(list(choices))

    def suggest_float(self, name: str, low: float, high: float) -> float:
        """A number in this range."""
        return self.random.uniform(low, high)


class InFloats:
    """Makes spaces without quantization: without the method, and without files in 8 bits."""

    @staticmethod
    def of(kinds: Iterable[type[Method]], family: str, kind: str) -> Space:
        """As Space.of()."""
        whole = Space.of([one for one in kinds if one.name != "quantize"], family, kind)
        return replace(whole, methods={name: replace(own, settings=tuple(
            replace(one, values=tuple(value for value in one.values if value not in QUANTIZED)) for one in own.settings))
            for name, own in whole.methods.items()})


def reached() -> str:
    """How small the answer is on MNIST-5k, and what it is with fresh seeds."""
    return table(("network", "minutes", "measured", "tried", "times smaller", "points lost", "points lost with fresh seeds",
                  "by", "bar", "kept"), [row(*network) for network in NETWORKS])


def row(title: str, teacher: str, quantized: bool, minutes: float, bar: float) -> list[Any]:
    """One search, in a store of its own."""
    with tempfile.TemporaryDirectory() as folder, mock.patch.object(solver, "Space", Space if quantized else InFloats):
        recipe = sweep.complete(Recipe("mnist5k", Step.parse(teacher)))
        store = Store(Path(folder) / "store.sqlite")
        found, card = searched(recipe, store, Budget(minutes), 0, Path(folder), fresh=2)
        best = answer(recipe, store)
    if best is None:
        return [title, f"{minutes:g}", found.measured, len(found.tried), "", "", "", "nothing was found", f"{bar:g}", "NO"]
    times, lost = card["bytes"] / best["bytes"], 100 * (card["accuracy"] - best["accuracy"])
    fresh = ", ".join(f"{one.points_lost:.1f}" for one in found.fresh) or "no time left"
    sys.stderr.write(f"{title}: {times:.0f} times smaller\n")
    return [title, f"{minutes:g}", found.measured, len(found.tried), f"{times:.0f}", f"{lost:.1f}", fresh,
            words(Recipe.parse(best["recipe"])), f"{bar:g}", "yes" if times >= bar else "NO"]


def random() -> str:
    """The search against recipes drawn at random from the same space, as many of them measured."""
    recipe, rows = sweep.complete(Recipe("digits", Step("mlp"))), []
    for seed in range(SEEDS):
        with tempfile.TemporaryDirectory() as folder:
            ours, theirs = (Store(Path(folder) / name / "store.sqlite") for name in ("ours", "theirs"))
            _, card = searched(recipe, ours, Budget(measurements=MEASUREMENTS), seed, Path(folder), fresh=0)
            drawn(recipe, theirs, seed)
            sizes = [(answer(recipe, store) or card)["bytes"] for store in (ours, theirs)]
            times = [card["bytes"] / size for size in sizes]
            rows.append([seed, *(f"{one:.1f}" for one in times), "yes" if times[0] >= times[1] else "NO"])
            sys.stderr.write(f"seed {seed}: {times[0]:.1f} and {times[1]:.1f} times smaller\n")
    return table(("seed", "search: times smaller", "random: times smaller", "never worse"), rows)


def searched(recipe: Recipe, store: Store, budget: Budget, seed: int, folder: Path,
             fresh: int) -> tuple[Found, dict[str, Any]]:
    """A search, and the card of its teacher, which is trained first."""
    teacher = sweep.ground(recipe, datasets.load(recipe.data), store).teacher
    for _ in solver.run(Question(recipe, TARGET, budget, seed, fresh), store, folder=folder / "searches"):
        pass
    found = Found.from_plain(store.view(view_key(recipe, TARGET), teacher.digest))
    if found is None:
        raise RuntimeError("The search kept nothing.")
    return found, teacher.card


def drawn(recipe: Recipe, store: Store, seed: int) -> None:
    """Measures so many recipes drawn at random, networks on the way among them; impossible ones are drawn again."""
    data, chooser = datasets.load(recipe.data), Dice(seed)
    on = sweep.ground(recipe, data, store)
    space = Space.of(methods().values(), recipe.teacher.name, data.kind)
    while len(store.points_with(on.teacher.digest)) <= MEASUREMENTS:  # the teacher is one of them
        one = recipe_of(recipe, space.chosen(chooser))
        wanted = sweep.sweep_of(one, [method(one.methods[-1]).value])
        try:
            sweep.single(wanted, sweep.ground(wanted.recipe, data, store), store)
        except ValueError as refusal:
            sys.stderr.write(f"{refusal}\n")


def answer(recipe: Recipe, store: Store) -> Any:
    """The smallest network within the target; None if there is none."""
    (teacher,) = store.teachers(recipe.key())
    networks = [point for point in store.points_with(teacher["digest"]).values() if Recipe.parse(point["recipe"]).methods]
    return TARGET.best(networks, teacher["card"])


PARTS = {"reached": reached, "random": random}

if __name__ == "__main__":
    show(PARTS)
