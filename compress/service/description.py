"""Description of this installation as plain data: data sets, families and methods for pages and the command line."""

from __future__ import annotations

import dataclasses
from typing import Any

from compress.curves.sweep import complete
from compress.data import datasets
from compress.methods import methods
from compress.networks import device
from compress.recipe import Recipe
from compress.training import teachers


def description() -> dict[str, Any]:
    """Data sets, teacher families and presets, methods, device."""
    where = device.prepare()
    presets = [{"title": preset.title, "text": preset.text, "kinds": list(preset.kinds), "name": preset.step.name,
                "settings": teachers.teacher_step(preset.step).values} for preset in teachers.PRESETS]
    return {
        "device": device.title(where),
        "datasets": [dataclasses.asdict(card) for card in datasets.available()],
        "families": teachers.family_cards(),
        "presets": presets,
        "methods": {name: kind.card() for name, kind in methods().items()},
    }


def check(text: str) -> str:
    """The recipe of this text with all defaults written out. Raises ValueError for unknown names or settings."""
    return complete(Recipe.parse(text)).text()
