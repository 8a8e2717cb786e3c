"""Where the dial starts: at the smallest file that costs little, unless the visitor or a link has set it."""

from __future__ import annotations

from typing import Any

from pages.ui.explore import notice
from pages.ui.explore.curve_state import CurveState
from pages.ui.shell import session
from pages.ui.shell.choice import Card, Choice


def best(points: list[dict], reference: dict) -> Any:
    """The dial's value at the smallest file within one point of the reference's accuracy; at the most accurate file where
    there is none."""
    found = notice.smallest_within_a_point(points, reference)
    return (found or max(points, key=lambda point: (point["accuracy"], -point["bytes"])))["dial"]


def is_free(choice: Choice, card: Card) -> bool:
    """Whether nobody has set the method's dial: it is at its default, or where place() has put it."""
    entry = next(entry for entry in card["settings"] if entry["name"] == card["dial"])
    placed = session.remembered(f"placed.{card['name']}", entry["default"])
    return card["name"] not in choice.turned and choice.methods[card["name"]][card["dial"]] in (entry["default"], placed)


def place(state: CurveState) -> bool:
    """Puts the dial of a finished curve to its best stop, if it is free; whether it stood elsewhere."""
    card, choice = state.card, session.choice()
    if not state.points or not state.reference or not is_free(choice, card):
        return False
    stop = best(state.points, state.reference)
    session.remember(f"placed.{card['name']}", stop)
    session.choose(choice.with_method(card["name"], **{card["dial"]: stop}))
    return stop != state.dial
