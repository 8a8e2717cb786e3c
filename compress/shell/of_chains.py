"""Commands about chains of methods."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from compress.recipe import CURVE, STEP, Recipe, Step
from compress.settings import checked_seed
from compress.shell.home_store import opened
from compress.shell.printed import Printed, say
from compress.shell.reporting import reporter

if TYPE_CHECKING:
    from compress.curves.chains.chain import Chain
    from compress.curves.chains.contest import Meeting
    from compress.curves.chains.verdict import Verdict
    from compress.curves.plan import Plan
    from compress.curves.store import Store


def add_to(commands: Any, shared: argparse.ArgumentParser) -> None:
    """Adds the commands order and duel to those of the program. shared: the options of every command that trains."""
    ordered = commands.add_parser("order", parents=[shared], help=order_command.__doc__)
    ordered.add_argument("--smaller", default="16", metavar="N", help="files so many times smaller than the teacher's; 16")
    ordered.add_argument("--seeds", default="3", metavar="N", help="how many, each with a teacher of its own; 3")
    ordered.set_defaults(run=lambda chosen: order_command(chosen, opened()))
    opposed = commands.add_parser("duel", parents=[shared], help=duel_command.__doc__)
    opposed.add_argument("first", help="methods joined by '+', for example 'prune+quantize'")
    opposed.add_argument("second", help="the others, for example distill")
    opposed.add_argument("--size", required=True, metavar="N", help="bytes, or multiply-adds, of both networks")
    opposed.add_argument("--by", default="bytes", choices=("bytes", "macs"), help="what is equal; bytes")
    opposed.add_argument("--seeds", default="3", metavar="N", help="how many, each with a teacher of its own; 3")
    opposed.set_defaults(run=lambda chosen: duel_command(chosen, opened()))


def order_command(chosen: argparse.Namespace, store: Store) -> None:
    """Compares the two orders of every two methods at equal bytes, and prints cells and verdicts."""
    from compress.networks import device

    recipe = Recipe(chosen.data, Step.parse(chosen.teacher), (), checked_seed(chosen.seed, name="--seed"))
    compared_orders(recipe, chosen.smaller, chosen.seeds, store, device.prepare())


def duel_command(chosen: argparse.Namespace, store: Store) -> None:
    """Compares two chains of methods at equal size, whose last dials are chosen for it, and prints seeds and verdict."""
    from compress.networks import device

    seed, teacher = checked_seed(chosen.seed, name="--seed"), Step.parse(chosen.teacher)
    first, second = (Recipe(chosen.data, teacher, tuple(map(Step.parse, text.split("+"))), seed)
                     for text in (chosen.first, chosen.second))
    fought(first, second, chosen.by, chosen.size, chosen.seeds, store, device.prepare())


def measured(recipe: Recipe, values: str | None, dial_step: str, store: Store, folder: Path | None, device: Any) -> None:
    """Measures a curve over the dial of an earlier step, and prints each network on the way too.

    Args:
        values: of the dial, joined by ','; None for those of its method. folder: to copy files into, or None.

    Raises:
        ValueError: as chains.run.
    """
    from compress.curves.chains import run
    from compress.data import datasets

    chain = run.chain_of(recipe, None if values is None else values.split(","), dial_step)
    data = datasets.load(recipe.data)
    known = run.checked(chain, data, store)
    printed = Printed(plan_of(chain, known.possible), store, folder)
    printed.stored(chain.recipe, data.digest)
    with reporter(device) as report:
        for point in run.run(chain, store, report, device, known=known):
            printed.point(Recipe.parse(point.recipe).key(), point.plain())
    printed.stored(chain.recipe, data.digest)
    if values and known.refused:
        raise next(iter(known.refused.values()))


def plan_of(chain: Chain, values: list[Any]) -> Plan:
    """Everything that is printed of a chain."""
    from compress.curves.plan import Plan, PlannedRun

    runs = {recipe.key(): PlannedRun(recipe.text(), recipe.key(), STEP, value)
            for value in values for recipe in chain.stairs(value)}
    runs |= {one.key(): PlannedRun(one.text(), one.key(), CURVE, value) for value in values for one in [chain.at(value)]}
    return Plan(tuple(runs.values()))


def compared_orders(recipe: Recipe, smaller: str, seeds: str, store: Store, device: Any) -> None:
    """Measures an order matrix; prints each cell as it is finished, then a line with the verdict of each pair.

    Raises:
        ValueError: as chains.order.
    """
    from compress.curves.chains import order
    from compress.data import datasets
    from compress.service.failures import sentence_of

    wanted = order.order_of(recipe, smaller, seeds)
    with reporter(device) as report:
        for cell in order.run(wanted, store, report, device, sentence_of):
            say({"pair": list(cell.pair), "seed": cell.seed, "refused": cell.refused, **_without_votes(cell.meeting)})
    view = store.view(wanted.view_key, datasets.load(recipe.data).digest) or {}
    for pair, found in wanted.verdicts(view).items():
        say({"pair": list(pair), **_of_verdict(found, f"{pair[0]} then {pair[1]}", f"{pair[1]} then {pair[0]}")})


def fought(first: Recipe, second: Recipe, by: str, size: str, seeds: str, store: Store, device: Any) -> None:
    """Measures a duel; prints each seed as it is finished, then the verdict.

    Raises:
        ValueError: as chains.duel.
    """
    from compress.curves.chains import duel
    from compress.data import datasets

    wanted = duel.duel_of(first, second, by, size, seeds)
    with reporter(device) as report:
        for meeting in duel.run(wanted, store, report, device):
            say({"seed": meeting.first.seed, **_without_votes(meeting)})
    found = wanted.verdict(store.view(wanted.view_key, datasets.load(first.data).digest) or {})
    if not found:
        raise RuntimeError(f"The duel {wanted.view_key} was measured, but is not in the store.")
    say(_of_verdict(found, "the first recipe", "the second"))


def _without_votes(meeting: Meeting | None) -> dict[str, Any]:
    return {name: value for name, value in meeting.plain().items() if name != "votes"} if meeting else {}


def _of_verdict(found: Verdict, first: str, second: str) -> dict[str, Any]:
    return {**asdict(found), "significant": found.is_significant, "sentence": found.in_words(first, second)}
