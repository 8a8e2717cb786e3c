"""How long a race of all methods takes, from the request to the points in the store: python -m tests.benchmarks.race

Each race is on a teacher that is not trained yet (another seed), in the app's own worker, which is warm. The machine should
be idle.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from compress.curves.race_plan import Entry, entries
from compress.curves.store import Store
from compress.recipe import Recipe
from compress.service.engine import LocalEngine
from compress.service.requests import CurveRequest, RaceRequest, Request
from tests.benchmarks.report import show
from tests.benchmarks.timing import spread, table

BARS = {"digits": (5.0, 25.0), "mnist5k": (None, 90.0)}  # seconds to the first point of every method; to the end
ROUNDS = 3
LOOK = 0.02
# What is compiled at the first use of a kernel is kept for later starts.
WARM = "digits/mlp(epochs=1,hidden=64)/sparse_code/100"


def times() -> str:
    """One table; progress on standard error."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        engine = LocalEngine(Store(Path(folder) / "store.sqlite"))
        try:
            known = engine.description()
            ended(engine, CurveRequest(WARM, (1, 2)))
            for data, bars in BARS.items():
                found = [raced(engine, known, data, seed) for seed in range(ROUNDS)]
                for what, bar, seconds in zip(("first point of every method", "the whole race"), bars,
                                              zip(*found, strict=True), strict=True):
                    kept = "" if bar is None else "yes" if statistics.median(seconds) <= bar else "NO"
                    rows.append([data, what, f"{spread(seconds)} s", f"{bar:g} s" if bar else "", kept])
        finally:
            engine.close()
    return table(("data", "from the request to", "median (fastest-slowest)", "bar", "kept"), rows)


def raced(engine: LocalEngine, known: dict[str, Any], data: str, seed: int) -> tuple[float, float]:
    """Seconds to the first point of every method, and to the end."""
    preset = known["presets"][0]
    teacher = f"{preset['name']}({','.join(f'{name}={value}' for name, value in preset['settings'].items())})"
    recipe = Recipe.parse(f"{data}/{teacher}/{seed}")
    field, began = entries(recipe, known["methods"]), time.perf_counter()
    number = engine.submit(RaceRequest(recipe.text()), f"race {recipe.key()}", "race")
    first = None
    while (job := engine.store.job(number))["state"] in ("queued", "running"):
        if first is None and have_begun(engine.store, recipe, field):
            first = time.perf_counter() - began
        time.sleep(LOOK)
    whole = time.perf_counter() - began
    if job["state"] != "done" or first is None:
        raise RuntimeError(f"The race on {data} ended as {job['state']}: {job['error']}")
    sys.stderr.write(f"{data}: {first:.1f} s to the first point of every method, {whole:.1f} s in all\n")
    return first, whole


def have_begun(store: Store, recipe: Recipe, field: list[Entry]) -> bool:
    """Whether every method has a point."""
    teacher = next(iter(store.teachers(recipe.key())), None)
    return teacher is not None and all(
        any(store.points_of(entry.keys, teacher["digest"]) for entry in field if entry.name == name)
        for name in {entry.name for entry in field})


def ended(engine: LocalEngine, request: Request) -> None:
    """Does a job and waits for its end."""
    number = engine.submit(request, "warm", "warm")
    while engine.store.job(number)["state"] in ("queued", "running"):
        time.sleep(LOOK)


PARTS = {"times": times}

if __name__ == "__main__":
    show(PARTS)
