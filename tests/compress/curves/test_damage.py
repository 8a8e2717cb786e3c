"""Errors of the store's file: one sentence with the file and the remedy, nothing lost, a new store where it was damaged."""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from compress.__main__ import main
from compress.curves import damage
from compress.curves.schema import VERSION
from compress.curves.store import Store
from compress.files.store_error import StoreError


def junk(path: Path) -> None:
    path.write_bytes(b"junk " * 2000)


def cut(path: Path) -> None:
    filled(path)
    path.write_bytes(path.read_bytes()[:path.stat().st_size // 2])


def random_pages(path: Path) -> None:
    filled(path)
    path.write_bytes(path.read_bytes()[:200] + os.urandom(path.stat().st_size - 200))


def filled(path: Path) -> None:
    store = Store(path)
    for number in range(300):
        store.save_view(str(number), "teacher", {"numbers": list(range(100))})
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def moved_aside(folder: Path) -> list[Path]:
    """Damaged stores, without the files of SQLite beside them."""
    return [path for path in folder.glob("store.sqlite.damaged-*") if not path.name.endswith(("-wal", "-shm"))]


@pytest.mark.parametrize("damaged", [junk, cut, random_pages])
def test_a_damaged_store_is_moved_aside_and_the_next_attempt_begins_a_new_one(damaged: Callable[[Path], None],
                                                                               tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"
    damaged(path)
    before = path.read_bytes()
    with pytest.raises(StoreError, match=r"store\.sqlite was damaged\. It is kept as store\.sqlite\.damaged-") as caught:
        for _ in range(3):
            Store(path).view("7", "teacher")
    assert "a new store is begun" in str(caught.value)
    (kept,) = moved_aside(tmp_path)
    assert kept.read_bytes() == before
    assert Store(path).count("opened") == 1 and len(moved_aside(tmp_path)) == 1
    (notice,) = Store(path).take_notices()
    assert f"kept as {kept.name} in {tmp_path}" in notice, "who did not see the error learns of it too"
    assert Store(path).take_notices() == []


def test_a_store_that_is_damaged_while_it_is_used_is_replaced_too(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"
    filled(path)
    store = Store(path)
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(StoreError, match="was damaged"):
        store.count("a")
    assert [store.count("a"), store.count("a")] == [1, 2], "the same object goes on with a new file"


def test_of_many_that_meet_the_damage_one_moves_it(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"
    junk(path)

    def attempt(_: int) -> str:
        try:
            return str(Store(path).count("opened") > 0)
        except StoreError as error:
            return str(error)

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(attempt, range(24)))
    assert len(moved_aside(tmp_path)) == 1 and "True" in answers
    assert Store(path).counter("opened") == answers.count("True"), "no new store was moved aside"


@pytest.mark.parametrize("prepare", ["folder", "0", "1", "2", "3", str(VERSION), str(VERSION + 1)])
def test_what_is_no_store_of_this_program_stays_where_it_is(prepare: str, tmp_path: Path,
                                                            capsys: pytest.CaptureFixture[str],
                                                            monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "store.sqlite"
    if prepare == "folder":
        path.mkdir()
    else:
        with sqlite3.connect(path) as connection:
            connection.execute("CREATE TABLE songs (title TEXT)")
            connection.execute(f"PRAGMA user_version={prepare}")
    theirs = None if path.is_dir() else path.read_bytes()
    monkeypatch.setenv("COMPRESS_HOME", str(tmp_path))
    assert main(["teacher", "--data", "digits"]) == 2
    shown = capsys.readouterr().err
    assert theirs is None or path.read_bytes() == theirs, "nothing is written to another program's file"
    assert str(path) in shown and "ove " in shown and shown.count("\n") == 1 and "sqlite3" not in shown
    assert not list(tmp_path.glob("*damaged*")) and path.exists()


def test_a_locked_store_is_named_and_works_again_afterwards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("compress.curves.store.SECONDS", 0.1)
    store = Store(tmp_path / "store.sqlite")
    other = sqlite3.connect(store.path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(StoreError, match=r"store\.sqlite is locked by another program .* Close what uses it"):
        store.count("a")
    other.execute("COMMIT")
    other.close()
    assert store.count("a") == 1


def test_a_full_disk_is_a_sentence_with_the_folder(tmp_path: Path) -> None:
    store = Store(tmp_path / "store.sqlite")
    store.count("a")

    def small() -> sqlite3.Connection:
        connection = sqlite3.connect(store.path)
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA max_page_count=1")  # SQLite answers as for a full disk
        return connection

    whole, store._opened = store._opened, small  # type: ignore[method-assign]
    with pytest.raises(StoreError, match=r"the disk of .* is full\. Free some space there"):
        store.save_view("key", "teacher", {"long": "x" * 1_000_000})
    store._opened = whole  # type: ignore[method-assign]
    assert store.count("a") == 2 and store.view("key", "teacher") is None


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_store_that_may_not_be_written_is_named(tmp_path: Path) -> None:
    Store(tmp_path / "store.sqlite").count("a")
    (tmp_path / "store.sqlite").chmod(stat.S_IREAD)
    with pytest.raises(StoreError, match="this user may not write it"):
        Store(tmp_path / "store.sqlite").count("a")


@pytest.mark.parametrize("code", [sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM])
def test_errors_of_permission_have_a_remedy(code: int, tmp_path: Path) -> None:
    error = sqlite3.OperationalError("attempt to write a readonly database")
    error.sqlite_errorcode = code
    sentence = str(damage.explained(error, tmp_path / "store.sqlite"))
    assert "this user may not write it" in sentence and "set COMPRESS_HOME" in sentence
    assert "readonly database" not in sentence


def test_a_table_whose_name_is_no_text_any_more_is_damage(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"
    filled(path)
    contents = path.read_bytes()
    place = contents.index(b"CREATE TABLE views")
    path.write_bytes(contents[:place] + b"CREATE TABLE v\xf4\xf4\xf4s" + contents[place + 18:])
    with pytest.raises(StoreError, match=r"store\.sqlite"):
        Store(path).view("7", "teacher")


def test_a_text_that_is_no_utf_8_counts_as_unreadable(tmp_path: Path) -> None:
    store = Store(tmp_path / "store.sqlite")
    store.save_view("key", "teacher", {"a": 1})
    with sqlite3.connect(store.path) as connection:
        connection.execute("UPDATE views SET view=CAST(x'f4f4f4' AS TEXT)")
    assert store.view("key", "teacher") is None
