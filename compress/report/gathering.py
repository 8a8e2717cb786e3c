"""What a report holds, from the store: the chosen networks on validation and test, beside all others of the data set.

Imports neither torch nor numpy: pages write reports too.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from compress.curves.sink import opened_counter, report_key
from compress.curves.store import Store
from compress.points import predicted
from compress.points.statistics import mcnemar
from compress.recipe import Recipe

Plain = dict[str, Any]
PACKAGES = ("torch", "numpy", "scikit-learn", "safetensors", "constriction", "plotly")
FLIPPED = 10  # examples of each kind that are shown
VIEW = "final"


@dataclass(frozen=True)
class Network:
    """One network of the report.

    Attributes:
        name: its methods and what is not at its default; settings: all of them, in words.
        point: as the store has it, on validation; tested: on the test split, as curves.final_report has it.
        teacher: the card of its teacher; p: of McNemar's test against the teacher on validation; None for the teacher.
        lost, gained: validation examples from right to wrong and back, each (row, "class → class").
    """

    name: str
    settings: list[tuple[str, str]]
    point: Plain
    tested: Plain
    teacher: Plain
    p: float | None
    lost: list[tuple[int, str]] = field(default_factory=list)
    gained: list[tuple[int, str]] = field(default_factory=list)


@dataclass(frozen=True)
class Report:
    """All that is written.

    Attributes:
        title: of the data set; opened: how often its test split has been opened; use: which use this report was.
        examples: of the test split; others: (name, bytes, accuracy on validation) of all networks of the data set.
        pictures: the digest of the file with the validation examples, or "".
        versions: what the program runs on.
    """

    title: str
    opened: int
    use: int
    examples: int
    networks: list[Network]
    others: list[tuple[str, int, float]]
    pictures: str
    versions: dict[str, str]


def gather(store: Store, data: str, data_digest: str, digests: list[str], cards: Plain, title: str) -> Report | None:
    """The report on the networks with these files, or None where they were not tested together yet.

    Args:
        data, data_digest: name and contents of the data set.
        cards: name of a method -> its card; title: of the data set.
    """
    found = store.view(report_key(data, data_digest, digests), VIEW)
    if not found:
        return None
    points = [point for point in store.all_points() if point["data"] == data and point["data_digest"] == data_digest]
    chosen = {point["digest"]: point for point in sorted(points, key=lambda one: bool(one["pinned"]))}
    networks = [_network(store, chosen[row["name"]], row, cards) for row in found["rows"] if row["name"] in chosen]
    pictures = next((view["pictures"] for network in networks
                     if "pictures" in (view := store.view(network.point["curve"], network.point["reference"]) or {})), "")
    others = [(name_of(recipe, cards), point["bytes"], point["accuracy"]) for point in points
              if not _is_of_data(recipe := Recipe.parse(point["recipe"]), cards)]
    return Report(title, store.counter(opened_counter(data, data_digest)), found["opened"], found["examples"], networks,
                  others, pictures, versions())


def name_of(recipe: Recipe, cards: Plain) -> str:
    """The methods with their dials: Pruning 0.9 + Quantization 4; of a recipe without methods: Teacher."""
    return " + ".join(f"{cards[step.name]['title']} {step.values.get(cards[step.name]['dial'], '')}".strip()
                      if step.name in cards else step.name for step in recipe.methods) or "Teacher"


def _is_of_data(recipe: Recipe, cards: Plain) -> bool:
    """Whether the file holds compressed data, and no network."""
    return any(cards.get(step.name, {}).get("applies_to") == "data" for step in recipe.methods)


def versions() -> dict[str, str]:
    """Python and the packages that numbers depend on."""
    found = {"Python": sys.version.split()[0]}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def _network(store: Store, point: Plain, tested: Plain, cards: Plain) -> Network:
    recipe = Recipe.parse(point["recipe"])
    settings = [("data set", recipe.data), ("seed", str(recipe.seed)),
                *((f"{step.name}: {name.replace('_', ' ')}", str(value)) for step in (recipe.teacher, *recipe.methods)
                  for name, value in step.settings)]
    record: Plain = store.teacher_of(point["reference"]) or {"card": {}}
    card = record["card"]
    own = Network(name_of(recipe, cards), settings, point, tested, card, None)
    if not recipe.methods or not {"labels", "classes"} <= card.keys():
        return own
    ours, teachers = (list(predicted.classes_of(store.predictions(key, point["reference"])))
                      for key in (point["key"], record["key"]))
    flips, names = predicted.flips(ours, teachers, card["labels"]), card["classes"]
    lost, gained = ([(row, f"{names[teachers[row]]} → {names[ours[row]]}") for row in rows[:FLIPPED]]
                    for rows in (flips.lost, flips.gained))
    return Network(own.name, settings, point, tested, card, mcnemar(len(flips.lost), len(flips.gained)), lost, gained)
