"""Divides a budget among layers whose errors are known at every size: pure functions on lists.

A layer's menu is a list of (cost in stored numbers, error); its last entry is the dense layer (error 0).
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence

Menu = Sequence[tuple[float, float]]


def frontier(menu: Menu) -> list[int]:
    """Indices of the entries on the lower convex hull of (cost, error): those that are best for some price of a number.

    An entry that costs at least as much as a later one without a smaller error is not on the hull (a rank past
    break-even)."""
    hull: list[int] = []
    for index in sorted(range(len(menu)), key=lambda entry: menu[entry]):
        if hull and menu[index][1] >= menu[hull[-1]][1]:
            continue
        while len(hull) > 1 and _slope(menu, hull[-2], hull[-1]) > _slope(menu, hull[-1], index):
            hull.pop()
        hull.append(index)
    return hull


def greedy(menus: Sequence[Menu], budget: float) -> list[int]:
    """One entry of each menu with a total cost within the budget, by the greatest decrease of the error per stored number.

    Starts from the cheapest entry of each menu (whose sum can exceed a very small budget) and takes steps along the
    frontiers, the steepest first. A step that does not fit into the budget ends the steps of its menu. On convex menus the
    result is optimal for every budget at which a step ends (marginal allocation, Fox 1966).
    """
    hulls = [frontier(menu) for menu in menus]
    places = [0] * len(menus)
    spent = sum(menu[hull[0]][0] for menu, hull in zip(menus, hulls, strict=True))
    steps = [(_slope(menus[layer], hull[0], hull[1]), layer) for layer, hull in enumerate(hulls) if len(hull) > 1]
    heapq.heapify(steps)
    while steps:
        _, layer = heapq.heappop(steps)
        hull, place = hulls[layer], places[layer]
        extra = menus[layer][hull[place + 1]][0] - menus[layer][hull[place]][0]
        if spent + extra > budget:
            continue
        spent += extra
        places[layer] = place + 1
        if place + 2 < len(hull):
            heapq.heappush(steps, (_slope(menus[layer], hull[place + 1], hull[place + 2]), layer))
    return [hull[place] for hull, place in zip(hulls, places, strict=True)]


def _slope(menu: Menu, low: int, high: int) -> float:
    """Change of the error per unit of cost from one entry to a more expensive one: negative, and the smaller the better."""
    return (menu[high][1] - menu[low][1]) / (menu[high][0] - menu[low][0])
