"""The search for a target: a tiny space against brute force; interrupted, continued, repeated, damaged."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from compress.curves import sweep
from compress.curves.sink import opened_counter
from compress.curves.store import Store
from compress.data.datasets import Dataset
from compress.methods.low_rank import LowRank
from compress.methods.prune import Prune
from compress.methods.quantize import Quantize
from compress.points import measure
from compress.points.measure import Point
from compress.progress import Cancelled, Reporter
from compress.recipe import Recipe, Step
from compress.search import solver
from compress.search.budget import Budget
from compress.search.found import MEASURED, REFUSED, SKIPPED, Found, view_key
from compress.search.solver import Question, run
from compress.search.space import Choices, Setting, Space
from compress.search.target import Target

pytest.importorskip("optuna")
Another = Callable[[str], Store]
TEACHER = sweep.complete(Recipe("digits", Step.parse("mlp(hidden=16,epochs=3)")))
LEVELS, WAYS = (3, 4, 5, 6), ("uniform", "measured")


@pytest.fixture(autouse=True)
def tiny(monkeypatch: pytest.MonkeyPatch, digits: Dataset) -> None:
    """Two methods with few choices, and little patience."""
    levels = Choices(Quantize, (Setting("allocation", WAYS, {}),), LEVELS)
    keep = Choices(LowRank, (), (0.5, 0.6))
    monkeypatch.setattr(Space, "of", lambda *_: Space({"quantize": levels, "low_rank": keep}, {}))
    monkeypatch.setattr(solver, "IN_VAIN", 12)


@pytest.fixture(scope="module")
def home_with_teacher(tmp_path_factory: pytest.TempPathFactory, prepared: None, digits: Dataset) -> Path:
    """The folder of a store that has the teacher alone, trained once."""
    folder = tmp_path_factory.mktemp("teacher")
    sweep.ground(TEACHER, digits, Store(folder / "store.sqlite"))
    return folder


@pytest.fixture
def another(home_with_teacher: Path, tmp_path: Path) -> Callable[[str], Store]:
    """another("name"): a store of its own, with the teacher."""
    return lambda name: Store(Path(shutil.copytree(home_with_teacher, tmp_path / name)) / "store.sqlite")


@pytest.fixture
def store(another: Callable[[str], Store]) -> Store:
    return another("own")


def searched(store: Store, folder: Path, target: str = "at_most=3", count: int = 6, seed: int = 0, fresh: int = 0) -> Found:
    question = Question(TEACHER, Target.parse(target), Budget(measurements=count), seed, fresh)
    for _ in run(question, store, folder=folder, latency=False):
        pass
    return found_in(store, target)


def found_in(store: Store, target: str = "at_most=3") -> Found:
    (teacher,) = store.teachers(TEACHER.key())
    found = Found.from_plain(store.view(view_key(TEACHER, Target.parse(target)), teacher["digest"]))
    assert found is not None
    return found


def card(store: Store) -> dict[str, Any]:
    (teacher,) = store.teachers(TEACHER.key())
    return teacher["card"]


def point_of(store: Store, recipe: str) -> dict[str, Any]:
    (teacher,) = store.teachers(TEACHER.key())
    point = store.point(Recipe.parse(recipe).key(), teacher["digest"])
    assert point is not None
    return point


def test_a_small_space_is_searched_to_its_end_as_brute_force_does(store: Store, another: Another, tmp_path: Path,
                                                                  monkeypatch: pytest.MonkeyPatch) -> None:
    single = Choices(Quantize, (Setting("allocation", WAYS, {}),), LEVELS)
    monkeypatch.setattr(Space, "of", lambda *_: Space({"quantize": single}, {}))
    found = searched(store, tmp_path / "a", count=100)
    assert found.ended and found.best
    by_hand = another("by hand")
    everything = [point.plain() for way in WAYS for point in sweep.run(
        sweep.sweep_of(replace(TEACHER, methods=(Quantize(allocation=way, compared=False).request(),)), LEVELS), by_hand,
        latency=False)]
    best = Target.parse("at_most=3").best(everything, card(by_hand))
    assert best and (point_of(store, found.best)["bytes"], point_of(store, found.best)["accuracy"]) == (
        best["bytes"], best["accuracy"])
    assert found.measured < len(everything)  # what cannot meet the target is not measured in full
    assert {one.state for one in found.tried} == {MEASURED, SKIPPED} and all(one.reason for one in found.tried
                                                                            if one.state == SKIPPED)


def test_the_same_seed_and_budget_give_the_same_search(store: Store, another: Another, tmp_path: Path) -> None:
    first = searched(store, tmp_path / "a")
    again = searched(another("other"), tmp_path / "b")
    assert first.tried == again.tried and first.best == again.best and len(first.tried) >= 5
    other = searched(another("third"), tmp_path / "c", seed=1)
    assert other.tried != first.tried


@pytest.mark.parametrize("place", (2, 4))
def test_a_search_that_was_killed_goes_on_as_if_it_was_not(store: Store, another: Callable[[str], Store], tmp_path: Path,
                                                           place: int, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, single, calls = searched(another("whole"), tmp_path / "a"), sweep.single, []

    def killed(*given: Any) -> Point | None:
        calls.append(given)
        if len(calls) == place:
            raise KeyboardInterrupt
        return single(*given)

    monkeypatch.setattr(sweep, "single", killed)
    with pytest.raises(KeyboardInterrupt):
        searched(store, tmp_path / "b")
    before = len(found_in(store).tried)
    assert before < len(whole.tried)
    after = searched(store, tmp_path / "b")
    assert after.tried[:len(whole.tried)] == whole.tried


def test_what_was_measured_before_takes_part_and_is_not_measured_again(store: Store, tmp_path: Path) -> None:
    curve = replace(TEACHER, methods=(Quantize(compared=False).request(),))
    points = [point.plain() for point in sweep.run(sweep.sweep_of(curve, LEVELS), store, latency=False)]
    best = Target.parse("at_most=3").best(points, card(store))
    keys = {Recipe.parse(point["recipe"]).key() for point in points}
    found = searched(store, tmp_path / "a", count=2)
    assert found.known == len(points) and best
    assert point_of(store, found.best or "")["bytes"] <= best["bytes"]
    assert not keys & {Recipe.parse(one.recipe).key() for one in found.tried}


def test_notes_that_are_damaged_are_kept_aside_and_begun_anew(store: Store, tmp_path: Path) -> None:
    first = searched(store, tmp_path / "a", count=3)
    (journal,) = (tmp_path / "a").glob("*.journal")
    journal.write_bytes(journal.read_bytes()[:-20] + b"\x00garbage")
    damaged = journal.read_bytes()
    again = searched(store, tmp_path / "a", count=1)
    (aside,) = (tmp_path / "a").glob("*.journal.damaged-*")
    assert aside.read_bytes() == damaged and aside.name in again.notices[0]
    assert point_of(store, again.best or "")["bytes"] <= point_of(store, first.best or "")["bytes"]
    assert not searched(store, tmp_path / "a", count=1).notices


def test_the_test_split_stays_closed(store: Store, tmp_path: Path, digits: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Dataset, "open_test", lambda self: pytest.fail("the test split was opened"))
    searched(store, tmp_path / "a", count=4, fresh=1)
    assert store.counter(opened_counter("digits", digits.digest)) == 0


def test_the_answer_is_measured_again_with_fresh_seeds_of_the_teacher_too(store: Store, tmp_path: Path) -> None:
    found = searched(store, tmp_path / "a", count=2, fresh=2)
    assert [one.seed for one in found.fresh] == [1, 2]
    other = replace(Recipe.parse(found.best or ""), seed=1)
    (teacher,) = store.teachers(other.reference().key())
    point = store.point(other.key(), teacher["digest"])
    assert point and (point["bytes"], point["accuracy"]) == (found.fresh[0].bytes, found.fresh[0].accuracy)
    assert found.fresh[0].points_lost == pytest.approx(100 * (teacher["card"]["accuracy"] - point["accuracy"]))
    assert searched(store, tmp_path / "a", count=1, fresh=2).best != found.best or len(found_in(store).fresh) == 2


def test_every_found_point_is_an_ordinary_one(store: Store, tmp_path: Path) -> None:
    found = searched(store, tmp_path / "a", count=5)
    (teacher,) = store.teachers(TEACHER.key())
    chains = [Recipe.parse(one.recipe) for one in found.tried if one.state == MEASURED and "+" in one.recipe]
    assert chains
    plan = store.plan(sweep.sweep_of(chains[0]).request.key(), teacher["digest"])
    assert plan and chains[0].key() in {planned.key for planned in plan.runs}
    start = sweep.complete(replace(chains[0], methods=chains[0].methods[:1]))
    assert store.artefacts.has(point_of(store, start.text())["digest"])  # each network on the way is a point too


def test_without_a_limit_the_whole_front_is_searched(store: Store, tmp_path: Path) -> None:
    found = searched(store, tmp_path / "a", target="", count=6)
    assert found.best is None and found.measured >= 4 and not [one for one in found.tried if one.state == SKIPPED]


def test_within_a_size_the_most_accurate_is_found_and_larger_files_are_not_measured(store: Store, tmp_path: Path) -> None:
    found = searched(store, tmp_path / "a", target="within=900", count=6)
    assert point_of(store, found.best or "")["bytes"] <= 900
    assert any("more than 900 bytes" in one.reason for one in found.tried)


def test_a_target_that_nothing_meets_has_no_answer(store: Store, tmp_path: Path) -> None:
    found = searched(store, tmp_path / "a", target="within=1", count=2, fresh=1)
    assert found.best is None and not found.fresh and found.tried


def test_impossible_recipes_are_refused_with_their_reason(store: Store, tmp_path: Path,
                                                         monkeypatch: pytest.MonkeyPatch) -> None:
    chains = {"prune": Choices(Prune, (Setting("pattern", ("n:4",), {}),), (0.5, 0.6))}
    monkeypatch.setattr(Space, "of", lambda *_: Space(chains, {}))
    found = searched(store, tmp_path / "a", count=2)
    assert any(one.state == REFUSED and "sparsity must be one of 0.25, 0.5, 0.75" in one.reason for one in found.tried)


def test_a_search_that_is_cancelled_keeps_what_it_measured_and_goes_on_as_if_it_was_not(
        store: Store, another: Another, tmp_path: Path) -> None:
    whole = searched(another("whole"), tmp_path / "a")
    (teacher,) = store.teachers(TEACHER.key())
    stopping = Reporter(is_cancelled=lambda: len(store.points_with(teacher["digest"])) > 2)  # the teacher is one of them
    with pytest.raises(Cancelled):
        list(run(Question(TEACHER, Target.parse("at_most=3"), Budget(measurements=6), 0, 0), store, stopping,
                 folder=tmp_path / "b", latency=False))
    before = found_in(store)
    assert 1 <= before.measured <= 2 < whole.measured and len(store.points_with(teacher["digest"])) == 3
    after = searched(store, tmp_path / "b")
    assert after.tried[:len(before.tried)] == before.tried == whole.tried[:len(before.tried)]
    assert after.tried[:len(whole.tried)] == whole.tried


def test_within_half_of_the_time_the_most_accurate_is_found(store: Store, tmp_path: Path,
                                                            monkeypatch: pytest.MonkeyPatch) -> None:
    """A network's time is that of its multiply-adds here, so that no other load of the machine has a say."""
    def ratio(network: Any, teacher: Any, batch: Any) -> tuple[float, float, float]:
        work = [measure.counts(one, batch[:1])["macs"] for one in (network, teacher)]
        return (work[0] / work[1],) * 3

    monkeypatch.setattr(measure, "latency_ratio", ratio)
    space = Space({"quantize": Choices(Quantize, (), (4, 5)), "low_rank": Choices(LowRank, (), (0.1, 0.2, 0.9))}, {})
    monkeypatch.setattr(Space, "of", lambda *_: space)
    question = Question(TEACHER, Target.parse("latency=0.5"), Budget(measurements=5), 0, 0)
    found = [one.plain() for one in run(question, store, folder=tmp_path / "a")]
    fast = [one for one in found if one["latency"] <= 0.5]
    best = point_of(store, found_in(store, "latency=0.5").best or "")
    assert best["accuracy"] == max(one["accuracy"] for one in fast) and best["latency"] <= 0.5
    assert len(fast) < len(found)
