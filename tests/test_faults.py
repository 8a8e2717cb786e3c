"""The quick faults, as `python -m tests.faults` plays them; and the table itself."""

from __future__ import annotations

import pytest

from tests.faults import __main__ as command
from tests.faults.place import Ended, Place, Seen, same_rows

QUICK = ("nan_in_the_data", "full_disk_for_results", "closed_output")


@pytest.mark.parametrize("name", QUICK)
def test_a_fault_is_answered_rightly_and_loses_nothing(name: str) -> None:
    outcome = command.play(name)
    assert outcome.right and outcome.lost == "nothing", outcome.seen


def test_every_row_says_what_the_fault_is() -> None:
    titles = [row.__doc__ for row in command.ROWS.values()]
    assert all(titles) and len(set(titles)) == len(titles) >= 30


def test_a_wrong_outcome_and_a_row_that_fails_are_wrong_in_the_table(monkeypatch: pytest.MonkeyPatch,
                                                                     capsys: pytest.CaptureFixture[str]) -> None:
    def sound(place: Place) -> Seen:
        """Sound"""
        return Seen("a | b", "nothing", place.folder.is_dir())

    def failing(place: Place) -> Seen:
        """Failing"""
        raise OSError("no room")

    monkeypatch.setattr(command, "ROWS", {"sound": sound, "failing": failing})
    assert command.main([]) == 1
    head, _, first, second = capsys.readouterr().out.splitlines()
    assert head.startswith("| fault |") and first.startswith("| Sound | a \\| b | nothing | right |")
    assert "OSError: no room | unknown | **wrong**" in second
    assert command.main(["sound"]) == 0 and command.main(["unheard"]) == 2


def test_rows_that_a_second_run_lacks_are_lost() -> None:
    first = Ended(0, [{"recipe": "a"}, {"recipe": "b"}], [])
    assert same_rows(first, first) == "nothing" and same_rows(first, Ended(0, [{"recipe": "b"}], [])) == "1 rows"
