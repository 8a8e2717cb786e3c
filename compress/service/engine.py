"""The engine: submits and ends jobs in a worker process, which is replaced when it dies.

Imports nothing heavy: the process that serves the pages never loads torch.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from typing import Any

from compress.curves.job_table import ACTIVE, is_orphan, is_own
from compress.curves.store import Store
from compress.files import disk_quota
from compress.files.store_error import StoreError
from compress.service import kept_description
from compress.service.interface import EngineError
from compress.service.job_notes import JobNotes
from compress.service.participants import SEEN_EVERY, Part, Present, end_is_wanted, most_jobs, part_of
from compress.service.requests import Request
from compress.service.worker_process import WorkerProcess, last_words

GRACE = 3.0
MOST_DEATHS = 3
HEALTHY = 10.0  # seconds after which a worker's end is not a failed start
LOOK_EVERY = 1.0
SLOW_LOOKS = 10  # looks between two at what seldom changes


class LocalEngine:
    """One worker process, in which the jobs of all sessions take turns; jobs go on in the next worker when one dies."""

    def __init__(self, store: Store | None = None, present: Present = lambda session: None) -> None:
        """
        Args:
            present: whether a session's browser is connected; None if this process cannot know.
        """
        self.store, self._present = store or Store(), present
        self.store.interrupt_orphans()
        self._lock = threading.RLock()
        self._ready, self._closed = threading.Event(), threading.Event()
        self._description: dict[str, Any] | None = None
        self._jobs: dict[int, dict[str, Any]] = {}  # unfinished jobs of this engine: the command for each
        self._cancelled: set[int] = set()
        self._heard: set[int] = set()
        self._deaths: Counter[int] = Counter()
        self._notes = JobNotes(self.store)
        self._seen: dict[tuple[int, str], float] = {}
        self._turn: int | None = None
        self._failed_starts, self._given_up = 0, ""
        self._start()
        threading.Thread(target=self._look_after, daemon=True).start()

    @property
    def process(self) -> Any:
        """The present worker process (a subprocess.Popen)."""
        return self._worker.process

    def description(self, timeout: float = 60.0) -> dict[str, Any]:
        """Plain data from the worker, or from the last worker of the same program while this one is starting. A worker that
        was given up is started again.

        Raises EngineError if it does not come up in time (seconds)."""
        if self._description is None:
            self._description = kept_description.kept()
        if self._description is None:
            with self._lock:
                if self._given_up and time.monotonic() - self._worker.began > HEALTHY:
                    self._start_anew()
            self._ready.wait(timeout)
        if self._description is None:
            reason = self._given_up or "it is not ready yet."
            raise EngineError(f"The compute process did not start: {reason} All its messages are in {self._worker.log}; "
                              "when the cause is mended, load this page again.")
        return self._description

    def submit(self, request: Request, key: str, title: str, session: str = "", joined: int | None = None) -> int:
        """Queues a job; a key that is already queued or running is not queued twice.

        Args:
            joined: the unfinished job with this key that the session wants to take part in. Where it has ended meanwhile,
                nothing is begun: its end is the answer.

        Raises ValueError if the session has too many unfinished jobs, or the kept files take too much of the disk."""
        with self._lock:
            latest = self.store.latest_job(key)
            if latest and latest["id"] == joined and latest["state"] not in ACTIVE:
                return int(latest["id"])
            if latest and latest["state"] in ACTIVE and latest["id"] not in self._cancelled:
                if not is_orphan(latest) and (not is_own(latest) or latest["id"] in self._jobs):
                    if session:
                        self.store.take_part(latest["id"], session, submitted=True)
                    return int(latest["id"])
                self.store.update_job(latest["id"], state="interrupted", error="The program was stopped during this job.")
            self._check_quota(session)
            number = self.store.new_job(key, request.kind, title, request.plain(), session)
            self._jobs[number] = {"run": number, "kind": request.kind, "request": request.plain(), "session": session}
            if self._given_up:
                self._start_anew()
            else:
                self._worker.send(self._jobs[number])
        return number

    def see(self, number: int, session: str) -> None:
        """A session's sign of life, written every few seconds at most."""
        now = time.monotonic()
        if now - self._seen.get((number, session), -SEEN_EVERY) >= SEEN_EVERY:
            self._seen[number, session] = now
            self.store.take_part(number, session)

    def part(self, number: int, session: str) -> Part:
        """What a session has to do with a job."""
        return part_of(session, self.store.participants().get(number, []), self._present)

    def leave(self, number: int, session: str) -> None:
        """The job ends if no other session takes part in it. That of another program is ended there."""
        self.store.leave_job(number, session)
        with self._lock:
            if number in self._jobs and end_is_wanted(self.store.participants().get(number, []), self._present):
                self.cancel(number)

    def cancel(self, number: int) -> None:
        """Ends a job of this engine, whoever takes part: it gets 3 s to stop, after which the worker is replaced and the
        other jobs go on in the next one."""
        with self._lock:
            if number in self._jobs and number not in self._cancelled:
                self._cancelled.add(number)
                self._worker.send({"cancel": number})
                self._enforce_later(number)

    def close(self) -> None:
        """Ends the worker (when the app ends)."""
        self._closed.set()
        with self._lock:
            self._worker.kill()  # before writing to the store, whose lock the worker may have had
            for number in list(self._jobs):
                self._end(number, state="interrupted", error="The program was stopped during this job.")

    def _check_quota(self, session: str) -> None:
        self._make_room()
        own = sum(one["session"] == session and one["submitted"] and one["left"] is None
                  for rows in self.store.participants().values() for one in rows)
        if session and own >= most_jobs():
            raise ValueError(f"You have {own} unfinished runs, and {most_jobs()} are allowed for one browser at a time. "
                             "Wait for one to end, or cancel one in the sidebar.")

    def _make_room(self) -> None:
        """Raises ValueError where the files take more than is allowed. Before that, what was deleted is removed for good."""
        folder = self.store.artefacts.folder
        try:
            disk_quota.check(folder)
        except ValueError:
            if not self.store.clean_up(days=0).files:
                raise
            disk_quota.check(folder)

    # -- the worker's life ---------------------------------------------------------------------------------------

    def _start(self) -> None:
        self._turn = None
        self._heard.clear()
        self._worker = WorkerProcess(self.store.path.parent, self._answered, self._bury)
        for number, command in self._jobs.items():
            if number not in self._cancelled:
                self._worker.send(command)

    def _start_anew(self) -> None:
        """After repeated deaths: a new try."""
        self._failed_starts, self._given_up = 0, ""
        self._ready.clear()
        self._start()

    def _answered(self, worker: WorkerProcess, answer: dict[str, Any]) -> None:
        """Takes one answer of the worker. Never calls Streamlit."""
        with self._lock:
            if worker is not self._worker:
                return
            if "ready" in answer:
                worker.ready, self._description = True, answer["ready"]
                kept_description.keep(answer["ready"])
                self._ready.set()
            elif "problem" in answer:
                worker.problem = str(answer["problem"])
            elif "turn" in answer:
                self._turn = answer["turn"]
            elif "heard" in answer:
                self._heard.add(answer["heard"])
            elif answer.get("ended") in self._jobs:
                self._failed_starts = 0
                share = {"share": 1.0} if answer["state"] == "done" else {}
                self._end(answer["ended"], state=answer["state"], error=answer.get("error"), **share)

    def _bury(self, worker: WorkerProcess, code: int) -> None:
        """After the worker's end: the job that had the turn fails with a message, the others go on in the next worker."""
        with self._lock:
            if self._closed.is_set() or worker is not self._worker:
                return
            had_turn = self._turn
            for number in self._cancelled & self._jobs.keys():
                self._end(number, state="cancelled", text="cancelled")
            if had_turn in self._jobs:
                self._end(had_turn, state="failed", error=last_words(code))
            if not worker.replaced:
                self._count_deaths(worker, code, had_turn)
            if self._failed_starts >= MOST_DEATHS:
                self._give_up(worker, code)
                return
            for number in self._jobs:
                self._notes.write(number, state="queued", text="waiting for a new compute process", seconds_left=None)
            self._start()

    def _count_deaths(self, worker: WorkerProcess, code: int, had_turn: int | None) -> None:
        """A job that was there at too many deaths fails, and failed starts in a row are counted."""
        self._deaths.update(self._jobs.keys())
        for number in [number for number in self._jobs if self._deaths[number] > MOST_DEATHS]:
            self._end(number, state="failed", error=last_words(code))
        healthy = had_turn is not None or (worker.ready and time.monotonic() - worker.began > HEALTHY)
        self._failed_starts = 0 if healthy else self._failed_starts + 1

    def _give_up(self, worker: WorkerProcess, code: int) -> None:
        self._given_up = worker.problem or worker.last_line() or f"it ended with exit code {code}."
        for number in list(self._jobs):
            self._end(number, state="failed", error=f"The compute process did not start: {self._given_up}")
        self._ready.set()

    def _enforce_later(self, number: int) -> None:
        timer = threading.Timer(GRACE, self._enforce, [number, self._worker])
        timer.daemon = True
        timer.start()

    def _enforce(self, number: int, worker: WorkerProcess) -> None:
        """The end of a cancelled job's grace: a worker that does not listen, or is stuck in this job, is replaced; where
        another job has the turn, this one ends when that reports."""
        with self._lock:
            if number not in self._jobs or worker is not self._worker or self._closed.is_set():
                return
            if worker.ready and number in self._heard and self._turn != number:
                self._notes.write(number, state="cancelled", text="cancelled")
                self._enforce_later(number)
            elif worker.ready:
                worker.replaced = True
                self._turn = None
                worker.kill()
            else:
                self._end(number, state="cancelled", text="cancelled")  # the worker has not begun, and will be told

    # -- the store -----------------------------------------------------------------------------------------------

    def _end(self, number: int, **columns: Any) -> None:
        del self._jobs[number]
        self._cancelled.discard(number)
        self._deaths.pop(number, None)
        if self._turn == number:
            self._turn = None
        self._notes.write(number, **columns)

    def _look_after(self) -> None:
        """Once a second until the app ends: what no answer of the worker brings about."""
        looks = 0
        while not self._closed.wait(LOOK_EVERY):
            try:
                self._look(looks % SLOW_LOOKS == 0)
            except StoreError as problem:
                logging.getLogger(__name__).warning("The jobs cannot be looked after now: %s", problem)
            looks += 1

    def _look(self, thoroughly: bool) -> None:
        rows = self.store.participants()
        for number, people in rows.items():
            for one in people:
                if one["submitted"] and one["left"] is None and self._present(one["session"]):
                    self.see(number, one["session"])  # other programs cannot know that its browser is connected
        with self._lock:
            self._notes.write_again()
            for number in [number for number in self._jobs if end_is_wanted(rows.get(number, []), self._present)]:
                self.cancel(number)
            own = list(self._jobs)
        if thoroughly:
            self._seen = {key: seen for key, seen in self._seen.items() if time.monotonic() - seen < 60}
            if own:
                self.store.beat(own)
            self.store.interrupt_orphans()
