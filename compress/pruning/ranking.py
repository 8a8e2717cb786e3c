"""One sort of all scores, from which the mask of every sparsity is cut: masks of one ranking are nested."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

import numpy as np
import torch
from torch import Tensor

Masks = dict[str, Tensor]


@dataclass(frozen=True, eq=False)
class Ranking:
    """The order in which the weights of some layers go.

    Attributes:
        places: path -> (rows, columns) int64, each weight's place among the weights that it is compared with: 0 goes first.
        within: what a place counts in: "network", "layer", "row" or "group" (so many consecutive inputs of one row).
    """

    places: Masks
    within: str

    @classmethod
    def of(cls, scores: dict[str, Tensor], within: str, group: int = 1) -> Ranking:
        """Sorts once.

        Args:
            scores: path -> (rows, columns), how much each weight matters, not negative.
            group: how many consecutive inputs are compared where within is "group".
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
        """Weights in all layers."""
        return sum(places.numel() for places in self.places.values())

    def with_kept(self, kept: int) -> Masks:
        """Path -> (rows, columns) bool, True for the `kept` weights of the whole network that stay."""
        return {path: places >= self.size - kept for path, places in self.places.items()}

    def with_kept_of_each(self, kept: dict[str, int]) -> Masks:
        """The same where every layer has its own number."""
        return {path: self.of_layer(path, kept[path]) for path in self.places}

    def of_layer(self, path: str, kept: int) -> Tensor:
        """(rows, columns) bool: one layer's mask with so many weights. Where rows are compared each for itself, each keeps
        its part, and the first rows one more where the number does not divide."""
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
        """N:M sparsity: of every `group` consecutive inputs of a row `kept` stay; a shorter last group keeps at most so
        many."""
        return {path: self.of_groups(path, kept, group) for path in self.places}

    def of_groups(self, path: str, kept: int, group: int) -> Tensor:
        """(rows, columns) bool: one layer's mask."""
        columns = self.places[path].shape[1]
        length = torch.full((columns,), group)
        length[columns - columns % group:] = columns % group
        return self.places[path] >= (length - kept).clamp_min(0)


def kept_of(size: int, sparsity: float) -> int:
    """How many of so many weights stay: what torch.nn.utils.prune leaves too, round(sparsity size) being removed."""
    return size - round(sparsity * size)


def _places(scores: Tensor) -> Tensor:
    """(rows, n) scores -> (rows, n) places in each row's order; of equal scores the first one goes first.

    A score that is not negative has the bits of a whole number that sorts alike; with its index behind it, all keys differ,
    and the fastest sort there is has only one answer.
    """
    bits = scores.detach().cpu().float().contiguous().numpy().view(np.uint32).astype(np.uint64)
    order = np.sort((bits << np.uint64(32)) | np.arange(bits.shape[1], dtype=np.uint64), axis=1).astype(np.uint32)
    places = np.empty(bits.shape, dtype=np.int64)
    np.put_along_axis(places, order.astype(np.int64), np.arange(bits.shape[1])[None], axis=1)
    return torch.from_numpy(places)


def _places_in_groups(scores: Tensor, group: int) -> Tensor:
    rows, columns = scores.shape
    padding = ceil(columns / group) * group - columns
    padded = torch.nn.functional.pad(scores.detach().cpu().float(), (0, padding), value=torch.inf)
    return _places(padded.reshape(-1, group)).reshape(rows, -1)[:, :columns]
