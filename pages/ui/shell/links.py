"""A choice from a link, and back into a link: `data`, `teacher`, `seed`, `start`, `t.NAME` for the teacher's settings and
`METHOD.NAME` for those of a page's methods. How the page is shown is in the link as well, see view. Imports neither
streamlit nor torch.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from compress.recipe import Step
from compress.settings import MOST_SEED, checked_seed
from pages.ui.shell.choice import (
    Card,
    Choice,
    clamped,
    known_data,
    mended,
    shortened,
    suited,
    teacher_defaults,
    teacher_settings,
    without_conflict,
)
from pages.ui.shell.look.view import PARAMETERS

RESERVED = ("data", "teacher", "seed", "method", "start", *PARAMETERS)


def from_link(parameters: dict[str, str], description: Card, methods: tuple[str, ...],
              start: Choice) -> tuple[Choice, list[str]]:
    """The choice that a link describes, and what had to be changed to make it valid, in sentences.

    Args:
        parameters: data, teacher, seed, start (the steps in the teacher's place, as recipes spell them), method (which of
            the page's is on the screen), t.NAME and METHOD.NAME. Links of before METHOD.NAME have a bare NAME.
        methods: the page's methods.
        start: the data set and teacher that are taken where the link names none, and the settings of other pages' methods;
            a setting of this page's methods that the link leaves out is at its default, as to_link leaves it out.
    """
    notices: list[str] = []
    choice = _data_and_teacher(parameters, description, start, notices)
    try:
        choice = replace(choice, seed=checked_seed(parameters.get("seed", choice.seed)))
    except ValueError:
        notices.append(f"seed must be a whole number between 0 and {MOST_SEED}, but the link has "
                       f"{shortened(parameters['seed'])!r}; using {choice.seed}.")
    settings = {f"t.{entry['name']}": entry for entry in teacher_settings(description, choice.teacher.name)}
    turned = {name[2:]: clamped(settings[name], text, notices) for name, text in parameters.items() if name in settings}
    choice = replace(choice, teacher=choice.teacher.having(**turned))
    choice = replace(choice, start=_start(parameters["start"], description, notices) if "start" in parameters else ())
    named = parameters.get("method", "")
    if named and named not in (methods or description["methods"]):
        known = f"Known here are {', '.join(methods)}." if methods else "It was left out."
        notices.append(f"The link's method={shortened(named)} is no method of this page. {known}")
    own = {name: text for name, text in parameters.items() if name not in (*RESERVED, *settings)}
    given, unknown = _addressed(own, [description["methods"][name] for name in methods], named)
    for name in methods:
        turned = {entry["name"]: clamped(entry, given[name, entry["name"]], notices) if (name, entry["name"]) in given
                  else entry["default"] for entry in description["methods"][name]["settings"]}
        choice = choice.with_dial(name, (name, description["methods"][name]["dial"]) in given)
        choice = without_conflict(choice.with_method(name, **turned), description["methods"][name], notices)
    notices += [f"The link's {shortened(name)}={shortened(parameters[name])} is not a setting of this page and was left out."
                for name in unknown]
    return choice, notices


def to_link(choice: Choice, description: Card, methods: tuple[str, ...], active: str | None) -> dict[str, str]:
    """Query parameters that restore the choice; what is at its default is left out, but for the active dial."""
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
                link[f"{name}.{entry['name']}"] = _text(value)
    return link


def _addressed(parameters: dict[str, str], cards: list[Card],
               active: str) -> tuple[dict[tuple[str, str], str], list[str]]:
    """(method, setting) -> text, and the names of parameters that belong to no setting, or to one that is given already."""
    given: dict[tuple[str, str], str] = {}
    unknown = []
    for name in sorted(parameters, key=lambda name: "." not in name):  # a bare name never hides a full one
        place = _place(name, cards, active)
        if place is None or place in given:
            unknown.append(name)
        else:
            given[place] = parameters[name]
    return given, unknown


def _place(name: str, cards: list[Card], active: str) -> tuple[str, str] | None:
    """The method and setting that a parameter is for, by its present name or an older one."""
    method, dot, setting = name.rpartition(".")
    if dot:
        cards = [card for card in cards if card["name"] == method]
    else:
        present = sorted(cards, key=lambda card: card["name"] != active)  # the method on the screen first
        cards = [*(card for card in cards if name in _bare_names(card)), *present]
    return next(((card["name"], current) for card in cards if (current := _called(setting, card))), None)


def _called(name: str, card: Card) -> str:
    """The setting of this name, or the one that took its place; "" if there is none."""
    current = card["renamed"].get(name, name)
    return current if any(entry["name"] == current for entry in card["settings"]) else ""


def _bare_names(card: Card) -> set[str]:
    """What the settings were called in links that had bare names, where no two methods of a page shared one."""
    return {*card["renamed"], *({entry["name"] for entry in card["settings"]} - {*card["renamed"].values()})}


def _data_and_teacher(parameters: dict[str, str], description: Card, start: Choice, notices: list[str]) -> Choice:
    names = [card["name"] for card in description["datasets"]]
    data = parameters.get("data", start.data)
    if not known_data(data, description):
        notices.append(f"There is no data set {shortened(data)!r} here; using {start.data}. Known are {', '.join(names)}.")
        data = start.data
    families = [card["name"] for card in description["families"]]
    teacher = parameters.get("teacher", start.teacher.name)
    if teacher not in families:
        notices.append(f"There is no teacher {shortened(teacher)!r}; using {start.teacher.name}. Known are "
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
        notices.append(f"The link puts {shortened(text)!r} in the teacher's place, which is no network that can be made; "
                       "the teacher itself is used.")
        return ()
    return tuple(completed(step, card, notices) for step, card in zip(steps, cards, strict=True))


def completed(step: Step, card: Card, notices: list[str]) -> Step:
    """The step of a point, every setting by its present name and in its range."""
    given = step.by_present_names(card["renamed"]).values
    return Step.of(step.name, mended({
        entry["name"]: clamped(entry, given[entry["name"]], notices) if entry["name"] in given else entry["default"]
        for entry in card["settings"] if not entry["of_sweep"]}, card, notices))


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
