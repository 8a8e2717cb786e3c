"""Whether the code of a point makes the point again: every method, family of networks and chain of two, in fresh processes.

`python -m tests.benchmarks.reproduce` runs the whole table; the test suite runs a part with every method and every family,
and every method before and after another.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

from compress.curves import sweep
from compress.curves.store import Store
from compress.methods import methods
from compress.recipe import Recipe
from compress.service.description import description
from compress.service.snippet import snippet
from tests.benchmarks.report import show
from tests.benchmarks.timing import table

ROOT = Path(__file__).resolve().parents[2]
TEACHERS = {"mlp": "mlp(hidden=24-16,epochs=2)", "logistic": "logistic(epochs=2)", "cnn": "cnn(epochs=1)",
            "resnet": "resnet(channels=4-8,epochs=1)", "gru": "gru(hidden=12,epochs=1)"}
LAST = {"low_rank": ("low_rank(output_layer=true)", (0.2, 0.4, 0.7)),
        "prune": ("prune(recovery_epochs=1)", (0.3, 0.6, 0.8)),
        "distill": ("distill(epochs=1,seeds=2,temperatures=8)", (0.2, 0.35, 0.6)),
        "sparse_code": ("sparse_code(atoms=8,block=8,iterations=2,output_layer=true)", (1, 2, 3)),
        "quantize": ("quantize(damping=0.1)", (3, 5, 16)),
        "data_svd": ("data_svd(epochs=1)", (4, 8, 16)),
        "data_codes": ("data_codes(atoms=16,iterations=2,epochs=1)", (1, 2, 4)),
        "activation_codes": ("activation_codes(atoms=16,iterations=2)", (1, 2, 4))}
FIRST = {name: kind.replace(")", f",{methods()[name].dial}={values[1]})") for name, (kind, values) in LAST.items()}
RUN = """
import contextlib, json, sys
for code in json.load(sys.stdin):
    names = {"__name__": "__main__"}
    with contextlib.redirect_stdout(sys.stderr):
        exec(code, names)
    print(json.dumps([names["point"].digest, names["point"].accuracy]))
"""


@dataclass(frozen=True)
class Case:
    """A chain of methods on a family of networks."""

    family: str
    chain: tuple[str, ...]

    @property
    def text(self) -> str:
        """The recipe, without the last method's dial."""
        steps = [*(FIRST[name] for name in self.chain[:-1]), LAST[self.chain[-1]][0]]
        return f"digits/{TEACHERS[self.family]}/{'+'.join(steps)}/0"


def part() -> list[Case]:
    """Every method on a perceptron, three on every other family, and a ring of chains in which each method is once the first
    and once the last, as far as chains are possible."""
    names = list(LAST)
    ring = [(names[number - 1], name) for number, name in enumerate(names)]
    others = [Case(family, (name,)) for family in TEACHERS if family != "mlp" for name in ("low_rank", "prune", "distill")]
    return [*(Case("mlp", (name,)) for name in names), *others, *(Case("mlp", pair) for pair in ring)]


def everything() -> list[Case]:
    """Every method on every family, and every pair of methods on a perceptron."""
    pairs = [Case("mlp", pair) for pair in product(LAST, LAST)]
    return [*(Case(family, (name,)) for family, name in product(TEACHERS, LAST)), *pairs]


def measured(case: Case, store: Store) -> dict[str, Any] | None:
    """The middle point of a case's curve, measured in the company of the others; None if this chain is refused."""
    name = case.chain[-1]
    try:
        wanted = sweep.sweep_of(Recipe.parse(case.text), LAST[name][1])
        list(sweep.run(wanted, store, latency=False))
    except ValueError:
        return None
    (teacher,) = store.teachers(wanted.recipe.reference().key())
    points = store.points(wanted.curve.key(), teacher["digest"])
    return points[len(points) // 2]


def made_again(points: Sequence[dict[str, Any]]) -> list[tuple[str, float]]:
    """(digest, accuracy) of each point by the code that its page shows, all in one new process with a home of its own."""
    cards = description()["methods"]
    codes = [snippet(Recipe.parse(point["recipe"]), cards) for point in points]
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run([sys.executable, "-c", RUN], input=json.dumps(codes), capture_output=True, text=True,
                              cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT), "COMPRESS_HOME": folder}, check=False)
    if done.returncode:
        raise RuntimeError(f"The code of a point does not run:\n{done.stderr[-2000:]}")
    return [tuple(json.loads(line)) for line in done.stdout.splitlines()]


def differing(cases: Sequence[Case], store: Store) -> tuple[list[str], dict[str, int]]:
    """The recipes whose code makes another file or accuracy, and how many cases were compared and refused."""
    points = [measured(case, store) for case in cases]
    found = [point for point in points if point]
    again = made_again(found)
    different = [f"{point['recipe']}: {point['digest']} at {point['accuracy']:.4f}, its code {digest} at {accuracy:.4f}"
                 for point, (digest, accuracy) in zip(found, again, strict=True)
                 if (digest, accuracy) != (point["digest"], point["accuracy"])]
    return different, {"compared": len(found), "refused": len(points) - len(found)}


def _table() -> str:
    with tempfile.TemporaryDirectory() as folder:
        different, counts = differing(everything(), Store(Path(folder) / "store.sqlite"))
    rows = [[counts["compared"], counts["refused"], len(different)]]
    return "\n".join([table(["points compared", "chains refused", "differing"], rows), *(f"\n{one}" for one in different)])


PARTS = {"points": _table}

if __name__ == "__main__":
    show(PARTS)
