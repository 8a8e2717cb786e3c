"""Two visitors and one run: who started it may cancel it, the other sees it, and nobody ends the other's."""

from __future__ import annotations

import time

import pytest

from tests.pages.test_pages import LINK, LOW_RANK, TEACHERS, engine, labels, named, show  # noqa: F401  (fixtures)

LONG = {**LINK, "t.epochs": "2000", "t.hidden": "33"}


@pytest.fixture
def running(show, engine):  # noqa: F811
    """A visitor whose teacher is being trained."""
    visitor = show(TEACHERS, LONG)
    named(visitor.main.button, "Train this teacher").click().run()
    (job,) = engine.store.active_jobs()
    yield visitor
    engine.cancel(job["id"])
    until = time.monotonic() + 60
    while engine.store.active_jobs() and time.monotonic() < until:
        time.sleep(0.05)


def captions(shown) -> str:
    return " ".join(one.value for one in shown.main.caption)


def test_another_visitor_sees_the_run_and_has_no_button_to_end_it(running, show, engine):  # noqa: F811
    assert "Cancel" in labels(running.main.button) and "Cancel" in labels(running.sidebar.button)
    other = show(TEACHERS, LONG)
    assert "Cancel" not in labels(other.main.button) and "Cancel" not in labels(other.sidebar.button)
    assert "Another session started this run" in captions(other)
    elsewhere = show(LOW_RANK, LINK)
    assert "Cancel" not in labels(elsewhere.sidebar.button) and "Running" in [one.value for one in elsewhere.sidebar.caption]


def test_a_visitor_who_leaves_is_told_that_it_goes_on_for_the_other(running, show, engine):  # noqa: F811
    other = show(TEACHERS, LONG)
    (job,) = engine.store.active_jobs()
    running.run()
    named(running.main.button, "Cancel").click().run()
    assert engine.store.job(job["id"])["state"] in ("queued", "running")
    assert "Another session also waits for it; it goes on" in captions(running)
    assert "Cancel" not in labels(running.main.button) and "Cancel" not in labels(running.sidebar.button)
    assert "Cancel" in labels(other.run().main.button), "the only one that is left"


def test_too_many_runs_are_refused_in_words(running, monkeypatch, engine):  # noqa: F811
    monkeypatch.setenv("COMPRESS_SESSION_JOBS", "1")
    running.switch_page(LOW_RANK).run()
    named(running.main.button, "Measure the curve").click().run()
    assert not running.exception and len(engine.store.active_jobs()) == 1
    assert any("You have 1 unfinished runs" in one.value for one in running.warning)
    assert not running.run().warning
