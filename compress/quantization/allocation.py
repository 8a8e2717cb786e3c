"""How many levels each layer gets: as many as all others, or those with which the measured losses add up to the least."""

from __future__ import annotations

from dataclasses import dataclass

from compress.layers.bit_packing import bits_for, bytes_for
from compress.layers.sensitivity import sensitivity
from compress.progress import Reporter, no_report
from compress.quantization.quantizer import Quantizer
from compress.quantization.rounding import Rounding
from compress.solvers.byte_budget import best_within
from compress.solvers.rate_distortion import entropy

FEWEST = 2, 3  # levels that any layer may get in a file of limited bytes
CHOICES = (3, 4, 5, 6, 7, 8, 9, 11, 13, 16, 24, 32, 64, 128, 256)


@dataclass(frozen=True)
class Shares:
    """The levels of each layer.

    Attributes:
        levels: path -> number of levels; bytes: of all levels at their entropy; budget: the most that they may take.
        predicted: the loss (cross-entropy on calibration examples) of the whole network, if the losses that each layer
            causes alone add up.
    """

    levels: dict[str, int]
    bytes: int
    budget: int
    predicted: float


class Allocator:
    """Bytes and losses of each layer at each choice of levels, measured once with this layer alone quantized."""

    def __init__(self, quantizer: Quantizer, rounding: Rounding, report: Reporter = no_report) -> None:
        self.quantizer, self.rounding = quantizer, rounding
        counts = (FEWEST[0], *CHOICES)
        quantizer.prepare(rounding, counts, report)
        measured = sensitivity(quantizer.open, quantizer.data, list(quantizer.layers),
                               lambda path, level: quantizer.with_one(path, rounding, int(level)), report, (0, *counts))
        self.whole = next(iter(measured.losses.values()))[0]
        self._losses = {(path, count): loss - self.whole for path in quantizer.layers
                        for count, loss in zip(counts, measured.losses[path][1:], strict=True)}
        self.menus = {path: [(self._bytes(path, count), self._losses[path, count]) for count in CHOICES]
                      for path in quantizer.layers}

    def within(self, levels: int) -> Shares:
        """The shares with the least predicted loss that take no more bytes than this number of levels for every layer."""
        least = sum(min(menu)[0] for menu in self.menus.values())
        budget = max(least, sum(self._bytes(path, levels) for path in self.menus))
        found = best_within(list(self.menus.values()), budget)
        chosen = {path: CHOICES[place] for path, place in zip(self.menus, found.places, strict=True)}
        return Shares(chosen, found.bytes, budget, self.whole + found.loss)

    def least_in_file(self, is_coded: bool) -> int:
        """Bytes of the levels in the cheapest shares of a file."""
        return sum(min(self._in_file(path, count, is_coded) for count in FEWEST) for path in self.menus)

    def within_file(self, budget: int, most: int, is_coded: bool) -> Shares:
        """The shares with the least predicted loss whose levels take at most `budget` bytes in a file, no layer with more
        levels than `most`, or 3."""
        counts = [count for count in (FEWEST[0], *CHOICES) if count <= max(most, FEWEST[-1])]
        menus = [[(self._in_file(path, count, is_coded), self._losses[path, count]) for count in counts]
                 for path in self.menus]
        found = best_within(menus, budget)
        chosen = {path: counts[place] for path, place in zip(self.menus, found.places, strict=True)}
        return Shares(chosen, found.bytes, budget, self.whole + found.loss)

    def _in_file(self, path: str, levels: int, is_coded: bool) -> int:
        """Bytes of one layer's numbers, coded or packed into bits."""
        if is_coded:
            return self._bytes(path, levels)
        return bytes_for(self.quantizer.roundable()[path].rounded(self.rounding, levels).numbers.numel(), bits_for(levels))

    def _bytes(self, path: str, levels: int) -> int:
        numbers = self.quantizer.roundable()[path].rounded(self.rounding, levels).numbers
        return round(entropy(numbers) * numbers.numel() / 8)
