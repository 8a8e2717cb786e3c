"""The worker process alone: it answers in JSON lines, and when the app goes, it goes."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from compress.curves.store import Store
from compress.curves.sweep import complete
from compress.data.datasets import Dataset
from compress.points import speed_map
from compress.recipe import Recipe
from compress.service.worker import Worker
from tests.compress.helpers import ROOT


@pytest.fixture
def worker(home: Path) -> Iterator[subprocess.Popen[str]]:
    (home / "left.part").touch()
    os.utime(home / "left.part", (0, 0))  # of a process that ended long ago
    process = subprocess.Popen([sys.executable, "-m", "compress.service.worker"], cwd=ROOT, text=True, stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                               env={**os.environ, "PYTHONPATH": str(ROOT)})
    yield process
    process.kill()
    process.wait(10)
    process.stdout.close()


def send(worker: subprocess.Popen[str], message: dict) -> None:
    worker.stdin.write(json.dumps(message) + "\n")
    worker.stdin.flush()


def answer(worker: subprocess.Popen[str]) -> dict:
    return json.loads(worker.stdout.readline())


def test_it_answers_in_json_lines_and_closing_its_input_interrupts_the_job_and_ends_it(
        worker: subprocess.Popen[str], home: Path) -> None:
    store = Store()
    assert "methods" in json.loads(worker.stdout.readline())["ready"] and not (home / "left.part").exists()
    short = store.new_job("short", "teacher", "short", {})
    send(worker, {"run": short, "kind": "teacher", "request": {"recipe": "digits/mlp(epochs=1,hidden=8)/5"}})
    assert answer(worker) == {"turn": short}
    assert answer(worker) == {"ended": short, "state": "done", "error": None}

    early, long = (store.new_job(key, "teacher", "long", {}) for key in ("early", "long"))
    for number in (early, long):
        send(worker, {"run": number, "kind": "teacher", "request": {"recipe": "digits/mlp(epochs=2000)/5"}})
    send(worker, {"cancel": early})
    while (said := answer(worker)).keys() != {"ended", "state", "error"}:
        assert said in ({"turn": early}, {"turn": long}, {"heard": early})
    assert said == {"ended": early, "state": "cancelled", "error": None}
    until = time.monotonic() + 60
    while not store.job(long)["live"] and time.monotonic() < until:
        threading.Event().wait(0.01)
    worker.stdin.close()
    assert worker.wait(10) == 0
    job = store.job(long)
    assert job["state"] == "interrupted" and "stopped during this job" in job["error"] and job["live"]


def test_a_break_even_map_is_kept_for_the_teacher_whatever_method_asks_for_it(toy: Dataset, store: Store,
                                                                           monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speed_map, "latency_ratio", lambda *_: (1.0, 0.9, 1.1))
    answers = io.StringIO()
    worker, number = Worker(io.StringIO(), answers, store), store.new_job("map", "speed", "a map", {})
    teacher = "toy/mlp(epochs=1,hidden=8)"
    worker.run(worker.begin({"run": number, "kind": "speed", "request": {"recipe": f"{teacher}/prune(sparsity=0.5)/0"}}))
    assert [json.loads(line) for line in answers.getvalue().splitlines()] == [
        {"turn": number}, {"ended": number, "state": "done", "error": None}]
    key = complete(Recipe.parse(f"{teacher}/0")).key()
    view = store.view("speed", store.teachers(key)[0]["digest"])
    assert set(view["ways"]) == {"sparse", "units", "rank"} and view["ways"]["sparse"][0][0] == [1.0, 0.9, 1.1]
    assert store.job(number)["share"] == 1.0
