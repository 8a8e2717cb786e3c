"""The byte budget against all choices, and against bounds where there are too many."""

from __future__ import annotations

import random
from itertools import pairwise, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compress.solvers import byte_budget
from compress.solvers.byte_budget import best_within, greedy

Menus = list[list[tuple[int, float]]]


@st.composite
def problems(draw: st.DrawFn, layers: int = 4, choices: int = 8) -> tuple[Menus, int]:
    """Menus of few different numbers, so that ties occur, or of many; a budget from too little to enough for everything."""
    many = draw(st.booleans())
    cost = st.integers(0, 5000 if many else 6)
    loss = st.floats(-1.0, 100.0) if many else st.integers(0, 4).map(float)
    menus = draw(st.lists(st.lists(st.tuples(cost, loss), min_size=1, max_size=choices), min_size=1, max_size=layers))
    return menus, draw(st.integers(0, sum(max(entry[0] for entry in menu) for menu in menus) + 2))


def brute(menus: Menus, budget: int) -> tuple[float, float] | None:
    """The least (loss, bytes) of all choices."""
    totals = [(sum(loss for _, loss in chosen), sum(cost for cost, _ in chosen)) for chosen in product(*menus)]
    return min((total for total in totals if total[1] <= budget), default=None)


@given(problems())
def test_no_choice_within_the_budget_is_better_and_never_a_byte_is_over(problem: tuple[Menus, int]) -> None:
    menus, budget = problem
    best = brute(menus, budget)
    if best is None:
        with pytest.raises(ValueError, match=r"less than the [\d,]+ that the smallest choice of every layer takes"):
            best_within(menus, budget)
        return
    found = best_within(menus, budget)
    chosen = [menu[place] for menu, place in zip(menus, found.places, strict=True)]
    assert found.bytes == sum(cost for cost, _ in chosen) <= budget
    assert found.loss == pytest.approx(sum(loss for _, loss in chosen), abs=1e-9)
    assert found.loss == pytest.approx(best[0], abs=1e-9) and found.bound == found.loss


@pytest.mark.parametrize("seed", range(6))
def test_three_layers_of_eight_choices_at_every_budget(seed: int) -> None:
    draw = random.Random(seed)
    menus = [[(round(size * bits / 8), draw.uniform(0.5, 2.0) * size * 4.0 ** -bits) for bits in range(1, 9)]
             for size in (2352, 300, 10)]
    least, most = (sum(end(cost for cost, _ in menu) for menu in menus) for end in (min, max))
    for budget in range(least, most + 1, 37):
        best = brute(menus, budget)
        assert best is not None
        assert best_within(menus, budget).loss == pytest.approx(best[0], rel=1e-9)
    assert best_within(menus, least).bytes == least


def measured(layers: int) -> Menus:
    """Menus as they are measured: costs and losses of 16 bit widths, losses with noise, so that hulls lack some of them."""
    return [[(1 + (37 + 13 * layer) * bits // 8 * 100, (1 + layer % 5) * 4.0 ** -bits * (1.3 if (layer + bits) % 3 else 1.0))
             for bits in range(1, 17)] for layer in range(layers)]


def test_many_layers_are_proven_best_and_better_than_the_greedy_choice() -> None:
    menus = measured(40)
    gains = []
    for budget in (200_000, 400_000, 700_000):
        found, simple = best_within(menus, budget), greedy(menus, budget)
        assert found.bytes <= budget and found.bound == found.loss
        gains.append(sum(menu[place][1] for menu, place in zip(menus, simple, strict=True)) - found.loss)
    assert min(gains) >= -1e-12 and max(gains) > 0


def test_more_bytes_never_lose_and_all_bytes_give_every_layer_its_best() -> None:
    menus = measured(5)
    losses = [best_within(menus, budget).loss for budget in range(6_000, 60_000, 1_777)]
    assert all(after <= before for before, after in pairwise(losses))
    assert best_within(menus, 10 ** 12).loss == pytest.approx(sum(min(loss for _, loss in menu) for menu in menus))


def test_with_too_many_partial_choices_the_bound_says_how_far_off_the_best_can_be(monkeypatch: pytest.MonkeyPatch) -> None:
    menus, budget = measured(12), 20_000
    best = best_within(menus, budget)
    monkeypatch.setattr(byte_budget, "MOST_STATES", 1)
    found = best_within(menus, budget)
    assert found.bytes <= budget and found.bound <= best.loss <= found.loss


def test_no_layers_cost_nothing_and_what_cannot_be_is_refused() -> None:
    assert best_within([], 0).places == ()
    with pytest.raises(ValueError, match="the menu of layer 1 is empty"):
        best_within([[(1, 0.0)], []], 10)
    for entry in ((1, float("nan")), (-1, 0.0), (1, float("inf"))):
        with pytest.raises(ValueError, match="a choice of layer 0 is not so"):
            best_within([[entry]], 10)
    with pytest.raises(ValueError, match="Allow at least 1,200 bytes"):
        best_within([[(1200, 0.0)]], 1199)
