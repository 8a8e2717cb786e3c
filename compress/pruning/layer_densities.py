"""The number of weights (or units) that each layer keeps when a share of all is removed."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from compress.pruning.ranking import kept_of
from compress.solvers.byte_budget import frontier


def proportional(sizes: Sequence[int], densities: Sequence[float], kept: int) -> list[int]:
    """Counts min(size, f density size), at least 1 for each layer, that add up to `kept`.

    The factor f is found by bisection. Counts are rounded by the method of largest remainders.

    Raises:
        ValueError: the number of densities is not the number of layers.
    """
    if len(densities) != len(sizes):
        given, example = ("-".join(f"{number:g}" for number in numbers) for numbers in (densities, [10] * len(sizes)))
        raise ValueError(f"Prune: densities must have one number for each of the {len(sizes)} layers, but got {given}. For "
                         f"example: {example}, or none.")
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
    """The same share of every layer, at least 1 for each."""
    return [max(1, kept_of(size, sparsity)) for size in sizes]


def by_sensitivity(sizes: Sequence[int], levels: Sequence[float], losses: Sequence[Sequence[float]],
                   kept: int) -> list[int]:
    """Counts that add up to `kept`, at least 1 for each layer, with the least sum of the layers' measured losses, along the
    lower convex hulls of these losses (marginal allocation, Fox 1966). With a larger `kept` no layer keeps less.

    Args:
        levels: sparsities at which each layer was pruned alone, rising from 0.
        losses: of each layer at each level. They are made non-decreasing here, because a decrease is noise.
    """
    menus = [_menu(size, levels, loss) for size, loss in zip(sizes, losses, strict=True)]
    counts, stretches = [], []
    for layer, menu in enumerate(menus):
        hull = [menu[place] for place in frontier(menu)]
        counts.append(hull[0][0])
        stretches += [((after - before) / (more - less), layer, more - less)
                      for (less, before), (more, after) in pairwise(hull)]
    if kept <= sum(counts):  # fewer weights than at the highest level: all layers in proportion
        return proportional(sizes, [count / size for count, size in zip(counts, sizes, strict=True)], kept)
    kept = min(kept, sum(sizes))
    for _, layer, wanted in sorted(stretches):  # the largest decrease of the loss for each weight first
        counts[layer] += min(wanted, kept - sum(counts))
    return _levelled(counts, sizes, kept)


def _levelled(counts: Sequence[int], sizes: Sequence[int], kept: int) -> list[int]:
    """Counts max(count, f size) that add up to `kept`, with a common share f found by bisection."""
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        total = sum(max(count, middle * size) for count, size in zip(counts, sizes, strict=True))
        low, high = (middle, high) if total < kept else (low, middle)
    return _rounded([max(count, high * size) for count, size in zip(counts, sizes, strict=True)], sizes, kept)


def _menu(size: int, levels: Sequence[float], losses: Sequence[float]) -> list[tuple[int, float]]:
    """(weights kept, loss) at the measured levels, by rising number; for a number that occurs twice, the later loss."""
    rising = [max(losses[:place + 1]) for place in range(len(losses))]
    return sorted({max(1, kept_of(size, level)): loss for level, loss in zip(levels, rising, strict=True)}.items())


def _rounded(wanted: Sequence[float], sizes: Sequence[int], kept: int) -> list[int]:
    """Whole numbers that add up to `kept`, by largest remainders; at least 1 and at most the size of each layer."""
    counts = [max(1, int(count)) for count in wanted]
    by_remainder = sorted(range(len(wanted)), key=lambda layer: counts[layer] - wanted[layer])
    while sum(counts) != kept:
        step = 1 if sum(counts) < kept else -1
        movable = [layer for layer in by_remainder if 1 <= counts[layer] + step <= sizes[layer]]
        for layer in (movable if step > 0 else movable[::-1])[:abs(kept - sum(counts))]:
            counts[layer] += step
    return counts
