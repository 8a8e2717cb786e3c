"""Results on standard output: one JSON object a line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from compress.atomic_file import write_whole
from compress.recipe import Recipe
from compress.shell import streams

if TYPE_CHECKING:
    from compress.curves.plan import Plan
    from compress.curves.store import Store


def say(result: dict[str, Any]) -> None:
    """Prints one object."""
    streams.say(json.dumps(result))


class Printed:
    """The points of a plan, each printed once with its role, its file copied into a folder if one is wanted."""

    def __init__(self, plan: Plan, store: Store, folder: Path | None) -> None:
        self.left = {run.key: run for run in plan.runs}
        self.store, self.folder = store, folder

    def stored(self, recipe: Recipe, data_digest: str) -> None:
        """Prints what the store has of those that are left, for the teacher of a recipe on these data."""
        if teacher := self.store.teacher(recipe.reference().key(), data_digest):
            self.known(teacher["digest"])

    def known(self, reference: str) -> None:
        """Prints what the store has of those that are left."""
        found = self.store.known_keys(self.left, reference)
        for key in [key for key in self.left if key in found]:
            self.point(key, self.store.point(key, reference) or {})

    def point(self, key: str, point: dict[str, Any]) -> None:
        """Prints one point."""
        run = self.left.pop(key)
        file = self.store.artefacts.path(point["digest"])
        if self.folder is not None:
            names = "+".join(step.name for step in Recipe.parse(run.recipe).methods)
            file = self.folder / f"{names}-{key}{file.suffix}"
            write_whole(self.store.artefacts.contents(point["digest"]), file)  # its bytes are compared with the digest
        say({**point, "role": run.role, "label": run.label, "file": str(file)})
