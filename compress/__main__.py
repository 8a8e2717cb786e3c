"""The command line: python -m compress data | networks | methods | teacher | curve | race | order | duel | solve | evaluate
| export | report | points.

Results are written to standard output, one JSON object a line, and progress to standard error. A wrong name or value ends
with exit code 2 and one line that says what is allowed; shell/outcome.py has the other exit codes.
"""

from __future__ import annotations

from compress.shell import stopping

if __name__ == "__main__":
    stopping.listen()  # before the other imports, which can be stopped too

import argparse
import sys
from typing import TYPE_CHECKING, Any, NoReturn

from compress.recipe import Recipe, Step, dial_step
from compress.settings import MOST_SEED, checked_seed
from compress.shell import of_archives, of_chains, of_reports, outcome, streams
from compress.shell.printed import Printed, say
from compress.shell.reporting import reporter
from compress.shell.saved import into_folder

if TYPE_CHECKING:
    from pathlib import Path

    from compress.curves.store import Store
    from compress.data.datasets import Dataset


def main(arguments: list[str] | None = None) -> int:
    """Runs one command; returns the exit code."""
    return outcome.outcome(lambda: _run(arguments))


def _run(arguments: list[str] | None) -> int:
    chosen = _parser().parse_args(arguments)
    chosen.run(chosen)
    return outcome.DONE


def methods_command(chosen: argparse.Namespace) -> None:
    """Prints one JSON object for each method, or for those named: settings, ranges, dial."""
    from compress.methods import methods, named

    for kind in [named(name) for name in chosen.names] or methods().values():
        say(kind.card())


def teacher_command(chosen: argparse.Namespace) -> None:
    """Trains (or reloads) a teacher and prints its card without the pictures."""
    from compress.curves import kept_teachers
    from compress.data import datasets
    from compress.networks import device
    from compress.training import teachers

    seed = checked_seed(chosen.seed, name="--seed")
    where = device.prepare()
    recipe = Recipe(chosen.data, teachers.teacher_step(Step.parse(chosen.teacher)), (), seed)
    store = _store()
    data = datasets.load(chosen.data)
    _say_of_other_data(store, data)
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
    store = _store()
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
    _say_of_other_data(store, data)
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
    store = _store()
    recipe = sweep.complete(Recipe(chosen.data, Step.parse(chosen.teacher), (), seed))
    data = datasets.load(chosen.data)
    field = race.field_of(recipe, data)
    _say_of_other_data(store, data)
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
    from compress.shell.solving import solved

    seed, fresh = checked_seed(chosen.seed, name="--seed"), checked_fresh(chosen.fresh)
    target = Target.of_options(vars(chosen))
    budget = Budget.of_options(chosen.minutes, chosen.measurements)
    where = device.prepare()
    store = _store()
    recipe = sweep.complete(Recipe(chosen.data, Step.parse(chosen.teacher), (), seed))
    data = datasets.load(chosen.data)
    _say_of_other_data(store, data)
    solved(Question(recipe, target, budget, seed, fresh), data.digest, store, folder, where)


def evaluate_command(chosen: argparse.Namespace) -> None:
    """Reads a network file and prints its accuracy and each class's recall on a split, size and operations."""
    from compress.shell.of_files import evaluated

    say(evaluated(chosen.file, chosen.data, chosen.split, chosen.teacher, _store()))


def export_command(chosen: argparse.Namespace) -> None:
    """Writes a network file as ONNX or as a program of torch.export, with its normaliser inside, and prints how far that
    agrees on validation."""
    from compress.shell.of_files import exported

    say(exported(chosen.file, chosen.to, chosen.out, chosen.data))


def data_command(chosen: argparse.Namespace) -> None:
    """Prints the data sets; adds one from your own files (a table, arrays, a zip of pictures), or removes one."""
    from compress.shell import of_data

    for line in of_data.run(chosen):
        say(line)


def networks_command(chosen: argparse.Namespace) -> None:
    """Prints the networks of your own that are teachers; adds one from an ONNX file, or removes one."""
    from compress.shell import of_networks

    for line in of_networks.run(chosen):
        say(line)


class _Parser(argparse.ArgumentParser):
    """Options are written in full, and a mistake is answered in one line."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings, allow_abbrev=False)

    def print_help(self, file: Any = None) -> None:
        streams.say(self.format_help().rstrip())

    def error(self, message: str) -> NoReturn:
        raise ValueError(f"{message[:1].upper()}{message[1:]}. See {self.prog} --help.")


def _parser() -> argparse.ArgumentParser:
    from compress.shell import of_data, of_networks

    parser = _Parser(prog="python -m compress", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="command")
    listed = commands.add_parser("methods", help=methods_command.__doc__)
    listed.add_argument("names", nargs="*", metavar="NAME", help="only these methods, for example low_rank")
    listed.set_defaults(run=methods_command)
    data = commands.add_parser("data", help=data_command.__doc__)
    of_data.add_actions(data)
    data.set_defaults(run=data_command)
    networks = commands.add_parser("networks", help=networks_command.__doc__)
    of_networks.add_actions(networks)
    networks.set_defaults(run=networks_command)
    shared = _Parser(add_help=False)
    shared.add_argument("--data", required=True, help="data set, for example digits, mnist5k, mnist1d")
    shared.add_argument("--teacher", default="mlp", help="for example mlp or 'mlp(hidden=300-100,epochs=20)'")
    shared.add_argument("--seed", default="0", help=f"a whole number from 0 to {MOST_SEED}")
    _add_measuring(commands, shared)
    of_chains.add_commands(commands, shared, _store)
    _add_search(commands, shared)
    _add_files(commands)
    of_reports.add_to(commands, _store)
    of_archives.add_to(commands, _store)
    return parser


def _add_measuring(commands: Any, shared: argparse.ArgumentParser) -> None:
    """A teacher, a curve, and a race of all methods."""
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


def _add_search(commands: Any, shared: argparse.ArgumentParser) -> None:
    """The search for a target."""
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


def _add_files(commands: Any) -> None:
    """What is done with a network's file."""
    evaluated = commands.add_parser("evaluate", help=evaluate_command.__doc__)
    evaluated.add_argument("file")
    evaluated.add_argument("--data", required=True)
    evaluated.add_argument("--split", choices=("train", "calibration", "validation", "test"), default="validation")
    evaluated.add_argument("--teacher", metavar="FILE", help="a file to agree with")
    evaluated.set_defaults(run=evaluate_command)
    exported = commands.add_parser("export", help=export_command.__doc__)
    exported.add_argument("file")
    exported.add_argument("--to", choices=("onnx", "torch"), required=True)
    exported.add_argument("--out", metavar="FILE", help="the new file; by default the same name with .onnx or .pt2")
    exported.add_argument("--data", help="validation examples to agree on; by default those it was made for")
    exported.set_defaults(run=export_command)


def _store() -> Store:
    from compress.curves.store import Store
    from compress.files.artefacts import sweep_home

    store = Store()
    sweep_home(store.path.parent)
    store.clean_up()
    for sentence in store.take_notices():
        streams.note(sentence)
    return store


def _say_of_other_data(store: Store, data: Dataset) -> None:
    """One line where results of other contents of this name are kept, the first time that these contents are read."""
    sentence = store.of_other_data(data.name, data.digest)
    if sentence and not store.data_digest(data.name, data.source):
        streams.note(sentence)


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


if __name__ == "__main__":
    sys.exit(outcome.program(lambda: _run(None)))
