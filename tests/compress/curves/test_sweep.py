"""A curve grows coarse to fine, is kept point by point, and goes on where it was interrupted."""

from __future__ import annotations

import base64
import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from compress.curves import sweep
from compress.curves.store import Store
from compress.curves.sweep import coarse_to_fine, run, sweep_of
from compress.data import datasets
from compress.data.datasets import Dataset
from compress.files import network_file
from compress.method import Candidate
from compress.methods import methods
from compress.methods.low_rank import LowRank
from compress.progress import Cancelled, Progress, Reporter
from compress.recipe import Recipe
from tests.compress.helpers import few_values, quick, relabelled

TEXT = "toy/mlp(hidden=16-16,epochs=3)/low_rank(scheme=plain)/0"
VALUES = [0.1, 0.2, 0.3, 0.4, 0.45]
IGNORED = {"decode_seconds", "latency", "latency_low", "latency_high"}

pytestmark = pytest.mark.usefixtures("toy")


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The dial value of every candidate that was really measured."""
    values: list[Any] = []
    original = sweep.measure

    def count(candidate: Candidate, *more: object) -> object:
        values.append(candidate.value)
        return original(candidate, *more)

    monkeypatch.setattr(sweep, "measure", count)
    return values


def curve(store: Store, values: list[float] = VALUES, text: str = TEXT, report: Reporter | None = None) -> list[Any]:
    wanted = sweep_of(Recipe.parse(text), values)
    return list(run(wanted, store, report or Reporter(), latency=False))


@given(st.lists(st.integers(0, 300), max_size=60))
def test_coarse_to_fine_has_every_value_once_and_both_ends_first(values: list[int]) -> None:
    order = coarse_to_fine(values)
    assert sorted(order) == sorted(set(values))
    if values:
        assert order[:2] == sorted({min(values), max(values)})


@given(st.integers(3, 60), st.data())
def test_after_any_number_of_points_the_gaps_are_about_equal(count: int, data: st.DataObject) -> None:
    order = coarse_to_fine(range(count))
    done = sorted(order[:data.draw(st.integers(2, count))])
    gaps = [high - low for low, high in pairwise(done)]
    assert max(gaps) <= 2 * min(gaps) + 2


def test_points_are_stored_before_they_are_handed_out(store: Store) -> None:
    wanted = sweep_of(Recipe.parse(TEXT), VALUES)
    for number, point in enumerate(run(wanted, store, latency=False), start=1):
        key = wanted.at(point.dial).key()
        known = [stored for stored in store.all_points() if stored["method"] == "low_rank"]
        assert len(known) == number and key in {stored["key"] for stored in known}
        assert store.predictions(key, known[0]["reference"]) == point.predictions
        assert store.artefacts.path(point.digest).stat().st_size == point.bytes
    assert number == len(VALUES)


def test_the_points_of_a_curve_come_coarse_to_fine(store: Store) -> None:
    assert [point.dial for point in curve(store)] == coarse_to_fine(VALUES)


def test_a_second_run_measures_nothing(store: Store, measured: list[Any]) -> None:
    curve(store)
    assert sorted(measured) == VALUES
    assert curve(store) == [] and len(measured) == len(VALUES)


def test_a_finer_curve_measures_only_what_is_new(store: Store, measured: list[Any]) -> None:
    curve(store, [0.1, 0.45])
    measured.clear()
    assert sorted(point.dial for point in curve(store, VALUES)) == [0.2, 0.3, 0.4] == sorted(measured)


def test_an_interrupted_run_keeps_its_points_and_the_next_measures_the_rest(store: Store, measured: list[Any]) -> None:
    with pytest.raises(Cancelled):
        curve(store, report=Reporter(is_cancelled=lambda: len(measured) >= 2))
    wanted = sweep_of(Recipe.parse(TEXT), VALUES)
    digest = store.teachers(wanted.recipe.reference().key())[0]["digest"]
    kept = [point["dial"] for point in store.points(wanted.curve.key(), digest)]
    assert len(kept) == 2 and sorted(kept) == sorted(measured)
    measured.clear()
    curve(store)
    assert sorted([*kept, *measured]) == VALUES


def test_an_interrupted_run_gives_the_points_of_an_uninterrupted_one(store: Store, tmp_path: Path,
                                                                    measured: list[Any]) -> None:
    with pytest.raises(Cancelled):
        curve(store, report=Reporter(is_cancelled=lambda: len(measured) >= 3))
    curve(store)
    whole = Store(tmp_path / "other" / "store.sqlite")
    curve(whole)
    assert everything(store) == everything(whole)


def everything(store: Store) -> dict[str, Any]:
    """All that was measured and may be chosen by, without times and places."""
    left_out = {*IGNORED, "created", "file"}
    return {point["key"]: ({name: value for name, value in point.items() if name not in left_out},
                           store.predictions(point["key"], point["reference"])) for point in store.all_points()}


@pytest.mark.parametrize("kind", list(methods().values()), ids=list(methods()))
def test_shuffling_the_test_labels_changes_no_point_and_no_choice(kind: type[Any], tmp_path: Path, toy: Dataset,
                                                                 monkeypatch: pytest.MonkeyPatch) -> None:
    found = []
    for number, data in enumerate((toy, relabelled(toy))):
        monkeypatch.setattr(datasets, "load", lambda name, seed=0, report=None, data=data: data)
        store = Store(tmp_path / str(number) / "store.sqlite")
        recipe = Recipe("toy", Recipe.parse(TEXT).teacher, (quick(kind).step(),))
        points = list(run(sweep_of(recipe, few_values(kind, toy)), store, latency=False))
        assert points
        found.append((everything(store), [network_file.unpack(store.artefacts.path(point.digest))[0] for point in points]))
    assert found[0] == found[1]


def test_the_teacher_is_a_point_too(store: Store) -> None:
    curve(store, [0.1])
    teacher = next(point for point in store.all_points() if point["method"] == "teacher")
    student = next(point for point in store.all_points() if point["method"] == "low_rank")
    assert teacher["agreement"] == 1.0 and teacher["dial"] is None
    assert teacher["reference"] == student["reference"] and teacher["examples"] == student["examples"]


def test_what_happens_inside_is_kept_for_every_value(store: Store) -> None:
    wanted = sweep_of(Recipe.parse(TEXT), [0.1, 0.45])
    curve(store, [0.1, 0.45])
    digest = store.teachers(wanted.recipe.reference().key())[0]["digest"]
    assert store.view(wanted.curve.key(), digest)["values"] == [0.1, 0.45]
    curve(store, [0.3])
    view = store.view(wanted.curve.key(), digest)
    assert view["values"] == [0.1, 0.3, 0.45]
    assert [layer["ranks"] for layer in view["layers"]] == [[2, 5, 7], [2, 5, 7]]
    json.dumps(view, allow_nan=False)


def test_methods_in_a_row_start_from_what_the_ones_before_left(store: Store, toy: Dataset) -> None:
    first = "low_rank(keep=0.2,scheme=plain)"
    (alone,) = curve(store, [0.2])
    (both,) = curve(store, [0.4], f"toy/mlp(hidden=16-16,epochs=3)/{first}+low_rank(output_layer=true,scheme=plain)/0")
    assert both.recipe.count("low_rank") == 2
    assert alone.parameters > both.parameters
    assert both.inside["ranks"].keys() == {"1", "3", "5"}
    assert [note.split(":")[0] for note in both.notes] == ["layer 1 stays as it is", "layer 3 stays as it is"]


def test_the_same_recipe_gives_the_same_file_on_another_day(store: Store, tmp_path: Path) -> None:
    other = Store(tmp_path / "other" / "store.sqlite")
    first, again = curve(store, [0.3])[0], curve(other, [0.3])[0]
    assert first.digest == again.digest
    assert store.artefacts.contents(first.digest) == other.artefacts.contents(first.digest)


def test_a_teacher_of_another_seed_has_its_own_points(store: Store) -> None:
    curve(store, [0.3])
    (other,) = curve(store, [0.3], TEXT.replace("/0", "/1"))
    assert other.seed == 1 and len({point["reference"] for point in store.all_points()}) == 2


def test_progress_names_the_stages_and_rises_to_one(store: Store) -> None:
    reported: list[Progress] = []
    curve(store, report=Reporter(reported.append))
    shares = [progress.share for progress in reported]
    assert shares == sorted(shares) and shares[0] == 0.0 and shares[-1] == 1.0
    assert any("epoch" in progress.text for progress in reported) and any("keep" in progress.text for progress in reported)


def test_without_values_the_methods_own_are_measured() -> None:
    assert sweep_of(Recipe.parse(TEXT)).values == LowRank.values


@pytest.mark.parametrize(("text", "values", "answer"), [
    ("toy/mlp/0", None, "has no method to sweep; add one, for example low_rank"),
    ("toy/mlp/magic/0", None, "no method 'magic'"),
    ("toy/vgg/low_rank/0", None, "no teacher 'vgg'"),
    ("toy/mlp/low_rank(scheme=best)/0", None, "LowRank: scheme must be one of plain, whitened, centred"),
    (TEXT, [0.1, 2.0], "LowRank: keep must be between 0.001 and 1.0, but got 2.0"),
    (TEXT, ["x"], "LowRank: keep must be a number between 0.001 and 1.0, but got 'x'")])
def test_a_wrong_recipe_or_value_is_refused_before_any_work(text: str, values: Any, answer: str) -> None:
    with pytest.raises(ValueError, match=answer):
        sweep_of(Recipe.parse(text), values)


def test_a_dial_value_given_twice_is_measured_once(store: Store, measured: list[Any]) -> None:
    curve(store, [0.3, 0.3, "0.3"])
    assert measured == [0.3]


def test_a_data_method_has_its_own_reference(store: Store, toy: Dataset) -> None:
    if "data_svd" not in methods():
        pytest.skip("there is no method for data")
    wanted = sweep_of(Recipe.parse("toy/mlp(hidden=16-16,epochs=3)/data_svd(epochs=2)/0"), [2, 4])
    points = list(run(wanted, store, latency=False))
    digest = store.teachers(wanted.recipe.reference().key())[0]["digest"]
    reference = store.view(wanted.curve.key(), digest)["reference"]
    predicted = np.frombuffer(base64.b64decode(reference["predictions"]), "<u2")
    assert float((predicted == toy.validation.labels).mean()) == pytest.approx(reference["accuracy"])
    assert reference["agreement"] == 1.0 and reference["bytes"] >= len(toy.train) * 16 * 4
    assert all(point.bytes < reference["bytes"] for point in points)
    assert {point.examples for point in points} == {len(toy.validation)}


def test_values_that_another_process_adds_to_the_view_meanwhile_are_kept(store: Store,
                                                                         monkeypatch: pytest.MonkeyPatch) -> None:
    looked = LowRank.inside
    beside: list[bool] = []

    def late(self: LowRank, network: Any, data: Dataset, values: Any, *more: Any) -> dict[str, Any]:
        if not beside:
            beside.append(True)
            curve(Store(store.path), [0.3, 0.4])
        return looked(self, network, data, values, *more)

    curve(store, [0.5])
    monkeypatch.setattr(LowRank, "inside", late)
    curve(store, [0.1, 0.2])
    wanted = sweep_of(Recipe.parse(TEXT), VALUES)
    view = store.view(wanted.curve.key(), store.teachers(wanted.recipe.reference().key())[0]["digest"])
    assert view and view["values"] == [0.1, 0.2, 0.3, 0.4, 0.5]
    assert all(len(layer["ranks"]) == 5 for layer in view["layers"])
