"""What a line about a job says: its remaining time, its share of the machine, its place in the queue."""

from __future__ import annotations

from typing import Any

import pytest

from pages.ui.shell.job_words import sentence

NOW = 1000.0


def job(number: int, session: str = "a", **columns: Any) -> dict[str, Any]:
    return {"id": number, "title": "Low rank", "state": "running", "share": 0.5, "seconds_left": 50.0, "text": "layer 2",
            "session": session, "owner": 7, "owner_start": "1", "started": NOW - 50, "updated": NOW, **columns}


def test_a_run_alone_says_its_step_and_its_time() -> None:
    assert sentence(job(1), [job(1)], NOW) == "Low rank: layer 2 · about 50 s left"
    assert sentence(job(1, seconds_left=0.4), [], NOW) == "Low rank: layer 2 · nearly done"
    assert sentence(job(1, seconds_left=None), [], NOW) == "Low rank: layer 2 · no estimate yet"


def test_time_passes_between_two_reports() -> None:
    assert sentence(job(1, updated=NOW - 20), [], NOW) == "Low rank: layer 2 · about 30 s left"


def test_the_time_left_has_the_turns_of_the_others_in_it() -> None:
    active = [job(1, "a", seconds_left=50.0), job(2, "b", seconds_left=10.0)]
    assert sentence(active[0], active, NOW).startswith("Low rank: layer 2 · about 1 min 0 s left")
    assert sentence(active[1], active, NOW).startswith("Low rank: layer 2 · about 20 s left")


@pytest.mark.parametrize(("sessions", "words"), [
    ("ab", "2 runs share this machine; this one gets every second turn"),
    ("abc", "3 runs share this machine; this one gets every third turn"),
    ("aab", "3 runs share this machine; this one gets every fourth turn"),
    ("abb", "3 runs share this machine; this one gets every second turn"),
    ("aa", "2 runs share this machine; this one gets every second turn"),
    ("abcdefghijkl", "12 runs share this machine; this one gets every 12th turn")])
def test_sessions_have_equal_shares(sessions: str, words: str) -> None:
    active = [job(number, session) for number, session in enumerate(sessions)]
    assert sentence(active[0], active, NOW).endswith(f" · {words}")


def test_runs_of_another_program_take_no_turns_of_this_one() -> None:
    assert "share" not in sentence(job(1), [job(1), job(2, "b", owner_start="2")], NOW)


def test_who_waits_is_told_its_place_and_when_it_begins() -> None:
    running = [job(1, "a", seconds_left=55.0), job(2, "b", seconds_left=5.0)]
    waiting = [job(3, "a", state="queued"), job(4, "c", state="queued"), job(5, "d", state="queued")]
    active = [*running, *waiting]
    assert sentence(waiting[1], active, NOW) == "Low rank: place 1 in the queue, begins in about 10 s"
    assert sentence(waiting[2], active, NOW) == "Low rank: place 2 in the queue, begins in about 1 min 0 s"
    assert sentence(waiting[0], active, NOW) == "Low rank: place 3 in the queue"
    assert sentence(waiting[0], waiting, NOW) == "Low rank: waiting for the compute process"
    assert sentence(job(9, state="queued"), active, NOW) == "Low rank: waiting for the compute process"
