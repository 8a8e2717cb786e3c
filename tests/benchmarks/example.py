"""Measures the first page's curve anew: python -m tests.benchmarks.example > pages/ui/shell/example.json"""

from __future__ import annotations

import json
import sys
from datetime import date
from typing import Any

from compress.curves import kept_teachers, sweep
from compress.curves.store import Store
from compress.data import datasets
from compress.networks import device
from compress.recipe import Recipe

RECIPE = "mnist5k/mlp/low_rank(scheme={scheme})/0"
KEPT = ("recipe", "dial", "accuracy", "accuracy_low", "accuracy_high", "agreement", "bytes", "parameters", "macs", "latency",
        "latency_low", "latency_high", "notes")


def main() -> None:
    """Both curves of the classic network, as JSON on standard output."""
    where, store = device.prepare(), Store()
    data = datasets.load("mnist5k")
    curves = {scheme: measured(scheme, store, where) for scheme in ("whitened", "plain")}
    recipe = sweep.complete(Recipe.parse(RECIPE.format(scheme="plain")))
    card = kept_teachers.obtain(recipe, data, store, device=where).card
    reference = {name: card[name] for name in ("title", "accuracy", "accuracy_low", "accuracy_high", "bytes", "examples")}
    caption = (f"{card['title']} on {data.title}, {card['examples']:,} validation examples, measured on "
               f"{device.title(where)}, {date.today()}.")
    json.dump({"caption": caption, "reference": reference, **curves}, sys.stdout, indent=None, separators=(",", ":"))


def measured(scheme: str, store: Store, where: Any) -> list[dict[str, Any]]:
    """All points of one scheme's curve, by rising dial."""
    wanted = sweep.sweep_of(Recipe.parse(RECIPE.format(scheme=scheme)))
    for point in sweep.run(wanted, store, device=where):
        sys.stderr.write(f"{scheme} {point.dial} {point.accuracy:.3f}\n")
    known = next(iter(store.teachers(wanted.recipe.reference().key())), {})
    return [{name: point[name] for name in KEPT} for point in store.points(wanted.curve.key(), known["digest"])]


if __name__ == "__main__":
    main()
