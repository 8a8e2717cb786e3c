"""What a page measures without being asked, and when it does not."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from streamlit.testing.v1 import AppTest

from compress.curves.store import ACTIVE
from tests.compress.helpers import ROOT
from tests.pages.samples import measure
from tests.pages.test_pages import LINK, LOW_RANK, TEACHERS, engine, labels, named, show  # noqa: F401  (fixtures)

METHOD_PAGES = ["pages/2_Distill.py", LOW_RANK, "pages/4_Prune.py", "pages/5_Sparse_code.py",
                "pages/6_Quantize.py"]


@pytest.fixture
def asked(engine, monkeypatch) -> Iterator[list[str]]:  # noqa: F811
    """The recipes of all jobs that pages ask for; none is carried out. Who asks for an active one takes part in it."""
    asked: list[str] = []
    store = engine.store

    def submit(request, key, title, session="", joined=None):
        latest = store.latest_job(key)
        if latest and latest["state"] in ACTIVE:
            store.take_part(latest["id"], session, submitted=True)
            return latest["id"]
        asked.extend(getattr(request, "recipes", None) or [request.recipe])
        return store.new_job(key, request.kind, title, request.plain(), session)

    monkeypatch.setattr(engine, "submit", submit)
    yield asked
    end(engine, "done")


def end(engine, state: str) -> None:  # noqa: F811
    """Ends every job."""
    for job in engine.store.active_jobs():
        engine.store.update_job(job["id"], state=state, error="out of paper" if state == "failed" else None)


@pytest.mark.parametrize("page", METHOD_PAGES)
def test_a_first_visit_measures_what_is_chosen_once(show, asked, page):  # noqa: F811
    shown = show(page, by_itself=True)
    assert not shown.exception and len(asked) == 1 and asked[0].startswith("digits/mlp(")
    assert "Cancel" in labels(shown.main.button)
    shown.run()
    assert len(asked) == 1


def test_a_link_is_measured_with_its_settings(show, asked):  # noqa: F811
    show(LOW_RANK, {**LINK, "seed": "3", "scheme": "plain"}, by_itself=True)
    assert len(asked) == 1 and "scheme=plain" in asked[0] and asked[0].endswith("/3")


def test_a_second_visitor_takes_part_in_the_run(show, asked):  # noqa: F811
    for _ in range(2):
        show(LOW_RANK, {**LINK, "seed": "4"}, by_itself=True)
    assert len(asked) == 1


def test_what_is_measured_is_not_measured_again_and_a_new_stop_is(show, asked, engine, prepared):  # noqa: F811
    measure(engine.store, "low_rank", (0.1, 0.3))
    show(LOW_RANK, {**LINK, "keep": "0.3"}, by_itself=True)
    assert asked == []
    shown = show(LOW_RANK, {**LINK, "keep": "0.2"}, by_itself=True)
    assert len(asked) == 1
    end(engine, "done")
    shown.run()
    assert len(asked) == 1, "a run that ended without this point is not begun over and over"


def test_where_it_is_off_a_button_stands(show, asked):  # noqa: F811
    shown = show(LOW_RANK, {**LINK, "seed": "5"})
    assert asked == [] and "Measure the curve" in labels(shown.main.button)
    named(shown.main.toggle, "Measure at once").set_value(True).run()
    assert len(asked) == 1


def test_who_serves_the_app_can_turn_it_off(show, asked, monkeypatch):  # noqa: F811
    monkeypatch.setenv("COMPRESS_AT_ONCE", "no")
    shown = AppTest.from_file(str(ROOT / "app.py"), default_timeout=90).switch_page(LOW_RANK).run()
    assert asked == [] and not named(shown.main.toggle, "Measure at once").value


@pytest.mark.parametrize("state", ["cancelled", "failed", "interrupted"])
def test_a_run_that_ended_early_is_not_begun_again(show, asked, engine, state):  # noqa: F811
    link = {**LINK, "seed": {"cancelled": "6", "failed": "7", "interrupted": "8"}[state]}
    shown = show(LOW_RANK, link, by_itself=True)
    end(engine, state)
    for visitor in (shown.run(), show(LOW_RANK, link, by_itself=True)):
        assert len(asked) == 1 and "Measure the curve" in labels(visitor.main.button)


def test_a_setting_that_is_changed_is_measured_and_the_run_before_is_begun_again_on_return(show, asked, engine):  # noqa: F811
    shown = show(LOW_RANK, {**LINK, "seed": "9"}, by_itself=True)
    (first,) = engine.store.active_jobs()
    named(shown.main.selectbox, "Scheme").select("plain").run()
    assert len(asked) == 2 and "scheme=plain" in asked[1]
    assert [row["left"] is not None for row in engine.store.participants()[first["id"]]] == [True]
    engine.store.update_job(first["id"], state="cancelled")
    named(shown.main.selectbox, "Scheme").select("whitened").run()
    assert len(asked) == 3 and asked[2] == asked[0]


def test_a_refusal_is_said_and_the_button_stands(show, engine, monkeypatch):  # noqa: F811
    def refuse(*_):
        raise ValueError("You have 8 unfinished runs.")

    monkeypatch.setattr(engine, "submit", refuse)
    shown = show(LOW_RANK, {**LINK, "seed": "10"}, by_itself=True)
    assert [one.value for one in shown.warning] == ["You have 8 unfinished runs."]
    assert "Measure the curve" in labels(shown.main.button) and not shown.run().warning


@pytest.mark.parametrize("page", [LOW_RANK, TEACHERS])
def test_nothing_is_downloaded_without_being_asked(show, asked, page):  # noqa: F811
    shown = show(page, {"data": "openml:iris:1"}, by_itself=True)
    assert asked == [] and not shown.exception


def test_the_first_visit_to_the_teacher_page_trains_and_later_teachers_wait(show, asked):  # noqa: F811
    shown = show(TEACHERS, {**LINK, "seed": "11"}, by_itself=True)
    assert len(asked) == 1 and "Cancel" in labels(shown.main.button)
    named(shown.main.number_input, "Epochs").set_value(3).run()
    assert len(asked) == 1 and "Train this teacher" in labels(shown.main.button)


def test_a_burst_of_changes_is_one_run_of_the_last_however_often_the_page_is_drawn(show, asked, engine):  # noqa: F811
    shown = show(LOW_RANK, {**LINK, "seed": "12"}, by_itself=True)
    for scheme in ("plain", "centred", "randomized"):
        named(shown.main.selectbox, "Scheme").select(scheme).run()
        shown.run()
    wanted = [number for number, rows in engine.store.participants().items() if any(row["left"] is None for row in rows)]
    assert len(asked) == 4 and len(wanted) == 1
    assert engine.store.job(wanted[0])["request"]["recipe"] == asked[-1] and "scheme=randomized" in asked[-1]
