"""Progress reports and cancellation."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from compress.progress import Cancelled, EpochDone, Progress, Reporter, StudentSoFar, StudentsSoFar, no_report

EPOCH = EpochDone(3, 0.5, 0.8, 0.7, 1.5)


def test_a_part_of_a_part_reports_its_share_of_the_whole() -> None:
    reported: list[Progress] = []
    Reporter(reported.append).part(0.2, 0.6).part(0.5, 1.0)(0.5, "half", EPOCH)
    assert reported == [Progress(pytest.approx(0.5), "half", EPOCH)]


def test_cancelled_work_stops_at_its_next_report_which_is_still_written() -> None:
    reported: list[Progress] = []
    report = Reporter(reported.append, lambda: len(reported) >= 2).part(0.0, 0.5)
    report(0.0, "one")
    with pytest.raises(Cancelled, match="two"):
        report(1.0, "two")
    assert [progress.share for progress in reported] == [0.0, 0.5]


def test_silent_work_is_never_cancelled() -> None:
    no_report(0.5, "nobody listens", EPOCH)


def test_live_data_are_plain_data_with_their_kind() -> None:
    students = StudentsSoFar(2, (StudentSoFar(900, 0.2, 4.0, 0, 0.9, 0.0, None),))
    assert json.loads(json.dumps([EPOCH.plain(), students.plain()])) == [
        {"kind": "epoch", "epoch": 3, "loss": 0.5, "train_accuracy": 0.8, "accuracy": 0.7, "seconds": 1.5},
        {"kind": "students", "epoch": 2, "students": [{"bytes": 900, "width": 0.2, "temperature": 4.0, "seed": 0,
                                                       "alpha": 0.9, "assistant": 0.0, "accuracy": None}]}]


def test_a_part_shares_the_keys_of_the_whole() -> None:
    asked: list[tuple[str, str]] = []

    @contextmanager
    def exclusive(name: str, key: str) -> Iterator[bool]:
        asked.append((name, key))
        yield True

    with Reporter(exclusive=exclusive).part(0.0, 0.5).exclusive("teacher", "a") as waited:
        assert asked == [("teacher", "a")] and waited
    with Reporter().exclusive("teacher", "a"), Reporter().exclusive("teacher", "a") as waited:
        assert not waited, "outside a worker nobody waits"
