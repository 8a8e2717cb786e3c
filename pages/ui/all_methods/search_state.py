"""Everything known about a search for a target on the network of the sidebar."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from compress.curves.store import ACTIVE
from compress.recipe import Recipe
from compress.search.found import MEASURED, Found, Tried, view_key
from compress.search.target import Target
from pages.ui.charts import charts, setting_words
from pages.ui.shell import records, session
from pages.ui.shell.choice import Card

Row = dict[str, Any]
OUTCOMES = {MEASURED: "measured", "skipped": "not measured", "refused": "impossible"}


@dataclass(frozen=True)
class SearchState:
    """A search.

    Attributes:
        recipe: of the teacher; found: what the store has of the search, or None.
        measured, earlier: points of the teacher that the search has measured, and the others; as rows of
            compare.everything(), or with what is read here of one: id, key, reference, method, hover, pinned.
        reference: the teacher's card, or None before it is trained; job: the newest job of this search, or None.
    """

    recipe: Recipe
    target: Target
    found: Found | None = None
    measured: list[Row] = field(default_factory=list)
    earlier: list[Row] = field(default_factory=list)
    reference: dict[str, Any] | None = None
    job: dict[str, Any] | None = None

    @property
    def running(self) -> bool:
        """Whether its job is queued or at work."""
        return self.job is not None and self.job["state"] in ACTIVE

    @property
    def points(self) -> list[Row]:
        """All points of the teacher."""
        return [*self.measured, *self.earlier]

    @property
    def best(self) -> Row | None:
        """The answer."""
        return self.target.best(self.points, self.reference) if self.reference else None


def job_key(recipe: Recipe, target: Target) -> str:
    """The key of a search's job: the same search is run once for all visitors."""
    return records.job_key(recipe, f"search {target.text()}")


def look_up(target: Target, rows: Sequence[Row], known: Card) -> SearchState:
    """The search for a target on what is chosen, as far as the store has it; cheap enough for every tick.

    Args:
        rows: of all points, as compare.everything() has them; what was measured since is read from the store.
    """
    recipe, store = session.choice().recipe().reference(), session.store()
    job = store.latest_job(job_key(recipe, target))
    teacher = records.teacher_record(recipe)
    if not teacher:
        return SearchState(recipe, target, job=job)
    digest = teacher["digest"]
    found = Found.from_plain(store.view(view_key(recipe, target), digest))
    own = {Recipe.parse(one.recipe).key() for one in found.tried if one.state == MEASURED} if found else set()
    networks = {row["key"]: row for row in rows if row["reference"] == digest and is_network(row, known)}
    pins = store.pins()
    networks |= {key: _row(key, point, digest, pins, known)
                 for key, point in store.points_of(own - networks.keys(), digest).items()}
    return SearchState(recipe, target, found, [row for key, row in networks.items() if key in own],
                       [row for key, row in networks.items() if key not in own], teacher["card"], job)


def is_network(row: Row, known: Card) -> bool:
    """Whether a row is of a compressed network, and not of the teacher or of compressed data."""
    cards = [known["methods"].get(name) for name in row["method"].split("+")]
    return all(card is not None and card["applies_to"] == "network" for card in cards)


def table(found: Found, known: Card) -> dict[str, list[Any]]:
    """What was tried, column by column, the newest first."""
    tried = list(enumerate(found.tried, start=1))[::-1]
    return {"#": [number for number, _ in tried], "recipe": [in_words(one, known) for _, one in tried],
            "outcome": [OUTCOMES[one.state] for _, one in tried],
            "size": [None if one.bytes is None else one.bytes / 1000 for _, one in tried],
            "accuracy": [None if one.accuracy is None else 100 * one.accuracy for _, one in tried],
            "why": [one.reason for _, one in tried]}


def in_words(one: Tried, known: Card) -> str:
    """Pruning (share removed 95 %, recovery epochs 10, schedule gradual) + Quantization (levels 5)."""
    return title_of(Recipe.parse(one.recipe), known) if one.recipe else "a recipe that excludes itself"


def title_of(recipe: Recipe, known: Card) -> str:
    """A recipe's methods, each with its dial and the settings that are not at their defaults."""
    return setting_words.methods_in_words(recipe.methods, known["methods"])


def _row(key: str, point: dict[str, Any], reference: str, pins: dict[tuple[str, str], Any], known: Card) -> Row:
    recipe = Recipe.parse(point["recipe"])
    return {**point, "id": key, "key": key, "reference": reference, "pinned": (key, reference) in pins,
            "method": "+".join(step.name for step in recipe.methods), "hover": charts.hover(point, title_of(recipe, known))}
