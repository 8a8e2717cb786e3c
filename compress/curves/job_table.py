"""Jobs in the store: their state and progress, who owns them, and which browser sessions take part in them."""

from __future__ import annotations

import json
import sqlite3
import time
from abc import ABC, abstractmethod
from collections.abc import Collection
from contextlib import AbstractContextManager
from typing import Any

from compress.curves.owner import Owner, this_process
from compress.curves.stored_text import as_list, as_object

ACTIVE = ("queued", "running")
SILENT = 60.0  # seconds without a sign of life after which an owner in another place counts as gone
TABLES = """
CREATE TABLE IF NOT EXISTS jobs (id INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT, kind TEXT, title TEXT, request TEXT,
    state TEXT, share REAL, text TEXT, live TEXT, error TEXT, owner INTEGER, created REAL, started REAL, updated REAL);
CREATE INDEX IF NOT EXISTS jobs_of_key ON jobs (key, id);
CREATE INDEX IF NOT EXISTS jobs_at_work ON jobs (state);
CREATE TABLE IF NOT EXISTS job_sessions (job INTEGER, session TEXT, seen REAL, submitted INTEGER, left REAL,
    PRIMARY KEY (job, session))
"""
COLUMNS = {"owner_start": "TEXT", "owner_place": "TEXT", "beat": "REAL", "session": "TEXT", "seconds_left": "REAL"}


def prepare(connection: sqlite3.Connection) -> None:
    """Makes the tables of jobs, or adds what those of an earlier version lack."""
    for statement in TABLES.split(";"):
        connection.execute(statement)
    present = {row[1] for row in connection.execute("PRAGMA table_info(jobs)")}
    for name, kind in COLUMNS.items():
        if name not in present:
            connection.execute(f"ALTER TABLE jobs ADD COLUMN {name} {kind}")


class JobTable(ABC):
    """The part of the store about jobs.

    A job has: id, key (equal for equal work), kind, title, request, state (queued, running, done, failed, cancelled,
    interrupted), share of the work done, seconds_left (of computing; None: no estimate), text, live, error, session (the
    first that submitted it), created, started, updated.
    """

    _last_job = 0  # number of the newest job that was made here

    def new_job(self, key: str, kind: str, title: str, request: dict[str, Any], session: str = "") -> int:
        """A queued job owned by this process, in which the session takes part; returns its number. No number comes
        twice, even where the file was removed and begun anew: engines know their jobs by it."""
        owner, now = this_process(), time.time()
        with self._connection() as connection:
            cursor = connection.execute(
                "INSERT INTO jobs (id, key, kind, title, request, state, share, text, live, owner, owner_start, "
                "owner_place, session, beat, created, updated) VALUES ((SELECT max(coalesce(max(seq), 0), ?) + 1 "
                "FROM sqlite_sequence WHERE name = 'jobs'),?,?,?,?,'queued',0,'waiting','[]',?,?,?,?,?,?,?)",
                (self._last_job, key, kind, title, json.dumps(request), owner.number, owner.start, owner.place, session,
                 now, now, now))
            number = self._last_job = int(cursor.lastrowid or 0)
            if session:
                connection.execute("INSERT INTO job_sessions VALUES (?,?,?,1,NULL)", (number, session, now))
            return number

    def update_job(self, number: int, **columns: Any) -> None:
        """Changes columns of a job that has not ended: state, share, seconds_left, text, live (JSON-able), error,
        started."""
        if "live" in columns:
            columns["live"] = json.dumps(columns["live"])
        names = ", ".join(f"{name}=?" for name in columns)
        self._run(f"UPDATE jobs SET {names}, updated=? WHERE id=? AND state IN ('queued','running')",
                  *columns.values(), time.time(), number)

    def job(self, number: int) -> dict[str, Any]:
        """The job with this number. Raises KeyError if there is none."""
        found = self._jobs("WHERE id=?", number)
        if not found:
            raise KeyError(number)
        return found[0]

    def latest_job(self, key: str) -> dict[str, Any] | None:
        """The newest job with this key, or None."""
        found = self._jobs("WHERE key=? ORDER BY id DESC LIMIT 1", key)
        return found[0] if found else None

    def active_jobs(self) -> list[dict[str, Any]]:
        """Queued and running jobs, oldest first."""
        return self._jobs("WHERE state IN ('queued','running') ORDER BY id")

    def jobs_at_work(self) -> list[dict[str, Any]]:
        """Queued and running jobs, oldest first, without request and live: what a list of jobs shows, for every tick."""
        return self._rows("SELECT id, key, title, state, share, seconds_left, text, session, owner, owner_start, started, "
                          "updated FROM jobs WHERE state IN ('queued','running') ORDER BY id")

    # -- owners --------------------------------------------------------------------------------------------------

    def beat(self, numbers: Collection[int]) -> None:
        """The owner's sign of life for its jobs, for programs in other places."""
        self._run("UPDATE jobs SET beat=? WHERE id IN (SELECT value FROM json_each(?))", time.time(),
                  json.dumps(list(numbers)))

    def interrupt_orphans(self) -> None:
        """Marks active jobs whose process has ended as interrupted; their finished points are stored, and they can be
        resumed. Jobs of other programs that still run stay. Who took part in jobs that have ended is forgotten."""
        for job in self.active_jobs():
            if is_orphan(job):
                self.update_job(job["id"], state="interrupted", error="The program was stopped during this job.")
        ended = "FROM job_sessions WHERE job NOT IN (SELECT id FROM jobs WHERE state IN ('queued','running'))"
        if self._rows(f"SELECT job {ended} LIMIT 1"):  # mostly there are none, and a reader waits for nobody
            self._run(f"DELETE {ended}")

    # -- sessions ------------------------------------------------------------------------------------------------

    def take_part(self, number: int, session: str, submitted: bool = False) -> None:
        """A session's sign of life for a job: it submitted the job, or looks at it. One that has left comes back only by
        submitting again."""
        self._run("INSERT INTO job_sessions VALUES (?,?,?,?,NULL) ON CONFLICT(job, session) DO UPDATE SET "
                  "seen=excluded.seen, left=CASE WHEN excluded.submitted THEN NULL ELSE left END, "
                  "submitted=max(submitted, excluded.submitted)",
                  number, session, time.time(), int(submitted))

    def leave_job(self, number: int, session: str) -> None:
        """The session no longer wants this job."""
        self._run("INSERT INTO job_sessions VALUES (?,?,?,0,?) ON CONFLICT(job, session) DO UPDATE SET left=excluded.left",
                  number, session, time.time(), time.time())

    def participants(self) -> dict[int, list[dict[str, Any]]]:
        """Of every active job, its sessions: session, seen (when they last gave a sign of life), submitted, left (when they
        left, or None)."""
        found: dict[int, list[dict[str, Any]]] = {}
        for row in self._rows("SELECT job_sessions.* FROM job_sessions JOIN jobs ON jobs.id=job WHERE state IN "
                              "('queued','running') ORDER BY job, seen"):
            found.setdefault(row.pop("job"), []).append({**row, "submitted": bool(row["submitted"])})
        return found

    # -- plumbing, which the store has ---------------------------------------------------------------------------

    def _jobs(self, where: str, *values: Any) -> list[dict[str, Any]]:
        rows = self._rows(f"SELECT * FROM jobs {where}", *values)
        return [{**row, "request": as_object(row["request"]), "live": as_list(row["live"])} for row in rows]

    @abstractmethod
    def _rows(self, statement: str, *values: Any) -> list[dict[str, Any]]:
        """All rows that a query finds."""

    @abstractmethod
    def _run(self, statement: str, *values: Any) -> None:
        """Executes a statement in a transaction of its own."""

    @abstractmethod
    def _connection(self) -> AbstractContextManager[sqlite3.Connection]:
        """A connection within a transaction."""


def is_own(job: dict[str, Any]) -> bool:
    """Whether this process owns a job."""
    return _owner(job) == this_process()


def is_orphan(job: dict[str, Any]) -> bool:
    """Whether the process that owns a job has ended."""
    alive = _owner(job).is_alive()
    return time.time() - (job["beat"] or 0.0) > SILENT if alive is None else not alive


def _owner(job: dict[str, Any]) -> Owner:
    return Owner(job["owner"], job["owner_start"] or "", job["owner_place"] or "")
