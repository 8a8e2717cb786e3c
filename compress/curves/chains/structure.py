"""Whether a chain is possible, asked before anything is trained: every step gets a network of the structure that the steps
before it leave."""

from __future__ import annotations

from compress.data.datasets import Dataset
from compress.methods import method
from compress.networks.composite import acted_on, put_back
from compress.networks.families import Network
from compress.recipe import Recipe
from compress.training import teachers


class RefusedStep(ValueError):
    """A step that is impossible after those before it. `step` is its number, from 1; the message is the reason."""

    def __init__(self, step: int, reason: str) -> None:
        super().__init__(reason)
        self.step = step


def before_the_last(recipe: Recipe, data: Dataset) -> Network:
    """An untrained network of the structure that the last method of a complete recipe starts from.

    Raises:
        RefusedStep: a method before the last one is impossible, or one that trains a new network does not come first.
    """
    network, steps = teachers.untrained(recipe.teacher, data, recipe.seed), [method(step) for step in recipe.methods]
    for number, step in enumerate(steps[1:], start=2):
        if step.trains_new_network:
            raise RefusedStep(number, f"{type(step).__name__}: {step.name} trains a new network on compressed data, so that "
                                      f"nothing of the methods before it would remain. Put {step.name} first, without "
                                      "them.")
    for number, step in enumerate(steps[:-1], start=1):
        given = acted_on(network, data, shapes_only=True)
        reason = step.invalid_reason(*given)
        if reason:
            raise RefusedStep(number, reason)
        network = put_back(network, step.preview(*given))
    return network


def refusal(recipe: Recipe, data: Dataset) -> RefusedStep | None:
    """The first step of a complete recipe that is impossible, the last one among them; None if all are possible."""
    try:
        given = acted_on(before_the_last(recipe, data), data, shapes_only=True)
    except RefusedStep as refused:
        return refused
    reason = method(recipe.methods[-1]).invalid_reason(*given)
    return RefusedStep(len(recipe.methods), reason) if reason else None
