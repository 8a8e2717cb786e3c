"""Measures the races of the first page anew: python -m tests.benchmarks.example > pages/ui/all_methods/example.json"""

from __future__ import annotations

import json
import sys
import tempfile
from datetime import date
from pathlib import Path
from typing import Any

from compress.curves import race, sweep
from compress.curves.race_plan import entries
from compress.curves.store import Store
from compress.data import datasets
from compress.methods import methods
from compress.networks import device
from compress.recipe import Recipe

DATA = ("digits", "mnist5k")
KEPT = ("accuracy", "accuracy_low", "accuracy_high", "agreement", "bytes", "parameters", "macs", "latency", "latency_low",
        "latency_high", "notes")
OF_TEACHER = ("title", "accuracy", "accuracy_low", "accuracy_high", "bytes", "examples")
DIGITS = 5


def main() -> None:
    """The races of the classic network, as JSON on standard output."""
    with tempfile.TemporaryDirectory() as folder:
        found = [measured(Recipe.parse(f"{data}/mlp/0"), Store(Path(folder) / "store.sqlite")) for data in DATA]
    json.dump(found, sys.stdout, separators=(",", ":"))
    sys.stdout.write("\n")


def measured(recipe: Recipe, store: Store) -> dict[str, Any]:
    """One race, as pages/ui/all_methods/example.py reads it."""
    where, recipe = device.prepare(), sweep.complete(recipe)
    for point in race.run(recipe, store, device=where):
        sys.stderr.write(f"{point.recipe} {point.accuracy:.3f}\n")
    data = datasets.load(recipe.data)
    teacher = store.teacher(recipe.key(), data.digest) or {}
    card = teacher["card"]
    points = {key: store.point(key, teacher["digest"]) or {}
              for entry in entries(recipe, {name: kind.card() for name, kind in methods().items()}) for key in entry.keys}
    return {"recipe": recipe.text(), "reference": kept(card, OF_TEACHER),
            "points": {key: kept(point, KEPT) for key, point in points.items() if point},
            "caption": f"{card['title']} on {data.title}, {card['examples']:,} validation examples, measured on "
                       f"{device.title(where)}, {date.today()}."}


def kept(whole: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    """These entries; intervals and ratios rounded, accuracies as they are."""
    return {name: round(whole[name], DIGITS) if isinstance(whole[name], float) and name != "accuracy" else whole[name]
            for name in names}


if __name__ == "__main__":
    main()
