"""One sort of all scores gives the mask of every sparsity; the masks of a ranking are nested."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

import numpy as np
import torch
from torch import Tensor

Masks = dict[str, Tensor]
AT_ONCE = 1 << 22  # numbers whose order is written at a time


@dataclass(frozen=True, eq=False)
class Ranking:
    """The order in which weights are pruned.

    Attributes:
        places: path -> (rows, columns) int32 (int64 beyond its range), the rank of each weight among the weights that it is
            compared with; rank 0 is pruned first.
        within: the weights that are compared with each other: those of a "network", "layer", "row" or "group" (consecutive
            inputs of one row).
    """

    places: Masks
    within: str

    @classmethod
    def of(cls, scores: dict[str, Tensor], within: str, group: int = 1) -> Ranking:
        """Sorts once.

        Args:
            scores: path -> (rows, columns), non-negative saliencies.
            group: the number of consecutive inputs in a group, if within is "group".
        """
        if within == "network":
            everything = torch.cat([score.flatten() for score in scores.values()])
            found = _places(everything[None])[0].split([score.numel() for score in scores.values()])
            parts = zip(scores, found, strict=True)
            return cls({path: part.view_as(scores[path]) for path, part in parts}, within)
        if within == "layer":
            return cls({path: _places(score.reshape(1, -1)).view_as(score) for path, score in scores.items()}, within)
        if within == "row":
            return cls({path: _places(score) for path, score in scores.items()}, within)
        return cls({path: _places_in_groups(score, group) for path, score in scores.items()}, within)

    @property
    def size(self) -> int:
        """The number of weights in all layers."""
        return sum(places.numel() for places in self.places.values())

    def with_kept(self, kept: int) -> Masks:
        """Path -> (rows, columns) bool, True for the `kept` weights with the highest ranks in the network."""
        return {path: places >= self.size - kept for path, places in self.places.items()}

    def with_kept_of_each(self, kept: dict[str, int]) -> Masks:
        """Path -> (rows, columns) bool, with a number of kept weights for each layer."""
        return {path: self.of_layer(path, kept[path]) for path in self.places}

    def of_layer(self, path: str, kept: int) -> Tensor:
        """(rows, columns) bool: the mask of one layer with `kept` weights. If weights are compared within rows, each row
        keeps an equal number, and the first rows keep one more where the number cannot be divided."""
        places = self.places[path]
        rows, columns = places.shape
        if self.within == "row":
            share, more = divmod(kept, rows)
            each = torch.full((rows, 1), share) + (torch.arange(rows)[:, None] < more)
            return places >= columns - each
        if self.within == "network" and kept < places.numel():
            return places > int(places.flatten().kthvalue(places.numel() - kept).values)
        return places >= places.numel() - kept

    def with_kept_of_groups(self, kept: int, group: int) -> Masks:
        """N:M sparsity: of every `group` consecutive inputs of a row, `kept` stay. A shorter last group keeps at most as
        many."""
        return {path: self.of_groups(path, kept, group) for path in self.places}

    def of_groups(self, path: str, kept: int, group: int) -> Tensor:
        """(rows, columns) bool: the N:M mask of one layer."""
        columns = self.places[path].shape[1]
        length = torch.full((columns,), group)
        length[columns - columns % group:] = columns % group
        return self.places[path] >= (length - kept).clamp_min(0)


def kept_of(size: int, sparsity: float) -> int:
    """The number of weights that stay of `size`: round(sparsity size) are removed, as in torch.nn.utils.prune."""
    return size - round(sparsity * size)


def _places(scores: Tensor) -> Tensor:
    """(rows, n) scores -> (rows, n) ranks within each row, 0 for the lowest; of equal scores the first has the lower rank.

    The bits of non-negative floats, read as whole numbers, sort in the same order. With the index appended as lower bits all
    keys differ, so that an unstable sort, the fastest one, has a unique result. Of a large network, the keys are what takes
    the memory: rows are sorted a few at a time, and ranks are written a few columns at a time.
    """
    bits = scores.detach().cpu().float().contiguous().numpy().view(np.uint32)
    rows, columns = bits.shape
    places = np.empty(bits.shape, dtype=np.int32 if columns <= np.iinfo(np.int32).max else np.int64)
    tall = max(1, AT_ONCE // max(1, columns))
    for first in range(0, rows, tall):
        part = slice(first, first + tall)
        keys = bits[part].astype(np.uint64)
        keys <<= np.uint64(32)
        keys |= np.arange(columns, dtype=np.uint64)
        keys.sort(axis=1)
        wide = max(1, AT_ONCE // len(keys))
        for start in range(0, columns, wide):
            order = keys[:, start:start + wide].astype(np.uint32).astype(np.int64)
            ranks = np.arange(start, start + order.shape[1], dtype=places.dtype)
            np.put_along_axis(places[part], order, ranks[None], axis=1)
    return torch.from_numpy(places)


def _places_in_groups(scores: Tensor, group: int) -> Tensor:
    rows, columns = scores.shape
    padding = ceil(columns / group) * group - columns
    padded = torch.nn.functional.pad(scores.detach().cpu().float(), (0, padding), value=torch.inf)
    return _places(padded.reshape(-1, group)).reshape(rows, -1)[:, :columns]
