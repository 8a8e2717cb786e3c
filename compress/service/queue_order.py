"""The order in which waiting jobs begin: sessions in turn, so that nobody's ten jobs come before another's first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence


def ordered(waiting: Iterable[tuple[int, str]], running: Sequence[str]) -> list[int]:
    """The numbers of the waiting jobs in the order in which they begin.

    Args:
        waiting: (number, session) of each; running: the sessions of the jobs that run, one for each job.
    """
    left, counts, result = sorted(waiting), Counter(running), []
    while left:
        first = min(left, key=lambda one: (counts[one[1]], one[0]))
        left.remove(first)
        counts[first[1]] += 1
        result.append(first[0])
    return result
