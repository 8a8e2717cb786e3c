"""Principal components of as many bytes, the baseline of codes; the setting `dictionary` names which of the two is made."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TypeVar

from compress.method import Candidate, Method, Run
from compress.progress import Reporter
from compress.recipe import BASELINE

SETTING = "dictionary"
M = TypeVar("M", bound=Method)


def with_components(own: Sequence[Method]) -> tuple[Run, ...]:
    """A curve's runs, and the same with principal components in the place of the dictionary."""
    baselines = (Run(replace(one, **{SETTING: "components"}), BASELINE, "principal components") for one in own)
    return (*map(Run, own), *baselines)


def one_dictionary_after_another(wanted: Sequence[M], report: Reporter,
                                 points: Callable[[Sequence[M], Reporter], Iterator[Candidate]]) -> Iterator[Candidate]:
    """Candidates of several methods, those of each kind of dictionary together.

    Args:
        points: methods of one kind -> their candidates.
    """
    done = 0
    for kind in dict.fromkeys(getattr(one, SETTING) for one in wanted):
        own = [one for one in wanted if getattr(one, SETTING) == kind]
        yield from points(own, report.part(done / len(wanted), (done + len(own)) / len(wanted)))
        done += len(own)
