"""The worker process: `python -m compress.service.worker`. Reads JSON lines from standard input, answers on standard output.

    in    {"run": 7, "kind": "curve", "request": {"recipe": "...", "values": [...]}, "session": "..."}   {"cancel": 7}
    out   {"ready": {...description...}} or {"problem": "why it cannot start"}   {"turn": 7}   {"heard": 7}
          {"ended": 7, "state": "done" | "cancelled" | "failed", "error": null | "..."}

Results and progress are written to the store, so that nothing is lost when one of the processes dies. When standard input
closes, the app has ended: its jobs are marked as interrupted and the worker ends.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import threading
import traceback
from contextlib import suppress
from typing import Any, TextIO

from compress import memory
from compress.curves.store import Store
from compress.files.artefacts import sweep_home
from compress.files.store_error import StoreError
from compress.service import queue_order
from compress.service.failures import sentence_of
from compress.service.job_run import JobRun
from compress.service.turns import Turns

MOST_AT_ONCE = 32
SPARE = 1_000_000_000  # bytes of memory that have to be free where a job begins beside others
LOOK_AGAIN = 1.0


class Worker:
    """Runs every job in a thread of its own; they take turns. One thread reads commands and the end of input."""

    def __init__(self, commands: TextIO, answers: TextIO, store: Store) -> None:
        self.commands, self.answers, self.store = commands, answers, store
        self.turns = Turns(_keep, _restore, lambda number: self.answer({"turn": number}))
        self.device: Any = "cpu"
        self._answering = threading.Lock()
        self._changed = threading.Condition()
        self._waiting: list[dict[str, Any]] = []
        self._running: dict[int, JobRun] = {}
        self.compiling: Any = None  # the process that compiles kernels ahead, which ends when it is forgotten

    def serve(self) -> None:
        """Runs jobs until the app ends."""
        threading.Thread(target=self._listen, daemon=True).start()
        from compress.networks import device
        from compress.service.description import description
        from compress.solvers import compiled

        memory.spare()  # a wrong setting is said before the first job
        self.device = device.prepare()
        self.answer({"ready": description()})
        gc.freeze()  # what was imported stays: a later collection looks only at what is made from now on
        gc.enable()
        with suppress(OSError):  # no process can be started: the first job that needs the kernels compiles them
            self.compiling = compiled.compile_beside()
        _warm_up()
        while True:
            with self._changed:
                self._changed.wait_for(self._can_begin, LOOK_AGAIN)  # memory is freed without a word
                if self._can_begin():
                    job = self.begin(self._take())
                    threading.Thread(target=self.run, args=[job], name=f"job {job.number}", daemon=True).start()

    def begin(self, command: dict[str, Any]) -> JobRun:
        """The job of a command, among those that run."""
        job = JobRun(self.store, self.turns, command, self.device)
        self._running[job.number] = job
        return job

    def run(self, job: JobRun) -> None:
        """Runs a job in this thread, from its first turn to its answer."""
        with self.turns.seat(job.number, job.session):
            state, error = job.outcome()
            with self._changed:
                del self._running[job.number]
                self._changed.notify_all()
            self.answer({"ended": job.number, "state": state, "error": error})
            memory.give_back()

    def answer(self, message: dict[str, Any]) -> None:
        """Sends a message to the app."""
        with self._answering:
            self.answers.write(json.dumps(message) + "\n")
            self.answers.flush()

    def _listen(self) -> None:
        for line in self.commands:
            command = json.loads(line)
            if "cancel" in command:
                self._cancel(command["cancel"])
            else:
                with self._changed:
                    self._waiting.append(command)
                    self._changed.notify_all()
        for number in [*self._running, *(command["run"] for command in self._waiting)]:
            with suppress(StoreError):  # the next app finds that their owner is gone
                self.store.update_job(number, state="interrupted", error="The program was stopped during this job.")
        os._exit(0)

    def _cancel(self, number: int) -> None:
        with self._changed:
            waited = [command for command in self._waiting if command["run"] == number]
            self._waiting = [command for command in self._waiting if command["run"] != number]
            if number in self._running:
                self._running[number].cancelled = True
        self.turns.cancel(number)
        self.answer({"ended": number, "state": "cancelled", "error": None} if waited else {"heard": number})

    def _can_begin(self) -> bool:
        """Whether a job waits, and there is memory for it: one job can always begin."""
        if not self._waiting or not self._running:
            return bool(self._waiting)
        free = memory.spare()
        return len(self._running) < MOST_AT_ONCE and (free is None or free > SPARE)

    def _take(self) -> dict[str, Any]:
        running = [job.session for job in self._running.values()]
        first = queue_order.ordered([(one["run"], one.get("session", "")) for one in self._waiting], running)[0]
        return self._waiting.pop([one["run"] for one in self._waiting].index(first))


def _keep() -> Any:
    from compress.service import computing_state

    return computing_state.keep()


def _restore(state: Any) -> None:
    from compress.service import computing_state

    computing_state.restore(state)


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
    gc.disable()  # until the app has its answer: collections take an eighth of the time that imports take
    try:
        store = Store()
        sweep_home(store.path.parent)
        store.clean_up()
        Worker(sys.stdin, answers, store).serve()
    except Exception as problem:
        traceback.print_exc()
        answers.write(json.dumps({"problem": sentence_of(problem)}) + "\n")
        answers.flush()
        sys.exit(1)


if __name__ == "__main__":
    main()
