"""Points that this version cannot read count as missing; the list of all points is read again only after a change."""

from __future__ import annotations

import sqlite3

import pytest

from compress.curves.store import Store
from compress.curves.sweep import run, sweep_of
from compress.recipe import Recipe

RECIPE = "toy/mlp(hidden=16-16,epochs=1)/low_rank/0"
pytestmark = pytest.mark.usefixtures("toy")


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"recipe": "x"}', "\x00", "{" * 5000])
def test_an_unreadable_point_is_left_out_counted_and_measured_again(text: str, store: Store) -> None:
    wanted = sweep_of(Recipe.parse(RECIPE), [0.2, 0.4])
    points = list(run(wanted, store, latency=False))
    reference, key = store.all_points()[0]["reference"], wanted.at(0.2).key()
    with sqlite3.connect(store.path) as connection:
        connection.execute("UPDATE points SET point=?, created=created+1 WHERE key=?", [text, key])
    assert store.unreadable_points() == 1
    assert [point["dial"] for point in store.points(wanted.curve.key(), reference)] == [0.4]
    assert store.point(key, reference) is None and key not in store.points_of([key], reference)
    assert store.known_keys([key, wanted.at(0.4).key()], reference) == {wanted.at(0.4).key()}
    assert [point["dial"] for point in store.curves("low_rank", reference)[wanted.curve.key()]] == [0.4]
    again = list(run(wanted, store, latency=False))
    assert [point.digest for point in again] == [point.digest for point in points if point.dial == 0.2]
    assert store.unreadable_points() == 0


@pytest.mark.parametrize("column", ["plan", "view"])
def test_an_unreadable_plan_or_view_counts_as_missing(column: str, store: Store) -> None:
    wanted = sweep_of(Recipe.parse(RECIPE), [0.2])
    list(run(wanted, store, latency=False))
    reference = store.all_points()[0]["reference"]
    with sqlite3.connect(store.path) as connection:
        connection.execute(f"UPDATE {column}s SET {column}='{{\"runs\": [{{}}], \"invalid\"'")
    assert (store.plan(wanted.request.key(), reference) if column == "plan" else
            store.view(wanted.curve.key(), reference)) is None and (column == "view" or store.plans(reference) == [])
    list(run(wanted, store, latency=False))
    assert store.plan(wanted.request.key(), reference) and store.view(wanted.curve.key(), reference)


def test_a_teacher_with_an_unreadable_card_is_trained_again(store: Store) -> None:
    wanted = sweep_of(Recipe.parse(RECIPE), [0.2])
    list(run(wanted, store, latency=False))
    key = wanted.recipe.reference().key()
    (before,) = store.teachers(key)
    with sqlite3.connect(store.path) as connection:
        connection.execute("UPDATE teachers SET card='{'")
    assert store.teachers(key) == []
    list(run(wanted, store, latency=False))
    assert store.teachers(key)[0]["digest"] == before["digest"]
