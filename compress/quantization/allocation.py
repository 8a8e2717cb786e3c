"""How many levels each layer gets: as many as all others, or those with which the measured losses add up to the least."""

from __future__ import annotations

from dataclasses import dataclass

from compress.layers.sensitivity import sensitivity
from compress.progress import Reporter, no_report
from compress.quantization.quantizer import Quantizer
from compress.quantization.rounding import Rounding
from compress.solvers.byte_budget import best_within
from compress.solvers.rate_distortion import entropy

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
        quantizer.prepare(rounding, CHOICES, report)
        measured = sensitivity(quantizer.open, quantizer.data, list(quantizer.layers),
                               lambda path, level: quantizer.with_one(path, rounding, int(level)), report, (0, *CHOICES))
        self.whole = next(iter(measured.losses.values()))[0]
        self.menus = {path: [(self._bytes(path, count), loss - self.whole)
                             for count, loss in zip(CHOICES, measured.losses[path][1:], strict=True)]
                      for path in quantizer.layers}

    def within(self, levels: int) -> Shares:
        """The shares with the least predicted loss that take no more bytes than this number of levels for every layer."""
        least = sum(min(menu)[0] for menu in self.menus.values())
        budget = max(least, sum(self._bytes(path, levels) for path in self.menus))
        found = best_within(list(self.menus.values()), budget)
        chosen = {path: CHOICES[place] for path, place in zip(self.menus, found.places, strict=True)}
        return Shares(chosen, found.bytes, budget, self.whole + found.loss)

    def _bytes(self, path: str, levels: int) -> int:
        numbers = self.quantizer.roundable()[path].rounded(self.rounding, levels).numbers
        return round(entropy(numbers) * numbers.numel() / 8)
