"""The command that searches for the network that meets a target."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from compress.atomic_file import write_whole
from compress.recipe import Recipe, Step
from compress.settings import checked_seed
from compress.shell import streams
from compress.shell.home_store import opened, say_of_other_data
from compress.shell.printed import say
from compress.shell.reporting import reporter
from compress.shell.saved import into_folder

if TYPE_CHECKING:
    from compress.curves.store import Store
    from compress.search.solver import Question


def add_to(commands: Any, shared: argparse.ArgumentParser) -> None:
    """Adds the command solve to those of the program. shared: the options of every command that trains."""
    searched = commands.add_parser("solve", parents=[shared], help=solve_command.__doc__)
    searched.add_argument("--at-most", metavar="N", help="accuracy below the teacher's, in percentage points: the smallest "
                          "such file is wanted")
    searched.add_argument("--within", metavar="SIZE", help="of the file, for example 20kB: the best accuracy is wanted")
    searched.add_argument("--latency", metavar="SHARE", help="of the teacher's time, for example 0.5")
    searched.add_argument("--minutes", default="3", metavar="N", help="how long; 3 by default")
    searched.add_argument("--measurements", default="0", metavar="N", help="the budget in networks measured, not in minutes")
    searched.add_argument("--fresh", default="2", metavar="N", help="seeds with which the answer is measured again")
    searched.add_argument("--save", metavar="DIR", help="copy the answer's file and code into this folder")
    searched.set_defaults(run=solve_command)


@into_folder
def solve_command(chosen: argparse.Namespace, folder: Path | None) -> None:
    """Searches methods, settings and chains for the network that meets a target; prints the front as it grows, and the
    answer with its file and its code."""
    from compress.curves import sweep
    from compress.data import datasets
    from compress.networks import device
    from compress.search.budget import Budget, checked_fresh
    from compress.search.solver import Question
    from compress.search.target import Target

    seed, fresh = checked_seed(chosen.seed, name="--seed"), checked_fresh(chosen.fresh)
    target = Target.of_options(vars(chosen))
    budget = Budget.of_options(chosen.minutes, chosen.measurements)
    where = device.prepare()
    store = opened()
    recipe = sweep.complete(Recipe(chosen.data, Step.parse(chosen.teacher), (), seed))
    data = datasets.load(chosen.data)
    say_of_other_data(store, data)
    solved(Question(recipe, target, budget, seed, fresh), data.digest, store, folder, where)


def solved(question: Question, data_digest: str, store: Store, folder: Path | None, device: Any) -> None:
    """Searches; prints each network that joins the front, and at last the answer with its file and its code.

    Args:
        question: with a complete recipe of the teacher; data_digest: of its data.
        folder: into which the answer's file and code are copied, or None.

    Raises:
        ValueError, Cancelled: as compress.search.solver.run().
    """
    from compress.search import solver

    front: list[dict[str, Any]] = []
    with reporter(device) as report:
        for point in solver.run(question, store, report, device, notice=streams.note):
            if Recipe.parse(point.recipe).seed == question.recipe.seed:
                front = _grown(front, point.plain(), question, data_digest, store)
    teacher = store.teacher(question.recipe.key(), data_digest)
    if not teacher:
        raise RuntimeError(f"The teacher {question.recipe.text()} was obtained, but is not in the store.")
    say(_answer(question, teacher, store, folder))


def _grown(front: list[dict[str, Any]], point: dict[str, Any], question: Question, data_digest: str,
           store: Store) -> list[dict[str, Any]]:
    """The front with a new point, which is printed if it belongs there."""
    from compress.search.known import front as front_of

    grown = front_of([*front, point])
    teacher = store.teacher(question.recipe.key(), data_digest)
    if teacher and any(one is point for one in grown):
        say({"front": len(grown), **_measures(point, teacher["card"])})
    return grown


def _answer(question: Question, teacher: dict[str, Any], store: Store, folder: Path | None) -> dict[str, Any]:
    from compress.search.found import SKIPPED, Found, luck, sentence, view_key

    target, card = question.target, teacher["card"]
    found = Found.from_plain(store.view(view_key(question.recipe, target), teacher["digest"])) or Found(target.text())
    key = Recipe.parse(found.best).key() if found.best else ""
    best = store.point(key, teacher["digest"]) if key else None
    answer = {"target": target.text(), "sentence": sentence(target, best, card), "measured": found.measured,
              "skipped": sum(one.state == SKIPPED for one in found.tried), "known_before": found.known,
              "seconds": round(found.seconds, 1), "recipe": found.best}
    if best is None:
        return answer
    lost = 100 * (card["accuracy"] - best["accuracy"])
    file, code = _files(best, store, folder)
    return {**answer, **_measures(best, card), "luck": luck(target, lost, found.fresh, found.known + found.measured),
            "fresh": found.plain()["fresh"], "file": str(file), "code": code}


def _measures(point: dict[str, Any], card: dict[str, Any]) -> dict[str, Any]:
    return {**{name: point[name] for name in ("bytes", "accuracy", "latency")},
            "points_lost": round(100 * (card["accuracy"] - point["accuracy"]), 3),
            "times_smaller": round(card["bytes"] / point["bytes"], 2), "recipe": point["recipe"]}


def _files(best: dict[str, Any], store: Store, folder: Path | None) -> tuple[Path, str]:
    """The answer's file, and the program that makes it again; both copied into a folder if one is wanted."""
    from compress.methods import methods
    from compress.service.snippet import snippet

    recipe = Recipe.parse(best["recipe"])
    code = snippet(recipe, {name: kind.card() for name, kind in methods().items()})
    file = store.artefacts.path(best["digest"])
    if folder is not None:
        name = f"{'+'.join(step.name for step in recipe.methods)}-{recipe.key()}"
        file = folder / f"{name}{file.suffix}"
        write_whole(store.artefacts.contents(best["digest"]), file)
        write_whole(code.encode(), folder / f"{name}.py")
    return file, code
