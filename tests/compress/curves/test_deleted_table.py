"""Deleted points are out of sight, come back whole, and lose only files that nothing else needs."""

from __future__ import annotations

import os
import sqlite3
import time
from pathlib import Path

import pytest

from compress.curves import schema
from compress.curves.deleted_table import DAYS, Removed
from compress.curves.store import Store
from compress.curves.sweep import run, sweep_of
from compress.files.artefacts import RECENT
from compress.recipe import Recipe

RECIPE = "toy/mlp(hidden=16-16,epochs=1)/low_rank/0"
CHAIN = "toy/mlp(hidden=16-16,epochs=1)/low_rank(keep=0.4)+quantize(compared=false)/0"
DAY = 86_400.0
pytestmark = pytest.mark.usefixtures("toy")


@pytest.fixture
def places(store: Store) -> list[tuple[str, str]]:
    """Those of two points of one curve; the first is pinned."""
    wanted = sweep_of(Recipe.parse(RECIPE), [0.2, 0.4])
    list(run(wanted, store, latency=False))
    reference = store.all_points()[0]["reference"]
    found = [(wanted.at(value).key(), reference) for value in (0.2, 0.4)]
    store.pin(*found[0], "the knee")
    for file in store.artefacts.folder.iterdir():
        os.utime(file, (0, time.time() - 2 * RECENT))
    return found


def digest(store: Store, place: tuple[str, str]) -> str:
    point = store.point(*place)
    assert point
    return point["digest"]


def later(days: float) -> float:
    return time.time() + days * DAY


def test_a_deleted_point_is_nowhere_and_comes_back_as_it_was(store, places):
    before, stamp = store.all_points(), store.points_stamp()
    assert store.delete_points([*places, ("0" * 20, "1" * 16)]) == places
    assert [point["method"] for point in store.all_points()] == ["teacher"] and store.pins() == {}
    assert store.points_stamp() != stamp and store.known_keys([key for key, _ in places], places[0][1]) == set()
    assert store.deleted_keys([key for key, _ in places], places[0][1]) == {key for key, _ in places}
    again = Store(store.path)  # as after a restart of the app
    notes = {one["key"]: one["note"] for one in again.deleted_points()}
    assert notes == {places[0][0]: "the knee", places[1][0]: None}
    assert again.restore_points(places) == places and again.restore_points(places) == []
    assert sorted(store.all_points(), key=str) == sorted(before, key=str) and store.deleted_points() == []
    assert store.predictions(*places[0]) and store.artefacts.has(digest(store, places[0]))


def test_a_teacher_is_not_deleted_nor_is_anything_beside_it(store, places):
    teacher = next(point for point in store.all_points() if point["method"] == "teacher")
    with pytest.raises(ValueError, match="A teacher cannot be deleted"):
        store.delete_points([places[0], (teacher["key"], teacher["reference"])])
    assert len(store.all_points()) == 3 and store.deleted_points() == []


def test_one_that_was_measured_anew_stays_as_it_is_and_gets_its_note_back(store, places):
    store.delete_points(places)
    list(run(sweep_of(Recipe.parse(RECIPE), [0.2, 0.4]), store, latency=False))
    made = store.point(*places[0])
    assert made and store.deleted_keys([places[0][0]], places[0][1]) == set()
    assert store.restore_points(places) == places
    assert store.point(*places[0]) == made and store.pins()[places[0]]["note"] == "the knee"


def test_the_clean_up_waits_its_days_and_then_removes_points_and_files(store, places):
    gone, files = digest(store, places[0]), len(list(store.artefacts.folder.iterdir()))
    length = store.artefacts.path(gone).stat().st_size
    store.delete_points(places[:1])
    assert store.clean_up() == Removed() == store.clean_up(now=later(DAYS - 0.1)) and store.artefacts.has(gone)
    assert store.clean_up(now=later(DAYS + 0.1)) == Removed(1, 1, length)
    assert store.restore_points(places) == [] and len(list(store.artefacts.folder.iterdir())) == files - 1
    assert store.artefacts.has(digest(store, places[1])) and not store.artefacts.has(gone)


def test_a_file_stays_that_another_point_has_too(store, places):
    kept = digest(store, places[0])
    with sqlite3.connect(store.path) as connection:  # the same bytes under another recipe
        connection.execute("INSERT INTO points SELECT 'twin', reference, curve, data, teacher, method, dial, point, "
                           "predictions, created FROM points WHERE key=?", [places[0][0]])
    store.delete_points(places[:1])
    assert store.clean_up(now=later(8)) == Removed(1) and store.artefacts.has(kept)
    store.delete_points([("twin", places[0][1])])
    assert store.clean_up(now=later(8)).files == 1 and not store.artefacts.has(kept)


def test_a_file_stays_from_which_a_chain_goes_on_also_a_deleted_one(store, places):
    chain = sweep_of(Recipe.parse(CHAIN), [4])
    list(run(chain, store, latency=False))
    own = next(point for point in store.all_points() if point["method"] == "low_rank+quantize")
    end = (own["key"], own["reference"])
    starts = [(point["key"], point["reference"]) for point in store.all_points() if point["recipe"].count("keep=0.4") and
              point["method"] == "low_rank"]
    kept = {digest(store, place) for place in starts}
    store.delete_points(starts)
    for file in store.artefacts.folder.iterdir():
        os.utime(file, (0, time.time() - 2 * RECENT))
    assert store.clean_up(now=later(8)) == Removed() and all(store.artefacts.has(one) for one in kept)
    store.delete_points([end])
    assert store.clean_up(now=later(4)) == Removed() and store.restore_points([end]) == [end]
    assert store.delete_points([end]) == [end] and store.clean_up(now=later(8)).points == 1 + len(starts)
    assert not any(store.artefacts.has(one) for one in kept)


def test_a_file_that_was_just_put_there_stays_with_its_point(store, places):
    store.delete_points(places)
    store.artefacts.put(store.artefacts.contents(store.deleted_points()[0]["digest"]))
    assert store.clean_up(days=0).points == 1 and len(store.deleted_points()) == 1


def test_what_was_made_from_a_removed_network_alone_goes_with_it_but_no_report(store, places):
    own = digest(store, places[0])
    made = store.artefacts.put(b"onnx", ".onnx")
    os.utime(store.artefacts.path(made, ".onnx"), (0, time.time() - 2 * RECENT))
    store.save_view(f"onnx {own}", "onnx", {"digest": made})
    store.save_view(f"final toy 00 {own}", "final", {"digest": made, "rows": []})
    store.delete_points(places[:1])
    assert store.clean_up(now=later(8)).files == 2 and not store.artefacts.path(made, ".onnx").exists()
    assert store.view(f"onnx {own}", "onnx") is None and store.view(f"final toy 00 {own}", "final")


def test_a_deleted_row_that_cannot_be_read_is_cleaned_up(store, places):
    store.delete_points(places)
    with sqlite3.connect(store.path) as connection:
        connection.execute("UPDATE deleted_points SET point='{' WHERE key=?", [places[0][0]])
    assert len(store.deleted_points()) == 1 and store.clean_up(now=later(8)).points == 2


def test_a_store_of_the_version_before_gets_the_table(tmp_path: Path) -> None:
    store = Store(tmp_path / "store.sqlite")
    with sqlite3.connect(store.path) as connection:
        connection.execute("DROP TABLE deleted_points")
        connection.execute(f"PRAGMA user_version={schema.VERSION - 1}")
    assert Store(store.path).deleted_points() == []
