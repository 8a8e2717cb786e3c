"""The faults that are played in a few seconds; the whole table: python -m tests.faults."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults import endings, settings
from tests.faults.__main__ import ROWS, Fault, is_good, main, played
from tests.faults.place import Place, Seen

QUICK = (endings.full_disk_for_results, settings.home_of_nobody, settings.home_is_a_file, settings.wrong_device)


@pytest.mark.parametrize("fault", QUICK, ids=lambda fault: fault.__name__)
def test_a_fault_is_seen_as_it_should_be(fault: Fault) -> None:
    seen, lost = played(fault)
    assert is_good(seen, lost), (seen.text, lost)


def test_a_play_that_breaks_is_a_row_that_is_not_good() -> None:
    def broken(place: Place) -> Seen:
        raise ValueError(place.folder.name)

    assert not is_good(*played(broken))


def test_a_name_of_no_fault_is_refused_before_anything_is_played(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([QUICK[0].__name__, "stores.locked"]) == 2
    shown = capsys.readouterr()
    assert "There is no fault stores.locked" in shown.err and not shown.out


def test_what_a_command_printed_and_the_home_has_not_is_lost() -> None:
    def forgetful(place: Place) -> Seen:
        place.expect([{"recipe": "digits/mlp/0", "file": "networks/0123.safetensors"}, {"points_lost": 1}])
        return Seen("all is well", right=True)

    seen, lost = played(forgetful)
    assert lost == "1 network" and not is_good(seen, lost)
    assert is_good(Seen("", right=True, destroyed="1 network"), lost)
    assert not is_good(Seen("", right=True, destroyed="1 pin"), lost)


def test_what_a_home_keeps_is_the_networks_whose_files_are_sound(tmp_path: Path) -> None:
    assert Place(tmp_path).kept() == set() and Place(tmp_path).lost() == "nothing"
    assert not Place(tmp_path).home.exists(), "looking makes no home"


def test_every_row_says_what_it_plays_and_has_a_name_of_its_own_in_its_file() -> None:
    assert len(ROWS) >= 30 and all(fault.__doc__ for fault in ROWS)
    assert len({(fault.__module__, fault.__name__) for fault in ROWS}) == len(ROWS)
