"""The students of one distillation, and their controls, from the store's points or from the live numbers of a job."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from compress.points.statistics import mean_interval
from compress.recipe import Recipe

CONTROL = ("student", "depth", "labelled", "omit", "epochs", "learning_rate", "batch", "dropout")
TAUGHT = (*CONTROL, "alpha", "loss", "unlabelled", "strength")
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
        taught: temperature -> (width, seed) -> standing; direct: the same at the temperature on the screen without an
            assistant; controls: (width, seed) -> standing.
        live: whether some are still being trained.
        labels: true classes of the validation examples.
    """

    taught: dict[float, dict[Key, Result]] = field(default_factory=dict)
    controls: dict[Key, Result] = field(default_factory=dict)
    direct: dict[Key, Result] = field(default_factory=dict)
    live: bool = False
    labels: np.ndarray | None = None

    def widths(self) -> list[float]:
        """All widths, rising."""
        found = {width for one in self.taught.values() for width, _ in one} | {width for width, _ in self.controls}
        return sorted(found)

    def gain(self, width: float, temperature: float) -> Gain | None:
        """What the teacher adds at this width and temperature, over all seeds that have both; None if none has."""
        return self._difference(width, self.taught.get(temperature, {}), self.controls)

    def assistant_gain(self, width: float, temperature: float) -> Gain | None:
        """What it adds to a student that the teacher taught directly."""
        return self._difference(width, self.taught.get(temperature, {}), self.direct)

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


def of_curves(curves: dict[str, list[dict]], recipe: Recipe, predictions: dict[str, bytes] | None = None,
              labels: list[int] | None = None) -> Students:
    """The finished students that belong to a point's recipe.

    Args:
        curves: every curve of this chain of methods and teacher, as the store gives them.
        recipe: of the point on the screen.
        predictions: by recipe key, and the examples' true classes, where gains are to know the luck of the examples.
    """
    own = recipe.methods[-1].values
    found = Students(labels=None if labels is None else np.array(labels))
    for points in curves.values():
        for point in points:
            one = Recipe.parse(point["recipe"])
            if one.methods[:-1] != recipe.methods[:-1]:
                continue
            raw = (predictions or {}).get(one.key())
            standing = Result(point["bytes"], _accuracy(point), point, None if raw is None else np.frombuffer(raw, "<u2"))
            _sort_in(found, one.methods[-1].values, own, standing)
    return found


def of_job(live: list[dict], own: dict[str, Any], before: Students) -> Students:
    """The same with what a job's students have reached so far, beside what was finished before."""
    if not live or live[-1]["kind"] != "students":
        return before
    now = Students({heat: dict(own_ones) for heat, own_ones in before.taught.items()}, dict(before.controls),
                   dict(before.direct), True, before.labels)
    for one in live[-1]["students"]:
        step = {**own, "width": one["width"], "temperature": one["temperature"], "student_seed": one["seed"],
                "alpha": one["alpha"], "assistant": one["assistant"]}
        _sort_in(now, step, own, Result(one["bytes"], one["accuracy"]), fresh=True)
    return now


def summary(standings: dict[Key, Result]) -> list[dict[str, Any]]:
    """One dict a width, by rising bytes: width, bytes, mean, low and high accuracy over seeds, seeds, the points."""
    rows = []
    for width in sorted({key[0] for key in standings}):
        ones = [standing for key, standing in sorted(standings.items()) if key[0] == width]
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


def _sort_in(students: Students, step: dict[str, Any], own: dict[str, Any], standing: Result,
             fresh: bool = False) -> None:
    """Puts a student where it belongs, if it does. What is fresh never hides what is finished."""
    key = (step["width"], step["student_seed"])
    if step["alpha"] == 0 and all(step[name] == own[name] for name in CONTROL):
        places = students.controls
    elif not all(step[name] == own[name] for name in TAUGHT):
        return
    elif step["assistant"] == own["assistant"]:
        places = students.taught.setdefault(step["temperature"], {})
    elif step["assistant"] == 0 and step["temperature"] == own["temperature"]:
        places = students.direct
    else:
        return
    if not fresh or key not in places:
        places[key] = standing


def _accuracy(point: dict) -> float | None:
    """None where the student diverged before it learned anything."""
    inside = point["inside"]
    return None if "diverged" in inside and not inside["best_epoch"] else point["accuracy"]
