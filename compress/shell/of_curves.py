"""Commands that measure: a teacher, a curve, and a race of all methods."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from compress.recipe import Recipe, Step, dial_step
from compress.settings import checked_seed
from compress.shell import of_chains
from compress.shell.home_store import opened, say_of_other_data
from compress.shell.printed import Printed, say
from compress.shell.reporting import reporter
from compress.shell.saved import into_folder

if TYPE_CHECKING:
    from pathlib import Path


def add_to(commands: Any, shared: argparse.ArgumentParser) -> None:
    """Adds the commands teacher, curve and race to those of the program.

    Args:
        shared: the options of every command that trains.
    """
    trained = commands.add_parser("teacher", parents=[shared], help=teacher_command.__doc__)
    trained.set_defaults(run=teacher_command)
    curve = commands.add_parser("curve", parents=[shared], help=curve_command.__doc__)
    curve.add_argument("--method", required=True, help="for example low_rank; several joined by '+'")
    curve.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a setting of the last method")
    curve.add_argument("--dial", help="values of the dial, joined by ','; by default those of the method")
    curve.add_argument("--dial-step", default="", metavar="N", help="of a chain, the step whose dial varies, from 1; the "
                       "networks on the way are printed too. By default the last")
    curve.add_argument("--save", metavar="DIR", help="copy each point's file into this folder")
    curve.set_defaults(run=curve_command)
    raced = commands.add_parser("race", parents=[shared], help=race_command.__doc__)
    raced.add_argument("--points-lost", default="1", metavar="N",
                       help="accuracy below the teacher's, in percentage points, that the last line allows; 1 by default")
    raced.add_argument("--save", metavar="DIR", help="copy each point's file into this folder")
    raced.set_defaults(run=race_command)


def teacher_command(chosen: argparse.Namespace) -> None:
    """Trains (or reloads) a teacher and prints its card without the pictures."""
    from compress.curves import kept_teachers
    from compress.data import datasets
    from compress.networks import device
    from compress.training import teachers

    seed = checked_seed(chosen.seed, name="--seed")
    where = device.prepare()
    recipe = Recipe(chosen.data, teachers.teacher_step(Step.parse(chosen.teacher)), (), seed)
    store = opened()
    data = datasets.load(chosen.data)
    say_of_other_data(store, data)
    with reporter(where) as report:
        (training,) = report.phases(kept_teachers.phase(recipe, data, store))
        teacher = kept_teachers.obtain(recipe, data, store, training, where)
    left_out = ("wrong", "confusion", "history", "labels")
    card = {name: value for name, value in teacher.card.items() if name not in left_out}
    say({"recipe": recipe.text(), "file": str(store.artefacts.path(teacher.digest)), "seed": seed, **card})


@into_folder
def curve_command(chosen: argparse.Namespace, folder: Path | None) -> None:
    """Prints one JSON object for each point of the curve, its controls and baselines; stored points first."""
    from compress.curves import sweep
    from compress.data import datasets
    from compress.networks import device

    seed = checked_seed(chosen.seed, name="--seed")
    where = device.prepare()
    store = opened()
    steps = [Step.parse(text) for text in chosen.method.split("+")]
    steps[-1] = _having(steps[-1], chosen.set)
    recipe = Recipe(chosen.data, Step.parse(chosen.teacher), tuple(steps), seed)
    if dial_step(chosen.dial_step, len(steps), "--dial-step") < len(steps):
        of_chains.measured(recipe, chosen.dial, chosen.dial_step, store, folder, where)
        return
    wanted = sweep.sweep_of(recipe, None if chosen.dial is None else chosen.dial.split(","))
    dial = wanted.method.dial
    if any(text.startswith(f"{dial}=") for text in chosen.set):
        raise ValueError(f"{dial} is what a curve of {wanted.method.name} turns; give its values by --dial, for example "
                         f"--dial {wanted.values[0]}.")
    data = datasets.load(chosen.data)
    checked = sweep.checked_values(wanted, data)
    valid, invalid = checked
    say_of_other_data(store, data)
    printed = Printed(sweep.plan_of(wanted, sweep.coarse_to_fine(valid), invalid), store, folder)
    teacher = store.teacher(wanted.recipe.reference().key(), data.digest)
    if teacher:
        printed.known(teacher["digest"])
    with reporter(where) as report:
        for point in sweep.run(wanted, store, report, where, checked=checked):
            printed.point(Recipe.parse(point.recipe).key(), point.plain())
    teacher = store.teacher(wanted.recipe.reference().key(), data.digest)
    if teacher:
        printed.known(teacher["digest"])  # what another process measured meanwhile
    if chosen.dial and invalid:
        raise ValueError(next(iter(invalid.values())))


@into_folder
def race_command(chosen: argparse.Namespace, folder: Path | None) -> None:
    """Prints one JSON object for each network of a race of all methods, then the smallest one within the budget."""
    from compress.curves import race, sweep
    from compress.curves.race_plan import ahead, checked_budget, sentence
    from compress.data import datasets
    from compress.networks import device
    from compress.service.failures import sentence_of

    seed, budget = checked_seed(chosen.seed, name="--seed"), checked_budget(chosen.points_lost, name="--points-lost")
    where = device.prepare()
    store = opened()
    recipe = sweep.complete(Recipe(chosen.data, Step.parse(chosen.teacher), (), seed))
    data = datasets.load(chosen.data)
    field = race.field_of(recipe, data)
    say_of_other_data(store, data)
    printed = Printed(race.plan_of(field), store, folder)
    if kept := store.teacher(recipe.key(), data.digest):
        printed.known(kept["digest"])
    with reporter(where) as report:
        for point in race.run(recipe, store, report, where, field=field, explained=sentence_of):
            printed.point(Recipe.parse(point.recipe).key(), point.plain())
    teacher = store.teacher(recipe.key(), data.digest)
    if not teacher:
        raise RuntimeError(f"The teacher {recipe.text()} was obtained, but is not in the store.")
    printed.known(teacher["digest"])  # what another process measured meanwhile
    found = ahead(race.curves_of(field, store, teacher["digest"]), teacher["card"], budget)
    say({"points_lost": budget, "sentence": sentence(found, teacher["card"], budget),
         "refused": race.refused(recipe, store, teacher["digest"]), "recipe": found and found.point["recipe"]})


def _having(step: Step, texts: list[str]) -> Step:
    """The step with the settings of --set, still as text; the method converts them to their types.

    Raises:
        ValueError: a text that is not NAME=VALUE, or a setting that is given twice.
    """
    for text in texts:
        name, sign, value = text.partition("=")
        if not sign:
            raise ValueError(f"--set {text!r} is not NAME=VALUE; write it like --set scheme=whitened.")
        if name in step.values:
            raise ValueError(f"{name} is given twice, as {step.values[name]} and as {value}; give each setting once.")
        step = step.having(**{name: value})
    return step
