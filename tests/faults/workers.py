"""The app's worker and the app itself killed, over an engine in a process of its own."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from typing import Any

from tests.faults.downloads import runs
from tests.faults.place import LIMIT, TEACHER, Place, Seen, eventually

RECIPE = f"digits/{TEACHER}/low_rank(recovery_steps=60,scheme=plain)/0"
VALUES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6)
ENGINE = """
import json, os, signal, sys, time
from compress.curves.sweep import sweep_of
from compress.recipe import Recipe
from compress.service.engine import LocalEngine
from compress.service.requests import CurveRequest, TeacherRequest
engine = LocalEngine()
engine.description(200)
recipe, values = sys.argv[1], json.loads(sys.argv[2])
curve = sweep_of(Recipe.parse(recipe), values).curve.key()
(teacher,) = [one for one in engine.store.all_points() if one["method"] == "teacher"]
def submit(session=""):
    return engine.submit(CurveRequest(recipe, tuple(values)), recipe, "a curve", session)
def wait(holds):
    until = time.monotonic() + 200
    while not holds() and time.monotonic() < until:
        time.sleep(0.02)
def state(number):
    return engine.store.job(number)["state"]
def points():
    return [{"recipe": one["recipe"], "file": one["digest"]} for one in engine.store.points(curve, teacher["reference"])]
def begun():
    number = submit()
    wait(lambda: points() or state(number) not in ("queued", "running"))
    return number
def finished(number):
    wait(lambda: state(number) not in ("queued", "running"))
    return [state(number), engine.store.job(number)["error"] or ""]
def say(**found):
    print(json.dumps({"points": points(), **found}), flush=True)
"""
LEAVE = "\nengine.close()"


def worker_killed_in_teacher(place: Place) -> Seen:
    """The worker killed (SIGKILL) while a teacher trains; the run is submitted again"""
    found = by_an_engine(place, """
other = recipe.replace("epochs=2", "epochs=60").split("/low_rank")[0] + "/0"
def train():
    return engine.submit(TeacherRequest(other), other, "a teacher")
first = train()
wait(lambda: engine.store.job(first)["share"] > 0.05)
os.killpg(engine.process.pid, signal.SIGKILL)
ended = finished(first)
again = finished(train())
kept = [{"recipe": one["recipe"], "file": one["digest"]} for one in engine.store.all_points()]
print(json.dumps({"points": kept, "ended": ended, "again": again}), flush=True)""" + LEAVE)
    return _told(found[-1])


def worker_killed_in_curve(place: Place) -> Seen:
    """The worker killed (SIGKILL) after the first points of a curve; the run is submitted again"""
    found = by_an_engine(place, """
first = begun()
say()
os.killpg(engine.process.pid, signal.SIGKILL)
ended = finished(first)
say(ended=ended, again=finished(submit()))""" + LEAVE)
    seen = _told(found[-1])
    return Seen(f"{seen.text}; {len(found[0]['points'])} points, then {len(found[-1]['points'])}",
                seen.right and len(found[-1]["points"]) == len(VALUES))


def app_killed(place: Place) -> Seen:
    """The app killed (SIGKILL) after the first points of a curve; started again, the run is submitted again"""
    killed = by_an_engine(place, "begun()\nsay(worker=engine.process.pid)\nos.kill(os.getpid(), signal.SIGKILL)")[-1]
    gone = eventually(lambda: not runs(killed["worker"]), 30)
    found = by_an_engine(place, """
job = engine.store.latest_job(recipe)
ended = [job["state"], job["error"] or ""]
say(ended=ended, again=finished(submit()))""" + LEAVE)[-1]
    return Seen(f"the worker has {'ended' if gone else 'NOT ENDED'}; {found['ended'][0]}: {found['ended'][1]}; "
                f"again: {found['again'][0]}, {len(killed['points'])} points, then {len(found['points'])}",
                bool(gone) and found["ended"][0] == "interrupted" and found["again"][0] == "done"
                and len(found["points"]) == len(VALUES))


def cancelled(place: Place) -> Seen:
    """A run cancelled after its first points, then submitted again"""
    found = by_an_engine(place, """
first = begun()
say()
engine.cancel(first)
ended = finished(first)
say(ended=ended, again=finished(submit()))""" + LEAVE)[-1]
    return Seen(f"{found['ended'][0]}; again: {found['again'][0]}, {len(found['points'])} points",
                found["ended"][0] == "cancelled" and found["again"][0] == "done" and len(found["points"]) == len(VALUES))


def worker_stopped(place: Place) -> Seen:
    """The worker stopped (SIGSTOP) after the first points of a curve; the run is cancelled and submitted again"""
    found = by_an_engine(place, """
first = begun()
say()
os.kill(engine.process.pid, signal.SIGSTOP)
engine.cancel(first)
ended = finished(first)
say(ended=ended, again=finished(submit()))""" + LEAVE)[-1]
    return Seen(f"{found['ended'][0]}; again: {found['again'][0]}, {len(found['points'])} points",
                found["ended"][0] == "cancelled" and found["again"][0] == "done" and len(found["points"]) == len(VALUES))


def _told(found: dict[str, Any]) -> Seen:
    (state, error), again = found["ended"], found["again"]
    return Seen(f"{state}: {error}; again: {again[0]} {again[1]}",
                state == "failed" and "killed from outside" in error and again[0] == "done")


def by_an_engine(place: Place, script: str) -> list[dict[str, Any]]:
    """What a program with an engine said, line by line; the points that it names are to be there in the end."""
    done = subprocess.run([sys.executable, "-c", ENGINE + script, RECIPE, json.dumps(VALUES)], cwd=place.folder,
                          env=place.environment(), capture_output=True, text=True, timeout=2 * LIMIT)
    found = [json.loads(line) for line in done.stdout.splitlines()]
    if not found or done.returncode not in (0, -signal.SIGKILL):
        raise RuntimeError(done.stderr[-300:])
    for one in found:
        place.expect(one["points"])
    return found


ROWS = (worker_killed_in_teacher, worker_killed_in_curve, app_killed, cancelled, worker_stopped)
