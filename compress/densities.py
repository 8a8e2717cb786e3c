"""How many weights (or units) each layer keeps when a share of all of them goes."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from compress.allocation import greedy
from compress.ranking import kept_of

STEPS = 8  # each stretch between two measured sparsities is divided into so many


def proportional(sizes: Sequence[int], densities: Sequence[float], kept: int) -> list[int]:
    """Counts in proportion to these densities, capped at a layer's size, at least 1 each, that add up to `kept`.

    The common factor is solved for; what rounding leaves over goes where it cost most (largest remainder).

    Raises:
        ValueError: one density a layer is needed.
    """
    if len(densities) != len(sizes):
        raise ValueError(f"Prune: densities must have one number for each of the {len(sizes)} layers, but got "
                         f"{'-'.join(f'{one:g}' for one in densities)}. For example: {'-'.join(['10'] * len(sizes))}, or "
                         "none.")
    kept = min(max(kept, len(sizes)), sum(sizes))
    low, high = 0.0, 1.0
    while sum(min(size, high * density * size) for size, density in zip(sizes, densities, strict=True)) < kept:
        high *= 2
    for _ in range(80):
        middle = (low + high) / 2
        total = sum(min(size, middle * density * size) for size, density in zip(sizes, densities, strict=True))
        low, high = (middle, high) if total < kept else (low, middle)
    wanted = [min(size, high * density * size) for size, density in zip(sizes, densities, strict=True)]
    return _rounded(wanted, sizes, kept)


def uniform(sizes: Sequence[int], sparsity: float) -> list[int]:
    """The same share of every layer, at least 1 each."""
    return [max(1, kept_of(size, sparsity)) for size in sizes]


def by_sensitivity(sizes: Sequence[int], levels: Sequence[float], losses: Sequence[Sequence[float]],
                   kept: int) -> list[int]:
    """Counts that add up to `kept`, chosen so that the losses measured with one layer pruned at a time stay lowest in sum.

    Args:
        levels: sparsities at which each layer was tried alone, rising, from 0.
        losses: a layer's loss at each level; made non-decreasing here, because a loss that falls is noise.
    """
    menus = [_menu(size, levels, loss) for size, loss in zip(sizes, losses, strict=True)]
    chosen = greedy(menus, kept)
    counts = [menu[place][0] for menu, place in zip(menus, chosen, strict=True)]
    return proportional(sizes, [count / size for count, size in zip(counts, sizes, strict=True)], kept)


def _menu(size: int, levels: Sequence[float], losses: Sequence[float]) -> list[tuple[int, float]]:
    """(weights kept, loss) along straight lines between the measured levels, cheapest first."""
    rising = [max(losses[:place + 1]) for place in range(len(losses))]
    menu = {}
    for (low, high), (before, after) in zip(pairwise(levels), pairwise(rising), strict=True):
        for step in range(STEPS + 1):
            share = step / STEPS
            menu[max(1, kept_of(size, low + share * (high - low)))] = before + share * (after - before)
    return sorted(menu.items())


def _rounded(wanted: Sequence[float], sizes: Sequence[int], kept: int) -> list[int]:
    counts = [max(1, int(one)) for one in wanted]
    by_remainder = sorted(range(len(wanted)), key=lambda layer: counts[layer] - wanted[layer])
    while sum(counts) != kept:
        step = 1 if sum(counts) < kept else -1
        movable = [layer for layer in by_remainder if 1 <= counts[layer] + step <= sizes[layer]]
        for layer in (movable if step > 0 else movable[::-1])[:abs(kept - sum(counts))]:
            counts[layer] += step
    return counts
