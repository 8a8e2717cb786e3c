"""What the user has chosen, as plain data: from a link, clamped to what is allowed, and back into a link.

Imports neither streamlit nor torch; ranges come from the worker's description.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import Any

from compress.recipe import Recipe, Step
from compress.settings import checked, converted, nearest, spelled

Card = dict[str, Any]


@dataclass(frozen=True)
class Choice:
    """Data set, teacher with all its settings, seed, each method's settings as last chosen, and what was put in the
    teacher's place (a student, say): the steps that every page's own method comes after."""

    data: str
    teacher: Step
    seed: int = 0
    methods: dict[str, dict[str, Any]] = field(default_factory=dict)
    start: tuple[Step, ...] = ()

    def recipe(self, *names: str) -> Recipe:
        """The recipe of these methods in order, with this choice's settings, from the teacher on."""
        return Recipe(self.data, self.teacher, tuple(Step.of(name, self.methods[name]) for name in names), self.seed)

    def request(self, card: Card) -> Recipe:
        """What a method's page measures: on top of what stands in the teacher's place, unless that is the page's own
        method or the method makes the data smaller."""
        recipe = self.recipe(card["name"])
        own = card["subject"] == "data" or any(step.name == card["name"] for step in self.start)
        return recipe if own else replace(recipe, methods=(*self.start, *recipe.methods))

    def started(self) -> Recipe:
        """The recipe of what stands in the teacher's place."""
        return Recipe(self.data, self.teacher, self.start, self.seed)

    def with_method(self, name: str, **settings: Any) -> Choice:
        """The same choice with some of a method's settings changed."""
        return replace(self, methods={**self.methods, name: {**self.methods[name], **settings}})


def point_recipe(recipe: Recipe, card: Card) -> Recipe:
    """A request without what is the sweep's alone: the recipe that a point of it has."""
    last = recipe.methods[-1]
    for entry in card["settings"]:
        if entry["of_sweep"]:
            last = last.without(entry["name"])
    return replace(recipe, methods=(*recipe.methods[:-1], last))


def first_choice(description: Card) -> Choice:
    """Where a newcomer starts: the first data set, the first preset teacher, every default."""
    preset = description["presets"][0]
    defaults = {name: {entry["name"]: entry["default"] for entry in card["settings"]}
                for name, card in description["methods"].items()}
    return Choice(description["datasets"][0]["name"], Step.of(preset["name"], preset["settings"]), 0, defaults)


def from_link(parameters: dict[str, str], description: Card, methods: tuple[str, ...],
              start: Choice) -> tuple[Choice, list[str]]:
    """The choice that a link describes, and what had to be changed to make it valid, in sentences.

    Args:
        parameters: data, teacher, seed, start (the steps in the teacher's place, as recipes spell them), the teacher's
            settings as t.NAME, the settings of the page's methods by name.
        methods: the page's methods (their settings have different names).
        start: the data set and teacher that stand where the link names none, and the settings of other pages' methods;
            a setting of this page's methods that the link leaves out is at its default, as to_link leaves it out.
    """
    notices: list[str] = []
    choice = _data_and_teacher(parameters, description, start, notices)
    if re.fullmatch(r"\d{1,9}", parameters.get("seed", "0")):
        choice = replace(choice, seed=int(parameters.get("seed", choice.seed)))
    else:
        notices.append(f"seed must be a whole number, but the link says {_shown(parameters['seed'])!r}; using "
                       f"{choice.seed}.")
    settings = {f"t.{entry['name']}": entry for entry in teacher_settings(description, choice.teacher.name)}
    taught = {name[2:]: clamped(settings[name], text, notices) for name, text in parameters.items() if name in settings}
    choice = replace(choice, teacher=choice.teacher.having(**taught))
    choice = replace(choice, start=_start(parameters["start"], description, notices) if "start" in parameters else ())
    known = {"data", "teacher", "seed", "method", "start", *settings}
    for name in methods:
        own = {entry["name"]: entry for entry in description["methods"][name]["settings"]}
        turned = {key: clamped(entry, parameters[key], notices) if key in parameters else entry["default"]
                  for key, entry in own.items()}
        choice = without_conflict(choice.with_method(name, **turned), description["methods"][name], notices)
        known |= set(own)
    notices += [f"The link's {_shown(name)}={_shown(text)} is not a setting of this page and was left out."
                for name, text in parameters.items() if name not in known]
    return choice, notices


def without_conflict(choice: Choice, card: Card, notices: list[str]) -> Choice:
    """The choice with settings of a method that exclude each other mended, and a notice for each change."""
    return choice.with_method(card["name"], **_mended(choice.methods[card["name"]], card, notices))


def _mended(settings: dict[str, Any], card: Card, notices: list[str]) -> dict[str, Any]:
    for rule in card["exclusions"]:
        if all(settings.get(name) in values for name, values in rule["when"].items()):
            changed = ", ".join(f"{name} is now {value}" for name, value in rule["remedy"].items())
            notices.append(f"{rule['sentence']} Here {changed}.")
            settings = {**settings, **rule["remedy"]}
    return settings


def to_link(choice: Choice, description: Card, methods: tuple[str, ...], active: str | None) -> dict[str, str]:
    """Query parameters that restore the choice; what stands at its default is left out, but for the active dial."""
    link = {"data": choice.data, "teacher": choice.teacher.name, "seed": str(choice.seed)}
    for entry in teacher_settings(description, choice.teacher.name):
        if choice.teacher.values[entry["name"]] != entry["default"]:
            link[f"t.{entry['name']}"] = _text(choice.teacher.values[entry["name"]])
    if choice.start:
        link["start"] = "+".join(step.text() for step in choice.start)
    if len(methods) > 1 and active:
        link["method"] = active
    for name in methods:
        card = description["methods"][name]
        for entry in card["settings"]:
            value = choice.methods[name][entry["name"]]
            if value != entry["default"] or (name == active and entry["name"] == card["dial"]):
                link[entry["name"]] = _text(value)
    return link


def suited(choice: Choice, description: Card) -> Choice:
    """The choice with the first preset teacher that suits the data, if its teacher is a preset that does not."""
    kind = next((card["kind"] for card in description["datasets"] if card["name"] == choice.data), "tabular")
    own = [preset for preset in description["presets"] if Step.of(preset["name"], preset["settings"]) == choice.teacher]
    fitting = [preset for preset in description["presets"] if kind in preset["kinds"]]
    if not own or own[0] in fitting or not fitting:
        return choice
    return replace(choice, teacher=Step.of(fitting[0]["name"], fitting[0]["settings"]))


def known_data(name: str, description: Card) -> bool:
    """A data set that is listed, or one of openml.org by name and version."""
    listed = any(card["name"] == name for card in description["datasets"])
    return listed or bool(re.fullmatch(r"openml:[\w.-]+:\d+", name))


def teacher_settings(description: Card, family: str) -> list[Card]:
    """The settings of a family's network and of its training, in that order."""
    card = next(card for card in description["families"] if card["name"] == family)
    return [*card["settings"], *card["training"]]


def teacher_defaults(description: Card, family: str) -> Step:
    """A family's teacher with every setting at its default."""
    return Step.of(family, {entry["name"]: entry["default"] for entry in teacher_settings(description, family)})


def teacher_of(text: str, description: Card) -> Step:
    """A teacher spelled like mlp(hidden=128), every setting spelled out and in its own type.

    Raises:
        ValueError: no such family or setting, or a value that is not allowed; says what is.
    """
    step = Step.parse(text)
    if step.name not in (card["name"] for card in description["families"]):
        raise ValueError(f"There is no teacher {step.name!r}.")
    return Step.of(step.name, spelled_out(teacher_settings(description, step.name), step.values, step.name))


def spelled_out(entries: list[Card], values: dict[str, Any], owner: str) -> dict[str, Any]:
    """Every setting in its own type, at its default where it is left out.

    Raises:
        ValueError: an unknown setting, or a value that is not allowed; says what is.
    """
    known = {entry["name"]: entry for entry in entries}
    for name in values:
        if name not in known:
            raise ValueError(f"{owner} has no setting {name!r}; its settings are {', '.join(known)}.")
    return {name: spelled(checked(entry, values.get(name, entry["default"]), owner)) for name, entry in known.items()}


def clamped(entry: Card, text: Any, notices: list[str]) -> Any:
    """A setting's value from text, moved into its range with a notice, or its default if it makes no sense."""
    try:
        value = converted(entry, text)
        moved = tuple(nearest(entry, size) for size in value) if isinstance(value, tuple) else nearest(entry, value)
        checked(entry, moved)  # NaN is in no range and near to none
    except ValueError:
        notices.append(f"{entry['label']} cannot be {_shown(text)!r}; it is set to its default, {entry['default']}.")
        return entry["default"]
    if moved != value:
        how = "changed" if isinstance(value, tuple) else "raised" if moved > value else "lowered"
        notices.append(f"{entry['label']} must be between {entry['low']} and {entry['high']}; {_shown(text)} was {how} to "
                       f"{_shown(spelled(moved))}.")
    return spelled(moved)


def _data_and_teacher(parameters: dict[str, str], description: Card, start: Choice, notices: list[str]) -> Choice:
    names = [card["name"] for card in description["datasets"]]
    data = parameters.get("data", start.data)
    if not known_data(data, description):
        notices.append(f"There is no data set {_shown(data)!r} here; using {start.data}. Known are {', '.join(names)}.")
        data = start.data
    families = [card["name"] for card in description["families"]]
    teacher = parameters.get("teacher", start.teacher.name)
    if teacher not in families:
        notices.append(f"There is no teacher {_shown(teacher)!r}; using {start.teacher.name}. Known are "
                       f"{', '.join(families)}.")
        teacher = start.teacher.name
    named = "teacher" in parameters or teacher != start.teacher.name
    if not named:
        return suited(replace(start, data=data), description)
    return replace(start, data=data, teacher=teacher_defaults(description, teacher))


def _start(text: str, description: Card, notices: list[str]) -> tuple[Step, ...]:
    """What a link puts in the teacher's place, every setting spelled out and in its range; nothing if it makes no
    sense."""
    try:
        steps = [Step.parse(part) for part in text.split("+")]
        cards = [description["methods"][step.name] for step in steps]
    except (ValueError, KeyError, RecursionError):
        notices.append(f"The link puts {_shown(text)!r} in the teacher's place, which is no network that can be made; the "
                       "teacher itself is used.")
        return ()
    return tuple(Step.of(step.name, _mended({
        entry["name"]: clamped(entry, step.values[entry["name"]], notices) if entry["name"] in step.values
        else entry["default"] for entry in card["settings"] if not entry["of_sweep"]}, card, notices))
        for step, card in zip(steps, cards, strict=True))


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _shown(text: Any) -> str:
    """What a link says, in one short line, for a notice."""
    line = " ".join("".join(sign if sign.isprintable() else " " for sign in str(text)).split())
    return line if len(line) <= 60 else f"{line[:57]}..."
