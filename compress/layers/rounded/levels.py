"""A matrix of few different values: whole numbers, packed into bits, and the grid or the codebook that gives them values."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from compress.layers.bit_packing import Symbols, bits_for, bytes_for, packed, unpacked
from compress.networks.plain_values import flag, whole, wholes
from compress.solvers.codebook import Codebook
from compress.solvers.uniform_grid import MOST_LEVELS, Grid


class Levels(nn.Module):
    """A matrix (rows, columns) whose numbers are stored row by row in packed `numbers`. Values come from one of two forms:

    - grid: `step` and, unless the grid is symmetric, `middle`, as solvers/uniform_grid.py has them, (bands, groups): each
      of the bands has rows / bands rows.
    - codebook: `codebook` (bands, levels), the value of each number.

    With a `mask`, one bit for each weight, only the numbers of the weights where it is 1 are stored; the others are 0. All
    values can be trained while the numbers stay: the gradient of a value is the sum over the weights that have it (Han et
    al. 2016).
    """

    numbers: Tensor
    mask: Tensor
    step: Tensor
    middle: Tensor
    codebook: Tensor

    def __init__(self, rows: int, columns: int, levels: int, values: tuple[int, int], form: str = "grid",
                 shifted: bool = False, kept: int | None = None) -> None:
        """Levels that are all 0.

        Args:
            values: (bands, groups) of a grid, (bands, levels) of a codebook.
            shifted: whether a grid has a middle other than 0.
            kept: the number of weights in the mask; None for a matrix without a mask.
        """
        super().__init__()
        self.rows, self.columns, self.levels, self.form, self.shifted, self.kept = rows, columns, levels, form, shifted, kept
        count = rows * columns if kept is None else kept
        self.register_buffer("numbers", torch.zeros(bytes_for(count, bits_for(levels)), dtype=torch.uint8))
        if kept is not None:
            self.register_buffer("mask", torch.zeros(bytes_for(rows * columns, 1), dtype=torch.uint8))
        for name in ("codebook",) if form == "codebook" else ("step", "middle") if shifted else ("step",):
            setattr(self, name, nn.Parameter(torch.zeros(values)))
        self._places: Tensor | None = None

    @classmethod
    def of(cls, numbers: Tensor, values: Grid | Codebook | Tensor, held: Tensor | None = None) -> Levels:
        """The levels of a matrix.

        Args:
            numbers: (rows, columns), from 0 to levels - 1.
            values: a grid of (bands, groups), a codebook for all rows, or codebooks (bands, levels).
            held: (rows, columns) bool, False where the value is 0 whatever the number; None if there is no such place.
        """
        (rows, columns), kept = numbers.shape, None if held is None else int(held.sum())
        if isinstance(values, Grid):
            made = cls(rows, columns, values.levels, _pair(values.step), "grid", bool(values.middle.any()), kept)
            made.step = nn.Parameter(values.step.detach().float().clone())
            if made.shifted:
                made.middle = nn.Parameter(values.middle.detach().float().clone())
        else:
            table = values.table.expand(1, max(2, len(values.table))) if isinstance(values, Codebook) else values
            made = cls(rows, columns, table.shape[1], _pair(table), "codebook", kept=kept)
            made.codebook = nn.Parameter(table.detach().float().clone())
        stored = numbers if held is None else numbers[held]
        made.numbers = torch.from_numpy(packed(stored.cpu().numpy(), bits_for(made.levels)))
        if held is not None:
            made.mask = torch.from_numpy(np.packbits(held.cpu().numpy()))
        places = numbers.int().contiguous()  # in the order of one read from a file, so that products are equal bit for bit
        made._places = places if held is None else torch.where(held, places, -1)
        return made.to(numbers.device)

    def plain(self) -> dict[str, Any]:
        """All but the sizes of the matrix, as JSON-able data."""
        kept = {} if self.kept is None else {"kept": self.kept}
        if self.form == "codebook":
            return {"levels": self.levels, "codebooks": len(self.codebook), **kept}
        return {"levels": self.levels, "steps": list(self.step.shape), "shifted": self.shifted, **kept}

    @classmethod
    def rebuild(cls, plain: dict[str, Any], rows: int, columns: int) -> Levels:
        """The opposite of plain(). Raises ValueError for sizes that no such matrix has."""
        levels = whole(plain, "levels", 2, MOST_LEVELS)
        kept = whole(plain, "kept", 0, rows * columns) if "kept" in plain else None
        if "codebooks" in plain:
            bands = whole(plain, "codebooks", 1, rows)
            made = cls(rows, columns, levels, (bands, levels), "codebook", kept=kept)
        else:
            bands, groups = wholes(plain, "steps", 1, (2,))
            if groups > columns:
                raise ValueError(f"a grid of {columns} columns has no {groups} groups")
            made = cls(rows, columns, levels, (bands, groups), "grid", flag(plain, "shifted"), kept)
        if bands > rows or rows % bands:
            raise ValueError(f"{rows} rows cannot be divided into {bands} bands of equal size")
        return made

    @property
    def stored(self) -> int:
        """How many numbers are stored."""
        return self.rows * self.columns if self.kept is None else self.kept

    def symbols(self) -> dict[str, Symbols]:
        """As Compressed.symbols()."""
        own = {"numbers": Symbols(self.stored, bits_for(self.levels))}
        return own if self.kept is None else {**own, "mask": Symbols(self.rows * self.columns, 1)}

    def contradiction(self) -> str:
        """As Compressed.contradiction()."""
        if self.kept is not None:
            held = np.unpackbits(self.mask.cpu().numpy(), count=self.rows * self.columns)
            if int(held.sum()) != self.kept:
                return "the mask has another number of weights than there are numbers"
        numbers = unpacked(self.numbers.cpu().numpy(), self.stored, bits_for(self.levels))
        if len(numbers) and int(numbers.max()) >= self.levels:
            return f"a level is not between 0 and {self.levels - 1}"
        return "" if bool(self.matrix().detach().isfinite().all()) else "a weight is too large for its type of numbers"

    def meaning(self) -> Grid | Codebook:
        """What gives the numbers their values, for rounding anew.

        Raises:
            ValueError: there are codebooks of many rows.
        """
        if self.form == "codebook":
            if len(self.codebook) > 1:
                raise ValueError("a layer with several codebooks cannot be rounded anew")
            return Codebook(self.codebook[0].detach().sort().values)
        step = _by_row(self.step.detach(), self.rows)
        return Grid(self.levels, step, _by_row(self.middle.detach(), self.rows) if self.shifted else torch.zeros_like(step))

    def matrix(self) -> Tensor:
        """The values (rows, columns), differentiable with respect to what gives the numbers their values."""
        places = self.places()
        numbers = places.clamp_min(0)
        if self.form == "codebook":
            found = _LookedUp.apply(self.codebook, numbers)
        else:
            step, middle = (_by_row(own, self.rows) for own in (self.step, self.middle if self.shifted else self.step * 0))
            found = Grid(self.levels, step, middle).values(numbers)
        return found if self.kept is None else torch.where(places >= 0, found, 0.0)

    @torch.no_grad()
    def used(self) -> tuple[Tensor, Tensor]:
        """The values, rising, that weights have, and how many weights have each. They are counted by their numbers, which
        takes less time than to sort the weights."""
        bands, groups = (len(self.codebook), 1) if self.form == "codebook" else self.step.shape
        band, group = (torch.arange(size, device=self.numbers.device) // -(-size // parts)
                       for size, parts in ((self.rows, bands), (self.columns, groups)))
        places, first = self.places(), (band[:, None] * groups + group) * self.levels + 1
        numbers = first + places if self.kept is None else torch.where(places < 0, 0, first + places)  # 0: outside the mask
        counts = torch.bincount(numbers.flatten())
        held = counts.nonzero().flatten()
        table = torch.cat([self.any_values().new_zeros(1), self._table().flatten()])[held]
        values, inverse = table.unique(return_inverse=True)
        return values, torch.zeros(len(values), dtype=torch.int64, device=inverse.device).index_add(0, inverse, counts[held])

    def _table(self) -> Tensor:
        """The values (bands, groups, levels) of all numbers."""
        if self.form == "codebook":
            return self.codebook[:, None]
        step, middle = (own[..., None] for own in (self.step, self.middle if self.shifted else self.step * 0))
        every = torch.arange(self.levels, device=step.device)
        return Grid(self.levels, step, middle).values(every.expand(*self.step.shape, -1))

    def any_values(self) -> Tensor:
        """The tensor that gives the numbers their values, or one of the two."""
        return self.codebook if self.form == "codebook" else self.step

    def places(self) -> Tensor:
        """(rows, columns) int32: the number of each weight, -1 for those outside the mask."""
        if self._places is None:
            numbers = unpacked(self.numbers.cpu().numpy(), self.stored, bits_for(self.levels)).astype(np.int32)
            if self.kept is not None:
                held = np.unpackbits(self.mask.cpu().numpy(), count=self.rows * self.columns).view(np.bool_)
                whole_matrix = np.full(self.rows * self.columns, -1, dtype=np.int32)
                whole_matrix[held] = numbers
                numbers = whole_matrix
            self._places = torch.from_numpy(numbers.reshape(self.rows, self.columns)).to(self.numbers.device)
        return self._places

    def _load_from_state_dict(self, *arguments: Any) -> None:
        super()._load_from_state_dict(*arguments)
        self._places = None

    def _apply(self, *arguments: Any, **options: Any) -> Levels:
        if self._places is not None:
            self._places = arguments[0](self._places)  # the change that torch makes to each tensor
        return super()._apply(*arguments, **options)


class _LookedUp(torch.autograd.Function):
    """Values of a codebook (bands, levels) for numbers (rows, columns). The gradient is summed in one fixed order, which
    torch's own gradient of an index is not with several threads."""

    @staticmethod
    def forward(context: Any, codebook: Tensor, numbers: Tensor) -> Tensor:
        bands, levels = codebook.shape
        band = torch.arange(len(numbers), device=numbers.device) // (len(numbers) // bands)
        places = numbers + (band * levels).to(numbers.dtype)[:, None]
        context.save_for_backward(places)
        context.shape = codebook.shape
        return codebook.flatten()[places]

    @staticmethod
    def backward(context: Any, gradient: Tensor) -> tuple[Tensor, None]:
        (places,) = context.saved_tensors
        summed = torch.bincount(places.flatten(), gradient.flatten(), minlength=context.shape.numel())
        return summed.view(context.shape).to(gradient.dtype), None


def _by_row(values: Tensor, rows: int) -> Tensor:
    """(bands, groups) -> (rows, groups), or (1, groups) where all rows share them."""
    return values if len(values) == 1 else values.repeat_interleave(rows // len(values), dim=0)


def _pair(values: Tensor) -> tuple[int, int]:
    first, second = values.shape
    return first, second
