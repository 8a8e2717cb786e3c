"""Everything known about the curve on the screen."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from compress.curves.plan import Plan
from compress.curves.store import ACTIVE
from compress.recipe import Recipe
from pages.ui.shell.choice import Card


@dataclass(frozen=True)
class Shown:
    """Everything known about the curve on the screen.

    Attributes:
        card: the method's description; recipe: complete, with the dial where it stands.
        values: where the dial can stand; points: measured so far, by rising dial.
        reference: what ratios are against, or None; view: the inside view, or {}; job: the newest job, or None.
        teacher: the teacher's record (digest, file, card), or None before it is trained.
        request: the recipe as it is asked for, with the settings of the sweep.
        start: the point that stands in the teacher's place, or None for the teacher itself.
        plan: everything that is measured for the request, or None where nothing was yet.
        memo: what a page has worked out of all this, for as long as it draws.
    """

    card: Card
    recipe: Recipe
    values: list[Any]
    points: list[dict]
    reference: dict | None
    view: dict
    job: dict | None
    teacher: dict | None
    request: Recipe | None = None
    start: dict | None = None
    plan: Plan | None = None
    memo: dict[str, Any] = field(default_factory=dict)

    @property
    def dial(self) -> Any:
        """Where the dial stands."""
        return self.recipe.methods[-1].values[self.card["dial"]]

    @property
    def point(self) -> dict | None:
        """The measured point at the dial, if there is one."""
        return next((point for point in self.points if point["dial"] == self.dial), None)

    @property
    def chain(self) -> str:
        """The recipe's methods by name, as the store keeps a point's."""
        return "+".join(step.name for step in self.recipe.methods)

    @property
    def running(self) -> bool:
        """Whether its job is queued or at work."""
        return self.job is not None and self.job["state"] in ACTIVE

    @property
    def missing(self) -> int:
        """Dial values not measured yet."""
        return len(set(self.values) - {point["dial"] for point in self.points})
