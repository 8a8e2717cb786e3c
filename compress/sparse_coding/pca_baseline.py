"""Principal components that take as many bytes, the baseline of sparse codes: dictionary="components"."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TypeVar

from compress.method import Candidate, Method, Run
from compress.progress import Reporter
from compress.recipe import BASELINE
from compress.workload import Phase

SETTING = "dictionary"
M = TypeVar("M", bound=Method)


def with_components(methods: Sequence[Method]) -> tuple[Run, ...]:
    """The runs of a curve, and a baseline for each: principal components in the place of the dictionary."""
    baselines = (Run(replace(one, **{SETTING: "components"}), BASELINE, "principal components") for one in methods)
    return (*map(Run, methods), *baselines)


def one_dictionary_after_another(wanted: Sequence[M], report: Reporter,
                                 points: Callable[[Sequence[M], Reporter], Iterator[Candidate]]) -> Iterator[Candidate]:
    """The candidates of several methods, grouped by the kind of dictionary.

    Args:
        points: methods with one kind of dictionary -> their candidates.
    """
    kinds = {kind: [one for one in wanted if getattr(one, SETTING) == kind]
             for kind in dict.fromkeys(getattr(one, SETTING) for one in wanted)}
    parts = report.phases(*[Phase(str(kind), len(group)) for kind, group in kinds.items()])
    for group, part in zip(kinds.values(), parts, strict=True):
        yield from points(group, part)
