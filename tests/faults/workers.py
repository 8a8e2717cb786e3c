"""The app's worker and downloads that are killed or stopped, over an engine in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

from tests.faults.place import TEACHER, Place, Seen, eventually

RECIPE = f"digits/{TEACHER}/low_rank(recovery_steps=60,scheme=plain)/0"
VALUES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6)
ENGINE = """
import json, os, signal, sys, time
from compress.service.engine import LocalEngine
from compress.service.requests import CurveRequest, TeacherRequest
engine = LocalEngine()
engine.description(200)
recipe, values, act = sys.argv[1], json.loads(sys.argv[2]), sys.argv[3]
def submit(recipe=recipe):
    return engine.submit(CurveRequest(recipe, tuple(values)), recipe, "a curve")
def wait(holds):
    until = time.monotonic() + 150
    while not holds() and time.monotonic() < until:
        time.sleep(0.02)
def state(number):
    return engine.store.job(number)["state"]
first = submit()
wait(lambda: len(engine.store.all_points()) >= (0 if act.startswith("teacher") else 1) and state(first) != "queued")
before = len(engine.store.all_points())
exec(sys.argv[4])
print(json.dumps({"state": state(first), "error": engine.store.job(first)["error"], "before": before,
                  "points": len(engine.store.all_points())}), flush=True)
engine.close()
"""
TO_THE_END = "wait(lambda: state(first) not in ('queued', 'running')); "


def worker_killed_in_teacher(place: Place) -> Seen:
    """Worker killed (SIGKILL) while the teacher trains; the run is submitted again"""
    return _engine(place, "teacher", "os.kill(engine.process.pid, 9); " + TO_THE_END + "first = submit(); " + TO_THE_END)


def worker_killed_in_curve(place: Place) -> Seen:
    """Worker killed (SIGKILL) after the first points of a curve; the run is submitted again"""
    return _engine(place, "curve", "os.kill(engine.process.pid, 9); " + TO_THE_END + "first = submit(); " + TO_THE_END)


def app_killed(place: Place) -> Seen:
    """App killed (SIGKILL) after the first points of a curve, then started again"""
    killed = subprocess.run([sys.executable, "-c", ENGINE, RECIPE, json.dumps(VALUES), "curve",
                             "print(engine.process.pid, before, flush=True); os.kill(os.getpid(), 9)"], cwd=place.folder,
                            env=place.environment(), capture_output=True, text=True, timeout=300)
    worker, before = (int(word) for word in killed.stdout.split())
    gone = eventually(lambda: not os.path.exists(f"/proc/{worker}") or " Z " in _stat(worker), 20)
    after = _engine(place, "curve", TO_THE_END)
    return Seen(f"worker gone: {bool(gone)}; {after.seen}", after.lost, bool(gone) and after.right and before >= 1)


def cancelled(place: Place) -> Seen:
    """A run cancelled after its first points, then submitted again"""
    return _engine(place, "curve", "engine.cancel(first); " + TO_THE_END + "first = submit(); " + TO_THE_END)


def address_space_is_short(place: Place) -> Seen:
    """A network of five layers of 8192 where the memory is limited to 2 GB"""
    seen = place.shell("teacher", "--data", "digits", "--teacher", "mlp(hidden=8192-8192-8192-8192-8192,epochs=1)",
                       env={"COMPRESS_MEMORY": "2"})
    return Seen(seen.text, "nothing", seen.is_one_sentence(2, "memory"))


def _stat(process: int) -> str:
    try:
        with open(f"/proc/{process}/stat") as stat:
            return stat.read()
    except OSError:
        return " Z "


def _engine(place: Place, act: str, script: str, **env: Any) -> Seen:
    done = subprocess.run([sys.executable, "-c", ENGINE, RECIPE, json.dumps(VALUES), act, script], cwd=place.folder,
                          env=place.environment(**env), capture_output=True, text=True, timeout=400)
    if not done.stdout.strip():
        return Seen(done.stderr[-200:], "unknown", False)
    found = json.loads(done.stdout.splitlines()[-1])
    missing = max(len(VALUES), found["before"]) - found["points"]
    lost = f"{missing} points" if missing > 0 else "nothing"
    return Seen(f"{found['state']} {found['error'] or ''}, {found['points']} points", lost,
                found["state"] == "done" and lost == "nothing")


ROWS = (worker_killed_in_teacher, worker_killed_in_curve, app_killed, cancelled, address_space_is_short)
