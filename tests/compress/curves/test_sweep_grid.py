"""Sweeps with seeds, temperatures and controls: each run is stored as a point."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from compress.curves import sweep
from compress.curves.store import Store
from compress.curves.sweep import Sweep, coarse_to_fine, run, sweep_of
from compress.data import datasets
from compress.data.datasets import Dataset
from compress.files import network_file
from compress.method import Candidate
from compress.methods import method
from compress.methods.distill import Distill
from compress.networks.evaluation import logits_of
from compress.points import measure
from compress.progress import Cancelled, Progress, Reporter, StudentsSoFar
from compress.recipe import Recipe
from tests.compress.helpers import planned, relabelled

TEACHER = "toy/mlp(hidden=16-16,epochs=3)"
ASKED = "epochs=2,learning_rate=0.01,seeds=2,temperatures=8"
VALUES = [0.1, 0.25, 0.5]
IGNORED = {"decode_seconds", "latency", "latency_low", "latency_high", "created", "file"}

pytestmark = pytest.mark.usefixtures("toy")


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The recipe of every candidate that was really measured."""
    recipes: list[str] = []
    original = sweep.measure

    def count(candidate: Candidate, data: Dataset, reference: Any, path: Path, recipe: str, *more: object) -> object:
        recipes.append(recipe)
        return original(candidate, data, reference, path, recipe, *more)

    monkeypatch.setattr(sweep, "measure", count)
    return recipes


def wanted(asked: str = ASKED, values: list[float] = VALUES, before: str = "") -> Sweep:
    return sweep_of(Recipe.parse(f"{TEACHER}/{before}distill({asked})/0"), values)


def grid_of(one: Sweep) -> list[Distill]:
    return planned(one.method, coarse_to_fine(one.values))


def digest_of(one: Sweep, store: Store) -> str:
    return store.teachers(one.recipe.reference().key())[0]["digest"]


def students(store: Store) -> list[dict[str, Any]]:
    return [point for point in store.all_points() if point["method"] != "teacher"]


def everything(store: Store) -> dict[str, Any]:
    """All that was measured and may be chosen by, without times and places."""
    return {point["key"]: ({name: value for name, value in point.items() if name not in IGNORED},
                           store.predictions(point["key"], point["reference"])) for point in store.all_points()}


def test_what_is_asked_of_the_sweep_reaches_its_grid() -> None:
    """Two seeds at two temperatures, and a control for each seed: six for every width."""
    one = wanted()
    assert one.method.seeds == 2 and one.method.temperatures == (8,)
    assert len(grid_of(one)) == 6 * len(VALUES)
    assert len(grid_of(wanted("seeds=1,temperatures=none"))) == 2 * len(VALUES)
    assert len(grid_of(wanted("seeds=4,temperatures=1-8-20"))) == (4 * 4 + 4) * len(VALUES)


def test_what_is_asked_of_the_sweep_does_not_enter_the_keys() -> None:
    first, wider = wanted(), wanted(ASKED.replace("seeds=2,temperatures=8", "seeds=5,temperatures=1-2-3"))
    assert first.recipe == wider.recipe and first.curve.key() == wider.curve.key()
    assert not {"seeds", "temperatures"} & set(first.recipe.methods[-1].values)
    assert first.at(0.25).key() == wider.at(0.25).key() in {first.of(one).key() for one in grid_of(first)}


def test_every_member_of_the_grid_becomes_a_point_of_its_own(store: Store) -> None:
    one = wanted()
    points = list(run(one, store, latency=False))
    grid, digest = grid_of(one), digest_of(one, store)
    assert sorted(point.recipe for point in points) == sorted(one.of(member).text() for member in grid)
    kept = {point["key"]: point for point in students(store)}
    assert len(kept) == len(grid) == len({point["digest"] for point in kept.values()})
    made = {point.recipe: point for point in points}
    for member in grid:
        point = made[one.of(member).text()]
        stored = kept[one.of(member).key()]
        assert (stored["curve"], stored["reference"]) == (one.of(member).curve("width").key(), digest)
        assert (stored["method"], stored["dial"], stored["recipe"]) == ("distill", member.width, point.recipe)
        file = store.artefacts.path(stored["digest"])
        assert file.stat().st_size == stored["bytes"] == point.bytes
        assert stored["inside"]["title"] == network_file.read(file).architecture.title()


def test_points_of_one_setting_and_seed_are_a_curve(store: Store) -> None:
    one = wanted()
    list(run(one, store, latency=False))
    curves: dict[str, set[float]] = {}
    for point in students(store):
        curves.setdefault(point["curve"], set()).add(point["dial"])
    assert len(curves) == 6 and all(widths == set(VALUES) for widths in curves.values())
    assert {point["dial"] for point in store.points(one.curve.key(), digest_of(one, store))} == set(VALUES)


def test_a_points_recipe_leads_back_to_the_method_that_made_it(store: Store, toy: Dataset) -> None:
    one = wanted(values=[0.25])
    points = list(run(one, store, latency=False))
    start = network_file.read(store.artefacts.path(digest_of(one, store)))
    made_by = {one.of(member).text(): member for member in grid_of(one)}
    assert made_by.keys() == {point.recipe for point in points}
    for point in points:
        member, recipe = made_by[point.recipe], Recipe.parse(point.recipe)
        again = method(recipe.methods[-1])
        assert replace(again, seeds=2, temperatures=(8,)) == member and again.step() == member.step()
        assert recipe == one.of(member) and recipe.key() in {stored["key"] for stored in students(store)}
        inputs = torch.tensor(toy.validation.inputs)
        made = logits_of(again.compress(start, toy, seed=recipe.seed), inputs)
        assert torch.allclose(made, logits_of(network_file.read(store.artefacts.path(point.digest)), inputs), atol=1e-3)


def test_each_point_is_stored_before_it_is_handed_out(store: Store) -> None:
    for number, point in enumerate(run(wanted(values=[0.25]), store, latency=False), start=1):
        known = students(store)
        assert len(known) == number and known[-1]["recipe"] == point.recipe
        assert store.predictions(known[-1]["key"], known[-1]["reference"]) == point.predictions
    assert number == 6


def test_a_second_run_measures_nothing(store: Store, measured: list[str]) -> None:
    first = list(run(wanted(), store, latency=False))
    assert sorted(measured) == sorted(point.recipe for point in first)
    before = everything(store)
    assert list(run(wanted(), store, latency=False)) == [] and len(measured) == len(first)
    assert everything(store) == before


def test_only_what_was_deleted_is_measured_again(store: Store, measured: list[str]) -> None:
    one = wanted()
    points = list(run(one, store, latency=False))
    control = next(point for point in points if "alpha=0.0" in point.recipe and point.dial == 0.25)
    student = next(point for point in points if "temperature=8.0" in point.recipe and point.dial == 0.5)
    for gone in (control, student):
        measured.clear()
        store.artefacts.path(gone.digest).unlink()
        (again,) = run(one, store, latency=False)
        assert measured == [gone.recipe] == [again.recipe]
        assert again.bytes == gone.bytes == store.artefacts.path(again.digest).stat().st_size
        assert again.accuracy == pytest.approx(gone.accuracy, abs=0.04)
    assert len(students(store)) == len(points)


@pytest.mark.parametrize(("asked", "values"), [
    (ASKED.replace("seeds=2", "seeds=3"), VALUES), (ASKED.replace("temperatures=8", "temperatures=1-8"), VALUES),
    (ASKED, [0.1, 0.25, 0.4, 0.5])], ids=["seeds", "temperatures", "widths"])
def test_a_wider_grid_measures_only_what_is_new(asked: str, values: list[float], store: Store,
                                               measured: list[str]) -> None:
    narrow, wide = wanted(), wanted(asked, values)
    list(run(narrow, store, latency=False))
    before, known = everything(store), set(measured)
    measured.clear()
    list(run(wide, store, latency=False))
    everyone = {wide.of(one).text() for one in grid_of(wide)}
    assert known < everyone and sorted(measured) == sorted(everyone - known)
    assert before.items() <= everything(store).items()


def test_an_interrupted_grid_goes_on_where_it_was(store: Store, measured: list[str]) -> None:
    one = wanted()
    for point in run(one, store, latency=False):
        if len(measured) == 4:
            assert point.recipe == measured[-1]
            break
    rest = [point.recipe for point in run(one, store, latency=False)]
    assert len(measured) == len(set(measured)) == len(grid_of(one)) and measured[4:] == rest


def test_a_cancelled_grid_keeps_what_is_finished(store: Store, measured: list[str]) -> None:
    told: list[Progress] = []
    report = Reporter(told.append, lambda: bool(told) and isinstance(told[-1].live, StudentsSoFar)
                      and told[-1].live.epoch == 2)
    with pytest.raises(Cancelled):
        list(run(wanted(), store, report, latency=False))
    assert students(store) == [] == measured
    assert store.teachers(wanted().recipe.reference().key())
    assert len(list(run(wanted(), store, latency=False))) == 6 * len(VALUES)


def test_time_is_taken_once_for_each_architecture(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    timed: list[str] = []

    def clock(network: Any, *more: object) -> tuple[float, float, float]:
        timed.append(network.architecture.title())
        return float(len(timed)), 0.0, 9.0

    monkeypatch.setattr(measure, "latency_ratio", clock)
    points = list(run(wanted(), store))
    assert sorted(timed) == sorted({point.inside["title"] for point in points}) and len(timed) == len(VALUES)
    for point in points:
        assert point.latency == 1.0 + timed.index(point.inside["title"])
        assert (point.latency_low, point.latency_high) == (0.0, 9.0)


def test_compressed_networks_of_one_architecture_are_timed_each(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    timed: list[Any] = []
    monkeypatch.setattr(measure, "latency_ratio", lambda *given: (timed.append(given), (float(len(timed)), 0.0, 9.0))[1])
    points = list(run(sweep_of(Recipe.parse(f"{TEACHER}/low_rank/0"), [0.2, 0.3, 0.4]), store))
    assert [point.latency for point in points] == [1.0, 2.0, 3.0]


def test_without_timing_there_are_no_times(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measure, "latency_ratio", lambda *given: pytest.fail("timed"))
    assert {point.latency for point in run(wanted(values=[0.25]), store, latency=False)} == {None}


def test_shuffling_the_test_labels_changes_nothing(tmp_path: Path, toy: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    found = []
    for number, data in enumerate((toy, relabelled(toy))):
        monkeypatch.setattr(datasets, "load", lambda name, seed=0, report=None, data=data: data)
        store, one = Store(tmp_path / str(number) / "store.sqlite"), wanted()
        points = list(run(one, store, latency=False))
        view = store.view(one.curve.key(), digest_of(one, store))
        found.append((everything(store), [store.artefacts.contents(point.digest) for point in points],
                      {name: view[name] for name in ("examples", "teacher_logits", "similarity")}))
    assert len(found[0][1]) == 6 * len(VALUES)
    assert found[0] == found[1]


def test_a_student_and_its_control_are_judged_on_the_same_examples(store: Store, toy: Dataset) -> None:
    points = list(run(wanted(), store, latency=False))
    assert {point.examples for point in points} == {len(toy.validation)}
    assert all(len(point.predictions) == 2 * len(toy.validation) for point in points)
    for point in points:
        assert point.accuracy == pytest.approx(max(point.inside["accuracies"]), abs=1e-4)


def test_dark_knowledge_is_kept_for_the_curve(store: Store, toy: Dataset) -> None:
    one = wanted(values=[0.25])
    points = list(run(one, store, latency=False))
    view = store.view(one.curve.key(), digest_of(one, store))
    assert view["classes"] == list(toy.classes) and view["values"] == [0.25]
    assert all(len(point.inside["logits"]) == len(view["examples"]) for point in points)
    for point in students(store):
        json.dumps(point, allow_nan=False)


def test_accuracies_of_all_students_are_reported_and_progress_rises(store: Store) -> None:
    told: list[Progress] = []
    list(run(wanted(), store, Reporter(told.append), latency=False))
    shares = [progress.share for progress in told]
    assert shares == sorted(shares) and shares[0] == 0.0 and shares[-1] == 1.0
    live = [progress.live.students for progress in told if isinstance(progress.live, StudentsSoFar)]
    assert len(live[-1]) == 6 * len(VALUES)
    lengths = {point["dial"]: point["bytes"] for point in students(store)}
    assert len({row.bytes for row in live[-1]}) == len(lengths) == len(VALUES)
    assert all(row.bytes == pytest.approx(lengths[row.width], rel=0.05) for row in live[-1])


def test_students_of_a_compressed_network_are_points_beside_their_own_start(store: Store, measured: list[str]) -> None:
    one = wanted(values=[0.25], before="low_rank(keep=0.3)+")
    points = list(run(one, store, latency=False))
    assert len(points) == 6 == len(measured)
    assert {point["method"] for point in students(store)} == {"low_rank", "low_rank+distill"}, "the start is a point too"
    assert all(Recipe.parse(point.recipe).methods[0] == one.recipe.methods[0] for point in points)
    plain = list(run(wanted(values=[0.25]), store, latency=False))
    assert len(plain) == 6 and {point.recipe for point in plain}.isdisjoint(point.recipe for point in points)
    assert list(run(one, store, latency=False)) == []


def test_a_network_trained_on_smaller_data_gives_equal_students_whether_it_was_measured_before_or_not(store: Store) -> None:
    """The measured file of such a method holds data, not the network that comes after."""
    one = wanted(values=[0.25], before="data_svd(epochs=2,components=4)+")
    first = list(run(one, store, latency=False))
    list(run(sweep_of(Recipe.parse(f"{TEACHER}/data_svd(epochs=2)/0"), [4]), store, latency=False))
    store.artefacts.path(first[0].digest).unlink()
    (again,) = run(one, store, latency=False)
    assert again.recipe == first[0].recipe and again.accuracy == pytest.approx(first[0].accuracy, abs=0.04)


def test_what_was_measured_is_what_the_next_method_starts_from(store: Store, toy: Dataset,
                                                               monkeypatch: pytest.MonkeyPatch) -> None:
    (student,) = [point for point in run(wanted("epochs=2,learning_rate=0.01,seeds=1,temperatures=none", [0.5]), store,
                                         latency=False) if "alpha=0.9" in point.recipe]
    monkeypatch.setattr(Distill, "compress", lambda *given: pytest.fail("trained again"))
    text = f"{student.recipe.removesuffix('/0')}+low_rank(keep=1.0,scheme=plain)/0"
    (whole,) = run(sweep_of(Recipe.parse(text), [1.0]), store, latency=False)
    inputs = torch.tensor(toy.validation.inputs)
    found, expected = (logits_of(network_file.read(store.artefacts.path(point.digest)), inputs)
                       for point in (whole, student))
    assert torch.allclose(found, expected, atol=1e-4)


def test_a_compressed_network_is_timed_itself_though_a_dense_one_of_its_architecture_was_timed_before(
        store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    timed: list[object] = []
    monkeypatch.setattr(measure, "latency_ratio", lambda *given: (timed.append(given), (float(len(timed)), 0.0, 9.0))[1])
    one = sweep_of(Recipe.parse("toy/mlp(hidden=16-16,epochs=3)/low_rank(scheme=plain)/0"), [0.1, 0.3, 1.0])
    points = {point.dial: point for point in run(one, store)}
    assert all(rank >= 16 for rank in points[1.0].inside["ranks"].values())  # it stayed dense
    assert len(timed) == 3 and len({point.latency for point in points.values()}) == 3


def test_networks_on_data_of_other_sizes_are_timed_each(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    timed: list[object] = []
    monkeypatch.setattr(measure, "latency_ratio", lambda *given: (timed.append(given), (float(len(timed)), 0.0, 9.0))[1])
    one = sweep_of(Recipe.parse("toy/mlp(hidden=16-16,epochs=3)/data_svd(epochs=1)/0"), [2, 4, 8])
    assert len({point.latency for point in run(one, store)}) == 3
