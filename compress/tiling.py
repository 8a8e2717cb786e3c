"""Examples cut into tiles of equal size that do not overlap, and put together again."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from torch import Tensor


@dataclass(frozen=True)
class Tiling:
    """Square tiles of an image (channels, height, width), windows of a sequence (features, length), or whole examples.

    Attributes:
        shape: of an example; side: of a tile in samples, 0 for whole examples.
    """

    shape: tuple[int, ...]
    side: int

    @property
    def features(self) -> int:
        """Numbers in a tile."""
        return prod(self.shape) if not self.side else self.shape[0] * self.side ** (len(self.shape) - 1)

    @property
    def count(self) -> int:
        """Tiles of an example."""
        return prod(self.shape) // self.features

    def misfit(self) -> str:
        """Why this side makes no tiles, in a sentence; empty if it does."""
        if not self.side:
            return ""
        lengths = self.shape[1:]
        sides = [side for side in range(2, min(lengths, default=0) + 1) if all(length % side == 0 for length in lengths)]
        if self.side in sides:
            return ""
        allowed = f"0 (whole examples) or one of {', '.join(map(str, sides))}" if sides else "0 (whole examples)"
        return f"tile must be {allowed} for examples of shape {self.shape}, but got {self.side}. Choose one of these."

    def cut(self, examples: Tensor) -> Tensor:
        """(n, *shape) -> (n x count, features): all tiles of the first example, then those of the next."""
        if not self.side:
            return examples.flatten(1)
        for axis in range(2, examples.dim()):  # (n, c, h, w) -> (n, c, h / s, s, w / s, s), one axis after the other
            axis = 2 * axis - 2
            examples = examples.unflatten(axis, (-1, self.side))
        rows = range(2, examples.dim(), 2)
        columns = range(3, examples.dim(), 2)
        return examples.permute(0, *rows, 1, *columns).reshape(-1, self.features)

    def joined(self, tiles: Tensor) -> Tensor:
        """The opposite of cut()."""
        if not self.side:
            return tiles.reshape(-1, *self.shape)
        along = len(self.shape) - 1
        grid = [length // self.side for length in self.shape[1:]]
        parts = tiles.reshape(-1, *grid, self.shape[0], *[self.side] * along)
        order = [0, 1 + along]
        for axis in range(along):
            order += [1 + axis, 2 + along + axis]
        return parts.permute(order).reshape(-1, *self.shape)
