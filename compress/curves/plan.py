"""The plan of a curve as plain data, stored with the curve: pages read roles and missing runs from it.

Imports nothing heavy.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from typing import Any

from compress.recipe import CURVE, ROLES, Recipe
from compress.stored import CODINGS


@dataclass(frozen=True)
class PlannedRun:
    """One recipe of a plan.

    Attributes:
        recipe: as text; key: of the recipe in the store; role: one of recipe.ROLES.
        dial: the dial's value; label: the name in a legend, "" for a name from the settings.
    """

    recipe: str
    key: str
    role: str
    dial: Any
    label: str = ""


@dataclass(frozen=True)
class Plan:
    """All runs of a curve.

    Attributes:
        runs: in the order in which they are measured.
        invalid: (dial value, reason) of each requested value that is impossible for this network and data.
    """

    runs: tuple[PlannedRun, ...] = ()
    invalid: tuple[tuple[Any, str], ...] = field(default=())

    @property
    def values(self) -> list[Any]:
        """The dial values that are measured, rising."""
        return sorted({run.dial for run in self.runs if run.role == CURVE})

    def missing(self, known: Collection[str]) -> list[PlannedRun]:
        """The runs whose keys are not among these."""
        return [run for run in self.runs if run.key not in known]

    def plain(self) -> dict[str, Any]:
        """JSON-able; the opposite of from_plain()."""
        return {"runs": [dataclasses.asdict(run) for run in self.runs], "invalid": [list(pair) for pair in self.invalid]}

    @classmethod
    def from_plain(cls, plain: dict[str, Any]) -> Plan:
        """A plan from its plain data. Raises ValueError, TypeError or KeyError for what is none, an unknown role among
        them."""
        if unknown := {run["role"] for run in plain["runs"]} - set(ROLES):
            raise ValueError(f"a plan has runs of the roles {', '.join(ROLES)}, but got {', '.join(unknown)}")
        return cls(tuple(PlannedRun(**run) for run in plain["runs"]),
                   tuple((value, reason) for value, reason in plain["invalid"]))


def in_each_coding(recipe: Recipe) -> list[Recipe]:
    """The recipes of points whose files hold the network of this one bit for bit, differently coded; none for the
    teacher."""
    return [replace(recipe, methods=(*recipe.methods[:-1], last.having(coding=coding)))
            for last in recipe.methods[-1:] for coding in CODINGS]
