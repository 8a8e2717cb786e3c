"""A worker process that starts when there is something for it to do: a start takes seconds, and most tests of pages look at
what was measured before."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from compress.service.worker_process import WorkerProcess


class LateWorker:
    """What the engine knows of a worker (see WorkerProcess), whose process starts with the first command."""

    def __init__(self, home: Path, on_answer: Callable[[Any, dict[str, Any]], None],
                 on_end: Callable[[Any, int], None]) -> None:
        self.log, self.began, self.ready = home / "worker.log", time.monotonic(), False
        self.problem, self.replaced = "", False
        self._start = lambda: WorkerProcess(home, lambda _, answer: on_answer(self, answer),
                                            lambda _, code: on_end(self, code))
        self._started: WorkerProcess | None = None

    @property
    def process(self) -> Any:
        """The process (a subprocess.Popen), or None before it has started."""
        return self._started and self._started.process

    def send(self, command: dict[str, Any]) -> None:
        self._started = self._started or self._start()
        self._started.send(command)

    def kill(self) -> None:
        if self._started is not None:
            self._started.kill()

    def last_line(self) -> str:
        return self._started.last_line() if self._started is not None else ""
