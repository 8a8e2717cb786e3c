"""The engine: submits and cancels jobs in a worker process, which is replaced when it dies.

Imports nothing heavy: the process that serves the pages never loads torch.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

from compress.atomic_file import write_whole
from compress.curves.store import ACTIVE, Store
from compress.home import cache_folder
from compress.service.requests import Request

GRACE = 3.0
MOST_DEATHS = 3


class Engine(Protocol):
    """The interface of an engine. LocalEngine runs jobs in a local process; another engine can run them on a cluster."""

    store: Store

    def description(self, timeout: float) -> dict[str, Any]:
        """The description of the worker's installation; waits until the worker is ready."""

    def submit(self, request: Request, key: str, title: str) -> int:
        """Queues a job and returns its number; if a job with this key is active, returns that job's number."""

    def cancel(self, number: int) -> None:
        """Cancels a job; its finished points stay in the store."""


class EngineError(RuntimeError):
    """The worker cannot be started; the message has the reason and a remedy."""


class LocalEngine:
    """One worker process in a process group of its own, with JSON lines over pipes; one job at a time."""

    def __init__(self, store: Store | None = None) -> None:
        self.store = store or Store()
        self.store.interrupt_orphans()
        self._lock = threading.RLock()
        self._ready = threading.Event()
        self._description: dict[str, Any] | None = None
        self._waiting: list[int] = []
        self._running: int | None = None
        self._quick_deaths = 0
        self._closed = False
        self._start()

    @property
    def process(self) -> subprocess.Popen[str]:
        """The present worker process."""
        return self._process

    def description(self, timeout: float = 60.0) -> dict[str, Any]:
        """Plain data from the worker, or from the last worker of the same program while this one is starting.

        Raises EngineError if it does not come up in time (seconds)."""
        if self._description is None:
            self._description = _kept_description()
        if self._description is None:
            self._ready.wait(timeout)
        if self._description is None:
            raise EngineError("The compute process did not start. Its last messages are in "
                              f"{self._log()}; close other programs if memory is short, then start the app again.")
        return self._description

    def submit(self, request: Request, key: str, title: str) -> int:
        """Queues a job; a key that is already queued or running is not queued twice."""
        with self._lock:
            latest = self.store.latest_job(key)
            if latest and latest["state"] in ACTIVE:
                return int(latest["id"])
            number = self.store.new_job(key, request.kind, title, request.plain())
            self._waiting.append(number)
            if self._quick_deaths >= MOST_DEATHS:
                self._quick_deaths = 0
                self._start()
            self._next()
        return number

    def cancel(self, number: int) -> None:
        """Ends a queued job at once; a running job gets 3 s to stop, after which the worker is replaced."""
        with self._lock:
            if number in self._waiting:
                self._waiting.remove(number)
                self.store.update_job(number, state="cancelled")
            elif number == self._running:
                self._send({"cancel": number})
                timer = threading.Timer(GRACE, self._enforce, [number, self._process])
                timer.daemon = True
                timer.start()

    def close(self) -> None:
        """Ends the worker (when the app ends)."""
        with self._lock:
            self._closed = True
            self._kill(self._process)
            self._process.wait()  # before writing to the store, whose lock the worker may have had
            for number in filter(None, [self._running, *self._waiting]):
                self.store.update_job(number, state="interrupted", error="The program was stopped during this job.")

    def _start(self) -> None:
        root = str(Path(__file__).resolve().parents[2])
        paths = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))
        with self._log().open("w") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "compress.service.worker"], cwd=root,
                env={**os.environ, "PYTHONPATH": paths, "COMPRESS_HOME": str(self.store.path.parent)},
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True, start_new_session=True)
        self._came_up = False
        threading.Thread(target=self._listen, args=[self._process], daemon=True).start()

    def _listen(self, process: subprocess.Popen[str]) -> None:
        """Reads the worker's answers until it ends. Never calls Streamlit."""
        for line in process.stdout or ():
            if not line.endswith("\n"):
                break  # killed in the middle of a line
            answer = json.loads(line)
            with self._lock:
                if "ready" in answer:
                    self._description, self._came_up = answer["ready"], True
                    _keep_description(self._description)
                    self._ready.set()
                elif answer.get("ended") == self._running:
                    self._running = None
                    self._next()
        self._bury(process)

    def _bury(self, process: subprocess.Popen[str]) -> None:
        """After the worker's end: its job fails with a message, and another worker does the waiting jobs."""
        code = process.wait()
        with self._lock:
            if self._closed or process is not self._process:
                return
            if self._running is not None:
                self.store.update_job(self._running, state="failed", error=_last_words(code))
                self._running = None
            self._quick_deaths = 0 if self._came_up else self._quick_deaths + 1
            if self._quick_deaths >= MOST_DEATHS:
                self._ready.set()
                for number in self._waiting:
                    self.store.update_job(number, state="failed", error=_last_words(code))
                self._waiting.clear()
                return
            self._start()
            self._next()

    def _next(self) -> None:
        if self._running is None and self._waiting:
            job = self.store.job(self._waiting[0])
            if self._send({"run": job["id"], "kind": job["kind"], "request": job["request"]}):
                self._running = self._waiting.pop(0)

    def _send(self, message: dict[str, Any]) -> bool:
        """False if the worker has ended; the reader thread then starts another one for the waiting jobs."""
        pipe = self._process.stdin
        if pipe is None:
            return False
        try:
            pipe.write(json.dumps(message) + "\n")
            pipe.flush()
        except (BrokenPipeError, ValueError):
            return False
        return True

    def _enforce(self, number: int, process: subprocess.Popen[str]) -> None:
        with self._lock:
            if number == self._running and process is self._process:
                self._came_up = True  # its death is intended
                self._kill(process)
                process.wait()  # it may have been stopped while it had the store's lock
                self.store.update_job(number, state="cancelled", text="cancelled")

    def _kill(self, process: subprocess.Popen[str]) -> None:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)

    def _log(self) -> Path:
        return cache_folder() / "worker.log"


def _keep_description(description: dict[str, Any]) -> None:
    contents = json.dumps({"stamp": _stamp(), "description": description})
    with suppress(OSError):  # the file only makes the next start faster
        write_whole(contents.encode(), cache_folder() / "description.json")


def _kept_description() -> dict[str, Any] | None:
    """The description of an earlier worker, if nothing that it depends on has changed."""
    path = cache_folder() / "description.json"
    try:
        kept = json.loads(path.read_text())
        return kept["description"] if kept["stamp"] == _stamp() else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _stamp() -> list[Any]:
    """Changes when a source file, or an environment variable that the description depends on, does."""
    sources = sorted(Path(__file__).resolve().parents[1].rglob("*.py"))
    return [[f"{path.name} {path.stat().st_mtime_ns}" for path in sources],
            [os.environ.get(name) for name in ("COMPRESS_DATA", "COMPRESS_DEVICE", "COMPRESS_CORES",
                                               "CUDA_VISIBLE_DEVICES")]]


def _last_words(code: int) -> str:
    if code == -signal.SIGKILL:
        return ("The compute process was killed from outside, often because memory ran out. A new one has been "
                "started; finished points are kept. Resume, or choose a smaller network or data set.")
    return (f"The compute process ended unexpectedly (exit code {code}). A new one has been started; finished points "
            "are kept. Resume to go on.")
