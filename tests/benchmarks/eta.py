"""How well the time left is estimated: ten kinds of jobs, each with another seed after the first has measured the paces.

Estimates and times are of the processor's seconds: what other programs do on the machine meanwhile says nothing about the
estimates. A job's seed is not part of the kinds of its work, so that the second run begins with the paces of the first.
"""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import NamedTuple

from compress.curves import kept_teachers, sweep
from compress.curves.store import Store
from compress.data import datasets
from compress.networks import device
from compress.progress import Progress, Reporter
from compress.recipe import Recipe
from compress.service import kept_paces
from compress.workload import Workload
from tests.benchmarks.report import show
from tests.benchmarks.timing import table

JOBS = ("mlp", "cnn(epochs=6)", "gru(epochs=6)", "mlp/low_rank", "mlp/prune", "mlp/prune(recovery_epochs=5)",
        "mlp/distill(epochs=8,seeds=2)", "mlp/sparse_code", "mlp/data_codes(epochs=8)", "mlp/data_svd(epochs=8)")
SHARES = (0.1, 0.5, 0.9)
EVERY = 0.02


class Seen(NamedTuple):
    """An estimate: after so many seconds, so many were said to be left."""

    after: float
    left: float | None


def _jobs() -> str:
    with tempfile.TemporaryDirectory() as folder:
        os.environ["COMPRESS_HOME"] = folder
        rows, found = [], {share: [] for share in SHARES}
        for job in JOBS:
            first, second = (_run(Recipe.parse(f"digits/{job}/{seed}"), Path(folder)) for seed in (1, 2))
            ratios = [_ratio(second, share) for share in SHARES]
            for share, ratio in zip(SHARES, ratios, strict=True):
                found[share] += [ratio] if ratio is not None else []
            rows.append([job, *map(_shown, ratios), *(_shown(_ratio(first, share)) for share in SHARES)])
    middle = ["median error", *(f"{100 * median(abs(ratio - 1) for ratio in found[share]):.0f} %" for share in SHARES),
              "", "", ""]
    heads = [f"{100 * share:g} %" for share in SHARES]
    return table(["estimate / actual at", *heads, *(f"first run: {head}" for head in heads)], [*rows, middle])


def _run(recipe: Recipe, home: Path) -> list[Seen]:
    """Does a job as the worker does: its estimates, the last one at its end."""
    where, store = device.prepare(), Store(home / "store.sqlite")
    work, began = Workload(kept_paces.load(home), time.process_time, str(where)), time.process_time()
    seen = [Seen(0.0, None)]

    def write(progress: Progress) -> None:
        now = time.process_time() - began
        if now - seen[-1].after >= EVERY:
            seen.append(Seen(now, work.outlook().left))

    report = Reporter(write, task=work.root)
    if recipe.methods:
        list(sweep.run(sweep.sweep_of(recipe), store, report, where))
    else:
        recipe, data = sweep.complete(recipe), datasets.load(recipe.data)
        (training,) = report.phases(kept_teachers.phase(recipe, data, store))
        kept_teachers.obtain(recipe, data, store, training, where)
    kept_paces.keep(home, work.measured())
    return [*seen, Seen(time.process_time() - began, 0.0)]


def _ratio(seen: list[Seen], share: float) -> float | None:
    """The last estimate before this share of the time, over what was really left then; None where there was none yet."""
    end = seen[-1].after
    after, left = [one for one in seen[:-1] if one.after <= share * end][-1]
    return None if left is None else left / (end - after)


def _shown(ratio: float | None) -> str:
    return "none yet" if ratio is None else f"{ratio:.2f}"


PARTS = {"jobs": _jobs}

if __name__ == "__main__":
    show(PARTS)
