"""The faults that are played in a few seconds; the whole table: python -m tests.faults."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.faults.__main__ import ROWS, played
from tests.faults.play import Play, Seen
from tests.faults.shell_faults import QUICK


@pytest.mark.parametrize("fault", QUICK, ids=lambda fault: fault.__name__)
def test_a_fault_is_seen_as_it_should_be(fault: Callable[[Play], Seen]) -> None:
    seen = played(fault)
    assert seen.good, seen.text


def test_a_play_that_breaks_is_a_row_that_is_not_good() -> None:
    def broken(play: Play) -> Seen:
        raise ValueError(play.folder.name)

    assert not played(broken).good


def test_every_row_says_what_it_plays_and_has_a_name_of_its_own() -> None:
    assert all(fault.__doc__ for fault in ROWS) and len({fault.__name__ for fault in ROWS}) == len(ROWS)
