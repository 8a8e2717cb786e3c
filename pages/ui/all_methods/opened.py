"""Networks that are opened on the Compare page: what the store knows of each beside its teacher."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from compress.points import predicted
from compress.recipe import Recipe
from compress.service.requests import inspection_key
from pages.ui.charts import panel_charts
from pages.ui.shell import session

Row = dict[str, Any]
MOST = len(panel_charts.LETTERS)


@dataclass(frozen=True)
class Opened:
    """One network.

    Attributes:
        letter: its name on the page; row: as the page has it.
        card: the teacher's; teachers: the classes that the teacher predicts on validation, ours: those of the network.
    """

    letter: str
    row: Row
    card: Row
    ours: list[int]
    teachers: list[int]

    @cached_property
    def recipe(self) -> Recipe:
        """What made it."""
        return Recipe.parse(self.row["recipe"])

    @cached_property
    def flips(self) -> predicted.Flips:
        """Rows of the examples that it predicts otherwise than the teacher."""
        return predicted.flips(self.ours, self.teachers, self.card["labels"])

    @cached_property
    def inside(self) -> Row | None:
        """What was found when it was looked into, or None before that."""
        return session.store().view(inspection_key(self.row["digest"]), self.row["reference"])

    @property
    def pictures(self) -> str:
        """The digest of the file with the validation examples as images, "" where it is not known."""
        of_curve = self.inside or session.store().view(self.row["curve"], self.row["reference"]) or {}
        return of_curve.get("pictures", "")


def look_up(rows: list[Row], identities: tuple[str, ...]) -> list[Opened]:
    """The opened ones of these rows, in the order in which they were opened; those whose teacher is gone are left out."""
    by_name, found = {row["id"]: row for row in rows}, []
    for identity in identities:
        row = by_name.get(identity)
        opened = row and _opened(panel_charts.LETTERS[len(found)], row)
        if opened:
            found.append(opened)
    return found


def _opened(letter: str, row: Row) -> Opened | None:
    store, record = session.store(), session.store().teacher_of(row["reference"])
    if record is None or not {"labels", "classes"} <= record["card"].keys():
        return None
    try:
        ours, teachers = (predicted.classes_of(store.predictions(key, row["reference"]))
                          for key in (row["key"], record["key"]))
    except KeyError:
        return None
    return Opened(letter, row, record["card"], list(ours), list(teachers))
