"""The store: what was measured survives, several processes share it, and a job that has ended stays ended."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from compress.curves.plan import Plan, PlannedRun
from compress.curves.store import Store
from compress.files.store_error import StoreError
from compress.recipe import Recipe
from tests.compress.helpers import python

FACTS = {"recipe": "digits/mlp/low_rank(coding=entropy)/0", "accuracy": 0.5, "accuracy_low": 0.4, "accuracy_high": 0.6,
         "correct": 5, "examples": 10, "agreement": 0.5, "bytes": 100, "parameters": 25, "macs": 25, "digest": "abc"}


def add(store: Store, key: str, dial: float, curve: str = "curve", reference: str = "teacher", **more: object) -> None:
    point = {**FACTS, "dial": dial, "accuracy": dial / 2, **more}
    store.add_point(key, curve, reference, "digits", "mlp", "low_rank", point, b"\x01\x00")


def test_points_survive_reopening_and_come_by_rising_dial(store: Store) -> None:
    for key, dial in (("b", 0.5), ("a", 0.1), ("c", 0.3)):
        add(store, key, dial)
    again = Store(store.path)
    assert [point["dial"] for point in again.points("curve", "teacher")] == [0.1, 0.3, 0.5]
    assert again.predictions("a", "teacher") == b"\x01\x00"


def test_a_point_measured_again_replaces_the_first(store: Store) -> None:
    add(store, "a", 0.1, accuracy=0.2)
    add(store, "a", 0.1, accuracy=0.9)
    assert store.points("curve", "teacher") == [{**FACTS, "dial": 0.1, "accuracy": 0.9}]


def test_what_is_read_together_shares_a_connection_and_sees_what_is_written_meanwhile(store: Store, monkeypatch) -> None:
    opened: list[int] = []
    real = Store._opened
    monkeypatch.setattr(Store, "_opened", lambda own: opened.append(1) or real(own))
    with store.reading():
        with store.reading():
            assert not store.points("curve", "teacher")
        Store.add_point(Store(store.path), "a", "curve", "teacher", "digits", "mlp", "low_rank", {**FACTS, "dial": 0.1}, b"")
        before = len(opened)
        assert [point["dial"] for point in store.points("curve", "teacher")] == [0.1]
        with ThreadPoolExecutor(1) as other:  # another thread has a connection of its own
            assert other.submit(store.points, "curve", "teacher").result()
        assert len(opened) == before + 1
    store.points("curve", "teacher")
    assert len(opened) == before + 2


def test_an_error_while_reading_together_is_a_sentence_and_a_new_store_is_begun(store: Store) -> None:
    add(store, "a", 0.1)
    with pytest.raises(StoreError, match="damaged"), store.reading():
        store.path.write_bytes(b"no store at all" * 500)
        for name in ("-wal", "-shm"):
            Path(f"{store.path}{name}").unlink(missing_ok=True)
        store.points("curve", "teacher")
    with store.reading():
        assert store.points("curve", "teacher") == []


def test_points_of_another_reference_are_other_points(store: Store) -> None:
    add(store, "a", 0.1, reference="old teacher", accuracy=0.2)
    add(store, "a", 0.1, reference="new teacher", accuracy=0.9)
    assert store.points("curve", "old teacher")[0]["accuracy"] == 0.2
    assert store.points("curve", "new teacher")[0]["accuracy"] == 0.9
    assert store.points("curve", "no teacher") == []


def test_all_points_carry_where_they_belong(store: Store) -> None:
    add(store, "a", 0.1)
    (point,) = store.all_points()
    assert {name: point[name] for name in ("key", "curve", "reference", "data", "teacher", "method", "dial")} == {
        "key": "a", "curve": "curve", "reference": "teacher", "data": "digits", "teacher": "mlp", "method": "low_rank",
        "dial": 0.1}
    assert point["pinned"] is None and point["created"] > 0


def test_the_curves_of_a_method_are_kept_apart(store: Store) -> None:
    for curve, dial in (("first", 0.5), ("second", 0.4), ("first", 0.1)):
        add(store, f"{curve}{dial}", dial, curve)
    found = store.curves("low_rank", "teacher")
    assert {key: [point["dial"] for point in points] for key, points in found.items()} == {
        "first": [0.1, 0.5], "second": [0.4]}
    assert store.curves("other", "teacher") == {}


def test_predictions_of_an_unknown_point_are_a_key_error(store: Store) -> None:
    with pytest.raises(KeyError):
        store.predictions("a", "teacher")


def test_a_point_is_found_by_its_recipe_and_reference(store: Store) -> None:
    add(store, "a", 0.1)
    add(store, "b", 0.5)
    add(store, "a", 0.1, reference="new teacher", accuracy=0.9)
    assert store.point("a", "teacher") == {**FACTS, "dial": 0.1, "accuracy": 0.05}
    assert store.point("a", "new teacher") == {**FACTS, "dial": 0.1, "accuracy": 0.9}
    assert store.point("b", "new teacher") is None and store.point("curve", "teacher") is None


def test_the_predictions_of_a_method_come_by_recipe_for_one_reference(store: Store) -> None:
    point = {"dial": 0.1}
    for key, reference, method, predictions in (
            ("a", "teacher", "distill", b"\x01\x00"), ("b", "teacher", "distill", b"\x02\x00"),
            ("a", "new teacher", "distill", b"\x03\x00"), ("c", "teacher", "low_rank", b"\x04\x00"),
            ("d", "teacher", "distill+low_rank", b"\x05\x00")):
        store.add_point(key, f"curve of {key}", reference, "digits", "mlp", method, point, predictions)
    assert store.all_predictions("distill", "teacher") == {"a": b"\x01\x00", "b": b"\x02\x00"}
    assert store.all_predictions("distill", "new teacher") == {"a": b"\x03\x00"}
    assert store.all_predictions("distill+low_rank", "teacher") == {"d": b"\x05\x00"}
    assert store.all_predictions("prune", "teacher") == {}


def test_a_pin_can_be_set_changed_and_taken_back(store: Store) -> None:
    add(store, "a", 0.1)
    store.pin("a", "teacher", "good")
    store.pin("a", "teacher", "very good")
    (point,) = store.all_points()
    assert point["note"] == "very good" and point["pinned"]
    store.unpin("a", "teacher")
    assert store.all_points()[0]["note"] is None


def test_teachers_and_views_come_back_and_are_replaced(store: Store) -> None:
    assert store.teacher("t", "data") is None and store.view("v", "teacher") is None
    for accuracy in (0.5, 0.9):
        store.save_teacher("t", "digits/mlp/0", "abc", "data", {"accuracy": accuracy})
        store.save_view("v", "teacher", {"layers": [accuracy]})
    assert store.teacher("t", "data") == {"recipe": "digits/mlp/0", "digest": "abc", "data_digest": "data",
                                          "card": {"accuracy": 0.9}}
    assert store.teacher_of("abc")["key"] == "t" and store.teacher_of("abc")["card"] == {"accuracy": 0.9}
    assert store.teacher_of("def") is None
    assert store.view("v", "teacher") == {"layers": [0.9]} and store.view("v", "other") is None


WRITER = """
import json
import sys
from compress.curves.plan import Plan, PlannedRun
from compress.curves.store import Store
store = Store(sys.argv[1])
for number in range(40):
    point = {**json.loads(sys.argv[3]), "dial": number}
    store.add_point(f"{sys.argv[2]}{number}", "curve", "teacher", "d", "t", "m", point, b"")
    store.count("written")
"""


def test_two_processes_write_at_once_while_a_third_reads(store: Store) -> None:
    with ThreadPoolExecutor() as pool:
        writers = [pool.submit(python, "-c", WRITER, str(store.path), name, json.dumps(FACTS)) for name in "ab"]
        while not all(writer.done() for writer in writers):
            assert len(store.points("curve", "teacher")) <= 80
    assert [writer.result().returncode for writer in writers] == [0, 0], writers[0].result().stderr
    assert len(store.points("curve", "teacher")) == 80 and store.counter("written") == 80


def test_threads_share_one_store(store: Store) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: add(store, str(number), number), range(60)))
    assert len(store.points("curve", "teacher")) == 60


def test_a_counter_counts(store: Store) -> None:
    assert store.counter("opened") == 0
    assert [store.count("opened") for _ in range(3)] == [1, 2, 3]
    assert Store(store.path).counter("opened") == 3 and store.counter("other") == 0


def test_artefacts_lie_beside_the_store(store: Store, tmp_path: Path) -> None:
    assert store.artefacts.folder == tmp_path / "networks"


def test_without_a_path_the_store_lies_in_the_cache_folder(home: Path) -> None:
    assert Store().path == home / "store.sqlite"


def test_the_stamp_of_the_points_changes_with_them_alone(store: Store) -> None:
    seen = [store.points_stamp()]

    def changed() -> bool:
        seen.append(store.points_stamp())
        return seen[-1] != seen[-2]

    add(store, "a", 1)
    assert changed() and not changed()
    add(store, "b", 1)
    assert changed()
    add(store, "b", 0.6)
    assert changed(), "the newest is replaced"
    add(store, "a", 0.7)
    assert changed(), "an older one is replaced"
    number = store.new_job("k", "curve", "title", {})
    store.update_job(number, text="on the way")
    store.pin("a", "teacher", "note")
    assert not changed(), "jobs and pins are no points"
    store.replace_plan("c", "teacher", None, Plan((PlannedRun("x", "a", "control", 1, ""),), ()))
    assert changed(), "a role"
    assert store.pins()["a", "teacher"]["note"] == "note" and len(store.pins()) == 1
    store.unpin("a", "teacher")
    assert store.pins() == {}


def test_a_file_that_another_thread_has_just_begun_gets_its_tables(store: Store) -> None:
    """The home was removed, and another connection has made the file but not its tables yet."""
    assert store.count("a") == 1
    aside = store.path.with_name("kept aside")  # so that the new file is another one
    store.path.rename(aside)
    for companion in store.path.parent.glob(f"{store.path.name}-*"):
        companion.unlink()
    store.path.touch()
    assert store.count("a") == 1


def test_a_view_that_another_process_has_changed_is_not_overwritten(store: Store) -> None:
    assert store.replace_view("key", "teacher", None, {"values": [1]})
    assert not store.replace_view("key", "teacher", None, {"values": [2]})
    assert store.view("key", "teacher") == {"values": [1]}
    assert store.replace_view("key", "teacher", {"values": [1]}, {"values": [1, 2]})
    assert store.view("key", "teacher") == {"values": [1, 2]}


def test_a_point_of_before_files_were_coded_says_so_and_is_found_where_coding_is_off(store: Store) -> None:
    before = "digits/mlp/low_rank(keep=0.1)/0"
    add(store, Recipe.parse(before).key(), 0.1, recipe=before)
    asked = Recipe.parse("digits/mlp/low_rank(coding=none,keep=0.1,precision=float32)/0")
    assert store.point(asked.key(), "teacher")["recipe"] == "digits/mlp/low_rank(coding=none,keep=0.1)/0"
    assert store.point(Recipe.parse("digits/mlp/low_rank(coding=entropy,keep=0.1)/0").key(), "teacher") is None
    add(store, "x", 0.1, recipe="of a version to come")
    assert store.point("x", "teacher")["recipe"] == "of a version to come"
