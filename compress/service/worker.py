"""The worker process: `python -m compress.service.worker`. Reads JSON lines from standard input, answers on standard output.

    in    {"run": 7, "kind": "curve", "request": {"recipe": "...", "values": [...]}}   {"cancel": 7}
    out   {"ready": {...description...}}   {"ended": 7, "state": "done" | "cancelled" | "failed"}

Results and progress are written to the store, so that nothing is lost when one of the processes dies. When standard input
closes, the app has ended: the present job is marked as interrupted and the worker ends.
"""

from __future__ import annotations

import json
import os
import queue
import sys
import threading
import time
import traceback
from contextlib import suppress
from typing import Any, TextIO

from compress.curves.store import Store
from compress.progress import Cancelled, EpochDone, Progress, Reporter
from compress.service.failures import sentence_of
from compress.service.requests import request_of

PROGRESS_EVERY = 0.15


class Worker:
    """Runs one job at a time in the main thread; a second thread reads commands and the end of input."""

    def __init__(self, commands: TextIO, answers: TextIO, store: Store) -> None:
        self.commands, self.answers, self.store = commands, answers, store
        self.waiting: queue.Queue[dict[str, Any]] = queue.Queue()
        self.cancelled: set[int] = set()
        self.current: int | None = None

    def serve(self) -> None:
        """Runs jobs until the app ends."""
        threading.Thread(target=self._listen, daemon=True).start()
        from compress.networks import device
        from compress.service.description import description

        self.device = device.prepare()
        self._answer({"ready": description()})
        _warm_up()
        while True:
            self._work(self.waiting.get())

    def _listen(self) -> None:
        for line in self.commands:
            command = json.loads(line)
            if "cancel" in command:
                self.cancelled.add(command["cancel"])
            else:
                self.waiting.put(command)
        if self.current is not None:
            self.store.update_job(self.current, state="interrupted", error="The program was stopped during this job.")
        os._exit(0)

    def _work(self, command: dict[str, Any]) -> None:
        number = self.current = command["run"]
        note = _Notebook(self.store, number)
        self.store.update_job(number, state="running", started=time.time(), text="starting")
        state, error = "done", None
        try:
            from compress.service.job_kinds import do  # heavy imports, after the app was told that the worker is ready

            do(request_of(command["kind"], command["request"]), self.store,
               Reporter(note.write, lambda: number in self.cancelled), self.device)
        except Cancelled:
            state = "cancelled"
        except Exception as problem:
            traceback.print_exc()
            state, error = "failed", sentence_of(problem)
        note.flush()
        self.store.update_job(number, state=state, error=error, **({"share": 1.0} if state == "done" else {}))
        self.current = None
        self._answer({"ended": number, "state": state})

    def _answer(self, message: dict[str, Any]) -> None:
        self.answers.write(json.dumps(message) + "\n")
        self.answers.flush()


class _Notebook:
    """Writes the progress of a job to the store, a few times a second at most; epochs are collected for the live chart."""

    def __init__(self, store: Store, number: int) -> None:
        self.store, self.number = store, number
        self.live: list[dict[str, Any]] = []
        self.written = 0.0
        self.columns: dict[str, Any] = {}

    def write(self, progress: Progress) -> None:
        """Called at every report. Epochs of a network are collected; of other live data only the newest is stored."""
        if isinstance(progress.live, EpochDone):
            self.live = [*(self.live if progress.live.epoch > 1 else []), progress.live.plain()]
        elif progress.live is not None:
            self.written = self.written if self.live else 0.0  # the first is worth showing at once
            self.live = [progress.live.plain()]
        self.columns = {"share": progress.share, "text": progress.text, "live": self.live}
        if time.monotonic() - self.written >= PROGRESS_EVERY:
            self.flush()

    def flush(self) -> None:
        """Writes the progress since the last write."""
        if self.columns:
            self.store.update_job(self.number, **self.columns)
            self.columns, self.written = {}, time.monotonic()


def _warm_up() -> None:
    """Does a little of the work of the first click, so that this is fast (torch loads its optimizers late)."""
    from compress.data.datasets import load
    from compress.methods.low_rank import LowRank
    from compress.recipe import Step
    from compress.training import teachers

    with suppress(ValueError, OSError):  # the job that needs the data reports the error
        data = load("digits")
        teacher = teachers.train_teacher(data, Step.of("mlp", {"hidden": "8", "epochs": 1})).network
        LowRank().compress(teacher, data)


def main() -> None:
    """Reserves standard output for answers: prints of libraries go to standard error."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    Worker(sys.stdin, answers, Store()).serve()


if __name__ == "__main__":
    main()
