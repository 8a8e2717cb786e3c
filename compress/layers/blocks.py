"""How a weight matrix is cut into blocks, the signals of a dictionary."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor
from torch.nn import functional


@dataclass(frozen=True)
class Blocks:
    """The blocks of a weight matrix (rows, columns): `height` outputs of one column each; the last blocks are padded with
    zeros if height does not divide rows."""

    rows: int
    columns: int
    height: int

    @property
    def bands(self) -> int:
        """Blocks on top of each other."""
        return -(-self.rows // self.height)

    @property
    def count(self) -> int:
        """Blocks in all."""
        return self.bands * self.columns

    def signals(self, matrix: Tensor) -> Tensor:
        """(rows, columns) -> (count, height): band by band, column by column."""
        padded = functional.pad(matrix, (0, 0, 0, self.bands * self.height - self.rows))
        return padded.view(self.bands, self.height, self.columns).transpose(1, 2).reshape(self.count, self.height)

    def matrix(self, signals: Tensor) -> Tensor:
        """The opposite of signals()."""
        tall = signals.view(self.bands, self.columns, self.height).transpose(1, 2)
        return tall.reshape(self.bands * self.height, self.columns)[:self.rows]
