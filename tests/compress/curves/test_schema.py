"""A store of the version before opens: what is understood stays, the rest is left out and that is said once."""

from __future__ import annotations

import json
import shutil
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from compress.__main__ import main
from compress.curves import schema
from compress.curves.sink import opened_counter
from compress.curves.store import Store
from compress.curves.sweep import run, sweep_of
from compress.files.store_error import StoreError
from compress.recipe import Recipe

TEACHER = "toy/mlp(hidden=16-16,epochs=1)"
VERSION_1 = """
CREATE TABLE teachers (key TEXT PRIMARY KEY, recipe TEXT, digest TEXT, data_digest TEXT, file TEXT, card TEXT, created REAL);
CREATE TABLE points (key TEXT, reference TEXT, curve TEXT, data TEXT, teacher TEXT, method TEXT, dial TEXT, point TEXT,
    predictions BLOB, created REAL, PRIMARY KEY (key, reference));
CREATE TABLE views (key TEXT, reference TEXT, view TEXT, PRIMARY KEY (key, reference));
CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER);
CREATE TABLE pins (key TEXT, reference TEXT, note TEXT, created REAL, PRIMARY KEY (key, reference));
"""
pytestmark = pytest.mark.usefixtures("toy")


def old_store(store: Store, folder: Path) -> Path:
    """The same points as version 1 kept them: files by names of their own, absolute paths, other columns."""
    networks = folder / "networks"
    networks.mkdir(parents=True)
    connection = sqlite3.connect(folder / "store.sqlite")
    connection.executescript(VERSION_1)
    for number, point in enumerate(store.all_points()):
        old = networks / f"{point['method']}-{number}.safetensors"
        shutil.copy(store.artefacts.path(point["digest"]), old)
        if point["method"] == "teacher":
            kept = store.teachers(point["key"])[0]
            connection.execute("INSERT INTO teachers VALUES (?,?,?,?,?,?,1)", [
                point["key"], kept["recipe"], kept["digest"], kept["data_digest"], str(old), json.dumps(kept["card"])])
        plain = {name: value for name, value in point.items() if name not in ("roles", "note", "pinned")}
        connection.execute("INSERT INTO points VALUES (?,?,?,?,?,?,?,?,?,1)", [
            *(point[name] for name in ("key", "reference", "curve", "data", "teacher", "method")), json.dumps(point["dial"]),
            json.dumps({**plain, "file": str(old)}), store.predictions(point["key"], point["reference"])])
    connection.execute("INSERT INTO views VALUES ('v', 't', '{}')")
    connection.execute("INSERT INTO counters VALUES ('test split of toy', 3)")
    connection.commit()
    connection.close()
    return folder / "store.sqlite"


def test_points_teachers_and_counters_of_version_1_stay(store: Store, tmp_path: Path) -> None:
    for text, values in (("low_rank", [0.2, 0.4]), ("distill(epochs=1,seeds=1,temperatures=none)", [0.5])):
        list(run(sweep_of(Recipe.parse(f"{TEACHER}/{text}/0"), values), store, latency=False))
    opened = Store(old_store(store, tmp_path / "old"))
    before, after = ({point["key"]: point["digest"] for point in one.all_points()} for one in (store, opened))
    assert before == after and all(opened.artefacts.has(digest) for digest in after.values())
    assert not any("file" in point for point in opened.all_points()) and opened.take_notices() == []
    assert opened.counter("test split of toy") == 3 and opened.view("v", "t") is None
    controls = {point["recipe"] for point in opened.all_points() if point["roles"] == ["control"]}
    assert controls == {point["recipe"] for point in store.all_points() if "alpha=0.0" in point["recipe"]} != set()
    again = sweep_of(Recipe.parse(f"{TEACHER}/low_rank/0"), [0.2, 0.4])
    assert list(run(again, opened, latency=False)) == [], "nothing is measured a second time"


def test_points_that_cannot_be_read_are_left_out_with_one_notice(store: Store, tmp_path: Path) -> None:
    list(run(sweep_of(Recipe.parse(f"{TEACHER}/low_rank/0"), [0.2, 0.4]), store, latency=False))
    path = old_store(store, tmp_path / "old")
    with sqlite3.connect(path) as connection:
        rows = connection.execute("SELECT key, point FROM points WHERE method='low_rank'").fetchall()
        gone, changed = (json.loads(row[1]) for row in rows)
        Path(gone["file"]).unlink()
        changed["recipe"] = "toy/mlp/data_codes(terms=4)/0"
        connection.execute("UPDATE points SET point=? WHERE key=?", [json.dumps(changed), rows[1][0]])
    opened = Store(path)
    assert [point["method"] for point in opened.all_points()] == ["teacher"]
    (sentence,) = Store(path).take_notices()
    assert sentence.startswith("2 of 3 points that an earlier version of this program kept are left out")
    assert opened.take_notices() == []


def test_a_teacher_that_pages_cannot_show_is_trained_anew(store: Store, tmp_path: Path) -> None:
    wanted = sweep_of(Recipe.parse(f"{TEACHER}/low_rank/0"), [0.2])
    list(run(wanted, store, latency=False))
    path = old_store(store, tmp_path / "old")
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE teachers SET card='{\"title\": \"old\"}'")
    opened, key = Store(path), wanted.recipe.reference().key()
    assert opened.teachers(key) == []
    list(run(wanted, opened, latency=False))
    assert opened.teachers(key)[0]["card"]["labels"] == store.teachers(key)[0]["card"]["labels"]


@pytest.mark.parametrize("script", [
    "CREATE TABLE points (key TEXT, curve TEXT, point TEXT, created REAL)",
    "CREATE TABLE teachers (key TEXT PRIMARY KEY, recipe TEXT, extra TEXT)", f"PRAGMA user_version={schema.VERSION + 1}"])
def test_a_store_of_an_unknown_version_is_named_with_a_remedy(
        script: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    with sqlite3.connect(tmp_path / "store.sqlite") as connection:
        connection.execute(script)
    with pytest.raises(StoreError, match=r"The store .*store.sqlite was written by a version .* Move the file away"):
        Store(tmp_path / "store.sqlite")
    monkeypatch.setenv("COMPRESS_HOME", str(tmp_path))
    assert main(["teacher", "--data", "digits"]) == 2
    shown = capsys.readouterr()
    assert "Move the file away" in shown.err and shown.err.count("\n") == 1 and not shown.out


def test_a_store_of_version_2_gets_one_teacher_for_each_data_set_of_a_name(store: Store, tmp_path: Path) -> None:
    wanted = sweep_of(Recipe.parse(f"{TEACHER}/low_rank/0"), [0.2])
    list(run(wanted, store, latency=False))
    with sqlite3.connect(store.path) as connection:
        connection.executescript("""
            CREATE TABLE before (key TEXT PRIMARY KEY, recipe TEXT, digest TEXT, data_digest TEXT, card TEXT, created REAL);
            INSERT INTO before SELECT * FROM teachers; DROP TABLE teachers; ALTER TABLE before RENAME TO teachers;
            DROP TABLE data_versions; INSERT INTO counters VALUES ('test split of toy', 4); PRAGMA user_version=2;""")
    key, opened = wanted.recipe.reference().key(), Store(store.path)
    (teacher,) = opened.teachers(key)
    assert opened.data_digest("toy", "") == teacher["data_digest"]
    assert opened.counter(opened_counter("toy", teacher["data_digest"])) == 4
    assert list(run(wanted, opened, latency=False)) == [], "nothing is measured a second time"
    opened.save_teacher(key, wanted.recipe.reference().text(), "abc", "other data", teacher["card"])
    assert {one["data_digest"] for one in opened.teachers(key)} == {"other data", teacher["data_digest"]}


def test_rows_of_version_1_that_are_no_json_are_left_out(store: Store, tmp_path: Path) -> None:
    list(run(sweep_of(Recipe.parse(f"{TEACHER}/low_rank/0"), [0.2, 0.4]), store, latency=False))
    path = old_store(store, tmp_path / "old")
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE points SET point='{\"recipe\": ' WHERE method='low_rank'")
        connection.execute("UPDATE teachers SET card='[]', recipe=NULL")
    opened = Store(path)
    assert [point["method"] for point in opened.all_points()] == ["teacher"]
    assert opened.take_notices()[0].startswith("2 of 3 points")


def test_many_may_open_a_new_store_at_once(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        stores = list(pool.map(lambda _: Store(tmp_path / "store.sqlite"), range(16)))
    assert [store.count("opened") for store in stores] == list(range(1, 17))
