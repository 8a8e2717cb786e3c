"""What tests of running jobs share: waiting for what they do, small curves, and their points."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from compress.curves.store import Store
from compress.curves.sweep import sweep_of
from compress.recipe import Recipe
from compress.service.engine import LocalEngine
from compress.service.requests import CurveRequest

TEACHER = "digits/mlp(epochs=2,hidden=16)"
VALUES = [round(0.05 * step, 2) for step in range(1, 9)]
LIMIT = 180.0  # seconds, for a machine that many others use


def eventually(holds: Callable[[], Any]) -> Any:
    """Waits until something holds, as short as possible; fails if it never does."""
    until = time.monotonic() + LIMIT
    while not (found := holds()):
        assert time.monotonic() < until, "waited in vain"
        threading.Event().wait(0.01)
    return found


def stop(process: int) -> None:
    """Stops a process as a debugger does, and returns when none of its threads runs any more: until then, one of them may
    still take a command that is sent after the signal."""
    os.kill(process, signal.SIGSTOP)
    states = Path(f"/proc/{process}/task").glob
    eventually(lambda: all(state.read_text().rpartition(")")[2].split()[0] == "T" for state in states("*/stat")))


def ended(engine: LocalEngine, number: int) -> dict[str, Any]:
    return eventually(lambda: (job := engine.store.job(number))["state"] not in ("queued", "running") and job)


def curve_job(engine: LocalEngine, recipe: str, values: list[float], key: str = "", session: str = "") -> int:
    return engine.submit(CurveRequest(recipe, tuple(values)), key or recipe, "a curve", session)


def points_of(store: Store, recipe: str) -> list[dict[str, Any]]:
    """Every stored point of this curve, with the time at which it was stored."""
    curve = sweep_of(Recipe.parse(recipe)).curve.key()
    return [point for point in store.all_points() if point["curve"] == curve]
