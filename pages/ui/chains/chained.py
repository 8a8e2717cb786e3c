"""The chain that the Chains page builds, as part of its link: `chain`, its steps as recipes spell them, and `dial-step`, the
number of the step whose dial varies. Imports neither streamlit nor torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from compress.recipe import LAST, Recipe, Step, dial_step
from compress.settings import spelled
from compress.stored import ENTROPY, FLOAT32
from pages.ui.shell.choice import Card, Choice, mended, shortened, steps_named
from pages.ui.shell.links import completed

PAGE = "Chains"
MOST = 6  # steps


@dataclass(frozen=True)
class Chained:
    """Methods one after the other.

    Attributes:
        steps: with all settings of a point, without those of the file; () where nothing was chosen yet.
        dial_step: number of the step whose dial varies, from 1; LAST for the last.
    """

    steps: tuple[Step, ...] = ()
    dial_step: int = LAST

    @property
    def dial_place(self) -> int:
        """The place of the dial's step, from 0."""
        return dial_step(self.dial_step, len(self.steps)) - 1

    def recipe(self, choice: Choice) -> Recipe:
        """The chain on the chosen teacher; the last network's file is entropy-coded."""
        *before, last = self.steps
        return Recipe(choice.data, choice.teacher, (*before, last.having(coding=ENTROPY, precision=FLOAT32)), choice.seed)

    def having(self, place: int, card: Card, notices: list[str], **settings: Any) -> Chained:
        """The same with settings of a step changed, and others where these exclude each other."""
        step = self.steps[place]
        changed = Step.of(step.name, mended({**step.values, **settings}, card, notices))
        return replace(self, steps=(*self.steps[:place], changed, *self.steps[place + 1:]))

    def adding(self, step: Step) -> Chained:
        """The same with one more step at the end. The dial stays at its step, or goes to the new last one."""
        return replace(self, steps=(*self.steps, step))

    def after(self, start: tuple[Step, ...]) -> Chained:
        """The same behind other steps. The dial stays with its step."""
        return Chained((*start, *self.steps), len(start) + self.dial_place + 1)

    def removing(self, place: int) -> Chained:
        """The same without a step; where this has the dial, the last step gets it."""
        dial = self.dial_place
        number = LAST if place == dial else dial + 1 - (place < dial)
        return Chained((*self.steps[:place], *self.steps[place + 1:]), number)

    def moving(self, place: int, by: int) -> Chained:
        """The same with a step moved by one place; the dial stays with its step."""
        order = list(range(len(self.steps)))
        order[place], order[place + by] = order[place + by], order[place]
        return Chained(tuple(self.steps[one] for one in order), order.index(self.dial_place) + 1)

    def to_link(self) -> dict[str, str]:
        """Query parameters that restore it; none where nothing was chosen."""
        if not self.steps:
            return {}
        link = {"chain": "+".join(step.text() for step in self.steps)}
        return link if self.dial_place == len(self.steps) - 1 else {**link, "dial-step": str(self.dial_place + 1)}


def of_text(text: str, known: Card, number: int = LAST) -> Chained:
    """A chain spelled like prune(sparsity=0.9)+quantize; settings that are left out are at their defaults. Raises ValueError
    for unknown names or values that are not allowed."""
    return Chained(steps_named(text, known), number)


def taken(parameters: Mapping[str, str], known: Card, notices: list[str]) -> tuple[Chained, dict[str, str]]:
    """The chain of a link, and its other parameters. What makes no sense is changed or left out, with a notice each."""
    rest = {name: text for name, text in parameters.items() if name not in ("chain", "dial-step")}
    steps = _steps(parameters["chain"], known, notices) if "chain" in parameters else ()
    try:
        number = dial_step(parameters.get("dial-step", ""), max(1, len(steps)))
    except ValueError as error:
        notices.append(f"{error} The last step has the dial.")
        number = LAST
    return Chained(steps, number if steps and number < len(steps) else LAST), rest


def _steps(text: str, known: Card, notices: list[str]) -> tuple[Step, ...]:
    try:
        steps = [Step.parse(part) for part in text.split("+")]
        cards = [known["methods"][step.name] for step in steps]
        if len(steps) > MOST or any(card["applies_to"] != "network" for card in cards):
            raise ValueError(text)
    except (ValueError, KeyError, RecursionError):
        able = [name for name, card in known["methods"].items() if card["applies_to"] == "network"]
        notices.append(f"The link's chain {shortened(text)!r} cannot be made: it needs one to {MOST} steps, each one of "
                       f"{', '.join(able)}, joined by +.")
        return ()
    return tuple(completed(step, card, notices).unstored() for step, card in zip(steps, cards, strict=True))


def first_step(card: Card) -> Step:
    """A method with all its settings at their defaults."""
    return Step.of(card["name"], {entry["name"]: spelled(entry["default"]) for entry in card["settings"]
                                  if not entry["of_sweep"] and not entry["of_file"]})
