"""Everything known about the race on the screen: of what is chosen, or the one that comes with the program."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from compress.curves.race_plan import Ahead, Entry, ahead, entries, smallest, view_key
from compress.curves.store import ACTIVE
from compress.recipe import Recipe
from pages.ui.all_methods import example
from pages.ui.charts import setting_words
from pages.ui.shell import records, session
from pages.ui.shell.choice import Card


@dataclass(frozen=True)
class RaceState:
    """A race.

    Attributes:
        recipe: of the network that races; entries: its curves.
        curves: for each entry its points by rising size, each with the key of its recipe as `id`.
        reference: the teacher's card, or None before it is trained.
        job: the newest job of this race, or None; missing: how many points its curves lack.
        refused: entry in words -> why it does not take part, or not to the end.
        shipped: where it comes with the program, how it was measured; else "".
    """

    recipe: Recipe
    entries: list[Entry]
    curves: list[list[dict[str, Any]]]
    reference: dict[str, Any] | None
    job: dict[str, Any] | None = None
    missing: int = 0
    refused: dict[str, str] | None = None
    shipped: str = ""

    @property
    def running(self) -> bool:
        """Whether its job is queued or at work."""
        return self.job is not None and self.job["state"] in ACTIVE

    @property
    def points(self) -> list[dict[str, Any]]:
        """The points of all curves."""
        return [point for points in self.curves for point in points]

    def ahead(self, points_lost: float) -> Ahead | None:
        """The smallest network within the budget, with its entry."""
        if not self.reference:
            return None
        return ahead(zip(self.entries, self.curves, strict=True), self.reference, points_lost)

    def best(self, points_lost: float) -> list[tuple[Entry, dict[str, Any] | None]]:
        """Each entry's smallest network within the budget, smallest first; those without one come last, with None."""
        found = [(entry, smallest(points, self.reference, points_lost) if self.reference else None)
                 for entry, points in zip(self.entries, self.curves, strict=True)]
        return sorted(found, key=lambda pair: pair[1]["bytes"] if pair[1] else float("inf"))


def job_key(recipe: Recipe) -> str:
    """The key of a race's job: the same race is run once for all visitors."""
    return records.job_key(recipe, "race")


def look_up(known: Card) -> RaceState:
    """The race of what is chosen, as far as the store has it; cheap enough for every tick."""
    recipe, store = session.choice().started(), session.store()
    field, job = entries(recipe, known["methods"]), store.latest_job(job_key(recipe))
    teacher = records.teacher_record(recipe)
    if not teacher:
        return RaceState(recipe, field, [[] for _ in field], None, job, sum(len(entry.values) for entry in field))
    found = store.points_of([key for entry in field for key in entry.keys], teacher["digest"])
    curves = [_by_size(entry, found, known) for entry in field]
    refused = (store.view(view_key(recipe), teacher["digest"]) or {}).get("refused", {})
    missing = sum(_missing(entry, points, teacher["digest"]) for entry, points in zip(field, curves, strict=True)
                  if entry.words not in refused)
    return RaceState(recipe, field, curves, teacher["card"], job, missing, refused)


def shipped(known: Card, own: RaceState) -> RaceState:
    """The race that comes with the program: of what is chosen if there is one, else the first. `own` is what is chosen."""
    race = next((one for one in example.races() if Recipe.parse(one.recipe) == own.recipe), example.races()[0])
    recipe = Recipe.parse(race.recipe)
    field = entries(recipe, known["methods"])
    curves = [_by_size(entry, race.points, known) for entry in field]
    return replace(own, recipe=recipe, entries=field, curves=curves, reference=race.reference, refused={},
                   shipped=race.caption)


def _by_size(entry: Entry, found: dict[str, dict[str, Any]], known: Card) -> list[dict[str, Any]]:
    dial = setting_words.dial(known["methods"][entry.name])
    points = [{**found[key], "id": key, "title": f"{entry.words} · {dial['label']}: {setting_words.value(dial, value)}"}
              for key, value in entry.keys.items() if key in found]
    return sorted(points, key=lambda point: point["bytes"])


def _missing(entry: Entry, points: list[dict[str, Any]], teacher: str) -> int:
    if len(points) == len(entry.values):
        return 0
    plan = session.store().plan(entry.request.curve(entry.dial).key(), teacher)
    return len(entry.values) - len(points) - len(set(dict(plan.invalid)) & set(entry.values) if plan else ())
