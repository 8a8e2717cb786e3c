"""Every family on MNIST-1D, compared with the accuracies of the paper: python -m tests.benchmarks.mnist1d

Greydanus & Kobak (2020, https://arxiv.org/abs/2011.14439) trained on all 4,000 examples for 6,000 steps of Adam. Here
15 % of them are validation; settings were chosen by it alone, without augmentation. The test split of 1,000 examples
is opened once, for all networks together, after the last one is finished.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from statistics import mean

import torch

from compress.curves import kept_teachers
from compress.curves.final_report import final_report
from compress.curves.store import Store
from compress.data import datasets
from compress.networks import device
from compress.recipe import Recipe, Step
from compress.training import teachers
from tests.benchmarks.report import show
from tests.benchmarks.timing import table

DATA = "mnist1d"
SEEDS = (0, 1, 2)
FAMILIES = (
    ("Logistic regression", "logistic(epochs=60,batch=100,learning_rate=0.01)", 0.32),
    ("Perceptron", "mlp(hidden=100-100,dropout=0.2,epochs=100,batch=100,learning_rate=0.01,weight_decay=0.1)", 0.68),
    ("Convolutions", "cnn(epochs=100,batch=100,learning_rate=0.02)", 0.94),
    ("Gated recurrent unit", "gru(epochs=12,batch=100,learning_rate=0.01)", 0.91),
)


def families() -> str:
    """Trains (or reloads) three networks a family: a table with one row for each."""
    where, store = device.prepare(), Store()
    trained = {text: teachers_of(text, store, where) for _, text, _ in FAMILIES}
    report = final_report(DATA, {one.digest: one.network for kept in trained.values() for one in kept}, store)
    tested = {row["name"]: row["accuracy"] for row in report["rows"]}
    rows = [[name, trained[text][0].card["title"], f"`{text}`", spelled([one.card["accuracy"] for one in trained[text]]),
             spelled([tested[one.digest] for one in trained[text]]), f"{published:.0%}"]
            for name, text, published in FAMILIES]
    found = table(["family", "architecture", "settings", f"validation, {len(SEEDS)} seeds", "test", "published, test"], rows)
    return f"{found}\n\n{report['examples']:,} test examples, opened {report['opened']} time(s) from this cache folder."


def teachers_of(text: str, store: Store, where: torch.device) -> list[kept_teachers.Teacher]:
    """One teacher a seed."""
    made = []
    for seed in SEEDS:
        recipe = Recipe(DATA, teachers.teacher_step(Step.parse(text)), (), seed)
        made.append(kept_teachers.obtain(recipe, datasets.load(DATA), store, device=where))
        sys.stderr.write(f"{text} seed {seed}: validation {made[-1].card['accuracy']:.3f}\n")
    return made


def spelled(shares: Sequence[float]) -> str:
    """Mean and range, for example '94.1% (93.5-94.6)'."""
    return f"{mean(shares):.1%} ({100 * min(shares):.1f}-{100 * max(shares):.1f})"


PARTS = {"families": families}

if __name__ == "__main__":
    show(PARTS)
