"""Points in the store, with their pins and roles. A point that this version cannot read counts as missing, and is measured
again."""

from __future__ import annotations

import json
import time
from abc import ABC, abstractmethod
from collections.abc import Collection
from pathlib import Path
from typing import Any

from compress.curves.stored_text import POINT, as_point
from compress.files.artefacts import Artefacts

_HAS_ALL = " AND ".join(f"json_type(point, '$.{name}') IS NOT NULL" for name in POINT)
_READABLE = f"CASE WHEN json_valid(point) THEN {_HAS_ALL} ELSE 0 END"  # json_type() fails where the text is no JSON
_ALL = ("SELECT points.*, pins.note AS note, pins.created AS pinned, "
        "(SELECT data_digest FROM teachers WHERE teachers.digest=points.reference) AS data_digest FROM points "
        "LEFT JOIN pins ON pins.key=points.key AND pins.reference=points.reference ORDER BY points.created")
_OWN = ("key", "reference", "curve", "data", "teacher", "method", "created", "note", "pinned", "data_digest")


class PointTable(ABC):
    """The part of the store about points.

    A point has the fields of points.measure.Point but its predictions. Its key is that of its recipe, its reference the
    digest of the file of its teacher, which names the contents of the data set.
    """

    artefacts: Artefacts
    path: Path

    def __init__(self) -> None:
        self._unreadable: tuple[tuple[Any, ...], int] = ((), 0)

    def add_point(self, key: str, curve: str, reference: str, data: str, teacher: str, method: str,
                  point: dict[str, Any], predictions: bytes) -> None:
        """Stores a measured point under its recipe's key and the digest of the file with which it was compared."""
        self._run("REPLACE INTO points VALUES (?,?,?,?,?,?,?,?,?,?)", key, reference, curve, data, teacher, method,
                  json.dumps(point["dial"]), json.dumps(point), predictions, time.time())

    def add_roles(self, key: str, reference: str, roles: Collection[str]) -> None:
        """Stores which roles a point has, where no plan of this store says it."""
        for role in roles:
            self._run("INSERT OR IGNORE INTO roles VALUES (?,?,?)", key, reference, role)

    def points(self, curve: str, reference: str) -> list[dict[str, Any]]:
        """All points of a curve with this reference, by rising dial."""
        return _by_dial(self._points("WHERE curve=? AND reference=?", curve, reference).values())

    def point(self, key: str, reference: str) -> dict[str, Any] | None:
        """The point of the recipe with this key, or None."""
        return self._points("WHERE key=? AND reference=?", key, reference).get(key)

    def points_with(self, reference: str) -> dict[str, dict[str, Any]]:
        """Recipe key -> point, for all points with this reference, the teacher among them."""
        return self._points("WHERE reference=?", reference)

    def points_of(self, keys: Collection[str], reference: str) -> dict[str, dict[str, Any]]:
        """Recipe key -> point, for the recipes that have a point with this reference."""
        return self._points("WHERE reference=? AND key IN (SELECT value FROM json_each(?))", reference,
                            json.dumps(list(keys)))

    def curves(self, method: str, reference: str) -> dict[str, list[dict[str, Any]]]:
        """All curves of a method with this reference: curve key -> points by rising dial, newest curve last."""
        rows = self._rows("SELECT curve, point FROM points WHERE method=? AND reference=? ORDER BY created", method,
                          reference)
        found: dict[str, list[dict[str, Any]]] = {}
        for row in rows:
            if point := as_point(row["point"]):
                found.setdefault(row["curve"], []).append(point)
        return {key: _by_dial(points) for key, points in found.items()}

    def all_points(self) -> list[dict[str, Any]]:
        """Every point that this version can read: its own fields and key, reference, curve, data, data_digest, teacher,
        method, created, pinned, note, and `roles`, a list of those that it has in any plan."""
        roles: dict[tuple[str, str], list[str]] = {}
        for row in self._rows("SELECT key, reference, role FROM roles ORDER BY role"):
            roles.setdefault((row["key"], row["reference"]), []).append(row["role"])
        return [{**point, **{name: row[name] for name in _OWN}, "roles": roles.get((row["key"], row["reference"]), [])}
                for row in self._rows(_ALL) if (point := as_point(row["point"]))]

    def points_stamp(self) -> tuple[Any, ...]:
        """Changes when a point is added, replaced or removed, or has another role; costs next to nothing."""
        (row,) = self._rows("SELECT (SELECT COUNT(*) FROM points) AS points, (SELECT COUNT(*) FROM roles) AS roles, "
                            "(SELECT MAX(rowid) FROM points) AS newest, "
                            "(SELECT created FROM points ORDER BY rowid DESC LIMIT 1) AS created")
        return str(self.path), *row.values()

    def unreadable_points(self) -> int:
        """How many points this version cannot read; all_points() leaves them out. Counted again only after a change."""
        stamp = self.points_stamp()
        if self._unreadable[0] != stamp:
            rows = self._rows(f"SELECT count(*) AS found FROM points WHERE NOT {_READABLE}")
            self._unreadable = stamp, rows[0]["found"]
        return self._unreadable[1]

    def pins(self) -> dict[tuple[str, str], dict[str, Any]]:
        """(key, reference) of each pinned point -> {pinned: when, note}."""
        return {(row["key"], row["reference"]): {"pinned": row["created"], "note": row["note"]}
                for row in self._rows("SELECT key, reference, note, created FROM pins")}

    def known_keys(self, keys: Collection[str], reference: str) -> set[str]:
        """Which of these recipe keys have a point with this reference whose file is there and unchanged."""
        rows = self._rows("SELECT key, json_extract(point, '$.digest') AS digest FROM points WHERE reference=? AND key IN "
                          f"(SELECT value FROM json_each(?)) AND {_READABLE}",
                          reference, json.dumps(list(keys)))
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

    def predictions_against(self, reference: str) -> dict[str, bytes]:
        """Recipe key -> predicted classes of every point with this reference."""
        return {row["key"]: row["predictions"]
                for row in self._rows("SELECT key, predictions FROM points WHERE reference=?", reference)}

    def pin(self, key: str, reference: str, note: str) -> None:
        """Marks a point as worth keeping in view."""
        self._run("REPLACE INTO pins VALUES (?,?,?,?)", key, reference, note, time.time())

    def unpin(self, key: str, reference: str) -> None:
        """Removes the mark of a point."""
        self._run("DELETE FROM pins WHERE key=? AND reference=?", key, reference)

    # -- plumbing, which the store has ---------------------------------------------------------------------------

    def _points(self, where: str, *values: Any) -> dict[str, dict[str, Any]]:
        rows = self._rows(f"SELECT key, point FROM points {where}", *values)
        return {row["key"]: point for row in rows if (point := as_point(row["point"]))}

    @abstractmethod
    def _rows(self, statement: str, *values: Any) -> list[dict[str, Any]]:
        """All rows that a query finds."""

    @abstractmethod
    def _run(self, statement: str, *values: Any) -> None:
        """Executes a statement in a transaction of its own."""


def _by_dial(points: Collection[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(points, key=lambda point: point["dial"])
