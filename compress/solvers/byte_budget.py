"""One choice for each layer, within a byte budget, with the least total loss: greedily, or exactly by dynamic programming.

A layer's menu is a list of (bytes, loss), in any order. Losses add up; they may be squared errors, divergences, or what one
layer alone costs the accuracy. For an exchange rate of loss for bytes each layer takes its best entry alone (Everett 1963):
these are the entries on the lower convex hulls. Interpolated between them, the least total loss for each budget is a lower
bound of what any choice of the layers that are still open can reach. The programme goes from layer to layer and keeps the
partial choices that no other one beats in both bytes and loss (Nemhauser & Ullmann 1969), as long as the bound for what is
still open leaves hope of beating the best complete choice known.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

Menu = Sequence[tuple[float, float]]  # (cost, loss) of each choice; costs are bytes, or stored numbers
MOST_STATES = 100_000  # partial choices kept after a layer; more do not occur where losses are measured
ROUNDING = 1e-12  # relative: a bound is a sum in another order than the loss


@dataclass(frozen=True)
class Allocation:
    """Attributes:
        places: the entry of each menu.
        bytes, loss: their sums.
        bound: no choice within the budget has a smaller loss than this; the loss itself where it is proven the least.
    """

    places: tuple[int, ...]
    bytes: int
    loss: float
    bound: float


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


def best_within(menus: Sequence[Menu], budget: int) -> Allocation:
    """The choice with the least loss whose bytes are within the budget; of equal losses, one with the fewest bytes.

    Raises:
        ValueError: a menu is empty or has NaN, infinite losses or negative bytes; the budget is below the sum of the
            cheapest entries.
    """
    _check(menus, budget)
    places = greedy(menus, budget)
    best = _total(menus, places, 1)
    bounds = [_Bound.of(menus[layer:]) for layer in range(len(menus) + 1)]
    slack = ROUNDING * max(1e-300, sum(max(abs(loss) for _, loss in menu) for menu in menus))
    spent, loss = torch.zeros(1, dtype=torch.float64), torch.zeros(1, dtype=torch.float64)
    steps: list[tuple[Tensor, Tensor]] = []
    dropped = math.inf
    for layer, menu in enumerate(menus):
        entries = torch.tensor([[float(cost), float(error)] for cost, error in menu], dtype=torch.float64)
        spent, loss = ((own[:, None] + entry).flatten() for own, entry in zip((spent, loss), entries.T, strict=True))
        lower = loss + bounds[layer + 1].at(budget - spent)
        kept = _undominated(spent, loss, lower <= best + slack)
        if len(kept) > MOST_STATES:
            order = lower[kept].argsort(stable=True)
            dropped = min(dropped, float(lower[kept][order[MOST_STATES]]))
            kept = kept[order[:MOST_STATES].sort().values]
        steps.append((kept // len(menu), kept % len(menu)))
        spent, loss = spent[kept], loss[kept]
    if len(loss):
        found = _traced(steps, int(loss.argmin()))
        places = min(places, found, key=lambda own: (_total(menus, own, 1), _total(menus, own, 0)))
    total = _total(menus, places, 1)
    return Allocation(tuple(places), int(_total(menus, places, 0)), total, min(total, dropped))


@dataclass(frozen=True, eq=False)
class _Bound:
    """The convex hull of the total loss of some layers over their bytes: knots (bytes, loss), bytes rising."""

    bytes: Tensor
    loss: Tensor

    @staticmethod
    def of(menus: Sequence[Menu]) -> _Bound:
        hulls = [[menu[place] for place in frontier(menu)] for menu in menus]
        start = [sum(hull[0][axis] for hull in hulls) for axis in (0, 1)]
        moves = [(high[0] - low[0], high[1] - low[1]) for hull in hulls for low, high in pairwise(hull)]
        moves.sort(key=lambda move: move[1] / move[0])
        knots = torch.tensor([start, *moves], dtype=torch.float64).cumsum(0)
        return _Bound(knots[:, 0].contiguous(), knots[:, 1].contiguous())

    def at(self, left: Tensor) -> Tensor:
        """The bound for each number of bytes left; infinity where they are too few for the cheapest entries."""
        if len(self.bytes) == 1:
            return torch.where(left >= self.bytes[0], self.loss[0], torch.inf)
        place = (torch.searchsorted(self.bytes, left, right=True) - 1).clamp(0, len(self.bytes) - 2)
        share = ((left - self.bytes[place]) / self.bytes.diff()[place]).clamp_max(1.0)
        return torch.where(left < self.bytes[0], torch.inf, self.loss[place] + share * self.loss.diff()[place])


def _undominated(spent: Tensor, loss: Tensor, hopeful: Tensor) -> Tensor:
    """Indices of the hopeful partial choices, by rising bytes, each with a smaller loss than all that take no more bytes."""
    kept = hopeful.nonzero().flatten()
    kept = kept[loss[kept].argsort(stable=True)]
    kept = kept[spent[kept].argsort(stable=True)]
    ahead = torch.cat([loss.new_tensor([torch.inf]), loss[kept].cummin(0).values])[:-1]
    return kept[loss[kept] < ahead]


def _traced(steps: list[tuple[Tensor, Tensor]], state: int) -> list[int]:
    places = []
    for parents, entries in reversed(steps):
        places.append(int(entries[state]))
        state = int(parents[state])
    return places[::-1]


def _total(menus: Sequence[Menu], places: Sequence[int], axis: int) -> float:
    return math.fsum(menu[place][axis] for menu, place in zip(menus, places, strict=True))


def _check(menus: Sequence[Menu], budget: int) -> None:
    for layer, menu in enumerate(menus):
        if not menu:
            raise ValueError(f"Byte budget: the menu of layer {layer} is empty; every layer needs at least one choice.")
        if not all(math.isfinite(cost) and cost >= 0 and math.isfinite(loss) for cost, loss in menu):
            raise ValueError(f"Byte budget: bytes must be at least 0 and losses finite, but a choice of layer {layer} is "
                             "not so. Leave it out.")
    least = sum(min(cost for cost, _ in menu) for menu in menus)
    if budget < least:
        raise ValueError(f"Byte budget: {budget:,} bytes are less than the {int(least):,} that the smallest choice of every "
                         f"layer takes. Allow at least {int(least):,} bytes, or add smaller choices.")


def _slope(menu: Menu, low: int, high: int) -> float:
    """Change of the error per unit of cost from one entry to a more expensive one: negative, and the smaller the better."""
    return (menu[high][1] - menu[low][1]) / (menu[high][0] - menu[low][0])
