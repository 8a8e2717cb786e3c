"""Everything known about the chain on the screen; cheap enough for every tick."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from compress.curves.chains.chain import Chain
from compress.curves.store import ACTIVE
from compress.recipe import Recipe
from compress.service.requests import ChainRequest
from pages.ui.chains.chained import Chained, of_text
from pages.ui.shell import records, session
from pages.ui.shell.choice import Card

FIRST = "prune(criterion=second_order,sparsity=0.75)+quantize(levels=5)"
FEW = 9  # stops of the dial: each is a chain


@dataclass(frozen=True)
class ChainState:
    """A chain and what the store has of it.

    Attributes:
        chained: what the visitor has built; chain: the same as a curve; cards: of the steps' methods.
        values: the dial's stops, rising; held: at each of them the point after each step (and after coding), None where
            nothing is measured yet; refused: value -> (number of the step, reason).
        dial: the dial's value; reference: the teacher's card, or None before it is trained; teacher: its record.
        job: the newest job of this chain, or None; missing: how many networks are not measured;
            deleted: how many of these because they were deleted.
    """

    chained: Chained
    chain: Chain
    cards: list[Card]
    values: list[Any]
    held: list[list[dict[str, Any]] | None]
    refused: dict[Any, tuple[int, str]]
    dial: Any
    reference: dict[str, Any] | None
    teacher: dict[str, Any] | None
    job: dict[str, Any] | None
    missing: int
    deleted: int = 0
    cache: dict[str, Any] = field(default_factory=dict)

    @property
    def card(self) -> Card:
        """Of the dial's step."""
        return self.cards[self.chain.dial_step - 1]

    @property
    def recipe(self) -> Recipe:
        """Of the last network at the dial."""
        return self.chain.at(self.dial)

    @property
    def here(self) -> list[dict[str, Any]] | None:
        """The points at the dial, after each step; None where they are not all measured."""
        return self.held[self.values.index(self.dial)]

    @property
    def point(self) -> dict[str, Any] | None:
        """The last network's at the dial."""
        return self.here[-1] if self.here else None

    @property
    def last(self) -> list[dict[str, Any]]:
        """The last network's point at each value where it is measured."""
        return [points[-1] for points in self.held if points]

    @property
    def running(self) -> bool:
        """Whether its job is queued or at work."""
        return self.job is not None and self.job["state"] in ACTIVE

    @property
    def steps(self) -> list[tuple[str, str]]:
        """(method, title) of each stair; ("", "Coding") for that of coding."""
        own = [(card["name"], card["title"]) for card in self.cards]
        return [*own, ("", "Coding")] if len(self.chain.stairs(self.dial)) > len(own) else own


def chained(known: Card) -> Chained:
    """What the visitor has built, or the first chain."""
    found: Chained = session.remembered("chained", Chained())
    return found if found.steps else of_text(FIRST, known, 1)


def look_up(known: Card) -> ChainState:
    """The chain that is chosen, as far as the store has it."""
    own, store, choice = chained(known), session.store(), session.choice()
    recipe = own.recipe(choice)
    cards = [known["methods"][step.name] for step in recipe.methods]
    card = cards[own.dial_place]
    asked = recipe.methods[own.dial_place].values[card["dial"]]
    chain = Chain(recipe, own.dial_place + 1, card["dial"], stops(card, asked))
    teacher = records.teacher_record(recipe)
    kept = store.view(chain.view_key, records.data_digest(recipe.data)) or {}
    refused = {value: (step, reason) for value, step, reason in kept.get("refused", ()) if value in chain.values}
    values = [value for value in chain.values if value not in refused] or list(chain.values)
    keys = chain.keys(values)
    points = store.points_of(keys, teacher["digest"]) if teacher else {}
    deleted = store.deleted_keys(keys, teacher["digest"]) if teacher else set()
    held = [found if None not in (found := [points.get(one.key()) for one in chain.stairs(value)]) else None
            for value in values]
    job = store.latest_job(job_key(chain))
    dial = min(values, key=lambda value: abs(value - asked))
    return ChainState(own, chain, cards, values, held, refused, dial, teacher and teacher["card"], teacher, job,
                      0 if len(refused) == len(chain.values) else len(keys) - len(points), len(deleted))


def stops(card: Card, asked: Any) -> tuple[Any, ...]:
    """The dial's values: those with which the method takes part in a race, which are few, and the one that is asked for."""
    raced = card["race"][0]["values"] if card["race"] else card["values"]
    return tuple(sorted({*raced[:FEW], asked}))


def job_key(chain: Chain) -> str:
    """Of the job that measures a chain: the same chain is measured once for all visitors."""
    return records.job_key(chain.curve, f"chain {list(chain.values)}")


def submit(state: ChainState) -> bool:
    """Starts (or resumes) measuring; False if that is refused."""
    chain = state.chain
    request = ChainRequest(chain.recipe.text(), chain.values, chain.dial_step)
    return session.submit(request, job_key(chain), "Chain") is not None
