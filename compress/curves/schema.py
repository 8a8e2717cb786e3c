"""The tables of the store, their version, and the upgrade of a store of an earlier version."""

from __future__ import annotations

import json
import os
import sqlite3
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import Any

from compress.curves import damage, deleted_table, job_table
from compress.curves.sink import opened_counter
from compress.curves.stored_text import as_object
from compress.files.artefacts import Artefacts
from compress.files.store_error import StoreError
from compress.recipe import CONTROL, Recipe, Step

VERSION = 5
SAME_TABLES_SINCE = 3  # but for those of jobs and of deleted points, which are made when they are prepared
SCHEMA = """
CREATE TABLE IF NOT EXISTS teachers (key TEXT, recipe TEXT, digest TEXT, data_digest TEXT, card TEXT, created REAL,
    PRIMARY KEY (key, data_digest));
CREATE INDEX IF NOT EXISTS teachers_of_file ON teachers (digest);
CREATE TABLE IF NOT EXISTS data_versions (name TEXT, source TEXT, digest TEXT, created REAL, PRIMARY KEY (name, source));
CREATE TABLE IF NOT EXISTS points (key TEXT, reference TEXT, curve TEXT, data TEXT, teacher TEXT, method TEXT,
    dial TEXT, point TEXT, predictions BLOB, created REAL, PRIMARY KEY (key, reference));
CREATE INDEX IF NOT EXISTS points_of_curve ON points (curve, reference);
CREATE TABLE IF NOT EXISTS plans (key TEXT, reference TEXT, plan TEXT, PRIMARY KEY (key, reference));
CREATE TABLE IF NOT EXISTS roles (key TEXT, reference TEXT, role TEXT, PRIMARY KEY (key, reference, role));
CREATE TABLE IF NOT EXISTS views (key TEXT, reference TEXT, view TEXT, PRIMARY KEY (key, reference));
CREATE TABLE IF NOT EXISTS counters (name TEXT PRIMARY KEY, value INTEGER);
CREATE TABLE IF NOT EXISTS pins (key TEXT, reference TEXT, note TEXT, created REAL, PRIMARY KEY (key, reference));
CREATE TABLE IF NOT EXISTS notices (text TEXT);
"""
CHANGED_METHODS = {"data_codes", "activation_codes"}  # whose settings had other names in version 1
COLUMNS_BEFORE = {"teachers": 7, "points": 10}
CARD_BEFORE = {"title", "classes", "labels", "examples", "bytes"}  # of a teacher, without which pages cannot show it


def refuse_foreign(connection: sqlite3.Connection, path: Path) -> None:
    """Reads alone: the file of another program stays as it is.

    Raises:
        StoreError: tables of a version that is not known, or of another program.
    """
    version, tables = _version(connection), _tables(connection)
    if version >= SAME_TABLES_SINCE:
        is_known = version <= VERSION and _is_complete(connection)
    else:  # any program may count its versions
        is_second = version == 2 and COLUMNS_BEFORE.keys() <= tables
        is_known = not tables or is_second or _is_version_1(connection, version, tables)
    if not is_known:
        raise StoreError(f"The store {path} was written by a version of this program that this one does not know, or by "
                         "another program. Move the file away (a new store is then made), or use the version that wrote it.")


def prepare(connection: sqlite3.Connection, path: Path, artefacts: Artefacts) -> None:
    """Makes the tables of a new store, or brings those of an earlier version up to date. Raises StoreError as
    refuse_foreign()."""
    if _version(connection) == VERSION:
        return
    connection.execute("BEGIN IMMEDIATE")  # one process prepares the tables while the others wait
    refuse_foreign(connection, path)
    version, tables = _version(connection), _tables(connection)
    if version < VERSION:
        if _is_version_1(connection, version, tables):
            _upgrade(connection, artefacts)
        elif version < 3 and "teachers" in tables:
            _divide_by_data(connection)
        _create(connection)
        if not tables:
            _say_what_was_moved_aside(connection, path)
        connection.execute(f"PRAGMA user_version={VERSION}")


def _say_what_was_moved_aside(connection: sqlite3.Connection, path: Path) -> None:
    """A notice in a new store, where the one before it was damaged: whoever met the damage may have been a worker."""
    if damaged := damage.moved_aside(path):
        connection.execute("INSERT INTO notices VALUES (?)", [
            f"The store {path} was damaged, and a new one has been begun. The damaged file is kept as {damaged[-1].name} in "
            f"{path.parent}. Networks and points are made again where they are needed."])


def _is_complete(connection: sqlite3.Connection) -> bool:
    """Whether every table has its columns: a file of another program can have this version's number."""
    return all([row[1] for row in connection.execute(f"PRAGMA table_info({table})")][:len(columns)] == columns
               for table, columns in _columns().items())


@cache
def _columns() -> dict[str, list[str]]:
    """Table -> the columns that SCHEMA gives it."""
    with closing(sqlite3.connect(":memory:")) as connection:
        _create(connection)
        tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type='table' AND name NOT LIKE "
                                                       "'sqlite_%' AND name NOT LIKE 'job%' AND name NOT LIKE 'deleted%'")]
        return {table: [row[1] for row in connection.execute(f"PRAGMA table_info({table})")] for table in tables}


def _divide_by_data(connection: sqlite3.Connection) -> None:
    """Version 2 kept one teacher for a recipe, whatever the data under its name were."""
    rows = connection.execute("SELECT key, recipe, digest, data_digest, card, created FROM teachers").fetchall()
    connection.execute("DROP TABLE teachers")
    _create(connection)
    for row in map(dict, rows):
        if _is_recipe(row["recipe"]):
            _keep_teacher(connection, row)


def _keep_teacher(connection: sqlite3.Connection, row: dict[str, Any]) -> None:
    """Adds a teacher of an earlier version. The count of the opened test split of its data was kept by name, and data that
    are not the user's files are the same today."""
    connection.execute("REPLACE INTO teachers VALUES (?,?,?,?,?,?)", [
        row[name] for name in ("key", "recipe", "digest", "data_digest", "card", "created")])
    data = Recipe.parse(row["recipe"]).data
    connection.execute("INSERT OR IGNORE INTO counters SELECT ?, value FROM counters WHERE name=?", [
        opened_counter(data, row["data_digest"]), f"test split of {data}"])
    if not data.startswith("local:"):
        connection.execute("INSERT OR IGNORE INTO data_versions VALUES (?,'',?,?)", [
            data, row["data_digest"], row["created"]])


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _tables(connection: sqlite3.Connection) -> set[str]:
    return {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type='table'")}


def _create(connection: sqlite3.Connection) -> None:
    """Executes one statement at a time, because executescript() would end the transaction."""
    for statement in SCHEMA.split(";"):
        connection.execute(statement)
    job_table.prepare(connection)
    deleted_table.prepare(connection)


def _is_version_1(connection: sqlite3.Connection, version: int, tables: set[str]) -> bool:
    counts = {table: len(connection.execute(f"PRAGMA table_info({table})").fetchall()) for table in COLUMNS_BEFORE}
    return version == 0 and COLUMNS_BEFORE.keys() <= tables and counts == COLUMNS_BEFORE


def _upgrade(connection: sqlite3.Connection, artefacts: Artefacts) -> None:
    """Renames files to their digests. Points whose file or settings this version cannot read are left out and counted. Views
    are computed again."""
    teachers = [dict(row) for row in connection.execute("SELECT * FROM teachers")]
    points = [dict(row) for row in connection.execute("SELECT * FROM points")]
    connection.execute("DROP TABLE teachers")
    connection.execute("DELETE FROM views")
    _create(connection)
    for row in teachers:
        readable = as_object(row["card"]).keys() >= CARD_BEFORE and _is_recipe(row["recipe"])
        if readable and _adopted(artefacts, row["file"], row["digest"]):
            _keep_teacher(connection, row)
    left_out = 0
    for row in points:
        point = as_object(row["point"])
        if _understood(point) and _adopted(artefacts, point.pop("file"), point["digest"]):
            if Recipe.parse(point["recipe"]).methods[-1:] and _was_control(Recipe.parse(point["recipe"]).methods[-1]):
                connection.execute("INSERT OR IGNORE INTO roles VALUES (?,?,?)", [row["key"], row["reference"], CONTROL])
            connection.execute("UPDATE points SET point=? WHERE key=? AND reference=?",
                               [json.dumps(point), row["key"], row["reference"]])
        else:
            connection.execute("DELETE FROM points WHERE key=? AND reference=?", [row["key"], row["reference"]])
            left_out += 1
    if left_out:
        connection.execute("INSERT INTO notices VALUES (?)", [
            f"{left_out} of {len(points)} points that an earlier version of this program kept are left out: their settings "
            "have other names now, or their files are gone. Measure their curves again to have them back."])


def _understood(point: dict[str, Any]) -> bool:
    """Whether a point of version 1 means the same today."""
    if not {"recipe", "file", "digest", "accuracy_low", "inside"} <= point.keys() or not _is_recipe(point["recipe"]):
        return False
    return CHANGED_METHODS.isdisjoint(step.name for step in Recipe.parse(point["recipe"]).methods)


def _is_recipe(text: Any) -> bool:
    try:
        Recipe.parse(text)
    except (ValueError, TypeError, AttributeError):
        return False
    return True


def _was_control(step: Step) -> bool:
    """In version 1 only distillation had controls that are still understood."""
    return step.name == "distill" and step.values.get("alpha") == 0


def _adopted(artefacts: Artefacts, file: str, digest: str) -> bool:
    """Moves a file to the place of its digest; whether the digest's contents are there then."""
    old = Path(file) if Path(file).is_file() else artefacts.folder / Path(file).name
    if not artefacts.has(digest) and old.is_file():
        artefacts.folder.mkdir(parents=True, exist_ok=True)
        os.replace(old, artefacts.path(digest))
    return artefacts.has(digest)
