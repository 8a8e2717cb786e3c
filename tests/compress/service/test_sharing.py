"""Many sessions on one engine: jobs are shared, nobody ends another's, and turns change no number."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from compress.curves.store import Store
from compress.files.store_error import StoreError
from compress.service import engine as engines
from compress.service import participants
from compress.service.engine import LocalEngine
from compress.service.interface import EngineError
from compress.service.requests import TeacherRequest
from tests.compress.helpers import ROOT
from tests.compress.service.running import LIMIT, TEACHER, curve_job, ended, eventually, points_of, stop

LONG = "digits/mlp(epochs=2000,hidden=16)"
CURVES = ["distill(epochs=2,seeds=1,temperatures=none)", "low_rank(recovery_steps=60,scheme=plain)",
          "prune(recovery_epochs=1)"]


def begun(connected: set[str]) -> LocalEngine:
    """An engine over COMPRESS_HOME which knows whose browsers are there; of "dora" it knows nothing."""
    return LocalEngine(Store(), lambda session: None if session == "dora" else session in connected)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[LocalEngine, set[str]]]:
    """One engine, which looks after its jobs ten times a second, with the sessions that are connected."""
    connected: set[str] = set()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engines, "LOOK_EVERY", 0.1)
        patch.setenv("COMPRESS_HOME", str(tmp_path_factory.mktemp("shared")))
        engine = begun(connected)
        yield engine, connected
        engine.close()


@pytest.fixture
def connected(shared: tuple[LocalEngine, set[str]]) -> set[str]:
    """The sessions whose browsers are there."""
    _, sessions = shared
    sessions.clear()
    sessions.update({"anna", "ben", "carl"})
    return sessions


@pytest.fixture
def engine(shared: tuple[LocalEngine, set[str]], connected: set[str]) -> Iterator[LocalEngine]:
    """The shared engine, whose jobs end with the test."""
    engine, _ = shared
    yield engine
    for number in list(engine._jobs):
        engine.cancel(number)
    eventually(lambda: not engine._jobs)


@pytest.fixture
def fresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, connected: set[str]) -> Iterator[LocalEngine]:
    """An engine of its own, over an empty home."""
    monkeypatch.setenv("COMPRESS_HOME", str(tmp_path))
    engine = begun(connected)
    yield engine
    engine.close()


def long_job(engine: LocalEngine, session: str, seed: int = 0) -> int:
    recipe = f"{LONG}/{seed}"
    number = engine.submit(TeacherRequest(recipe), recipe, "long", session)
    eventually(lambda: engine.store.job(number)["state"] == "running")
    return number


def stays(engine: LocalEngine, number: int, seconds: float = 0.6) -> bool:
    """Whether a job still runs after a while, in which the engine looked after its jobs some times."""
    time.sleep(seconds)
    return engine.store.job(number)["state"] == "running"


def test_one_of_two_sessions_that_asked_leaves_and_the_run_goes_on_for_the_other(engine: LocalEngine) -> None:
    number = long_job(engine, "anna")
    assert long_job(engine, "ben") == number
    assert engine.part(number, "anna").others == 1 and engine.part(number, "anna").may_leave
    engine.leave(number, "anna")
    assert stays(engine, number) and engine.part(number, "anna").left
    engine.see(number, "anna")
    assert engine.part(number, "ben").others == 0, "who has left and looks on takes no part"
    engine.leave(number, "ben")
    assert ended(engine, number)["state"] == "cancelled"


def test_who_wants_to_take_part_in_a_job_that_ends_meanwhile_begins_nothing(engine: LocalEngine) -> None:
    number, recipe = long_job(engine, "anna"), f"{LONG}/0"
    engine.cancel(number)
    ended(engine, number)
    assert engine.submit(TeacherRequest(recipe), recipe, "long", "anna", joined=number) == number
    assert engine.store.job(number)["state"] == "cancelled" and engine.store.latest_job(recipe)["id"] == number
    again = engine.submit(TeacherRequest(recipe), recipe, "long", "anna")
    assert again > number == engine.store.job(number)["id"]
    assert engine.submit(TeacherRequest(recipe), recipe, "long", "ben", joined=number) == again, "one that runs is joined"


def test_who_only_looks_cannot_end_it_and_keeps_it_from_ending(engine: LocalEngine) -> None:
    number = long_job(engine, "anna")
    engine.see(number, "ben")
    assert not engine.part(number, "ben").may_leave
    engine.leave(number, "anna")
    assert stays(engine, number)
    engine.leave(number, "ben")
    assert ended(engine, number)["state"] == "cancelled"


def test_a_closed_tab_ends_nothing_but_then_whoever_looks_may(engine: LocalEngine, connected: set[str]) -> None:
    number = long_job(engine, "anna")
    connected.discard("anna")
    assert stays(engine, number)
    engine.see(number, "ben")
    assert engine.part(number, "ben").may_leave
    engine.leave(number, "ben")
    assert ended(engine, number)["state"] == "cancelled"


def test_the_run_that_its_session_left_ends_however_long_another_one_looked_on(engine: LocalEngine) -> None:
    number = long_job(engine, "anna")
    engine.see(number, "ben")
    engine.leave(number, "anna")
    long_ago(engine, number, "anna")
    assert stays(engine, number), "another one looks on"
    long_ago(engine, number, "ben")
    assert ended(engine, number)["state"] == "cancelled"


def long_ago(engine: LocalEngine, number: int, session: str) -> None:
    """Whatever this session did with a job, it did ten times as long ago as a session counts without a sign of life."""
    ago = 10 * participants.SIGN_OF_LIFE
    with closing(sqlite3.connect(engine.store.path)) as store, store:
        store.execute('UPDATE job_sessions SET seen = seen - ?, "left" = "left" - ? WHERE job = ? AND session = ?',
                      [ago, ago, number, session])


def test_of_two_that_only_look_on_either_may_leave_once_nobody_else_takes_part(
        engine: LocalEngine, connected: set[str]) -> None:
    number = long_job(engine, "anna")
    for session in ("ben", "carl"):
        engine.see(number, session)
    assert not engine.part(number, "ben").may_leave and not engine.part(number, "carl").may_leave
    connected.discard("anna")
    assert engine.part(number, "ben").may_leave and engine.part(number, "carl").may_leave
    engine.leave(number, "ben")
    assert stays(engine, number) and engine.part(number, "carl").may_leave, "it goes on for the other"
    engine.leave(number, "carl")
    assert ended(engine, number)["state"] == "cancelled"


def test_who_submitted_and_closed_the_browser_long_after_another_left_comes_back_for_the_run() -> None:
    now = time.time()
    rows = [{"session": "anna", "seen": now - 500, "submitted": True, "left": now - 500},
            {"session": "ben", "seen": now - 100, "submitted": True, "left": None}]
    assert not participants.end_is_wanted(rows, lambda session: None)
    assert participants.end_is_wanted([rows[0], {**rows[1], "submitted": False}], lambda session: None)
    assert not participants.end_is_wanted(rows[1:], lambda session: None), "nobody has left"


def test_after_a_reload_the_same_tab_can_cancel_even_where_nobody_can_say_who_is_connected(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The session before the reload counts for some seconds; the job ends when these are over."""
    monkeypatch.setenv("COMPRESS_HOME", str(tmp_path))
    monkeypatch.setattr(participants, "SIGN_OF_LIFE", 3.0)
    engine = LocalEngine(Store())
    number = long_job(engine, "before")
    engine.see(number, "after")
    engine.leave(number, "after")
    assert engine.store.job(number)["state"] == "running"
    assert ended(engine, number)["state"] == "cancelled"
    engine.close()


def test_who_left_may_come_back_by_asking_again(engine: LocalEngine) -> None:
    number = long_job(engine, "anna")
    long_job(engine, "ben")
    engine.leave(number, "anna")
    assert long_job(engine, "anna") == number and not engine.part(number, "anna").left
    engine.leave(number, "ben")
    assert stays(engine, number)


def test_a_job_that_is_being_cancelled_is_no_answer_to_a_new_request(engine: LocalEngine) -> None:
    number = long_job(engine, "anna")
    engine.leave(number, "anna")
    recipe = f"{LONG}/0"
    assert engine.submit(TeacherRequest(recipe), recipe, "long", "ben") != number


def test_a_session_has_its_quota_and_what_it_left_is_not_counted(
        engine: LocalEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMPRESS_SESSION_JOBS", "2")
    first, second = (long_job(engine, "anna", seed) for seed in (1, 2))
    with pytest.raises(ValueError, match=r"You have 2 unfinished runs, and 2 are allowed .* Wait .* or cancel"):
        long_job(engine, "anna", 3)
    assert long_job(engine, "anna", 1) == first, "what runs already is no new run"
    third = long_job(engine, "ben", 3)
    engine.leave(second, "anna")
    assert long_job(engine, "anna", 3) == third
    monkeypatch.setenv("COMPRESS_SESSION_JOBS", "many")
    with pytest.raises(ValueError, match=r"COMPRESS_SESSION_JOBS must be a whole number from 1, but got 'many'"):
        long_job(engine, "carl", 4)


def test_no_run_begins_where_the_disk_is_used_up_but_one_that_runs_may_be_joined(
        fresh: LocalEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    number, digest = long_job(fresh, "anna", 1), fresh.store.artefacts.put(bytes(2000))
    monkeypatch.setenv("COMPRESS_DISK_GB", "0.000001")
    with pytest.raises(ValueError, match="No new run begins"):
        long_job(fresh, "ben", 2)
    assert long_job(fresh, "ben", 1) == number
    with sqlite3.connect(fresh.store.path) as connection:  # the file is that of a deleted point
        connection.execute("INSERT INTO deleted_points (key, reference, point, deleted) VALUES ('a', 'b', ?, 1)",
                           [f'{{"digest": "{digest}"}}'])
    os.utime(fresh.store.artefacts.path(digest), (0, 0))
    assert long_job(fresh, "ben", 2) != number and not fresh.store.artefacts.has(digest)


OTHER_APP = """
import sys
from compress.service.engine import LocalEngine
from compress.service.requests import TeacherRequest
engine = LocalEngine(present=lambda session: True if session == "dora" else None)
recipe = sys.argv[1]
print(engine.submit(TeacherRequest(recipe), recipe, "theirs", "dora"), flush=True)
for line in sys.stdin:
    print(eval(line), flush=True)
engine.close()
"""


@pytest.fixture
def other_app() -> Iterator[Callable[[str], subprocess.Popen[str]]]:
    """Starts another app over the same home, which submits a recipe and does what it is told line by line."""
    started: list[subprocess.Popen[str]] = []

    def start(recipe: str) -> subprocess.Popen[str]:
        started.append(subprocess.Popen([sys.executable, "-c", OTHER_APP, recipe], stdin=subprocess.PIPE, text=True,
                                        stdout=subprocess.PIPE, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_two_apps_on_one_home_share_jobs_and_neither_ends_the_others(fresh: LocalEngine, other_app: Callable) -> None:
    mine = long_job(fresh, "anna", 1)
    app = other_app(f"{LONG}/2")
    theirs = int(app.stdout.readline())
    eventually(lambda: fresh.store.job(theirs)["state"] == "running")
    fresh.store.interrupt_orphans()
    assert long_job(fresh, "anna", 2) == theirs
    fresh.leave(theirs, "anna")
    fresh.cancel(theirs)
    assert stays(fresh, theirs) and fresh.store.job(mine)["state"] == "running"
    fresh.close()
    assert fresh.store.job(mine)["state"] == "interrupted" and stays(fresh, theirs)


def test_the_job_of_an_app_that_was_killed_ends_while_another_app_runs(
        engine: LocalEngine, other_app: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "SLOW_LOOKS", 1)
    app = other_app(f"{LONG}/3")
    theirs = int(app.stdout.readline())
    app.kill()
    assert ended(engine, theirs)["state"] == "interrupted"
    assert long_job(engine, "anna", 3) != theirs


def test_a_session_of_another_app_can_end_a_job_that_nobody_else_wants(
        engine: LocalEngine, other_app: Callable, connected: set[str]) -> None:
    number = long_job(engine, "anna", 4)
    app = other_app(f"{LONG}/4")
    assert int(app.stdout.readline()) == number
    engine.leave(number, "anna")
    assert stays(engine, number)
    app.stdin.write(f"engine.leave({number}, 'dora')\n")
    app.stdin.flush()
    assert ended(engine, number)["state"] == "cancelled"


def test_curves_that_take_turns_have_the_digests_of_curves_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def digests(home: str, together: bool) -> list[dict[str, str]]:
        monkeypatch.setenv("COMPRESS_HOME", str(tmp_path / home))
        engine = LocalEngine(Store())
        recipes = [f"{TEACHER}/{method}/{seed}" for method in CURVES for seed in (0, 1)]
        numbers = []
        for place, recipe in enumerate(recipes):
            values = [0.3, 0.6] if "low_rank" not in recipe else [0.1, 0.2, 0.4]
            numbers.append(curve_job(engine, recipe, values, session=f"session {place % 3}"))
            if not together:
                ended(engine, numbers[-1])
        assert [ended(engine, number)["error"] for number in numbers] == [None] * len(numbers)
        found = [{point["recipe"]: point["digest"] for point in points_of(engine.store, recipe)} for recipe in recipes]
        engine.close()
        return found

    together, alone = digests("together", True), digests("alone", False)
    assert together == alone and all(together)


def test_twenty_sessions_on_ten_curves_all_get_theirs_once_and_whole(
        engine: LocalEngine, connected: set[str]) -> None:
    recipes = [f"{TEACHER}/low_rank(scheme=plain)/{seed}" for seed in range(10)]
    names = [f"session {number}" for number in range(20)]
    connected.update(names)
    with ThreadPoolExecutor(20) as pool:
        numbers = list(pool.map(lambda one: curve_job(engine, recipes[one % 10], [0.1, 0.2, 0.4], session=names[one]),
                                range(20)))
    assert numbers[:10] == numbers[10:] and len(set(numbers)) == 10
    assert all(engine.part(number, name).others in (0, 1) for number, name in zip(numbers, names, strict=True))
    assert [ended(engine, number)["state"] for number in numbers] == ["done"] * 20
    assert [len(points_of(engine.store, recipe)) for recipe in recipes] == [3] * 10
    assert "locked" not in (engine.store.path.parent / "worker.log").read_text()


def test_two_curves_of_one_teacher_train_it_once(engine: LocalEngine) -> None:
    teacher = "digits/mlp(epochs=40,hidden=32)"
    numbers = [curve_job(engine, f"{teacher}/{method}/7", [0.2], session=session)
               for method, session in (("low_rank", "anna"), ("prune", "ben"))]
    jobs = [ended(engine, number) for number in numbers]
    assert [job["state"] for job in jobs] == ["done", "done"]
    # Whichever comes to the teacher first trains it: on a busy machine that may be the second.
    assert sorted([entry["epoch"] for entry in job["live"]] for job in jobs) == [[], list(range(1, 41))]


def test_a_teacher_cancelled_by_one_is_trained_to_the_end_for_who_waited(engine: LocalEngine) -> None:
    teacher = "digits/mlp(epochs=400,hidden=16)/8"
    first = engine.submit(TeacherRequest(teacher), teacher, "teacher", "anna")
    eventually(lambda: len(engine.store.job(first)["live"]) > 2)
    second = curve_job(engine, teacher.replace("/8", "/low_rank/8"), [0.2], session="ben")
    eventually(lambda: "which another run is making" in engine.store.job(second)["text"])
    engine.leave(first, "anna")
    assert ended(engine, first)["state"] == "cancelled"
    job = ended(engine, second)
    assert job["state"] == "done" and job["live"][-1]["epoch"] == 400
    (point,) = points_of(engine.store, teacher.replace("/8", "/low_rank/8"))
    assert point["accuracy"] > 0.3


def test_a_kill_fails_the_job_with_the_turn_and_the_others_go_on_from_their_points(engine: LocalEngine) -> None:
    recipes = [f"{TEACHER}/low_rank(recovery_steps=80,scheme=plain)/{seed}" for seed in (0, 1, 2)]
    values = [round(0.05 * step, 2) for step in range(1, 9)]
    numbers = [curve_job(engine, recipe, values, session=name)
               for recipe, name in zip(recipes, ("anna", "ben", "carl"), strict=True)]
    eventually(lambda: all(points_of(engine.store, recipe) for recipe in recipes))
    before = [{point["key"]: point["created"] for point in points_of(engine.store, recipe)} for recipe in recipes]
    os.kill(engine.process.pid, signal.SIGKILL)
    jobs = [ended(engine, number) for number in numbers]
    failed = [job for job in jobs if job["state"] == "failed"]
    assert len(failed) == 1 and "killed from outside" in failed[0]["error"] and "had its turn" in failed[0]["error"]
    assert sorted(job["state"] for job in jobs) == ["done", "done", "failed"]
    for recipe, kept, job in zip(recipes, before, jobs, strict=True):
        after = {point["key"]: point["created"] for point in points_of(engine.store, recipe)}
        assert after.items() >= kept.items() and (job["state"] == "failed" or len(after) == len(values))


def test_a_job_stuck_after_its_cancel_replaces_the_worker_and_others_go_on(
        engine: LocalEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "GRACE", 0.3)
    stuck = long_job(engine, "anna", 5)
    other = curve_job(engine, f"{TEACHER}/low_rank(scheme=plain)/21", [0.1, 0.2], session="ben")
    worker = engine.process.pid
    stop(worker)
    engine.leave(stuck, "anna")
    assert ended(engine, stuck)["state"] == "cancelled"
    assert ended(engine, other)["state"] == "done" and engine.process.pid != worker


def test_the_engine_lives_through_a_store_that_cannot_be_written_and_writes_later(
        engine: LocalEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    number = long_job(engine, "anna", 6)
    real, refused = engine.store.update_job, []

    def refuse(job: int, **columns: object) -> None:
        refused.append(columns)
        raise StoreError("The disk of /home is full.")

    monkeypatch.setattr(engine.store, "update_job", refuse)
    os.kill(engine.process.pid, signal.SIGKILL)
    eventually(lambda: any(columns.get("state") == "failed" for columns in refused))
    monkeypatch.setattr(engine.store, "update_job", real)
    assert ended(engine, number)["state"] == "failed"
    assert ended(engine, curve_job(engine, f"{TEACHER}/low_rank(scheme=plain)/22", [0.1]))["state"] == "done"


def test_lines_that_are_no_answers_are_passed_over(engine: LocalEngine, caplog: pytest.LogCaptureFixture) -> None:
    eventually(lambda: engine._description)
    worker = engine._worker
    for answer in ({"ended": 12345, "state": "done"}, {}, {"turn": "x"}, {"ended": [1]}, {"ready": None}):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(worker.process, "stdout", iter(["no json\n", "[1]\n", f"{answer!r}\n".replace("'", '"')]))
            patch.setattr(worker.process, "wait", lambda: 0)
            worker._read(engine._answered, lambda *_: None)
    assert "no answer" in caplog.text
    assert ended(engine, curve_job(engine, f"{TEACHER}/low_rank(scheme=plain)/23", [0.1]))["state"] == "done"


def test_a_worker_that_was_given_up_is_started_again_when_a_page_asks(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMPRESS_HOME", str(tmp_path / "home"))
    broken = tmp_path / "torch.py"
    broken.write_text("raise ImportError('torch is damaged')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    engine = LocalEngine(Store())
    with pytest.raises(EngineError, match="An unexpected ImportError"):
        engine.description(LIMIT)
    broken.unlink()
    monkeypatch.setattr(engines, "HEALTHY", 0.0)
    assert engine.description(LIMIT)["methods"]
    engine.close()
