"""What a search chooses from, as the methods declare it: chains of at most two methods, each with its dial anywhere along
its usual values, and with the values of its settings that `tried` and the method's entrants of a race name.

A method that is added takes part without an edit: with its dial alone, if it declares nothing else.
"""

from __future__ import annotations

import hashlib
import json
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from math import floor
from typing import Any, Protocol

from compress.method import Method
from compress.recipe import Recipe, Step
from compress.settings import spelled

LAST, BEFORE, NONE = "last", "before", "none"
Params = dict[str, Any]
Range = tuple[float, float, tuple[Any, ...]]


class Chooser(Protocol):
    """What chooses: a trial of Optuna, or anything with these two methods of it."""

    def suggest_categorical(self, name: str, choices: Any) -> Any:
        """One of the choices."""

    def suggest_float(self, name: str, low: float, high: float) -> float:
        """A number in this range."""


@dataclass(frozen=True)
class Setting:
    """A setting that is chosen. values: in plain form; idle: when it has no effect, as of compress.settings.setting()."""

    name: str
    values: tuple[Any, ...]
    idle: dict[str, list[Any]]


@dataclass(frozen=True)
class Choices:
    """One method's part of the space.

    Attributes:
        settings: without the dial, in the order in which they are chosen; positions: the values along its dial, rising.
    """

    kind: type[Method]
    settings: tuple[Setting, ...]
    positions: tuple[Any, ...]

    @classmethod
    def of(cls, kind: type[Method]) -> Choices:
        """As the method declares it."""
        entrants = [one.settings for one in kind.race]
        settings = []
        for entry in kind.describe():
            name = entry["name"]
            named = [spelled(one[name]) for one in entrants if name in one]
            values = tuple(dict.fromkeys([*entry["tried"], *named]))
            if name != kind.dial and not entry["of_sweep"] and values:
                usual = () if entry["tried"] else (entry["default"],)
                settings.append(Setting(name, tuple(dict.fromkeys([*usual, *values])), entry["idle"]))
        order = {entry["name"]: entry for entry in kind.describe()}
        settings.sort(key=lambda one: _depth(one.name, order))
        return cls(kind, tuple(settings), tuple(sorted(kind.values)))

    @property
    def top(self) -> float:
        """The last position; at least 1, so that there is a range."""
        return float(max(1, len(self.positions) - 1))

    def fine(self, between: int) -> list[Any]:
        """Values along the dial, rising; so many from one usual value to the next."""
        return list(dict.fromkeys(self.value(step / between) for step in range(int(between * self.top) + 1)))

    def value(self, position: float) -> Any:
        """The dial's value at a position between two of the usual values, with three digits."""
        place = min(floor(position), len(self.positions) - 2)
        if place < 0:
            return self.positions[0]
        low, high = self.positions[place:place + 2]
        between = low + (position - place) * (high - low)
        return round(between) if all(isinstance(one, int) for one in self.positions) else float(f"{between:.3g}")

    def position(self, value: Any) -> float | None:
        """The opposite of value(); None outside the usual values."""
        if not self.positions[0] <= value <= self.positions[-1]:
            return None
        place = min(bisect_right(self.positions, value), len(self.positions) - 1) - 1
        if place < 0:
            return 0.0
        low, high = self.positions[place:place + 2]
        return place + (value - low) / (high - low)

    def chosen(self, chooser: Chooser, is_last: bool, facts: dict[str, str]) -> Method:
        """A method of this space. Raises ValueError for settings that exclude each other and have no remedy."""
        name = self.kind.name
        position = chooser.suggest_float(f"{name}.{self.kind.dial}", 0.0, self.top)
        values = {self.kind.dial: self.value(position)}
        for one in self._settings(is_last):
            if not _is_idle(one.idle, {**self.defaults, **facts, **values}):
                values[one.name] = chooser.suggest_categorical(f"{name}.{one.name}", one.values)
                values = self._mended(values)
        return self.kind.from_plain(values)

    def params(self, step: Step, is_last: bool, facts: dict[str, str]) -> Params | None:
        """The choices that give this step; None if the space does not have it."""
        values, name = {**self.defaults, **step.values}, self.kind.name
        position = self.position(values[self.kind.dial])
        params: Params = {f"{name}.{self.kind.dial}": position}
        for one in self._settings(is_last):
            if not _is_idle(one.idle, {**values, **facts}):
                params[f"{name}.{one.name}"] = values[one.name]
        if position is None or any(params.get(f"{name}.{one.name}", one.values[0]) not in one.values
                                   for one in self._settings(is_last)):
            return None
        chosen = {**{key.removeprefix(f"{name}."): value for key, value in params.items()},
                  self.kind.dial: values[self.kind.dial]}
        given = self.kind.from_plain(values).step()
        made = self.kind.from_plain(chosen).step()
        return params if (given if is_last else given.unstored()) == (made if is_last else made.unstored()) else None

    @property
    def shortest(self) -> Params:
        """The choices of the settings of files whose files are the shortest."""
        of_file = {entry["name"] for entry in self.kind.describe() if entry["of_file"]}
        return {f"{self.kind.name}.{one.name}": one.values[-1] for one in self.settings if one.name in of_file}

    @cached_property
    def defaults(self) -> dict[str, Any]:
        """Every setting's default, in plain form."""
        return {entry["name"]: entry["default"] for entry in self.kind.describe()}

    def _settings(self, is_last: bool) -> Iterable[Setting]:
        of_file = {entry["name"] for entry in self.kind.describe() if entry["of_file"]}
        return (one for one in self.settings if is_last or one.name not in of_file)

    def _mended(self, values: dict[str, Any]) -> dict[str, Any]:
        """Without settings that exclude each other: the method's own remedy is taken, or what this space has next to it."""
        for rule in self.kind.exclusions:
            if all({**self.defaults, **values}[name] in map(spelled, excluded) for name, excluded in rule.when.items()):
                values = {**values, **{name: self._nearest(name, spelled(value), rule.when) for name, value in
                                       rule.remedy.items()}}
        return values

    def _nearest(self, name: str, remedy: Any, excluded: dict[str, tuple[Any, ...]]) -> Any:
        values = next((one.values for one in self.settings if one.name == name), ())
        numbers = [value for value in values if isinstance(value, int | float) and value not in excluded.get(name, ())]
        if remedy in values or not numbers or not isinstance(remedy, int | float):
            return remedy
        return min(numbers, key=lambda value: abs(value - remedy))


@dataclass(frozen=True)
class Space:
    """All methods that compress networks.

    Attributes:
        facts: about what is compressed, by which settings can be idle: family of the teacher, kind of the data.
    """

    methods: dict[str, Choices]
    facts: dict[str, str]

    @classmethod
    def of(cls, kinds: Iterable[type[Method]], family: str, kind: str) -> Space:
        """The space of these methods; those that compress data are left out, because their files hold no network."""
        found = {one.name: Choices.of(one) for one in kinds if one.applies_to == "network"}
        return cls(found, {"family": family, "kind": kind})

    @property
    def digest(self) -> str:
        """Changes with the space, since a study is of one space."""
        plain = {name: [one.kind.dial, one.positions, [(each.name, each.values) for each in one.settings]]
                 for name, one in self.methods.items()}
        return hashlib.sha256(json.dumps([plain, self.facts], sort_keys=True).encode()).hexdigest()[:12]

    def ranges(self) -> dict[str, Range]:
        """Name of each choice -> its range (low, high, ()), or (0, 0, its values)."""
        found: dict[str, Range] = {LAST: (0.0, 0.0, tuple(self.methods)), BEFORE: (0.0, 0.0, (NONE, *self.methods))}
        for name, own in self.methods.items():
            found[f"{name}.{own.kind.dial}"] = (0.0, own.top, ())
            found |= {f"{name}.{one.name}": (0.0, 0.0, one.values) for one in own.settings}
        return found

    def chosen(self, chooser: Chooser) -> tuple[Method, ...]:
        """A chain of methods. Raises ValueError as Choices.chosen()."""
        last = chooser.suggest_categorical(LAST, tuple(self.methods))
        before = chooser.suggest_categorical(BEFORE, (NONE, *self.methods))
        chain = [self.methods[before].chosen(chooser, False, self.facts)] if before not in (NONE, last) else []
        return (*chain, self.methods[last].chosen(chooser, True, self.facts))

    def params(self, steps: tuple[Step, ...]) -> Params | None:
        """The choices that give these steps; None if the space does not have them."""
        names = [step.name for step in steps]
        if not 1 <= len(steps) <= 2 or len(set(names)) < len(names) or not set(names) <= set(self.methods):
            return None
        params: Params = {LAST: names[-1], BEFORE: names[0] if len(names) == 2 else NONE}
        for place, step in enumerate(steps):
            own = self.methods[step.name].params(step, place == len(steps) - 1, self.facts)
            if own is None:
                return None
            params |= own
        return params

    def starts(self) -> list[Params]:
        """Where a search begins: the entrants of the methods in a race, in the middle of their dials, quick ones first; a
        method without entrants in the middle of its values, with its defaults. Files are stored in the last of the ways that
        are tried, the shortest."""
        found = []
        for one in self.methods.values():
            entrants = [(entrant.effort, dict(entrant.settings), entrant.values) for entrant in one.kind.race]
            for effort, settings, values in entrants or [(1, {}, one.kind.values)]:
                method = one.kind.from_plain({**settings, one.kind.dial: sorted(values)[len(values) // 2]})
                if params := self.params((method.step(),)):
                    found.append((effort, {**params, **one.shortest}))
        return [params for _, params in sorted(found, key=lambda pair: pair[0])]


def recipe_of(teacher: Recipe, chain: tuple[Method, ...]) -> Recipe:
    """The complete recipe of a network: a point's, with the settings of files at the last method alone."""
    *before, last = (method.step() for method in chain)
    return Recipe(teacher.data, teacher.teacher, (*(step.unstored() for step in before), last), teacher.seed)


def _is_idle(idle: dict[str, list[Any]], values: dict[str, Any]) -> bool:
    return any(values.get(name) in without for name, without in idle.items())


def _depth(name: str, entries: dict[str, dict[str, Any]]) -> int:
    """How many settings, one after the other, decide whether this one has an effect."""
    return max((1 + _depth(other, entries) for other in entries[name]["idle"] if other in entries), default=0)
