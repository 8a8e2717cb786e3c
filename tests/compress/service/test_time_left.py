"""When jobs end that take turns, and how that is said."""

from __future__ import annotations

import pytest

from compress.service.time_left import AtWork, duration, in_words, until_ends


def test_a_job_alone_takes_what_is_left_of_it() -> None:
    assert until_ends([AtWork(1, "a", 30.0)]) == {1: 30.0}
    assert until_ends([]) == until_ends([AtWork(1, "a", None)]) == {}


def test_sessions_share_equally_and_the_longer_job_is_faster_when_the_shorter_has_ended() -> None:
    assert until_ends([AtWork(1, "a", 50.0), AtWork(2, "b", 10.0)]) == {2: 20.0, 1: 60.0}
    # 'a' has half the time for two jobs: each computes a quarter of it until 'b' ends after 20 s.
    assert until_ends([AtWork(1, "a", 10.0), AtWork(2, "a", 10.0), AtWork(3, "b", 10.0)]) == {3: 20.0, 1: 30.0, 2: 30.0}


def test_a_job_of_unknown_length_keeps_its_share() -> None:
    assert until_ends([AtWork(1, "a", 10.0), AtWork(2, "b", None)]) == {1: 20.0}


@pytest.mark.parametrize(("seconds", "text"), [
    (None, "no estimate yet"), (0.4, "nearly done"), (7.6, "about 8 s left"), (80, "about 1 min 20 s left")])
def test_what_is_not_known_is_said(seconds: float | None, text: str) -> None:
    assert in_words(seconds) == text


@pytest.mark.parametrize(("seconds", "text"), [
    (-3, "0 s"), (7.6, "8 s"), (59.6, "1 min 0 s"), (80, "1 min 20 s"), (7500, "2 h 5 min")])
def test_duration_counts_down_to_zero(seconds: float, text: str) -> None:
    assert duration(seconds) == text
