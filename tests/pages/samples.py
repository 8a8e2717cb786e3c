"""Points, figures and colours that several page tests need."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects

from compress.curves.store import Store
from compress.points.statistics import wilson
from compress.recipe import Recipe, Step

TEACHER = "mlp(hidden=24-16,epochs=2)"
STUDENT = {"width": 0.2, "temperature": 4.0, "alpha": 0.9, "loss": "soft", "student": "same", "depth": 0, "labelled": 0,
           "unlabelled": True, "omit": -1, "assistant": 0.0, "strength": 1.0, "epochs": 15, "learning_rate": 0.01,
           "batch": 64, "dropout": 0.0, "student_seed": 0,
           "coding": "entropy", "precision": "float32", "standardised": False}
THEME = re.compile(r"var\(--(accent|text|muted|grid|background)\)")


@dataclass(frozen=True)
class Curve:
    """A measured curve: its complete recipe, points by rising dial, teacher's record, inside view, and their store."""

    recipe: Recipe
    points: list[dict[str, Any]]
    teacher: dict[str, Any]
    view: dict[str, Any]
    store: Store


def measure(store: Store, method: str, values: tuple[Any, ...], data: str = "digits") -> Curve:
    """Runs a sweep as the worker does, and reads everything back."""
    from compress.curves import sweep

    wanted = sweep.sweep_of(Recipe.parse(f"{data}/{TEACHER}/{method}/0"), values)
    for _ in sweep.run(wanted, store, latency=False):
        pass
    teacher = store.teachers(wanted.recipe.reference().key())[0]
    view = store.view(wanted.curve.key(), teacher["digest"]) or {}
    points = store.points(wanted.curve.key(), teacher["digest"])
    return Curve(wanted.recipe, [point for point in points if point["dial"] in values], teacher, view, store)


def point(dial: float, size: int, correct: int = 90, total: int = 100, **others: Any) -> dict[str, Any]:
    """A point with all that a chart reads."""
    low, high = wilson(correct, total)
    return {"dial": dial, "bytes": size, "accuracy": correct / total, "accuracy_low": low, "accuracy_high": high,
            "parameters": size // 4, "macs": size // 4, "agreement": 0.9, "examples": total, "latency": None,
            "notes": [], **others}


def recipe_of(*before: Step, **settings: Any) -> Recipe:
    """The recipe of a student of these settings, other methods before it where there are any."""
    return Recipe("digits", Step("mlp"), (*before, Step.of("distill", {**STUDENT, **settings})), 0)


def student(correct: int = 90, size: int = 1_000, inside: dict[str, Any] | None = None, **settings: Any) -> dict[str, Any]:
    """A student's point as the store gives it, right on `correct` of 100 examples."""
    recipe = recipe_of(**settings)
    return point(recipe.methods[-1].values["width"], size, correct, recipe=recipe.text(), inside={
        "title": "64-5-3-10", "best_epoch": 2, "accuracies": [0.1, correct / 100], **(inside or {})})


def figure_of(chart: dict[str, Any]) -> plotly.graph_objects.Figure:
    """The chart as Plotly sees it, every colour of the theme replaced by one; raises ValueError if it is not valid."""
    text = json.dumps(chart["figure"], allow_nan=False)
    return plotly.graph_objects.Figure(json.loads(THEME.sub("#123456", text)))
