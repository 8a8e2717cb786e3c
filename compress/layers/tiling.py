"""Examples cut into tiles of equal size, side by side or overlapping, and put together again."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import torch
from torch import Tensor


@dataclass(frozen=True)
class Tiling:
    """Square tiles of an image (channels, height, width), windows of a sequence (features, length), or whole examples.

    Attributes:
        shape: of an example; side: of a tile in samples, 0 for whole examples.
        step: samples from a tile to the next, 0 for `side`; tiles with a smaller step overlap.
    """

    shape: tuple[int, ...]
    side: int
    step: int = 0

    @property
    def features(self) -> int:
        """Numbers in a tile."""
        return prod(self.shape) if not self.side else self.shape[0] * self.side ** (len(self.shape) - 1)

    @property
    def count(self) -> int:
        """Tiles of an example."""
        return prod((length - self.side) // self._step + 1 for length in self.shape[1:]) if self.side else 1

    @property
    def overlaps(self) -> bool:
        """Whether a sample may be in more than one tile."""
        return bool(self.side) and self._step < self.side

    @property
    def fits(self) -> bool:
        """Whether tiles of this side and step cover each example exactly."""
        return not self.side or self._fits(self.side)

    def invalid_reason(self) -> str:
        """Why this side and step make no tiles, in a sentence; empty if they do."""
        if not self.side:
            return ""
        if self._step > self.side:
            return (f"stride must be between 0 and {self.side} (the side of a tile; 0 for tiles side by side), but got "
                    f"{self.step}. Choose less: samples between two tiles would not be stored.")
        lengths = self.shape[1:]
        sides = [side for side in range(2, min(lengths, default=0) + 1) if self._fits(side)]
        if self.side in sides:
            return ""
        allowed = f"0 (whole examples) or one of {', '.join(map(str, sides))}" if sides else "0 (whole examples)"
        steps = f" and steps of {self.step}" if self.step else ""
        return (f"tile must be {allowed} for examples of shape {self.shape}{steps}, but got {self.side}. Choose one of "
                "these.")

    def cut(self, examples: Tensor) -> Tensor:
        """(n, *shape) -> (n x count, features): all tiles of the first example, then those of the next."""
        if not self.side:
            return examples.flatten(1)
        return examples.flatten(1)[:, self._places(examples.device).flatten()].reshape(-1, self.features)

    def joined(self, tiles: Tensor) -> Tensor:
        """The opposite of cut(); where tiles overlap, their mean."""
        if not self.side:
            return tiles.reshape(-1, *self.shape)
        places = self._places(tiles.device)
        tiles = tiles.reshape(-1, self.count, self.features)
        total, shares = tiles.new_zeros(len(tiles), prod(self.shape)), tiles.new_zeros(prod(self.shape))
        for number, own in enumerate(places):  # no sample twice in a tile, so that the order of sums is always the same
            total[:, own] += tiles[:, number]
            shares[own] += 1
        return (total / shares).reshape(-1, *self.shape)

    @property
    def _step(self) -> int:
        return self.step or self.side

    def _fits(self, side: int) -> bool:
        step = self.step or side
        return step <= side and all((length - side) % step == 0 for length in self.shape[1:])

    def _places(self, device: torch.device) -> Tensor:
        """(count, features) int64: where in a flattened example each number of each tile is."""
        numbers = torch.arange(prod(self.shape), device=device).view(self.shape)
        along = len(self.shape) - 1
        for axis in range(1, along + 1):  # (c, h, w) -> (c, rows, columns, side, side)
            numbers = numbers.unfold(axis, self.side, self._step)
        order = [*range(1, along + 1), 0, *range(along + 1, 2 * along + 1)]
        return numbers.permute(order).reshape(-1, self.features)
