"""What is measured for a curve, as plain data: kept with the curve, so that pages read roles and what is missing.

Imports nothing heavy.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from compress.recipe import CURVE


@dataclass(frozen=True)
class PlannedRun:
    """One recipe of a plan.

    Attributes:
        recipe: its text; key: the recipe's key in the store; role: one of recipe.ROLES.
        dial: the dial's value; label: what a legend calls it, "" where its settings say enough.
    """

    recipe: str
    key: str
    role: str
    dial: Any
    label: str = ""


@dataclass(frozen=True)
class Plan:
    """Everything that is measured for one curve.

    Attributes:
        runs: in the order in which they are measured.
        invalid: (dial value, reason) of each that was asked for but makes no sense for this network and data.
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

    def role_of(self, key: str) -> str | None:
        """The role of the recipe with this key; None for one that is not part of this plan."""
        return next((run.role for run in self.runs if run.key == key), None)

    def plain(self) -> dict[str, Any]:
        """JSON-able; the opposite of from_plain()."""
        return {"runs": [dataclasses.asdict(run) for run in self.runs], "invalid": [list(pair) for pair in self.invalid]}

    @classmethod
    def from_plain(cls, plain: dict[str, Any]) -> Plan:
        """A plan from its plain data."""
        return cls(tuple(PlannedRun(**run) for run in plain["runs"]),
                   tuple((value, reason) for value, reason in plain["invalid"]))
