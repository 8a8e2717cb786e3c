"""Principal components of as many bytes, measured beside codes of a dictionary; the setting that names the dictionary says
which of the two a point is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TypeVar

from compress.method import Candidate, Method, Run
from compress.progress import Reporter
from compress.recipe import BASELINE

M = TypeVar("M", bound=Method)


def with_components(own: Sequence[Method], setting: str) -> tuple[Run, ...]:
    """A curve's runs, and the same with principal components in the place of the dictionary."""
    baselines = (Run(replace(one, **{setting: "components"}), BASELINE, "principal components") for one in own)
    return (*map(Run, own), *baselines)


def one_kind_after_another(wanted: Sequence[M], setting: str, report: Reporter,
                           points: Callable[[Sequence[M], Reporter], Iterator[Candidate]]) -> Iterator[Candidate]:
    """Candidates of several methods, those of each kind together.

    Args:
        setting: the name of the setting that says of which kind a method is.
        points: methods of one kind -> their candidates.
    """
    done = 0
    for kind in dict.fromkeys(getattr(one, setting) for one in wanted):
        own = [one for one in wanted if getattr(one, setting) == kind]
        yield from points(own, report.part(done / len(wanted), (done + len(own)) / len(wanted)))
        done += len(own)
