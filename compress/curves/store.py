"""The store of results in one SQLite file: points, teachers, plans, views, jobs. All tabs and processes share it.

The worker writes while the app reads (write-ahead log). Imports nothing heavy.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

from compress.curves import schema
from compress.curves.job_table import ACTIVE as ACTIVE
from compress.curves.job_table import JobTable
from compress.curves.plan import Plan
from compress.files.artefacts import FOLDER, Artefacts
from compress.home import cache_folder


class Store(JobTable):
    """One SQLite file. Every method opens a connection for itself, so that threads and processes may share a Store."""

    def __init__(self, path: Path | str | None = None) -> None:
        self.path = Path(path) if path else cache_folder() / "store.sqlite"
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.artefacts = Artefacts(self.path.parent / FOLDER)
        with suppress(OSError):  # what is wrong, the first statement will say
            self.path.open("ab").close()  # by the umask; SQLite would make a file that the user's group can never write
        with self._connection() as connection:
            connection.execute("PRAGMA journal_mode=WAL")
            schema.prepare(connection, self.path, self.artefacts)

    # -- teachers ------------------------------------------------------------------------------------------------

    def save_teacher(self, key: str, recipe: str, digest: str, data_digest: str, card: dict[str, Any]) -> None:
        """Keeps a trained teacher's card; a teacher of the same recipe is replaced."""
        self._run("REPLACE INTO teachers VALUES (?,?,?,?,?,?)", key, recipe, digest, data_digest, json.dumps(card),
                  time.time())

    def teacher(self, key: str) -> dict[str, Any] | None:
        """{recipe, digest, data_digest, card} of the recipe with this key, or None."""
        rows = self._rows("SELECT recipe, digest, data_digest, card FROM teachers WHERE key=?", key)
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

    def points_of(self, keys: Collection[str], reference: str) -> dict[str, dict[str, Any]]:
        """Recipe key -> point, for the recipes that have a point with this reference."""
        rows = self._rows("SELECT key, point FROM points WHERE reference=? AND key IN (SELECT value FROM json_each(?))",
                          reference, json.dumps(list(keys)))
        return {row["key"]: json.loads(row["point"]) for row in rows}

    def curves(self, method: str, reference: str) -> dict[str, list[dict[str, Any]]]:
        """All curves of a method with this reference: curve key -> points by rising dial, newest curve last."""
        rows = self._rows("SELECT curve, point FROM points WHERE method=? AND reference=? ORDER BY created",
                          method, reference)
        found: dict[str, list[dict[str, Any]]] = {}
        for row in rows:
            found.setdefault(row["curve"], []).append(json.loads(row["point"]))
        return {key: sorted(points, key=lambda point: point["dial"]) for key, points in found.items()}

    def all_points(self) -> list[dict[str, Any]]:
        """Every point: its own fields and key, reference, curve, data, teacher, method, created, pinned, note, and `roles`,
        a list of those that it has in any plan."""
        rows = self._rows(
            "SELECT points.*, pins.note AS note, pins.created AS pinned FROM points LEFT JOIN pins "
            "ON pins.key=points.key AND pins.reference=points.reference ORDER BY points.created")
        roles: dict[tuple[str, str], list[str]] = {}
        for row in self._rows("SELECT key, reference, role FROM roles ORDER BY role"):
            roles.setdefault((row["key"], row["reference"]), []).append(row["role"])
        names = ("key", "reference", "curve", "data", "teacher", "method", "created", "note", "pinned")
        return [{**json.loads(row["point"]), **{name: row[name] for name in names},
                 "roles": roles.get((row["key"], row["reference"]), [])} for row in rows]

    def points_stamp(self) -> tuple[Any, ...]:
        """Changes when a point is added, replaced or removed, or has another role; costs next to nothing."""
        (row,) = self._rows("SELECT (SELECT COUNT(*) FROM points) AS points, (SELECT COUNT(*) FROM roles) AS roles, "
                            "(SELECT MAX(rowid) FROM points) AS newest, "
                            "(SELECT created FROM points ORDER BY rowid DESC LIMIT 1) AS created")
        return str(self.path), *row.values()

    def pins(self) -> dict[tuple[str, str], dict[str, Any]]:
        """(key, reference) of each pinned point -> {pinned: when, note}."""
        return {(row["key"], row["reference"]): {"pinned": row["created"], "note": row["note"]}
                for row in self._rows("SELECT key, reference, note, created FROM pins")}

    def known_keys(self, keys: Collection[str], reference: str) -> set[str]:
        """Which of these recipe keys have a point with this reference whose file is there and unchanged."""
        rows = self._rows("SELECT key, json_extract(point, '$.digest') AS digest FROM points WHERE reference=? "
                          "AND key IN (SELECT value FROM json_each(?))", reference, json.dumps(list(keys)))
        return {row["key"] for row in rows if self.artefacts.has(row["digest"])}

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
        """Removes the mark of a point."""
        self._run("DELETE FROM pins WHERE key=? AND reference=?", key, reference)

    # -- plans ---------------------------------------------------------------------------------------------------

    def save_plan(self, key: str, reference: str, plan: Plan) -> None:
        """Stores the plan of the curve with this key, and the role of each run."""
        with self._connection() as connection:
            connection.execute("REPLACE INTO plans VALUES (?,?,?)", (key, reference, json.dumps(plan.plain())))
            connection.executemany("INSERT OR IGNORE INTO roles VALUES (?,?,?)",
                                   [(run.key, reference, run.role) for run in plan.runs])

    def plan(self, key: str, reference: str) -> Plan | None:
        """The plan stored by save_plan(), or None."""
        rows = self._rows("SELECT plan FROM plans WHERE key=? AND reference=?", key, reference)
        return _plan_of(rows[0]["plan"]) if rows else None

    def plans(self, reference: str) -> list[Plan]:
        """All plans with this reference, whatever their methods."""
        return [_plan_of(row["plan"]) for row in self._rows("SELECT plan FROM plans WHERE reference=?", reference)]

    # -- views of the inside of a method -------------------------------------------------------------------------

    def save_view(self, key: str, reference: str, view: dict[str, Any]) -> None:
        """Stores the inside view of a method for a curve."""
        self._run("REPLACE INTO views VALUES (?,?,?)", key, reference, json.dumps(view))

    def view(self, key: str, reference: str) -> dict[str, Any] | None:
        """The view stored by save_view(), or None."""
        rows = self._rows("SELECT view FROM views WHERE key=? AND reference=?", key, reference)
        return json.loads(rows[0]["view"]) if rows else None

    # -- counters ------------------------------------------------------------------------------------------------

    def count(self, name: str) -> int:
        """Adds 1 to a counter and returns its new value."""
        self._run("INSERT INTO counters VALUES (?, 1) ON CONFLICT(name) DO UPDATE SET value = value + 1", name)
        return self.counter(name)

    def counter(self, name: str) -> int:
        """How often count(name) was called."""
        rows = self._rows("SELECT value FROM counters WHERE name=?", name)
        return rows[0]["value"] if rows else 0

    # -- notices ---------------------------------------------------------------------------------------------------

    def take_notices(self) -> list[str]:
        """Notices for the user about this store, each returned once."""
        with self._connection() as connection:
            found = [row["text"] for row in connection.execute("SELECT text FROM notices")]
            if found:
                connection.execute("DELETE FROM notices")
        return found

    # -- plumbing ------------------------------------------------------------------------------------------------

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


@lru_cache(maxsize=256)
def _plan_of(text: str) -> Plan:
    """Read once: pages look at plans at every tick."""
    return Plan.from_plain(json.loads(text))
