"""One job in its thread: reports become progress in the store and places where others get their turn."""

from __future__ import annotations

import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from compress.curves.store import Store
from compress.files.store_error import StoreError
from compress.progress import Cancelled, Progress, Reporter
from compress.service import kept_paces
from compress.service.failures import sentence_of
from compress.service.notebook import Notebook
from compress.service.requests import request_of
from compress.service.turns import Turns
from compress.workload import Workload


class JobRun:
    """A job of a command of the app; `cancelled` is set from another thread."""

    def __init__(self, store: Store, turns: Turns, command: dict[str, Any], device: Any) -> None:
        self.store, self.turns, self.command, self.device = store, turns, command, device
        self.number: int = command["run"]
        self.session: str = command.get("session", "")
        self.cancelled = False
        self.home = store.path.parent
        self.work = Workload(kept_paces.load(self.home), lambda: turns.used(self.number), str(device))
        self.notebook = Notebook(store, self.number, self.work.outlook)

    def outcome(self) -> tuple[str, str | None]:
        """Does the job's work: (state, the error's sentence)."""
        state, error = "done", None
        try:
            self._do()
        except Cancelled:
            state = "cancelled"
        except Exception as problem:
            traceback.print_exc()
            state, error = "failed", sentence_of(problem)
        kept_paces.keep(self.home, self.work.measured())
        try:
            self.notebook.note(state=state, error=error, **({"share": 1.0} if state == "done" else {}))
        except StoreError:
            traceback.print_exc()  # the app writes the state when it gets the answer
        return state, error

    def _do(self) -> None:
        from compress.service.job_kinds import do  # heavy imports, after the app was told that the worker is ready

        if self.cancelled:
            raise Cancelled
        self.notebook.note(state="running", started=time.time(), text="starting")
        report = Reporter(self._report, lambda: self.cancelled, exclusive=self._exclusive, task=self.work.root)
        do(request_of(self.command["kind"], self.command["request"]), self.store, report, self.device)

    def _report(self, progress: Progress) -> None:
        self.notebook.write(progress)
        self.turns.report(self.number)

    @contextmanager
    def _exclusive(self, name: str, key: str) -> Iterator[bool]:
        if self.turns.is_taken(self.number, f"{name} {key}"):
            self.notebook.note(text=f"waiting for the {name}, which another run is making")
        with self.turns.exclusive(self.number, f"{name} {key}") as waited:
            yield waited
