"""The engine end to end: jobs run in a worker process, survive its death, and can be stopped at any time."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from compress.curves.sink import opened_counter
from compress.curves.sweep import complete
from compress.data.datasets import load
from compress.recipe import Recipe
from compress.service import engine as jobs
from compress.service import kept_description
from compress.service.engine import LocalEngine
from compress.service.interface import EngineError
from compress.service.requests import CurveRequest, FinalRequest, Request, TeacherRequest
from tests.compress.service.running import LIMIT, TEACHER, VALUES, curve_job, ended, eventually, points_of, stop


@pytest.fixture(scope="module")
def engine(home: Path) -> Iterator[LocalEngine]:
    started = LocalEngine()
    yield started
    started.close()
    started.process.wait(10)


def test_the_description_arrives_and_lists_what_there_is(engine: LocalEngine) -> None:
    found = engine.description()
    assert {"digits", "mnist5k", "mnist1d"} <= {card["name"] for card in found["datasets"]}
    assert "low_rank" in found["methods"]
    assert [family["name"] for family in found["families"]] == ["logistic", "mlp", "cnn", "resnet", "gru", "embedding_bag",
                                                                "token_gru", "token_cnn", "own"]
    assert found["device"] and all(preset["settings"]["epochs"] for preset in found["presets"])


def test_a_curve_job_ends_done_with_every_point_in_the_store(engine: LocalEngine) -> None:
    recipe = f"{TEACHER}/low_rank(scheme=plain)/0"
    number = curve_job(engine, recipe, [0.1, 0.3, 0.5])
    job = ended(engine, number)
    assert (job["state"], job["error"], job["share"]) == ("done", None, 1.0)
    assert sorted(point["dial"] for point in points_of(engine.store, recipe)) == [0.1, 0.3, 0.5]
    assert [entry["epoch"] for entry in job["live"]] == [1, 2] and job["owner"] == os.getpid()


def test_a_teacher_job_leaves_the_teacher_in_the_store(engine: LocalEngine) -> None:
    recipe = "digits/mlp(epochs=1,hidden=8)/0"
    assert ended(engine, engine.submit(TeacherRequest(recipe), recipe, "a teacher"))["state"] == "done"
    kept = engine.store.teachers(complete(Recipe.parse(recipe)).key())[0]
    assert engine.store.artefacts.path(kept["digest"]).stat().st_size == kept["card"]["bytes"]


def test_a_final_job_reports_on_the_test_split(engine: LocalEngine) -> None:
    digest = next(point["digest"] for point in engine.store.all_points())
    counter = opened_counter("digits", load("digits").digest)
    before = engine.store.counter(counter)
    job = ended(engine, engine.submit(FinalRequest("digits", (digest,), "report"), "final", "the end"))
    assert job["state"] == "done" and engine.store.counter(counter) == before + 1
    assert engine.store.view("report", "final")["rows"][0]["name"] == digest


@pytest.mark.parametrize(("request_", "answer"), [
    (CurveRequest("digits/mlp/magic/0", ()), "There is no method 'magic'; choose one of"),
    (CurveRequest("digits/mlp/low_rank/0", (7,)), "LowRank: keep must be between 0.001 and 1.0"),
    (TeacherRequest("nothing/mlp/0"), "There is no data set 'nothing'. Choose one of")])
def test_a_bad_request_fails_with_its_message_and_the_worker_lives_on(request_: Request, answer: str,
                                                                     engine: LocalEngine) -> None:
    worker = engine.process.pid
    job = ended(engine, engine.submit(request_, answer, "bad"))
    assert job["state"] == "failed" and answer in job["error"]
    assert engine.process.pid == worker and engine.process.poll() is None


def test_a_key_that_is_still_at_work_is_not_queued_twice(engine: LocalEngine) -> None:
    recipe = f"{TEACHER}/low_rank(recovery_steps=100,scheme=plain)/0"
    first, again, waiting = (curve_job(engine, recipe, VALUES, key) for key in ("one", "one", "two"))
    assert first == again != waiting
    for number in (waiting, first):
        engine.cancel(number)
        assert ended(engine, number)["state"] == "cancelled"
    assert curve_job(engine, f"{TEACHER}/0", [], "one") > waiting


def test_cancelling_a_running_job_keeps_its_points_and_the_worker(engine: LocalEngine) -> None:
    recipe = f"{TEACHER}/low_rank(recovery_steps=60,scheme=plain)/0"
    values = [round(0.01 * step, 2) for step in range(1, 50)]
    worker = engine.process.pid
    number = curve_job(engine, recipe, values)
    eventually(lambda: points_of(engine.store, recipe))
    engine.cancel(number)
    asked = time.monotonic()
    assert ended(engine, number)["state"] == "cancelled"
    assert time.monotonic() - asked < 15
    kept = points_of(engine.store, recipe)
    assert 0 < len(kept) < len(values) and engine.process.pid == worker


def test_a_worker_that_does_not_listen_is_replaced_after_a_grace(engine: LocalEngine,
                                                                 monkeypatch: pytest.MonkeyPatch) -> None:
    """Stopped like a debugger stops it, it cannot answer a cancel."""
    monkeypatch.setattr(jobs, "GRACE", 0.2)
    worker = engine.process
    number = curve_job(engine, f"{TEACHER}/low_rank(recovery_steps=300,scheme=plain)/0", VALUES)
    eventually(lambda: engine.store.job(number)["state"] == "running")
    stop(worker.pid)
    engine.cancel(number)
    assert ended(engine, number)["state"] == "cancelled"
    eventually(lambda: engine.process.pid != worker.pid)
    assert ended(engine, curve_job(engine, f"{TEACHER}/low_rank(scheme=plain)/0", [0.1], "after"))["state"] == "done"


def test_a_killed_worker_is_replaced_and_only_what_is_missing_is_measured_again(engine: LocalEngine) -> None:
    recipe = f"{TEACHER}/low_rank(recovery_steps=120,scheme=plain)/0"
    number = curve_job(engine, recipe, VALUES)
    eventually(lambda: points_of(engine.store, recipe))
    killed = engine.process
    os.kill(killed.pid, signal.SIGKILL)
    job = ended(engine, number)
    assert job["state"] == "failed" and "killed from outside" in job["error"] and "Resume" in job["error"]
    before = {point["key"]: point["created"] for point in points_of(engine.store, recipe)}
    assert 0 < len(before) < len(VALUES)
    again = curve_job(engine, recipe, VALUES)
    assert again != number and ended(engine, again)["state"] == "done"
    after = {point["key"]: point["created"] for point in points_of(engine.store, recipe)}
    assert len(after) == len(VALUES) and after.items() >= before.items()
    assert engine.process.pid != killed.pid and killed.poll() == -signal.SIGKILL


def test_a_job_sent_to_a_worker_that_has_just_died_goes_to_the_next_one(engine: LocalEngine) -> None:
    with engine._lock:  # the engine cannot notice the death before the job is submitted
        killed = engine.process
        os.kill(killed.pid, signal.SIGKILL)
        killed.wait(10)
        number = curve_job(engine, f"{TEACHER}/low_rank(scheme=plain)/0", [0.1], "just died")
    assert ended(engine, number)["state"] == "done"


def test_the_next_program_shows_the_kept_description_at_once_and_ignores_a_damaged_one(
        engine: LocalEngine, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fresh = engine.description()
    eventually(lambda: (home / "description.json").exists())
    assert kept_description.kept() == fresh
    monkeypatch.setenv("COMPRESS_DATA", "/somewhere/else")
    assert kept_description.kept() is None
    monkeypatch.delenv("COMPRESS_DATA")
    kept = (home / "description.json").read_text()
    for damaged in ("", kept[:100], "[]", "{}", "null", kept.replace("Rounding", "Founding").replace("digits", "dogits"),
                    kept[:-1] + ',"digest":7}', "[" * 100_000):
        (home / "description.json").write_text(damaged)
        assert kept_description.kept() is None
    (home / "description.json").write_text(kept)


@pytest.fixture
def broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalEngine]:
    """An engine whose workers cannot start: torch is damaged."""
    (tmp_path / "torch.py").write_text("raise ImportError('torch is damaged')")
    monkeypatch.setenv("COMPRESS_HOME", str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    started = LocalEngine()
    yield started
    started.close()


def test_a_worker_that_never_comes_up_is_given_up_with_a_remedy(broken: LocalEngine, tmp_path: Path) -> None:
    said = r"did not start: An unexpected ImportError .*errors.log.* messages are in .*worker.log"
    with pytest.raises(EngineError, match=said):
        broken.description(LIMIT)
    assert "torch is damaged" in (tmp_path / "worker.log").read_text()
    given_up = broken.process.pid
    job = ended(broken, broken.submit(TeacherRequest(f"{TEACHER}/0"), "k", "t"))
    assert job["state"] == "failed" and "did not start: An unexpected ImportError" in job["error"]
    assert broken.process.pid != given_up, "a new job is a new try"


def test_closing_the_engine_ends_the_worker_and_its_jobs_can_be_resumed(home: Path) -> None:
    engine = LocalEngine()
    number = engine.submit(TeacherRequest("digits/mlp(epochs=2000)/0"), "long", "long")
    engine.close()
    assert engine.process.wait(10) == -signal.SIGKILL
    assert engine.store.job(number)["state"] == "interrupted"
