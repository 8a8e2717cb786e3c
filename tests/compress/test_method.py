"""The contract of a method: what a class must give, and what it may not change."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from compress.data.datasets import Dataset
from compress.method import Candidate, Exclusion, Method, Run
from compress.networks.families import Network
from compress.progress import Reporter, no_report
from compress.recipe import CURVE
from compress.settings import setting
from tests.compress.helpers import identical, state


@dataclass(frozen=True)
class Same(Method):
    """A copy that has only what is needed."""

    name, title, dial, values = "same", "The same", "level", (1, 2, 3)
    level: int = setting(2, low=1, high=9, help="Nothing.")

    def candidates(self, network: Network, data: Dataset, wanted: Sequence[Same], report: Reporter = no_report,
                   seed: int = 0) -> Iterator[Candidate]:
        for method in wanted:
            yield Candidate(method, network)


class Odd(Same):
    """One that refuses even levels."""

    name = "odd"

    def invalid_reason(self, network: Network, data: Dataset) -> str:
        return "" if self.level % 2 else f"Odd: level must be odd, but got {self.level}. Choose {self.level + 1}."


def test_one_method_is_enough(mlp: Network, digits: Dataset) -> None:
    assert Same().compress(mlp, digits) is mlp
    assert [candidate.value for candidate in Same().curve(mlp, digits, [3, 1])] == [3, 1]
    assert Same().plan([1, 3]) == (Run(Same(level=1)), Run(Same(level=3))) and Same().plan([1])[0].role == CURVE
    assert Same().preview(mlp, digits) is mlp and Same().baseline(mlp, digits) is None
    assert Same().inside(mlp, digits, [1]) == {} and Same().invalid_reason(mlp, digits) == ""


def test_overriding_nothing_is_an_error_when_the_class_is_made() -> None:
    with pytest.raises(TypeError, match=r"The method Nothing does not override candidates\(\)"):
        type("Nothing", (Method,), {"name": "nothing", "title": "Nothing", "dial": "x", "values": (1,)})


@pytest.mark.parametrize("final", ["compress", "curve"])
def test_what_is_final_cannot_be_overridden(final: str) -> None:
    with pytest.raises(TypeError, match=rf"The method Stubborn overrides {final}\(\), which is final"):
        type("Stubborn", (Same,), {final: lambda self, *more: None})


@pytest.mark.parametrize("missing", ["name", "title", "dial", "values"])
def test_a_class_without_its_facts_is_an_error_when_it_is_made(missing: str) -> None:
    facts: dict[str, Any] = {"name": "few", "title": "Few", "dial": "x", "values": (1,), "candidates": Same.candidates}
    del facts[missing]
    with pytest.raises(TypeError, match=rf"The method Few has no {missing}; give"):
        type("Few", (Method,), facts)


def test_a_reason_against_is_the_error_and_comes_before_any_work(mlp: Network, digits: Dataset) -> None:
    before = state(mlp)
    with pytest.raises(ValueError, match=r"Odd: level must be odd, but got 2\. Choose 3\."):
        Odd().compress(mlp, digits)
    with pytest.raises(ValueError, match="but got 4"):
        next(Odd().curve(mlp, digits, [1, 4]))
    assert Odd(level=3).compress(mlp, digits) is mlp and identical(before, state(mlp))


def test_a_role_must_be_one_that_pages_know() -> None:
    with pytest.raises(ValueError, match=r"one of curve, seed, control, baseline, variant, step, but got 'star'"):
        Run(Same(), "star")


def test_exclusions_are_errors_with_their_sentence() -> None:
    excluded = type("Excluded", (Same,), {"exclusions": (Exclusion({"level": (2,)}, "two is one too many.", {"level": 1}),)})
    with pytest.raises(ValueError, match="Excluded: two is one too many"):
        excluded()
