"""How many weights (or units) each layer keeps when a share of all of them goes."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from compress.pruning.ranking import kept_of
from compress.solvers.allocation import frontier


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
    """Counts that add up to `kept`, at least 1 each, chosen so that the losses measured with one layer pruned at a time stay
    lowest in sum, along the convex hulls of these (marginal allocation, Fox 1966). Who keeps more in all keeps no less in
    any layer.

    Args:
        levels: sparsities at which each layer was tried alone, rising, from 0.
        losses: a layer's loss at each level; made non-decreasing here, because a loss that falls is noise.
    """
    menus = [_menu(size, levels, loss) for size, loss in zip(sizes, losses, strict=True)]
    counts, stretches = [], []
    for layer, menu in enumerate(menus):
        hull = [menu[place] for place in frontier(menu)]
        counts.append(hull[0][0])
        stretches += [((after - before) / (more - less), layer, more - less)
                      for (less, before), (more, after) in pairwise(hull)]
    if kept <= sum(counts):  # fewer than was ever tried: all layers in proportion
        return proportional(sizes, [count / size for count, size in zip(counts, sizes, strict=True)], kept)
    kept = min(kept, sum(sizes))
    for _, layer, wanted in sorted(stretches):  # what saves most loss for each weight comes first
        counts[layer] += min(wanted, kept - sum(counts))
    return _levelled(counts, sizes, kept)


def _levelled(counts: Sequence[int], sizes: Sequence[int], kept: int) -> list[int]:
    """Counts raised to a common share of the layers where this is more, so that they add up to `kept`."""
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        total = sum(max(count, middle * size) for count, size in zip(counts, sizes, strict=True))
        low, high = (middle, high) if total < kept else (low, middle)
    return _rounded([max(count, high * size) for count, size in zip(counts, sizes, strict=True)], sizes, kept)


def _menu(size: int, levels: Sequence[float], losses: Sequence[float]) -> list[tuple[int, float]]:
    """(weights kept, loss) at the measured levels, cheapest first; the same number kept twice has the later loss."""
    rising = [max(losses[:place + 1]) for place in range(len(losses))]
    return sorted({max(1, kept_of(size, level)): loss for level, loss in zip(levels, rising, strict=True)}.items())


def _rounded(wanted: Sequence[float], sizes: Sequence[int], kept: int) -> list[int]:
    counts = [max(1, int(one)) for one in wanted]
    by_remainder = sorted(range(len(wanted)), key=lambda layer: counts[layer] - wanted[layer])
    while sum(counts) != kept:
        step = 1 if sum(counts) < kept else -1
        movable = [layer for layer in by_remainder if 1 <= counts[layer] + step <= sizes[layer]]
        for layer in (movable if step > 0 else movable[::-1])[:abs(kept - sum(counts))]:
            counts[layer] += step
    return counts
