"""A chain: methods one after the other, one of which has the dial; what has to be measured for it, as plain data.

Imports nothing heavy.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from compress.recipe import Recipe
from compress.stored import NONE

CODING = "coding"


@dataclass(frozen=True)
class Chain:
    """A curve of chains.

    Attributes:
        recipe: complete, as a point has it; the dial may stand anywhere.
        dial_step: number of the step whose dial varies, from 1; dial: its setting; values: of the dial.
    """

    recipe: Recipe
    dial_step: int
    dial: str
    values: tuple[Any, ...]

    @property
    def curve(self) -> Recipe:
        """The recipe without the dial: the same for every point."""
        return self.recipe.curve(self.dial, self.dial_step)

    @property
    def view_key(self) -> str:
        """Where the store keeps which values are refused, and why: a view with `refused`, see `structure`."""
        return f"chain {self.curve.key()}"

    def at(self, value: Any) -> Recipe:
        """The recipe of the last network at a value of the dial."""
        return self.recipe.at(self.dial, value, self.dial_step)

    def stairs(self, value: Any) -> list[Recipe]:
        """All networks on the way at a value of the dial; see stairs()."""
        return stairs(self.at(value))

    def keys(self, values: Sequence[Any] | None = None) -> list[str]:
        """Keys of everything that is measured, each once."""
        wanted = self.values if values is None else values
        return list(dict.fromkeys(recipe.key() for value in wanted for recipe in self.stairs(value)))


def stairs(recipe: Recipe) -> list[Recipe]:
    """What a chain makes on its way, without the teacher: the network after each step in a file that is not coded, and the
    last one as the recipe has its file stored. What coding takes from the file is thus a stair of its own.

    Each is the parent of the next, but for the last two, which are the same network where the file is coded.
    """
    last = recipe.methods[-1]
    uncoded = replace(recipe, methods=(*recipe.methods[:-1], last.having(**{CODING: NONE})))
    return [*uncoded.ancestry()[1:], *([recipe] if recipe.key() != uncoded.key() else [])]
