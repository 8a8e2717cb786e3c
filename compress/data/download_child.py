"""Runs openml_download.py in a process of its own, which ends with this one, at a time limit, or when work is cancelled."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from compress.data import openml_download
from compress.progress import Cancelled, Reporter

GRACE = 1.0  # seconds for the child process to remove incomplete files
LOOK_EVERY = 0.2
SAY_EVERY = 2.0


def run(arguments: list[str], seconds: float, report: Reporter) -> tuple[int | None, str]:
    """The exit code of the child process (None if it was ended at the time limit) and the last line of its error output.

    Raises:
        Cancelled: through `report`; the child process has ended then.
    """
    reading, writing = os.pipe()  # the child process ends when the other end of its standard input is closed
    try:
        child = subprocess.Popen([sys.executable, "-P", "-m", openml_download.__name__, *arguments], text=True,
                                 errors="replace", stdin=reading, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                 start_new_session=True, env=_environment())
        try:
            words = _wait(child, seconds, report, arguments[0])
        finally:
            _end(child)
    finally:
        os.close(reading)
        os.close(writing)
    return (None, "") if words is None else (child.returncode, (words.strip().splitlines() or [""])[-1])


def _environment() -> dict[str, str]:
    """The folder of the program comes first; that in which the user works is not searched for modules (-P)."""
    root = str(Path(__file__).resolve().parents[2])
    return {**os.environ, "PYTHONPATH": os.pathsep.join([root, *filter(None, [os.environ.get("PYTHONPATH")])])}


def _wait(child: subprocess.Popen[str], seconds: float, report: Reporter, name: str) -> str | None:
    """The error output of the child process at its end; None at the time limit."""
    began = said = time.monotonic()
    while True:
        try:
            return child.communicate(timeout=min(LOOK_EVERY, seconds))[1]
        except subprocess.TimeoutExpired:
            now = time.monotonic()
            if now - began >= seconds:
                return None
            if report.is_cancelled():
                raise Cancelled(f"the download of {name}") from None
            if now - said >= SAY_EVERY:
                report(0.0, f"downloading {name} from openml.org, {now - began:.0f} s")
                said = now


def _end(child: subprocess.Popen[str]) -> None:
    """Ends the child process and its group, first by SIGTERM, then by SIGKILL; does nothing if it has ended."""
    if child.poll() is not None:
        return
    child.terminate()
    try:
        child.communicate(timeout=GRACE)
    except subprocess.TimeoutExpired:
        if hasattr(os, "killpg"):
            os.killpg(child.pid, signal.SIGKILL)
        else:
            child.kill()
        child.communicate()
