"""Jobs in the store: their life, their owners, and the sessions that take part."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from compress.curves import job_table, owner
from compress.curves.owner import Owner
from compress.curves.store import Store
from tests.compress.helpers import python


def test_a_job_lives_from_queued_to_its_end(store: Store) -> None:
    number = store.new_job("key", "curve", "Low rank", {"recipe": "r", "values": [0.1]})
    job = store.job(number)
    assert (job["state"], job["owner"], job["share"]) == ("queued", os.getpid(), 0)
    assert job["request"] == {"recipe": "r", "values": [0.1]} and job["live"] == []
    assert [job["id"] for job in store.active_jobs()] == [number]
    store.update_job(number, state="running", started=1.0, share=0.5, text="half", live=[{"epoch": 1}])
    job = store.job(number)
    assert (job["state"], job["share"], job["text"], job["live"]) == ("running", 0.5, "half", [{"epoch": 1}])
    store.update_job(number, state="done")
    assert store.job(number)["state"] == "done" and store.active_jobs() == []


@pytest.mark.parametrize("end", ["done", "failed", "cancelled", "interrupted"])
def test_a_job_that_has_ended_is_never_revived(end: str, store: Store) -> None:
    number = store.new_job("key", "curve", "title", {})
    store.update_job(number, state=end, text="the end")
    store.update_job(number, state="running", text="again", share=0.9)
    job = store.job(number)
    assert (job["state"], job["text"], job["share"]) == (end, "the end", 0)


def test_the_latest_job_of_a_key_is_found(store: Store) -> None:
    assert store.latest_job("key") is None
    numbers = [store.new_job(key, "curve", "title", {}) for key in ("key", "key", "other")]
    assert store.latest_job("key")["id"] == numbers[1]
    with pytest.raises(KeyError):
        store.job(numbers[-1] + 1)


def test_jobs_of_a_process_that_is_gone_are_interrupted_and_no_others(store: Store) -> None:
    mine = store.new_job("mine", "curve", "title", {})
    script = "import sys; from compress.curves.store import Store; print(Store(sys.argv[1]).new_job('k', 'curve', 't', {}))"
    theirs = int(python("-c", script, str(store.path), check=True).stdout)
    assert store.job(theirs)["state"] == "queued"
    store.interrupt_orphans()
    assert store.job(theirs)["state"] == "interrupted" and "stopped during this job" in store.job(theirs)["error"]
    assert store.job(mine)["state"] == "queued"


def test_a_job_belongs_to_a_process_by_its_start_because_numbers_are_given_again(
        store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a container, where the programs of every start have the same numbers."""
    number = store.new_job("left", "curve", "title", {})
    with sqlite3.connect(store.path) as connection:
        connection.execute("UPDATE jobs SET owner_start='12345'")
    store.interrupt_orphans()
    assert store.job(number)["state"] == "interrupted"


def test_an_owner_that_has_ended_and_was_not_yet_waited_for_is_gone(store: Store) -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    other = Owner(child.pid, owner.started(child.pid), owner.place())
    assert other.start and other.is_alive()
    child.kill()
    until = time.monotonic() + 20
    while other.is_alive() and time.monotonic() < until:
        time.sleep(0.01)
    assert not other.is_alive()
    child.communicate()
    assert not other.is_alive()


def test_without_proc_the_start_is_asked_of_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[str]] = []

    def answer(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        asked.append(command)
        return subprocess.CompletedProcess(command, 0, "Mon Jan  5  10:00:00 2026\n")

    monkeypatch.setattr(owner.Path, "exists", lambda path: False)
    monkeypatch.setattr(owner.subprocess, "run", answer)
    assert owner.started(7) == "Mon Jan 5 10:00:00 2026"
    assert asked == [["ps", "-o", "lstart=", "-p", "7"]]


@pytest.mark.parametrize(("silent", "state"), [(1.0, "queued"), (job_table.SILENT + 5, "interrupted")])
def test_an_owner_in_another_container_lives_as_long_as_it_gives_signs_of_life(
        silent: float, state: str, store: Store) -> None:
    number = store.new_job("far", "curve", "title", {})
    with sqlite3.connect(store.path) as connection:
        connection.execute("UPDATE jobs SET owner_place='elsewhere', beat=?", [time.time() - silent])
    store.interrupt_orphans()
    assert store.job(number)["state"] == state


def test_a_beat_is_for_the_given_jobs_alone(store: Store) -> None:
    first, second = (store.new_job(key, "curve", "title", {}) for key in "ab")
    before = store.job(first)["beat"]
    store.beat([second])
    assert store.job(first)["beat"] == before < store.job(second)["beat"]


def test_sessions_take_part_by_submitting_or_looking_and_leave(store: Store) -> None:
    number = store.new_job("key", "curve", "title", {}, "anna")
    store.take_part(number, "ben")
    people = {one["session"]: one for one in store.participants()[number]}
    assert people["anna"]["submitted"] and not people["ben"]["submitted"] and store.job(number)["session"] == "anna"
    store.leave_job(number, "ben")
    store.take_part(number, "ben")
    people = {one["session"]: one for one in store.participants()[number]}
    assert people["ben"]["left"] and people["anna"]["left"] is None, "looking on is no coming back"
    store.take_part(number, "ben", submitted=True)
    people = {one["session"]: one for one in store.participants()[number]}
    assert people["ben"]["left"] is None and people["ben"]["submitted"]
    store.update_job(number, state="done")
    assert store.participants() == {}


def test_tables_of_the_version_before_get_the_new_columns(tmp_path: Path) -> None:
    Store(tmp_path / "store.sqlite").latest_job("k")  # which makes all tables
    with sqlite3.connect(tmp_path / "store.sqlite") as connection:
        connection.executescript("""
            DROP TABLE jobs;
            CREATE TABLE jobs (id INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT, kind TEXT, title TEXT, request TEXT,
                state TEXT, share REAL, text TEXT, live TEXT, error TEXT, owner INTEGER, created REAL,
                started REAL, updated REAL);
            INSERT INTO jobs (key, kind, title, request, state, share, text, live, owner)
                VALUES ('k', 'curve', 't', '{}', 'running', 0.5, 'half', '[]', 1);
            PRAGMA user_version=2;""")
    connection.close()
    store = Store(tmp_path / "store.sqlite")
    assert store.latest_job("k")["seconds_left"] is None and store.participants() == {}
    store.interrupt_orphans()
    assert store.latest_job("k")["state"] == "interrupted", "whose start nobody knows"
    number = store.new_job("k", "curve", "t", {}, "anna")
    assert store.job(number)["session"] == "anna"


def test_who_took_part_in_a_job_is_forgotten_after_its_end(store: Store) -> None:
    ended, active = (store.new_job(key, "curve", "title", {}, "anna") for key in ("ended", "active"))
    for number in (ended, active):
        store.take_part(number, "ben")
    store.update_job(ended, state="done")
    store.take_part(ended, "carl")  # a page that has not seen the end yet
    store.interrupt_orphans()
    with sqlite3.connect(store.path) as connection:
        assert {row[0] for row in connection.execute("SELECT job FROM job_sessions")} == {active}
    assert [row["session"] for row in store.participants()[active]] == ["anna", "ben"]
