"""Everything known about the curve on the screen."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from compress.curves.plan import Plan, in_each_coding
from compress.curves.store import ACTIVE
from compress.recipe import Recipe
from pages.ui.charts import charts
from pages.ui.shell import records, session
from pages.ui.shell.choice import Card, point_recipe


@dataclass(frozen=True)
class CurveState:
    """Everything known about the curve on the screen.

    Attributes:
        card: the method's description; recipe: complete, at the dial's value.
        values: the dial's stops; points: measured so far, by rising dial.
        reference: what ratios are against, or None; view: the inside view, or {}; job: the newest job, or None.
        teacher: the teacher's record (digest, file, card), or None before it is trained.
        request: the recipe as it is asked for, with the settings of the sweep.
        start: the point of the network that the method starts from, or None for the teacher itself.
        plan: everything that is measured for the request, or None where nothing was yet.
        cache: what a page has worked out of all this, for as long as it draws.
    """

    card: Card
    recipe: Recipe
    values: list[Any]
    points: list[dict]
    reference: dict | None
    view: dict
    job: dict | None
    teacher: dict | None
    request: Recipe
    start: dict | None = None
    plan: Plan | None = None
    cache: dict[str, Any] = field(default_factory=dict)

    @property
    def settings(self) -> dict[str, Any]:
        """The method's settings, as a point has them."""
        return self.recipe.methods[-1].values

    @property
    def asked(self) -> dict[str, Any]:
        """The same with those of the sweep: what else is measured."""
        return self.request.methods[-1].values

    @property
    def dial(self) -> Any:
        """The dial's value."""
        return self.settings[self.card["dial"]]

    @property
    def point(self) -> dict | None:
        """The measured point at the dial, if there is one."""
        return next((point for point in self.points if point["dial"] == self.dial), None)

    @property
    def file_is_gone(self) -> bool:
        """Whether the point at the dial was measured, but the store no longer has its file unchanged."""
        return self.point is not None and not session.store().artefacts.has(self.point["digest"])

    @property
    def chain(self) -> str:
        """The recipe's methods by name, as the store keeps a point's."""
        return "+".join(step.name for step in self.recipe.methods)

    @property
    def running(self) -> bool:
        """Whether its job is queued or at work."""
        return self.job is not None and self.job["state"] in ACTIVE


def look_up(card: Card) -> CurveState:
    """What is chosen, and what the store has of it; cheap enough for every tick."""
    request = session.choice().request(card)
    recipe = point_recipe(request, card)
    store, curve = session.store(), recipe.curve(card["dial"])
    teacher = records.teacher_record(recipe)
    digest = teacher["digest"] if teacher else ""
    view = (store.view(curve.key(), digest) or {}) if teacher else {}
    plan = store.plan(request.curve(card["dial"]).key(), digest) if teacher else None
    dial = recipe.methods[-1].values[card["dial"]]
    if plan and view and dial in dict(plan.invalid):
        dial = view["values"][charts.nearest(view["values"], dial)]
        recipe = recipe.at(card["dial"], dial)
    values = sorted({*view.get("values", card["values"]), dial})
    reference = teacher and teacher["card"]
    if card["applies_to"] == "data":
        reference = {**view["reference"], "title": card["reference"]} if "reference" in view else None
    points = store.points(curve.key(), digest) if teacher else []
    return CurveState(card, recipe, values, [point for point in points if point["dial"] in values],
                      reference, view, store.latest_job(records.job_key(request.curve(card["dial"]))), teacher, request,
                      _start(request, digest), plan)


def _start(request: Recipe, digest: str) -> dict | None:
    """The measured point of the network that the last method starts from, however its file is stored, where that is not the
    teacher."""
    before = replace(request, methods=request.methods[:-1])
    found = (session.store().point(one.key(), digest) for one in in_each_coding(before))
    return next((point for point in found if point), None)


def is_deleted(state: CurveState) -> bool:
    """Whether all that was measured of the curve is deleted: it comes back when somebody asks for it, not by itself."""
    return bool(state.plan) and not state.points and not missing(state)


def missing(state: CurveState) -> int:
    """How many runs of the plan have no point, with those of a dial value that is not part of it yet; 0 without a plan. What
    was deleted is not missing."""
    if not state.plan:
        return 0
    runs, known = state.plan.runs, dict(state.plan.invalid)
    store, keys, digest = session.store(), [run.key for run in runs], state.teacher["digest"]
    kept = store.known_keys(keys, digest) | store.deleted_keys(keys, digest)
    new = [value for value in state.values if value not in state.plan.values and value not in known]
    each = sum(run.dial == state.plan.values[0] for run in runs)
    return len(state.plan.missing(kept)) + len(new) * each
