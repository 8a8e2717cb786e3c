"""What several seeds say of two ways of making a network, from plain data: better, worse, or cannot tell.

Imports nothing heavy.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from compress.points.statistics import holm, mcnemar_over_seeds

ALPHA = 0.05
VOTES = "-0+"
"""For an example: only the second network is right; both or neither; only the first."""


@dataclass(frozen=True)
class Verdict:
    """The first way against the second, over all seeds.

    Attributes:
        points: mean difference of accuracies in percentage points, positive where the first is better; by_seed: each.
        p: of the exact test over seeds and examples (statistics.mcnemar_over_seeds); adjusted: the same after Holm's
            correction, where it is one of several tests; ALPHA is compared with that.
        sizes: mean bytes (or multiply-adds) of the first and the second.
    """

    points: float
    by_seed: tuple[float, ...]
    p: float
    adjusted: float
    sizes: tuple[float, float]

    @property
    def is_significant(self) -> bool:
        """Whether the difference is more than chance."""
        return self.adjusted < ALPHA

    def in_words(self, first: str, second: str) -> str:
        """A sentence in plain text."""
        chance = f"p = {self.p:.2g}" if self.p >= 0.001 else "p < 0.001"
        count = len(self.by_seed)
        seeds = f"{count} seed{'s' if count > 1 else ''}"
        if not self.is_significant:
            side = "more" if self.points >= 0 else "less"
            return (f"Cannot tell: {first} is {abs(self.points):.1f} points {side} accurate than {second}, which may be "
                    f"chance ({chance}, {seeds}).")
        better, worse = (first, second) if self.points > 0 else (second, first)
        text = f"{better} is better than {worse} by {abs(self.points):.1f} points ({chance}, {seeds})."
        return text[:1].upper() + text[1:]


def verdict(seeds: Sequence[Mapping[str, Any]]) -> Verdict:
    """Of the results of a pair, one for each seed: `votes` (a sign of VOTES for each example) and `sizes`.

    Raises:
        ValueError: no result, or results on different numbers of examples.
    """
    if not seeds or len({len(one["votes"]) for one in seeds}) != 1:
        raise ValueError("verdict: needs results of at least one seed, all on the same examples.")
    votes = [[VOTES.index(sign) - 1 for sign in one["votes"]] for one in seeds]
    by_seed = tuple(100 * sum(own) / len(own) for own in votes)
    p = mcnemar_over_seeds([sum(own) for own in zip(*votes, strict=True)])
    first, second = (sum(one["sizes"][place] for one in seeds) / len(seeds) for place in (0, 1))
    return Verdict(sum(by_seed) / len(by_seed), by_seed, p, p, (first, second))


def corrected(verdicts: Mapping[str, Verdict]) -> dict[str, Verdict]:
    """The same verdicts as those of several tests: their p-values with Holm's correction."""
    adjusted = holm([one.p for one in verdicts.values()])
    return {name: Verdict(one.points, one.by_seed, one.p, value, one.sizes)
            for (name, one), value in zip(verdicts.items(), adjusted, strict=True)}
