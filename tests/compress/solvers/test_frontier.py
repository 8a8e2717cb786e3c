"""A budget shared among layers: greedy steps along convex menus find the best choice there is."""

from __future__ import annotations

from itertools import pairwise, product

from hypothesis import assume, given
from hypothesis import strategies as st

from compress.solvers.byte_budget import frontier, greedy

Menu = list[tuple[float, float]]


@st.composite
def convex_menus(draw: st.DrawFn) -> list[Menu]:
    """Menus whose errors fall ever more slowly, with steps of equal cost inside a menu."""
    menus = []
    for _ in range(draw(st.integers(1, 4))):
        cost, unit = draw(st.integers(1, 9)), draw(st.integers(1, 5))
        gains = sorted(draw(st.lists(st.integers(1, 100), min_size=1, max_size=5)), reverse=True)
        left, menu = sum(gains), []
        for place, gain in enumerate([*gains, 0]):
            menu.append((float(cost + unit * place), float(left)))
            left -= gain
        menus.append(menu)
    return menus


@st.composite
def any_menus(draw: st.DrawFn) -> list[Menu]:
    number = st.integers(0, 30).map(float)
    return draw(st.lists(st.lists(st.tuples(number, number), min_size=1, max_size=6), min_size=1, max_size=4))


def total(menus: list[Menu], chosen: list[int], part: int) -> float:
    return sum(menu[entry][part] for menu, entry in zip(menus, chosen, strict=True))


def steps_end_at(menus: list[Menu]) -> list[float]:
    """The budgets at which a step of the steepest walk ends: one after another, with all that came before."""
    slopes = sorted(((menu[place + 1][1] - menu[place][1]) / (menu[place + 1][0] - menu[place][0]), layer,
                     menu[place + 1][0] - menu[place][0])
                    for layer, menu in enumerate(menus) for place in range(len(menu) - 1))
    # Where two menus have a step of the same slope, "which ends first" has no answer.
    assume(all(one[0] != other[0] or one[1] == other[1] for one, other in pairwise(slopes)))
    spent, ends = sum(menu[0][0] for menu in menus), []
    for *_, cost in slopes:
        spent += cost
        ends.append(spent)
    return ends


@given(convex_menus())
def test_greedy_finds_the_least_error_wherever_a_step_ends(menus: list[Menu]) -> None:
    for budget in steps_end_at(menus):
        affordable = [choice for choice in product(*(range(len(menu)) for menu in menus))
                      if total(menus, list(choice), 0) <= budget]
        best = min(total(menus, list(choice), 1) for choice in affordable)
        assert total(menus, greedy(menus, budget), 1) == best


@given(any_menus(), st.integers(0, 100))
def test_the_budget_is_kept_unless_even_the_cheapest_entries_exceed_it(menus: list[Menu], budget: int) -> None:
    cheapest = sum(min(cost for cost, _ in menu) for menu in menus)
    assert total(menus, greedy(menus, budget), 0) <= max(budget, cheapest)


@given(any_menus(), st.integers(0, 100), st.integers(0, 50))
def test_an_unlimited_budget_buys_the_least_error_of_every_menu(menus: list[Menu], budget: int, more: int) -> None:
    chosen = greedy(menus, 1e9)
    assert [menu[entry][1] for menu, entry in zip(menus, chosen, strict=True)] == [
        min(error for _, error in menu) for menu in menus]


@given(any_menus())
def test_no_entry_on_the_frontier_is_dominated(menus: list[Menu]) -> None:
    for menu in menus:
        hull = frontier(menu)
        for entry in hull:
            cost, error = menu[entry]
            assert not any((other[0] <= cost and other[1] < error) or (other[0] < cost and other[1] <= error)
                           for other in menu)
        slopes = [(menu[later][1] - menu[earlier][1]) / (menu[later][0] - menu[earlier][0])
                  for earlier, later in pairwise(hull)]
        assert all(slope < 0 for slope in slopes)
        assert all(first <= second for first, second in pairwise(slopes))


def test_the_frontier_drops_a_rank_that_costs_more_than_the_dense_layer() -> None:
    menu = [(10, 8.0), (20, 2.0), (30, 1.0), (25, 0.0)]
    assert frontier(menu) == [0, 1, 3]


def test_the_frontier_drops_an_entry_above_the_line_between_its_neighbours() -> None:
    assert frontier([(0, 10.0), (1, 9.9), (2, 0.0)]) == [0, 2]


def test_a_step_that_does_not_fit_leaves_the_rest_to_other_menus() -> None:
    large, small = [(0, 100.0), (50, 0.0)], [(0, 5.0), (5, 0.0)]
    assert greedy([large, small], 20) == [0, 1]
