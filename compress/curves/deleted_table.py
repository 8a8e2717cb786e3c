"""Deleted points in the store: out of sight of everything else, with their pins and notes, until they are restored or the
clean-up removes them with their files."""

from __future__ import annotations

import json
import sqlite3
import time
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from compress.curves.plan import in_each_coding
from compress.curves.stored_text import as_object, as_point
from compress.files.artefacts import RECENT, SUFFIX, Artefacts
from compress.recipe import Recipe

DAYS = 7  # that a deleted point can be restored
TABLE = """
CREATE TABLE IF NOT EXISTS deleted_points (key TEXT, reference TEXT, curve TEXT, data TEXT, teacher TEXT, method TEXT,
    dial TEXT, point TEXT, predictions BLOB, created REAL, note TEXT, pinned REAL, deleted REAL,
    PRIMARY KEY (key, reference))
"""
_POINT = "key, reference, curve, data, teacher, method, dial, point, predictions, created"
Place = tuple[str, str]  # key and reference of a point


@dataclass(frozen=True)
class Removed:
    """What a clean-up has removed for good: points, files, and the bytes of these."""

    points: int = 0
    files: int = 0
    bytes: int = 0


class DeletedTable(ABC):
    """The part of the store about deleted points. No other part knows them: a deleted point counts as not measured."""

    artefacts: Artefacts
    path: Path

    def delete_points(self, places: Iterable[Place]) -> list[Place]:
        """Deletes points, all together; returns those that were there.

        Raises:
            ValueError: one of them is a teacher, which others are compared with; nothing is deleted then.
        """
        gone = []
        with self._connection() as connection:
            connection.execute("BEGIN IMMEDIATE")
            for place in dict.fromkeys(places):
                row = connection.execute("SELECT method FROM points WHERE key=? AND reference=?", place).fetchone()
                if row is None:
                    continue
                if row["method"] == "teacher":
                    raise ValueError("A teacher cannot be deleted, because its networks are compared with it. Leave it out.")
                connection.execute(
                    f"REPLACE INTO deleted_points SELECT {_POINT}, (SELECT note FROM pins WHERE pins.key=points.key AND "
                    "pins.reference=points.reference), (SELECT created FROM pins WHERE pins.key=points.key AND "
                    "pins.reference=points.reference), ? FROM points WHERE key=? AND reference=?", (time.time(), *place))
                for table in ("points", "pins"):
                    connection.execute(f"DELETE FROM {table} WHERE key=? AND reference=?", place)
                gone.append(place)
        return gone

    def restore_points(self, places: Iterable[Place]) -> list[Place]:
        """Undoes the deletion of points, with their pins and notes; returns those that were deleted and not cleaned up. One
        that was measured anew in the meantime stays as it is now."""
        back = []
        with self._connection() as connection:
            connection.execute("BEGIN IMMEDIATE")
            for place in dict.fromkeys(places):
                where = "FROM deleted_points WHERE key=? AND reference=?"
                if connection.execute(f"SELECT 1 {where}", place).fetchone() is None:
                    continue
                connection.execute(f"INSERT OR IGNORE INTO points ({_POINT}) SELECT {_POINT} {where}", place)
                connection.execute("INSERT OR IGNORE INTO pins SELECT key, reference, note, pinned "
                                   f"{where} AND pinned IS NOT NULL", place)
                connection.execute(f"DELETE {where}", place)
                back.append(place)
        return back

    def deleted_points(self) -> list[dict[str, Any]]:
        """The deleted points that can be restored, newest first: the fields of each point, and key, reference, data, method,
        note, pinned, deleted (when), until (when a clean-up may remove it)."""
        rows = self._rows("SELECT key, reference, data, method, note, pinned, deleted, point FROM deleted_points "
                          "ORDER BY deleted DESC, key")
        return [{**point, **{name: row[name] for name in row if name != "point"}, "until": row["deleted"] + DAYS * 86_400}
                for row in rows if (point := as_point(row["point"]))]

    def deleted_keys(self, keys: Collection[str], reference: str) -> set[str]:
        """Which of these recipe keys were deleted, and not measured again: no page measures them by itself."""
        rows = self._rows("SELECT key FROM deleted_points WHERE reference=? AND key IN (SELECT value FROM json_each(?)) AND "
                          "key NOT IN (SELECT key FROM points WHERE points.reference=deleted_points.reference)",
                          reference, json.dumps(list(keys)))
        return {row["key"] for row in rows}

    def clean_up(self, days: float = DAYS, now: float | None = None) -> Removed:
        """Removes for good what was deleted longer ago than so many days, with its files, but for files that anything else
        in the store has too. A point from which a chain goes on can be restored as long as the chain is there, and one whose
        file was written within the last hour stays as well: another process may be about to use it."""
        now = time.time() if now is None else now
        if not self._rows("SELECT 1 FROM deleted_points WHERE deleted<=? LIMIT 1", now - 86_400 * days):
            return Removed()
        with self._connection() as connection:
            connection.execute("BEGIN IMMEDIATE")
            rows = connection.execute("SELECT key, reference, point FROM deleted_points WHERE deleted<=?",
                                      [now - 86_400 * days]).fetchall()
            digests = {(row["key"], row["reference"]): str(as_object(row["point"]).get("digest", "")) for row in rows}
            old = {place: digest for place, digest in digests.items() if not self._is_recent(digest, now)}
            needed, starts = _needed(connection, old)
            needed |= {digest for place, digest in old.items() if place in starts}
            old = {place: digest for place, digest in old.items() if place not in starts}
            connection.executemany("DELETE FROM deleted_points WHERE key=? AND reference=?", list(old))
            unneeded = sorted(set(old.values()) - needed)
            files = [file for digest in unneeded for file in _files_of(digest, connection, self.artefacts)]
        lengths = [length for file in files if (length := _unlinked(file)) is not None]
        return Removed(len(old), len(lengths), sum(lengths))

    def _is_recent(self, digest: str, now: float) -> bool:
        try:
            return now - self.artefacts.path(digest).stat().st_mtime < RECENT
        except OSError:
            return False

    # -- plumbing, which the store has ---------------------------------------------------------------------------

    @abstractmethod
    def _rows(self, statement: str, *values: Any) -> list[dict[str, Any]]:
        """All rows that a query finds."""

    @abstractmethod
    def _connection(self) -> AbstractContextManager[sqlite3.Connection]:
        """A connection for one transaction."""


def prepare(connection: sqlite3.Connection) -> None:
    """Makes the table of deleted points."""
    connection.execute(TABLE)


def _needed(connection: sqlite3.Connection, old: Collection[Place]) -> tuple[set[str], set[Place]]:
    """The digests of all files that something in the store names, and the points that others go on from. old: deleted
    points that do not count."""
    digests = {"", *(row[0] for row in connection.execute(
        "SELECT digest FROM teachers UNION SELECT reference FROM points UNION SELECT reference FROM deleted_points"))}
    rows = [*connection.execute("SELECT reference, point FROM points"), *(
        row for row in connection.execute("SELECT key, reference, point FROM deleted_points")
        if (row["key"], row["reference"]) not in old)]
    starts = set()
    for row in rows:
        point = as_object(row["point"])
        digests.add(point.get("digest", ""))
        starts |= {(key, row["reference"]) for key in _keys_of_starts(point.get("recipe", ""))}
    return digests, starts


def _keys_of_starts(text: str) -> set[str]:
    """The keys of the networks on the way to one of this recipe, however their files are stored."""
    with suppress(ValueError):  # a recipe of another version: nothing of this one goes on to it
        recipe = Recipe.parse(text)
        before = [replace(recipe, methods=recipe.methods[:count]) for count in range(1, len(recipe.methods))]
        return {one.key() for start in before for one in (start, *in_each_coding(start))}
    return set()


def _files_of(digest: str, connection: sqlite3.Connection, artefacts: Artefacts) -> list[Path]:
    """The file of a network, and those that were made from it alone, whose views are removed."""
    files = [artefacts.path(digest)]
    for row in connection.execute("SELECT key, reference, view FROM views WHERE key LIKE ?", [f"% {digest}"]).fetchall():
        if len(row["key"].split()) > 2:  # of several networks, like a final report
            continue
        made = as_object(row["view"]).get("digest")
        if isinstance(made, str) and made.isalnum():
            files += [file for file in artefacts.folder.glob(f"{made}.*") if file.suffix != SUFFIX]
        connection.execute("DELETE FROM views WHERE key=? AND reference=?", (row["key"], row["reference"]))
    return files


def _unlinked(file: Path) -> int | None:
    """The length of a file that was removed; None where there is none, or it may not be removed."""
    try:
        length = file.stat().st_size
        file.unlink()
    except OSError:
        return None
    return length
