"""Principal components of as many bytes, measured beside codes of a dictionary; the setting that names the dictionary says
which of the two a point is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from compress.method import Candidate, Method
from compress.progress import Reporter


def with_components(own: Sequence[Method], setting: str) -> list[Method]:
    """A curve's methods, and the same with principal components in the place of the dictionary."""
    return [*own, *(replace(one, **{setting: "components"}) for one in own)]


def one_kind_after_another(grid: Sequence[Method], setting: str, report: Reporter,
                           points: Callable[[Any, list[Any], Reporter], Iterator[Candidate]]) -> Iterator[Candidate]:
    """Candidates of a grid, those of each kind together, each with its method.

    Args:
        points: one of a kind's methods and its dial values -> their candidates in this order.
    """
    done = 0
    for kind in dict.fromkeys(getattr(one, setting) for one in grid):
        own = [one for one in grid if getattr(one, setting) == kind]
        part = report.part(done / len(grid), (done + len(own)) / len(grid))
        made = points(own[0], [getattr(one, one.dial) for one in own], part)
        for one, candidate in zip(own, made, strict=True):
            yield replace(candidate, method=one)
        done += len(own)
