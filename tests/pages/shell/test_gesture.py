"""One gesture is one job."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import streamlit as st

from pages.ui.shell import session
from pages.ui.shell.gesture import begins


class Begun(list[str]):
    """The keys of jobs that were begun, and the state that all of them are in."""

    state = "done"


@pytest.fixture
def jobs(monkeypatch: pytest.MonkeyPatch) -> Begun:
    """What was begun; the store that pages see has it."""
    begun = Begun()

    def latest(key: str) -> dict[str, Any] | None:
        return {"id": len(begun) - begun[::-1].index(key), "state": begun.state} if key in begun else None

    monkeypatch.setattr(session, "store", lambda: SimpleNamespace(latest_job=latest))
    return begun


def test_a_button_that_is_clicked_twice_begins_one_job(jobs):
    drawn = begins("measure", "work", lambda: jobs.append("work"))
    drawn["on_click"]()
    drawn["on_click"]()
    assert jobs == ["work"]


def test_who_clicks_while_the_job_of_another_runs_takes_part_in_it(jobs):
    drawn, joined = begins("measure", "work", lambda: jobs.append("work")), []
    begins("measure", "work", lambda: jobs.append("work"))["on_click"]()
    jobs.state = "running"
    begins("measure", "work", lambda: joined.append("now"))["on_click"]()
    drawn["on_click"]()
    assert joined == ["now"] and len(jobs) == 2, "the engine gives both the same job"


def test_a_click_while_a_job_runs_takes_part_in_that_job_alone(jobs):
    asked = []
    drawn = begins("measure", "work", lambda: asked.append(st.session_state.get("joined")))
    jobs.append("work")
    drawn["on_click"]()  # it has ended: nothing is asked for
    jobs.state = "running"
    drawn["on_click"]()
    with session.joining({"id": 7, "state": "done"}):
        asked.append(st.session_state.get("joined"))
    assert asked == [1, None] and "joined" not in st.session_state


def test_each_job_makes_another_button_that_begins_the_next_one(jobs):
    jobs.append("other work")
    first = begins("measure", "work", lambda: jobs.append("work"))
    first["on_click"]()
    second = begins("measure", "work", lambda: jobs.append("work"))
    assert first["key"] != second["key"]
    second["on_click"]()
    first["on_click"]()
    assert jobs == ["other work", "work", "work"]
