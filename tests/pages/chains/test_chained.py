"""The chain of the Chains page: its link and back, and what adding, moving and removing steps do to the dial."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compress.curves.sweep import complete
from compress.recipe import LAST, Step
from pages.ui.chains.chained import MOST, Chained, first_step, of_text, taken
from pages.ui.shell.choice import first_choice

THREE = "prune(sparsity=0.8)+low_rank(keep=0.3)+quantize(levels=4)"
NAMES = ("a", "b", "c", "d")
CHAINS = st.builds(lambda count, dial: Chained(tuple(map(Step, NAMES[:count])), min(dial, count)), st.integers(2, 4),
                   st.integers(1, 4))


def test_a_link_restores_the_chain(known: dict[str, Any]) -> None:
    for number in (1, 2, LAST):
        chained, notices = of_text(THREE, known, number), []
        back, rest = taken({**chained.to_link(), "data": "digits"}, known, notices)
        assert back == chained and rest == {"data": "digits"} and not notices
    assert "dial-step" not in of_text(THREE, known).to_link() and Chained().to_link() == {}


@pytest.mark.parametrize(("link", "notice"), [
    ({"chain": "dance"}, "cannot be made"), ({"chain": "data_svd+prune"}, "cannot be made"),
    ({"chain": "+".join(["prune"] * (MOST + 1))}, "cannot be made"), ({"chain": "prune(("}, "cannot be made"),
    ({"chain": "prune(sparsity=7)"}, "between"), ({"chain": "prune+quantize", "dial-step": "3"}, "between 1 and 2"),
    ({"chain": "prune", "dial-step": "last"}, "dial-step must be")])
def test_what_makes_no_sense_is_said(link: dict[str, str], notice: str, known: dict[str, Any]) -> None:
    notices: list[str] = []
    chained, rest = taken(link, known, notices)
    assert len(notices) == 1 and notice in notices[0] and rest == {}
    assert not chained.steps or chained.dial_place == len(chained.steps) - 1


def test_a_chain_is_a_complete_recipe(known: dict[str, Any]) -> None:
    """So that pages, which load no method, look for the points that the worker makes."""
    choice = first_choice(known)
    for name, card in known["methods"].items():
        if card["applies_to"] == "network":
            recipe = of_text(THREE, known).adding(first_step(card)).recipe(choice)
            assert complete(recipe) == recipe, name


@given(CHAINS, st.data())
def test_the_dial_stays_with_its_step(chained: Chained, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(chained.steps) - 1))
    has_dial = chained.steps[chained.dial_place]
    if place + 1 < len(chained.steps):
        moved = chained.moving(place, 1)
        assert moved.steps[moved.dial_place] == has_dial and moved.moving(place + 1, -1).steps == chained.steps
    fewer = chained.removing(place)
    assert len(fewer.steps) == len(chained.steps) - 1
    assert fewer.steps[fewer.dial_place] == (has_dial if place != chained.dial_place else fewer.steps[-1])
    behind = chained.after((Step("x"), Step("y")))
    assert behind.steps[2:] == chained.steps and behind.steps[behind.dial_place] == has_dial
    more = chained.adding(Step("z"))
    assert more.steps[more.dial_place] == has_dial
