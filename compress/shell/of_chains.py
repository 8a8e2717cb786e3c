"""Commands about chains of methods."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from compress.recipe import CURVE, STEP, Recipe
from compress.shell.printed import Printed
from compress.shell.reporting import reporter

if TYPE_CHECKING:
    from compress.curves.chains.chain import Chain
    from compress.curves.plan import Plan
    from compress.curves.store import Store


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
