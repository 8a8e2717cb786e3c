"""What the user has chosen, as plain data, and values clamped to what is allowed.

Imports neither streamlit nor torch; ranges come from the worker's description.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import Any

from compress.one_line import one_line
from compress.recipe import Recipe, Step
from compress.settings import checked, converted, nearest, spelled

Card = dict[str, Any]


@dataclass(frozen=True)
class Choice:
    """Data set, teacher with all its settings, seed, each method's settings as last chosen, what was put in the
    teacher's place (a student, say): the steps that every page's own method comes after, and the methods whose dial was
    set by a visitor, a link or a preset."""

    data: str
    teacher: Step
    seed: int = 0
    methods: dict[str, dict[str, Any]] = field(default_factory=dict)
    start: tuple[Step, ...] = ()
    turned: frozenset[str] = field(default=frozenset(), compare=False)

    def recipe(self, *names: str) -> Recipe:
        """The recipe of these methods in order, with this choice's settings, from the teacher on."""
        return Recipe(self.data, self.teacher, tuple(Step.of(name, self.methods[name]) for name in names), self.seed)

    def request(self, card: Card) -> Recipe:
        """What a method's page measures: after what is in the teacher's place, unless that is the page's own
        method or the method makes the data smaller."""
        recipe = self.recipe(card["name"])
        own = card["applies_to"] == "data" or any(step.name == card["name"] for step in self.start)
        started = [step.unstored() for step in self.start]
        return recipe if own else replace(recipe, methods=(*started, *recipe.methods))

    def started(self) -> Recipe:
        """The recipe of what is in the teacher's place."""
        return Recipe(self.data, self.teacher, self.start, self.seed)

    def with_dial(self, name: str, is_set: bool) -> Choice:
        """The same choice, in which a method's dial was set by somebody or is free to be placed."""
        return replace(self, turned=self.turned | {name} if is_set else self.turned - {name})

    def with_preset(self, data: str | None, teacher: str | None, description: Card, start: str | None = None) -> Choice:
        """The same choice with another data set, a teacher by its preset's title or spelled like mlp(hidden=128), and what
        is in the teacher's place, where they are given. start: as steps_named() reads it."""
        return replace(self, data=data or self.data,
                       teacher=teacher_named(teacher, description) if teacher else self.teacher,
                       start=self.start if start is None else steps_named(start, description))

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


def without_conflict(choice: Choice, card: Card, notices: list[str]) -> Choice:
    """The choice with settings of a method that exclude each other mended, and a notice for each change."""
    return choice.with_method(card["name"], **mended(choice.methods[card["name"]], card, notices))


def mended(settings: dict[str, Any], card: Card, notices: list[str]) -> dict[str, Any]:
    """A method's settings, those that exclude each other changed as the method proposes, with a notice for each change."""
    for rule in card["exclusions"]:
        if all(settings.get(name) in values for name, values in rule["when"].items()):
            labels = {entry["name"]: entry["label"] for entry in card["settings"]}
            changed = ", ".join(f"{labels[name]} is now {value}" for name, value in rule["remedy"].items())
            notices.append(f"{rule['sentence']} Here {changed}.")
            settings = {**settings, **rule["remedy"]}
    return settings


def preset_of(teacher: Step, description: Card) -> Card | None:
    """The preset that this teacher is, or None."""
    return next((one for one in description["presets"] if Step.of(one["name"], one["settings"]) == teacher), None)


def network_in_words(choice: Choice, description: Card) -> str:
    """Teacher and data set: LeNet-5 on MNIST-5k. Plain text from outside."""
    preset = preset_of(choice.teacher, description)
    data = next((card["title"] for card in description["datasets"] if card["name"] == choice.data), choice.data)
    return f"{preset['title'] if preset else choice.teacher.name} on {data}"


def suited(choice: Choice, description: Card) -> Choice:
    """The choice with the first preset teacher that suits the data, if its teacher is a preset that does not, or reads
    numbers where the data are the words of texts, or the other way round."""
    kind = next((card["kind"] for card in description["datasets"] if card["name"] == choice.data), "tabular")
    own = preset_of(choice.teacher, description)
    fitting = [preset for preset in description["presets"] if kind in preset["kinds"]]
    families = {card["name"]: card for card in description["families"]}
    reads = families.get(choice.teacher.name, {}).get("reads", "numbers")  # descriptions of older versions do not say it
    if not fitting or (own in fitting if own else (reads == "tokens") == (kind == "text")):
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


def first_of_family(description: Card, family: str, kind: str) -> Step:
    """A family's first preset teacher for data of this kind; without one, its defaults."""
    fitting = (preset for preset in description["presets"] if preset["name"] == family and kind in preset["kinds"])
    preset = next(fitting, None)
    return Step.of(family, preset["settings"]) if preset else teacher_defaults(description, family)


def teacher_of(text: str, description: Card) -> Step:
    """A teacher spelled like mlp(hidden=128), every setting spelled out and in its own type.

    Raises:
        ValueError: no such family or setting, or a value that is not allowed; with what is allowed.
    """
    step = Step.parse(text)
    if step.name not in (card["name"] for card in description["families"]):
        raise ValueError(f"There is no teacher {step.name!r}.")
    return Step.of(step.name, spelled_out(teacher_settings(description, step.name), step.values, step.name))


def teacher_named(name: str, description: Card) -> Step:
    """A preset teacher by its title, or one that is spelled like mlp(hidden=128).

    Raises:
        ValueError: as teacher_of(), or no preset has this title.
    """
    if "(" in name:
        return teacher_of(name, description)
    preset = next((preset for preset in description["presets"] if preset["title"] == name), None)
    if not preset:
        raise ValueError(f"There is no teacher {name!r} among the presets.")
    return Step.of(preset["name"], preset["settings"])


def steps_named(text: str, description: Card) -> tuple[Step, ...]:
    """Methods one after the other, spelled like prune(sparsity=0.9)+low_rank, every setting of a point spelled out; none
    for "".

    Raises:
        ValueError: no such method or setting, or a value that is not allowed.
    """
    found = []
    for step in (Step.parse(part) for part in text.split("+") if part):
        if step.name not in description["methods"]:
            raise ValueError(f"There is no method {step.name!r}; there are {', '.join(description['methods'])}.")
        entries = [entry for entry in description["methods"][step.name]["settings"]
                   if not entry["of_sweep"] and not entry.get("of_file")]
        found.append(Step.of(step.name, spelled_out(entries, step.values, step.name)))
    return tuple(found)


def spelled_out(entries: list[Card], values: dict[str, Any], owner: str) -> dict[str, Any]:
    """Every setting in its own type, at its default where it is left out.

    Raises:
        ValueError: an unknown setting, or a value that is not allowed; with what is allowed.
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
        notices.append(f"{entry['label']} cannot be {shortened(text)!r}; it is set to its default, {entry['default']}.")
        return entry["default"]
    if moved != value:
        how = "changed" if isinstance(value, tuple) else "raised" if moved > value else "lowered"
        notices.append(f"{entry['label']} must be between {entry['low']} and {entry['high']}; {shortened(text)} was {how} "
                       f"to {shortened(spelled(moved))}.")
    return spelled(moved)


def shortened(text: Any) -> str:
    """What a link has, in one short line, for a notice."""
    return one_line(text, 60)
