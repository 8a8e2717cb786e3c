"""What was measured, in one SQLite file: points, teachers, views, jobs. It survives the app and is shared by tabs.

Written by the worker, read by the app while it is written (write-ahead log). Imports nothing heavy.
"""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from compress.home import cache_folder

ACTIVE = ("queued", "running")
STARTED = time.time()  # of this process, near enough
SCHEMA = """
CREATE TABLE IF NOT EXISTS teachers (key TEXT PRIMARY KEY, recipe TEXT, digest TEXT, data_digest TEXT, file TEXT,
    card TEXT, created REAL);
CREATE TABLE IF NOT EXISTS points (key TEXT, reference TEXT, curve TEXT, data TEXT, teacher TEXT, method TEXT,
    dial TEXT, point TEXT, predictions BLOB, created REAL, PRIMARY KEY (key, reference));
CREATE INDEX IF NOT EXISTS points_of_curve ON points (curve, reference);
CREATE TABLE IF NOT EXISTS views (key TEXT, reference TEXT, view TEXT, PRIMARY KEY (key, reference));
CREATE TABLE IF NOT EXISTS jobs (id INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT, kind TEXT, title TEXT, request TEXT,
    state TEXT, share REAL, text TEXT, live TEXT, error TEXT, owner INTEGER, created REAL, started REAL, updated REAL);
CREATE TABLE IF NOT EXISTS counters (name TEXT PRIMARY KEY, value INTEGER);
CREATE TABLE IF NOT EXISTS pins (key TEXT, reference TEXT, note TEXT, created REAL, PRIMARY KEY (key, reference));
"""


class Store:
    """One file; every method opens its own short connection, so threads and processes may share a Store."""

    def __init__(self, path: Path | str | None = None) -> None:
        self.path = Path(path) if path else cache_folder() / "store.sqlite"
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self._connection() as connection:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.executescript(SCHEMA)

    @property
    def artefacts(self) -> Path:
        """The folder of network files, beside the store."""
        return self.path.parent / "networks"

    # -- teachers ------------------------------------------------------------------------------------------------

    def save_teacher(self, key: str, recipe: str, digest: str, data_digest: str, file: str,
                     card: dict[str, Any]) -> None:
        """Keeps a trained teacher's card; a teacher of the same recipe is replaced."""
        self._run("REPLACE INTO teachers VALUES (?,?,?,?,?,?,?)",
                  key, recipe, digest, data_digest, file, json.dumps(card), time.time())

    def teacher(self, key: str) -> dict[str, Any] | None:
        """{recipe, digest, data_digest, file, card} of the recipe with this key, or None."""
        rows = self._rows("SELECT recipe, digest, data_digest, file, card FROM teachers WHERE key=?", key)
        return {**rows[0], "card": json.loads(rows[0]["card"])} if rows else None

    # -- points --------------------------------------------------------------------------------------------------

    def add_point(self, key: str, curve: str, reference: str, data: str, teacher: str, method: str,
                  point: dict[str, Any], predictions: bytes) -> None:
        """Keeps a measured point under its recipe's key and the digest of the file it was compared with."""
        self._run("REPLACE INTO points VALUES (?,?,?,?,?,?,?,?,?,?)", key, reference, curve, data, teacher, method,
                  json.dumps(point["dial"]), json.dumps(point), predictions, time.time())

    def points(self, curve: str, reference: str) -> list[dict[str, Any]]:
        """All points of a curve with this reference, by rising dial."""
        rows = self._rows("SELECT point FROM points WHERE curve=? AND reference=?", curve, reference)
        return sorted((json.loads(row["point"]) for row in rows), key=lambda point: point["dial"])

    def point(self, key: str, reference: str) -> dict[str, Any] | None:
        """The point of the recipe with this key, or None."""
        rows = self._rows("SELECT point FROM points WHERE key=? AND reference=?", key, reference)
        return json.loads(rows[0]["point"]) if rows else None

    def curves(self, method: str, reference: str) -> dict[str, list[dict[str, Any]]]:
        """All curves of a method with this reference: curve key -> points by rising dial, newest curve last."""
        rows = self._rows("SELECT curve, point FROM points WHERE method=? AND reference=? ORDER BY created",
                          method, reference)
        found: dict[str, list[dict[str, Any]]] = {}
        for row in rows:
            found.setdefault(row["curve"], []).append(json.loads(row["point"]))
        return {key: sorted(points, key=lambda point: point["dial"]) for key, points in found.items()}

    def all_points(self) -> list[dict[str, Any]]:
        """Every point: its own fields and key, reference, curve, data, teacher, method, created, pinned, note."""
        rows = self._rows(
            "SELECT points.*, pins.note AS note, pins.created AS pinned FROM points LEFT JOIN pins "
            "ON pins.key=points.key AND pins.reference=points.reference ORDER BY points.created")
        names = ("key", "reference", "curve", "data", "teacher", "method", "created", "note", "pinned")
        return [{**json.loads(row["point"]), **{name: row[name] for name in names}} for row in rows]

    def predictions(self, key: str, reference: str) -> bytes:
        """A point's predicted classes on validation (uint16, little-endian); KeyError if there is no such point."""
        rows = self._rows("SELECT predictions FROM points WHERE key=? AND reference=?", key, reference)
        if not rows:
            raise KeyError(key)
        return rows[0]["predictions"]

    def all_predictions(self, method: str, reference: str) -> dict[str, bytes]:
        """Recipe key -> predicted classes of every point of a method with this reference."""
        rows = self._rows("SELECT key, predictions FROM points WHERE method=? AND reference=?", method, reference)
        return {row["key"]: row["predictions"] for row in rows}

    def pin(self, key: str, reference: str, note: str) -> None:
        """Marks a point as worth keeping in view."""
        self._run("REPLACE INTO pins VALUES (?,?,?,?)", key, reference, note, time.time())

    def unpin(self, key: str, reference: str) -> None:
        """Takes a mark back."""
        self._run("DELETE FROM pins WHERE key=? AND reference=?", key, reference)

    # -- views of the inside of a method -------------------------------------------------------------------------

    def save_view(self, key: str, reference: str, view: dict[str, Any]) -> None:
        """Keeps what a method shows of its inside for one curve."""
        self._run("REPLACE INTO views VALUES (?,?,?)", key, reference, json.dumps(view))

    def view(self, key: str, reference: str) -> dict[str, Any] | None:
        """What save_view kept, or None."""
        rows = self._rows("SELECT view FROM views WHERE key=? AND reference=?", key, reference)
        return json.loads(rows[0]["view"]) if rows else None

    # -- jobs ----------------------------------------------------------------------------------------------------

    def new_job(self, key: str, kind: str, title: str, request: dict[str, Any]) -> int:
        """A queued job owned by this process; returns its number."""
        with self._connection() as connection:
            cursor = connection.execute(
                "INSERT INTO jobs (key, kind, title, request, state, share, text, live, owner, created, updated) "
                "VALUES (?,?,?,?,'queued',0,'waiting','[]',?,?,?)",
                (key, kind, title, json.dumps(request), os.getpid(), time.time(), time.time()))
            return int(cursor.lastrowid)

    def update_job(self, number: int, **columns: Any) -> None:
        """Changes columns of a job that has not ended: state, share, text, live (JSON-able), error, started."""
        if "live" in columns:
            columns["live"] = json.dumps(columns["live"])
        names = ", ".join(f"{name}=?" for name in columns)
        self._run(f"UPDATE jobs SET {names}, updated=? WHERE id=? AND state IN ('queued','running')",
                  *columns.values(), time.time(), number)

    def job(self, number: int) -> dict[str, Any]:
        """One job; KeyError if there is none."""
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

    def interrupt_orphans(self) -> None:
        """Marks jobs whose owning process is gone; what they finished is in the store, the rest can be resumed."""
        for job in self.active_jobs():
            # A container's programs get the same number again at every start.
            reborn = job["owner"] == os.getpid() and job["created"] < STARTED
            if reborn or not _is_alive(job["owner"]):
                self.update_job(job["id"], state="interrupted", error="The program was stopped during this job.")

    # -- counters ------------------------------------------------------------------------------------------------

    def count(self, name: str) -> int:
        """Adds one to a counter and returns it."""
        self._run("INSERT INTO counters VALUES (?, 1) ON CONFLICT(name) DO UPDATE SET value = value + 1", name)
        return self.counter(name)

    def counter(self, name: str) -> int:
        """How often count(name) was called."""
        rows = self._rows("SELECT value FROM counters WHERE name=?", name)
        return rows[0]["value"] if rows else 0

    # -- plumbing ------------------------------------------------------------------------------------------------

    def _jobs(self, where: str, *values: Any) -> list[dict[str, Any]]:
        rows = self._rows(f"SELECT * FROM jobs {where}", *values)
        return [{**row, "request": json.loads(row["request"]), "live": json.loads(row["live"])} for row in rows]

    def _rows(self, statement: str, *values: Any) -> list[dict[str, Any]]:
        with self._connection() as connection:
            return [dict(row) for row in connection.execute(statement, values)]

    def _run(self, statement: str, *values: Any) -> None:
        with self._connection() as connection:
            connection.execute(statement, values)

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        connection = sqlite3.connect(self.path, timeout=30)
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA synchronous=NORMAL")
        try:
            with connection:
                yield connection
        finally:
            connection.close()


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
