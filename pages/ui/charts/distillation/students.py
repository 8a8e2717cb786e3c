"""The students of one distillation and their controls, by their roles in plans: finished, or still of a running job."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np

from compress.curves.plan import Plan, PlannedRun
from compress.points.statistics import mean_interval
from compress.recipe import BASELINE, CONTROL, CURVE, SEED, VARIANT, Recipe

TRAINED = (CURVE, SEED, VARIANT)  # roles of students with the teacher
Key = tuple[float, int]


@dataclass(frozen=True)
class Result:
    """How good one student is, finished or not: bytes of its file, accuracy (None: diverged), and once it is finished its
    point and its predicted classes on validation."""

    bytes: int
    accuracy: float | None
    point: dict | None = None
    predictions: np.ndarray | None = None


@dataclass(frozen=True)
class Students:
    """Students of the same settings but width, temperature and seed.

    Attributes:
        distilled: temperature -> (width, seed) -> result of those trained with the teacher.
        controls: (width, seed) -> result on labels alone.
        direct: (width, seed) -> result without an assistant, at the temperature on the screen.
        live: whether some are still being trained.
        labels: true classes of the validation examples.
    """

    distilled: dict[float, dict[Key, Result]] = field(default_factory=dict)
    controls: dict[Key, Result] = field(default_factory=dict)
    direct: dict[Key, Result] = field(default_factory=dict)
    live: bool = False
    labels: np.ndarray | None = None

    def widths(self) -> list[float]:
        """All widths, rising."""
        found = {width for one in self.distilled.values() for width, _ in one} | {width for width, _ in self.controls}
        return sorted(found)

    def gain(self, width: float, temperature: float) -> Gain | None:
        """What the teacher adds at this width and temperature, over all seeds that have both; None if none has."""
        return self._difference(width, self.distilled.get(temperature, {}), self.controls)

    def assistant_gain(self, width: float, temperature: float) -> Gain | None:
        """What it adds to a student that was trained with the teacher directly."""
        return self._difference(width, self.distilled.get(temperature, {}), self.direct)

    def _difference(self, width: float, own: dict[Key, Result], others: dict[Key, Result]) -> Gain | None:
        pairs = [(own[key], others[key]) for key in sorted(own) if key[0] == width and key in others]
        pairs = [pair for pair in pairs if None not in (pair[0].accuracy, pair[1].accuracy)]
        if not pairs:
            return None
        differences = [one.accuracy - control.accuracy for one, control in pairs]
        return Gain(*mean_interval(differences, self._sampling_error(pairs)), len(pairs))

    def _sampling_error(self, pairs: list[tuple[Result, Result]]) -> float:
        """Standard error of the mean difference over examples, both of a pair judged on the same ones; 0 while they
        are not known."""
        if self.labels is None or any(one.predictions is None for pair in pairs for one in pair):
            return 0.0
        apart = np.mean([(one.predictions == self.labels).astype(float) - (control.predictions == self.labels)
                         for one, control in pairs], axis=0)
        return float(apart.std(ddof=1) / len(apart) ** 0.5)


@dataclass(frozen=True)
class Gain:
    """A mean difference of accuracies on the same examples with its 95 % interval over seeds and, once they are finished,
    over examples (None with one seed)."""

    mean: float
    low: float | None
    high: float | None
    seeds: int

    @property
    def certain(self) -> bool:
        """Whether the interval leaves out zero."""
        return self.low is not None and (self.low > 0 or self.high < 0)


def about(plans: Iterable[Plan], own: Recipe) -> list[Plan]:
    """The plans in which the students of this point's settings are trained with the teacher, whatever else is."""
    curve = own.curve("width").key()
    return [plan for plan in plans if any(run.role in TRAINED and _curve(run.recipe) == curve for run in plan.runs)]


def of_plans(plans: list[Plan], own: Recipe, points: dict[str, dict], predictions: dict[str, bytes] | None = None,
             labels: list[int] | None = None) -> Students:
    """The finished students of a point's settings, each in the place that its role in a plan gives it.

    Args:
        plans: those about these settings.
        own: recipe of the point on the screen.
        points: recipe key -> point, of the plans' runs and of the curve on the screen, which may have points that no plan
            has any more.
        predictions: by recipe key, and the examples' true classes, where gains are to have their sampling error.
    """
    found = Students(labels=None if labels is None else np.array(labels))
    temperature = own.methods[-1].values["temperature"]
    for run in (run for plan in plans for run in plan.runs if run.key in points):
        _place(found, run, temperature, _finished(points[run.key], run.key, predictions))
    curve, planned = own.curve("width").key(), {run.key for plan in plans for run in plan.runs}
    for key, point in points.items():
        if key not in planned and _curve(point["recipe"]) == curve:
            places = found.distilled.setdefault(temperature, {})
            places[_facts(point["recipe"]).key] = _finished(point, key, predictions)
    return found


def of_job(live: list[dict], plan: Plan | None, own: Recipe, before: Students) -> Students:
    """The same with what the students of a job have reached so far, beside what was finished before.

    Args:
        plan: of the job, which has been kept before its students begin.
        own: recipe of the point on the screen.
    """
    if not live or live[-1]["kind"] != "students" or not plan:
        return before
    state = Students({temperature: dict(places) for temperature, places in before.distilled.items()}, dict(before.controls),
                     dict(before.direct), True, before.labels)
    runs, temperature = {_facts(run.recipe).named: run for run in plan.runs}, own.methods[-1].values["temperature"]
    for one in live[-1]["students"]:
        named = tuple(one[name] for name in ("width", "temperature", "seed", "alpha", "assistant"))
        if named in runs:
            _place(state, runs[named], temperature, Result(one["bytes"], one["accuracy"]), fresh=True)
    return state


def summary(results: dict[Key, Result]) -> list[dict[str, Any]]:
    """One dict a width, by rising bytes: width, bytes, mean, low and high accuracy over seeds, seeds, the points."""
    rows = []
    for width in sorted({key[0] for key in results}):
        ones = [result for key, result in sorted(results.items()) if key[0] == width]
        values = [one.accuracy for one in ones if one.accuracy is not None]
        if values:
            rows.append({"width": width, "bytes": ones[0].bytes, "accuracy": sum(values) / len(values), "low": min(values),
                         "high": max(values), "seeds": len(values), "points": [one.point for one in ones if one.point],
                         "diverged": len(ones) - len(values)})
    return rows


def only_first_right(first: list[np.ndarray], second: list[np.ndarray], labels: np.ndarray) -> list[int]:
    """Examples that all networks of the first kind have right and all of the second wrong."""
    right = np.all([one == labels for one in first], axis=0) & np.all([one != labels for one in second], axis=0)
    return np.flatnonzero(right).tolist()


def _place(students: Students, run: PlannedRun, temperature: float, result: Result, fresh: bool = False) -> None:
    """Puts a student in the place of its role. A baseline, the student without an assistant, is compared with at the
    temperature on the screen alone. What is fresh never hides what is finished."""
    facts = _facts(run.recipe)
    if run.role == BASELINE and facts.temperature != temperature:
        return
    places = (students.controls if run.role == CONTROL else students.direct if run.role == BASELINE
              else students.distilled.setdefault(facts.temperature, {}))
    if not fresh or facts.key not in places:
        places[facts.key] = result


@dataclass(frozen=True)
class _Facts:
    """A student's place by its recipe, and the settings by which the live progress of a job names it."""

    key: Key
    temperature: float
    named: tuple[float, ...]


@lru_cache(maxsize=8192)
def _curve(text: str) -> str:
    """The key of the curve that a recipe belongs to, if its dial is the width."""
    return Recipe.parse(text).curve("width").key()


@lru_cache(maxsize=8192)
def _facts(text: str) -> _Facts:
    own = Recipe.parse(text).methods[-1].values
    named = tuple(own[name] for name in ("width", "temperature", "student_seed", "alpha", "assistant"))
    return _Facts((own["width"], own["student_seed"]), own["temperature"], named)


def _finished(point: dict, key: str, predictions: dict[str, bytes] | None) -> Result:
    raw = (predictions or {}).get(key)
    return Result(point["bytes"], _accuracy(point), point, None if raw is None else np.frombuffer(raw, "<u2"))


def _accuracy(point: dict) -> float | None:
    """None where the student diverged before it learned anything."""
    inside = point["inside"]
    return None if "diverged" in inside and not inside["best_epoch"] else point["accuracy"]
