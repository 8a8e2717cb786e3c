"""A worker process seen from the app: JSON lines to it and from it, its log, and its last words."""

from __future__ import annotations

import json
import logging
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

LOG_BYTES = 1_000_000
ROOT = Path(__file__).resolve().parents[2]


class WorkerProcess:
    """One worker in a process group of its own. Commands are sent by a thread, so that a worker that does not read stops
    nobody; answers and the end come from another thread.

    Attributes:
        began: when it was started (time.monotonic()); ready: whether it has come up.
        problem: why it cannot start, in its own words, or ""; replaced: whether the app ends it because it is stuck.
    """

    def __init__(self, home: Path, on_answer: Callable[[WorkerProcess, dict[str, Any]], None],
                 on_end: Callable[[WorkerProcess, int], None]) -> None:
        """
        Args:
            home: the folder of the store and the log. on_answer: called for each answer; on_end: called once, with the exit
                code, after the last answer.
        """
        self.log, self.began, self.ready = home / "worker.log", time.monotonic(), False
        self.problem, self.replaced = "", False
        if self.log.exists() and self.log.stat().st_size > LOG_BYTES:
            self.log.unlink()
        # Threads that spin while they wait make work ten times slower where the cores have anything else to do.
        paths = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
        with self.log.open("a") as log:
            self._log_start = log.tell()
            self.process = subprocess.Popen(
                [sys.executable, "-P", "-m", "compress.service.worker"],  # in this folder: paths may be relative to it
                env={"OMP_WAIT_POLICY": "passive", **os.environ, "PYTHONPATH": paths, "COMPRESS_HOME": str(home)},
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True, start_new_session=True)
        self._commands: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        threading.Thread(target=self._write, daemon=True).start()
        threading.Thread(target=self._read, args=[on_answer, on_end], daemon=True).start()

    def send(self, command: dict[str, Any]) -> None:
        """Sends a command; one that no longer arrives is for the next worker, which begins after on_end()."""
        self._commands.put(command)

    def kill(self) -> None:
        """Ends the worker and what it started, and waits until it has ended."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def last_line(self) -> str:
        """The last line that this worker wrote to its log, or ""."""
        try:
            with self.log.open("rb") as log:
                log.seek(max(self._log_start, log.seek(0, os.SEEK_END) - 10_000))
                lines = log.read().decode(errors="replace").split("\n")
        except OSError:
            return ""
        return next((line.strip() for line in reversed(lines) if line.strip()), "")

    def _write(self) -> None:
        pipe = self.process.stdin
        assert pipe is not None
        try:
            while True:
                pipe.write(json.dumps(self._commands.get()) + "\n")
                pipe.flush()
        except (OSError, ValueError):  # it has ended, which the other thread learns
            return

    def _read(self, on_answer: Callable[[WorkerProcess, dict[str, Any]], None],
              on_end: Callable[[WorkerProcess, int], None]) -> None:
        for line in self.process.stdout or ():
            try:
                answer = json.loads(line)
                if not isinstance(answer, dict):
                    raise ValueError("not an object")
            except ValueError:  # killed in the middle of a line, or the word of a library
                logging.getLogger(__name__).warning("The worker sent a line that is no answer: %.200r", line)
                continue
            try:
                on_answer(self, answer)
            except Exception:  # whatever happens with one answer, the next ones are read
                logging.getLogger(__name__).exception("An answer of the worker could not be taken: %.200r", line)
        on_end(self, self.process.wait())


def last_words(code: int) -> str:
    """Why a worker ended, for the user, by its exit code."""
    if code == -signal.SIGKILL:
        return ("The compute process was killed from outside, often because memory ran out, while this run had its turn. A "
                "new one has been started; finished points are kept. Resume, or choose a smaller network or data set.")
    return (f"The compute process ended unexpectedly (exit code {code}) while this run had its turn. A new one has been "
            "started; finished points are kept. Resume to go on.")
