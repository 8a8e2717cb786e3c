"""A point's own code gives the point again, in a fresh process, bit for bit: methods, families, chains."""

from __future__ import annotations

from compress.curves.store import Store
from compress.methods import methods
from tests.benchmarks import reproduce


def test_the_code_of_every_kind_of_point_makes_the_same_file_with_the_same_accuracy(prepared: None, store: Store) -> None:
    cases = reproduce.part()
    assert {name for case in cases for name in case.chain} == set(methods()) and {case.family for case in cases} == set(
        reproduce.TEACHERS)
    different, counts = reproduce.differing(cases, store)
    assert not different
    assert counts["compared"] >= len(cases) - 4
