"""The store of results in one SQLite file: points, teachers, plans, views, jobs. All tabs and processes share it.

The worker writes while the app reads (write-ahead log). Imports nothing heavy.
"""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

from compress.curves import damage, schema
from compress.curves.damage import SECONDS
from compress.curves.deleted_table import DeletedTable
from compress.curves.job_table import ACTIVE as ACTIVE
from compress.curves.job_table import JobTable
from compress.curves.plan import Plan
from compress.curves.point_table import PointTable
from compress.curves.stored_text import as_object
from compress.files.artefacts import FOLDER, Artefacts
from compress.files.store_error import StoreError, of_system
from compress.home import cache_folder

REMOVED = ("The store {} was removed or moved away while this program ran, and with it the teachers and points in it. A new "
           "one is begun; what is missing can be measured again.")


class Store(PointTable, DeletedTable, JobTable):
    """One SQLite file. Every method opens a connection for itself, or reads through that of reading(), so that threads and
    processes may share a Store."""

    def __init__(self, path: Path | str | None = None) -> None:
        """Opens the store, or makes it.

        Raises:
            StoreError: it cannot be opened, or it was damaged; the damaged file has been moved aside then, and the next
                attempt makes a new store.
        """
        super().__init__()
        self.path = Path(path) if path else cache_folder() / "store.sqlite"
        self._own = threading.local()  # `connection`: the one that a thread reads through, inside reading()
        self._prepared: int | None = None  # the file whose tables were looked at, by its inode
        self.artefacts = Artefacts(self.path.parent / FOLDER)
        with self._connection():
            pass  # opened, and made where it is missing

    # -- teachers ------------------------------------------------------------------------------------------------

    def save_teacher(self, key: str, recipe: str, digest: str, data_digest: str, card: dict[str, Any]) -> None:
        """Stores a trained teacher's card; a teacher of the same recipe for the same data is replaced."""
        self._run("REPLACE INTO teachers VALUES (?,?,?,?,?,?)", key, recipe, digest, data_digest, json.dumps(card),
                  time.time())

    def teacher(self, key: str, data_digest: str) -> dict[str, Any] | None:
        """{recipe, digest, data_digest, card} of the recipe with this key, trained on the data with this digest, or None."""
        return next((row for row in self.teachers(key) if row["data_digest"] == data_digest), None)

    def teachers(self, key: str) -> list[dict[str, Any]]:
        """The teachers of the recipe with this key, newest first: one for each data set that its name has meant."""
        rows = self._rows("SELECT recipe, digest, data_digest, card FROM teachers WHERE key=? ORDER BY created DESC", key)
        return [{**row, "card": card} for row in rows if (card := as_object(row["card"]))]

    def teacher_of(self, digest: str) -> dict[str, Any] | None:
        """{key, recipe, digest, data_digest, card} of the teacher with this file, or None."""
        rows = self._rows("SELECT key, recipe, digest, data_digest, card FROM teachers WHERE digest=?", digest)
        return next(({**row, "card": card} for row in rows if (card := as_object(row["card"]))), None)

    # -- data ----------------------------------------------------------------------------------------------------

    def save_data_version(self, name: str, source: str, digest: str) -> None:
        """Stores which data, by their digest, were read from a source (Dataset.source) under this name."""
        if self.data_digest(name, source) != digest:
            self._run("REPLACE INTO data_versions VALUES (?,?,?,?)", name, source, digest, time.time())

    def data_digest(self, name: str, source: str) -> str:
        """The digest of the data that were last read from this source under this name; "" if they never were."""
        rows = self._rows("SELECT digest FROM data_versions WHERE name=? AND source=?", name, source)
        return rows[0]["digest"] if rows else ""

    def of_other_data(self, name: str, digest: str) -> str:
        """A sentence for the user about points that were measured on other contents of this data set; "" if there are
        none."""
        rows = self._rows("SELECT count(*) AS found FROM points WHERE data=? AND reference IN "
                          "(SELECT digest FROM teachers WHERE data_digest<>?)", name, digest)
        points = rows[0]["found"]
        return "" if not points else (
            f"The contents of {name} have changed: {points} {'point' if points == 1 else 'points'} measured on earlier "
            "contents are kept, and come back with those files. What is measured now belongs to the present files.")

    # -- plans ---------------------------------------------------------------------------------------------------

    def replace_plan(self, key: str, reference: str, before: Plan | None, plan: Plan) -> bool:
        """Stores the plan of the curve with this key, and the role of each run, if the stored plan is still the one before
        (as plan() gave it). False if it is not: another process has stored one since, and its runs must not be lost."""
        with self._connection() as connection:
            connection.execute("BEGIN IMMEDIATE")
            found = connection.execute("SELECT plan FROM plans WHERE key=? AND reference=?", (key, reference)).fetchone()
            if (_plan_of(found["plan"]) if found else None) != before:
                return False
            connection.execute("REPLACE INTO plans VALUES (?,?,?)", (key, reference, json.dumps(plan.plain())))
            connection.executemany("INSERT OR IGNORE INTO roles VALUES (?,?,?)",
                                   [(run.key, reference, run.role) for run in plan.runs])
            return True

    def plan(self, key: str, reference: str) -> Plan | None:
        """The plan stored by replace_plan(); None if there is none, or this version cannot read it."""
        rows = self._rows("SELECT plan FROM plans WHERE key=? AND reference=?", key, reference)
        return _plan_of(rows[0]["plan"]) if rows else None

    def plans(self, reference: str) -> list[Plan]:
        """All plans with this reference, whatever their methods."""
        found = (_plan_of(row["plan"]) for row in self._rows("SELECT plan FROM plans WHERE reference=?", reference))
        return [plan for plan in found if plan]

    # -- views of the inside of a method -------------------------------------------------------------------------

    def save_view(self, key: str, reference: str, view: dict[str, Any]) -> None:
        """Stores the inside view of a method for a curve."""
        self._run("REPLACE INTO views VALUES (?,?,?)", key, reference, json.dumps(view))

    def replace_view(self, key: str, reference: str, before: dict[str, Any] | None, view: dict[str, Any]) -> bool:
        """Stores the inside view for a curve if the stored one is still the one before (as view() gave it). False if it is
        not: another process has stored one since, and its values must not be lost."""
        with self._connection() as connection:
            connection.execute("BEGIN IMMEDIATE")
            found = connection.execute("SELECT view FROM views WHERE key=? AND reference=?", (key, reference)).fetchone()
            if ((as_object(found["view"]) or None) if found else None) != before:
                return False
            connection.execute("REPLACE INTO views VALUES (?,?,?)", (key, reference, json.dumps(view)))
            return True

    def view(self, key: str, reference: str) -> dict[str, Any] | None:
        """The view stored by save_view(); None if there is none, or this version cannot read it."""
        rows = self._rows("SELECT view FROM views WHERE key=? AND reference=?", key, reference)
        return (as_object(rows[0]["view"]) or None) if rows else None

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

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Inside the block, all that this thread reads shares a connection: opening one takes longer than most reads. What
        anybody writes meanwhile is seen."""
        if self._shared() is not None:  # a block within a block
            yield
            return
        with self._connection() as connection:
            self._own.connection = connection
            try:
                yield
            finally:
                self._own.connection = None

    def _shared(self) -> sqlite3.Connection | None:
        return getattr(self._own, "connection", None)

    def _rows(self, statement: str, *values: Any) -> list[dict[str, Any]]:
        shared = self._shared()
        with self._connection() if shared is None else self._explained(shared) as connection:
            return [dict(row) for row in connection.execute(statement, values)]

    def _run(self, statement: str, *values: Any) -> None:
        with self._connection() as connection:
            connection.execute(statement, values)

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        """A connection of its own, closed and written to the file after the block. Raises StoreError as _explained()."""
        with self._explained(None), closing(self._opened()) as connection, connection:
            yield connection

    @contextmanager
    def _explained(self, connection: sqlite3.Connection | None) -> Iterator[Any]:
        """Raises StoreError for every error of SQLite inside the block. A damaged file is moved aside first, so that the
        next connection begins a new store. Gives what it gets."""
        try:
            yield connection
        except (sqlite3.Error, UnicodeDecodeError) as error:  # the latter where SQLite names a damaged table in its error
            self._prepared = None  # another file may be in its place by now
            raise damage.explained(error, self.path) from error

    def _opened(self) -> sqlite3.Connection:
        """A connection. The tables are made where the file is missing: it may have been moved aside, or removed by the
        user."""
        missing = not self.path.exists()
        if missing:
            self._make_folder()
            with suppress(OSError):  # the connection is refused for the same reason
                self.path.open("ab").close()  # by the umask; SQLite would make a file that the user's group can never write
        connection = sqlite3.connect(self.path, timeout=SECONDS)
        try:
            connection.row_factory = sqlite3.Row
            connection.text_factory = _decoded
            connection.execute("PRAGMA synchronous=NORMAL")
            inode = _inode(self.path)  # another thread may have begun a new file, and not made its tables yet
            if missing or inode != self._prepared or inode is None:
                with connection:
                    connection.execute("BEGIN")  # one view of it, while another process makes the tables
                    schema.refuse_foreign(connection, self.path)
                with connection:
                    connection.execute("PRAGMA journal_mode=WAL")
                    schema.prepare(connection, self.path, self.artefacts)
                    if missing and self._prepared is not None:
                        connection.execute("INSERT INTO notices VALUES (?)", [REMOVED.format(self.path)])
                self._prepared = inode
        except BaseException:
            connection.close()
            raise
        return connection

    def _make_folder(self) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(of_system(f"The store {self.path}", self.path.parent, error)) from error


def _inode(path: Path) -> int | None:
    try:
        return path.stat().st_ino
    except OSError:  # SQLite says what is wrong with it
        return None


def _decoded(text: bytes) -> str:
    """A text of the store; one that is no UTF-8 counts as unreadable, like any other that is damaged."""
    return text.decode(errors="replace")


@lru_cache(maxsize=256)
def _plan_of(text: str) -> Plan | None:
    """Read once: pages look at plans at every tick. None for a plan that this version cannot read."""
    try:
        return Plan.from_plain(json.loads(text))
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
