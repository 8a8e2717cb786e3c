"""The dial of a recipe's last step, chosen so that the network is as large as asked: in bytes of its file, or in
multiply-adds."""

from __future__ import annotations

from dataclasses import dataclass
from math import log
from typing import Any

import torch

from compress.curves.chains.duel_plan import BYTES, MACS
from compress.curves.chains.stair import Bench
from compress.files import network_file
from compress.files.made_for import MadeFor
from compress.layers import base
from compress.method import Candidate, Method
from compress.networks.composite import acted_on, put_back
from compress.networks.evaluation import device_of
from compress.networks.families import Network
from compress.progress import Reporter
from compress.recipe import Recipe

NEAR = 0.01  # relative difference from the size asked, with which the search ends
TRIES = 14
TRAINING = ("epochs", "recovery_epochs", "recovery_steps")  # settings that make a method train where they are above 0


@dataclass(frozen=True)
class Sized:
    """A recipe whose last dial was chosen for a size, which is kept as a point.

    Attributes:
        size: that was really reached; predictions: on validation, as a point has them.
    """

    recipe: Recipe
    size: int
    predictions: bytes


@dataclass(frozen=True)
class _Try:
    """A value of the dial with the size of its network, and the network where it was made."""

    value: Any
    size: int
    candidate: Candidate | None


class Search:
    """Tries values of a method's dial on one network; each is made once."""

    def __init__(self, method: Method, start: Network, bench: Bench, seed: int, by: str = BYTES) -> None:
        """by: one of duel_plan.QUANTITIES."""
        self.method, self.start, self.bench, self.seed, self.by = method, start, bench, seed, by
        self.tries: dict[Any, _Try] = {}
        entry = next(entry for entry in method.describe() if entry["name"] == method.dial)
        self.is_whole = entry["type"] == "int"

    def nearest(self, wanted: float) -> _Try:
        """The value whose network is nearest to a size, by ratio. Sizes rise or fall with the dial; the search bisects
        between the ends of the method's usual values.

        Raises:
            ValueError: no value is possible here; the message is the reason.
        """
        low, high = self._end(False), self._end(True)
        rising = high.size >= low.size
        for _ in range(TRIES):
            if self._far(self._best(wanted), wanted) < NEAR or (self.is_whole and high.value - low.value <= 1):
                break
            middle = self._tried((low.value + high.value) // 2 if self.is_whole else (low.value + high.value) / 2)
            low, high = (middle, high) if (middle.size < wanted) == rising else (low, middle)
        return self._best(wanted)

    def made(self, found: _Try, report: Reporter) -> Candidate:
        """The network at a value, trained where the method trains."""
        if found.candidate is not None and not _trains(self.method):
            return found.candidate
        return next(self.method.applied(self.start, self.bench.data, [self.method.at(found.value)], report, self.seed))

    def _best(self, wanted: float) -> _Try:
        return min(self.tries.values(), key=lambda one: self._far(one, wanted))

    @staticmethod
    def _far(one: _Try, wanted: float) -> float:
        return abs(log(one.size / wanted))

    def _end(self, last: bool) -> _Try:
        """The first possible value from one end of the method's usual values."""
        reason = ""
        for value in sorted(self.method.values, reverse=last):
            reason = self.method.at(value).invalid_reason(*acted_on(self.start, self.bench.data))
            if not reason:
                return self._tried(value)
        raise ValueError(reason)

    def _tried(self, value: Any) -> _Try:
        if value not in self.tries:
            method = self.method.at(value)
            if _trains(method):
                given, candidate = acted_on(self.start, self.bench.data), None
                network = put_back(self.start, method.preview(*given))
            else:
                candidate = next(method.applied(self.start, self.bench.data, [method], seed=self.seed))
                network = candidate.network
            self.tries[value] = _Try(value, self._size(network, method), candidate)
        return self.tries[value]

    def _size(self, network: Network, method: Method) -> int:
        if self.by == MACS:
            return base.macs(network, torch.zeros(1, *network.architecture.shape, device=device_of(network)))
        return len(network_file.to_bytes(network, MadeFor.of(self.bench.data), method.stored))


def sized(recipe: Recipe, search: Search, wanted: float, report: Reporter) -> Sized:
    """The recipe with the last dial that makes the network as large as asked; measured, unless the store has it.

    Args:
        recipe: complete; search: of its last method, on the network of the others.
    """
    found = search.nearest(wanted)
    plain = search.method.at(found.value).plain()[search.method.dial]
    own = recipe.at(search.method.dial, plain)
    bench, place = search.bench, "bytes" if search.by == BYTES else "macs"
    known = bench.known(own)
    if known:
        return Sized(own, known[place], bench.store.predictions(own.key(), bench.teacher))
    point = bench.keep(search.made(found, report), own)
    return Sized(own, getattr(point, place), point.predictions)


def _trains(method: Method) -> bool:
    values = method.plain()
    return any(values.get(name, 0) > 0 for name in TRAINING)
