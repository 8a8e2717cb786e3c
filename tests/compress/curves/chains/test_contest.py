"""Two recipes at equal size: the size is reached and told, results are kept seed by seed, what is impossible is refused."""

from __future__ import annotations

from typing import Any

import pytest

from compress.curves.chains import contest, duel, order
from compress.curves.chains.contest import Unequal
from compress.curves.chains.structure import RefusedStep
from compress.curves.store import Store
from compress.data import datasets
from compress.methods import methods
from compress.progress import Cancelled, Progress, Reporter
from compress.recipe import Recipe

START = "toy/mlp(hidden=32-32,epochs=3)"
pytestmark = pytest.mark.usefixtures("toy")


def recipe(chain: str) -> Recipe:
    return Recipe.parse(f"{START}/{chain}/0")


def fight(store: Store, first: str, second: str, size: float, seeds: int = 1, by: str = "bytes",
          report: Reporter | None = None) -> list[Any]:
    wanted = duel.duel_of(recipe(first), recipe(second), by, size, seeds)
    return list(duel.run(wanted, store, report or Reporter()))


def test_both_are_as_large_as_asked_and_the_sizes_are_those_of_the_files(store: Store) -> None:
    (meeting,) = fight(store, "low_rank(keep=0.5)+prune", "prune", 3000)
    assert all(abs(size / 3000 - 1) < 0.05 for size in meeting.sizes)
    (teacher,) = {point["reference"] for point in store.all_points()}
    for own, size, accuracy in zip((meeting.first, meeting.second), meeting.sizes, meeting.accuracies, strict=True):
        point = store.point(own.key(), teacher)
        assert point and point["bytes"] == size and point["accuracy"] == accuracy
    balance = meeting.votes.count("+") - meeting.votes.count("-")
    assert balance / len(meeting.votes) == pytest.approx(meeting.accuracies[0] - meeting.accuracies[1])


def test_the_network_with_the_finer_dial_is_made_as_large_as_the_other(store: Store) -> None:
    (meeting,) = fight(store, "quantize", "prune", 1400)
    assert isinstance(meeting.first.methods[0].values["levels"], int)
    assert abs(meeting.sizes[0] / meeting.sizes[1] - 1) < 0.03


def test_sizes_that_cannot_be_equal_are_refused_with_both(store: Store) -> None:
    with pytest.raises(Unequal, match=r"multiply-adds cannot be made equal within 10 %: [\d,]+ and [\d,]+ are the nearest"):
        fight(store, "quantize", "distill(epochs=1)", 500, by="macs")
    (meeting,) = fight(store, "distill(epochs=1)", "low_rank", 600, by="macs")
    assert abs(meeting.sizes[0] / meeting.sizes[1] - 1) < 0.1


def test_a_cancelled_duel_keeps_its_seeds_and_more_can_be_added(store: Store) -> None:
    def cancel(progress: Progress) -> None:
        if len({point["reference"] for point in store.all_points()}) > 1:
            raise Cancelled

    with pytest.raises(Cancelled):
        fight(store, "prune", "low_rank", 3000, 2, report=Reporter(cancel))
    assert [meeting.first.seed for meeting in fight(store, "prune", "low_rank", 3000, 2)] == [1]
    assert [meeting.first.seed for meeting in fight(store, "prune", "low_rank", 3000, 3)] == [2]
    wanted = duel.duel_of(recipe("prune"), recipe("low_rank(keep=0.7)"), "bytes", "3000", "3")
    view = store.view(wanted.view_key, datasets.load("toy").digest)
    found = wanted.verdict(view or {})
    assert found and len(found.by_seed) == 3, "the last dial is no part of a duel"


@pytest.mark.parametrize(("first", "second", "sentence"), [
    ("data_svd", "prune", "compresses data"), ("prune", "prune(pattern=n:4,sparsity=0.3)+quantize", "must be one of"),
    ("prune", "dance", "dance")])
def test_what_is_impossible_is_refused_before_anything_is_trained(first: str, second: str, sentence: str, store: Store,
                                                                   monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("compress.curves.kept_teachers.obtain", lambda *given, **more: pytest.fail("trained"))
    with pytest.raises(ValueError, match=sentence):
        fight(store, first, second, 3000)
    with pytest.raises(ValueError, match="needs one teacher and seed"):
        duel.duel_of(recipe("prune"), Recipe.parse("toy/mlp/prune/0"), "bytes", 100, 1)
    for wrong in (("weight", 100, 1), ("bytes", 0, 1), ("bytes", 100, 0)):
        with pytest.raises(ValueError, match="must be"):
            duel.duel_of(recipe("prune"), recipe("low_rank"), *wrong)


@pytest.fixture
def two(monkeypatch: pytest.MonkeyPatch) -> None:
    """An order matrix of two methods that train nothing."""
    known = {name: methods()[name] for name in ("low_rank", "prune")}
    monkeypatch.setattr(order, "methods", lambda: known)


@pytest.mark.usefixtures("two")
def test_an_order_matrix_meets_each_pair_both_ways_round_and_goes_on(store: Store) -> None:
    wanted = order.order_of(Recipe.parse(f"{START}/0"), 4, 1)
    (cell,) = order.run(wanted, store)
    meeting = cell.meeting
    assert cell.pair == ("low_rank", "prune") and meeting and abs(meeting.sizes[0] / meeting.sizes[1] - 1) <= 0.1
    assert [[step.name for step in own.methods] for own in (meeting.first, meeting.second)] == [
        ["low_rank", "prune"], ["prune", "low_rank"]]
    assert [one.seed for one in order.run(order.order_of(wanted.recipe, "4", "2"), store)] == [1]
    view = store.view(wanted.view_key, datasets.load("toy").digest) or {}
    assert wanted.missing(view) == 0
    assert len(order.order_of(wanted.recipe, 4, 2).verdicts(view)["low_rank", "prune"].by_seed) == 2
    assert not list(order.run(wanted, store))


@pytest.mark.usefixtures("two")
def test_a_pair_that_is_refused_says_why_and_stops_nobody(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = order.order_of(Recipe.parse(f"{START}/0"), 4, 1)
    with monkeypatch.context() as patch:
        patch.setattr(order, "refusal", lambda recipe, data: RefusedStep(2, "not after this"))
        (cell,) = order.run(wanted, store)
    assert cell.meeting is None and cell.refused == "not after this"
    view = store.view(wanted.view_key, datasets.load("toy").digest) or {}
    assert view["refused"] == {"low_rank+prune": "not after this"} and wanted.missing(view) == 0


@pytest.mark.usefixtures("two")
def test_files_that_cannot_be_equal_refuse_the_pair(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def unequal(*given: Any) -> None:
        raise Unequal("too different")

    monkeypatch.setattr(order, "met", unequal)
    (cell,) = order.run(order.order_of(Recipe.parse(f"{START}/0"), 4, 2), store, explained=lambda error: f"{error}!")
    assert cell.refused == "too different!", "once, and not again for the next seed"
    assert contest.Unequal is Unequal


@pytest.mark.parametrize(("smaller", "seeds"), [(1, 3), (16, 0), ("many", 3), (16, 2.5)])
def test_an_order_matrix_checks_its_numbers(smaller: Any, seeds: Any) -> None:
    with pytest.raises(ValueError, match="must be"):
        order.order_of(Recipe.parse(f"{START}/0"), smaller, seeds)
