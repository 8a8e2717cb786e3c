"""How work tells how far it is, and how it is stopped."""

from __future__ import annotations

import pytest

from compress.progress import Cancelled, Progress, Reporter, no_report


def test_a_part_of_a_part_reports_its_share_of_the_whole() -> None:
    reported: list[Progress] = []
    Reporter(reported.append).part(0.2, 0.6).part(0.5, 1.0)(0.5, "half", epoch=3)
    assert reported == [Progress(pytest.approx(0.5), "half", {"epoch": 3})]


def test_cancelled_work_stops_at_its_next_report_which_is_still_written() -> None:
    reported: list[Progress] = []
    report = Reporter(reported.append, lambda: len(reported) >= 2).part(0.0, 0.5)
    report(0.0, "one")
    with pytest.raises(Cancelled, match="two"):
        report(1.0, "two")
    assert [progress.share for progress in reported] == [0.0, 0.5]


def test_silent_work_is_never_cancelled() -> None:
    no_report(0.5, "nobody listens", epoch=1)
