"""A chain is measured stair by stair, whichever step has the dial; it goes on where it was interrupted."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from compress.curves.chains import stair
from compress.curves.chains.run import chain_of, checked, run
from compress.curves.chains.structure import RefusedStep
from compress.curves.store import Store
from compress.curves.sweep import run as swept
from compress.curves.sweep import sweep_of
from compress.data import datasets
from compress.files import network_file
from compress.networks.evaluation import logits_of
from compress.progress import Cancelled, Progress, Reporter
from compress.recipe import Recipe

START = "toy/mlp(hidden=16-16,epochs=3)"
DEEP = f"{START}/low_rank(keep=0.5,scheme=plain)+prune(sparsity=0.5)+quantize(levels=4)/0"
pytestmark = pytest.mark.usefixtures("toy")


def measured(store: Store, values: list[Any], step: Any, text: str = DEEP, **more: Any) -> list[Any]:
    return list(run(chain_of(Recipe.parse(text), values, step), store, latency=False, **more))


def teacher_of(store: Store) -> str:
    (found,) = {point["reference"] for point in store.all_points()}
    return found


def networks(store: Store) -> dict[str, dict[str, Any]]:
    return {point["key"]: point for point in store.all_points() if point["method"] != "teacher"}


@pytest.mark.parametrize(("step", "values", "count"), [(1, [0.3, 0.6], 8), (2, [0.4, 0.8], 7), ("", [3, 5], 6)])
def test_every_network_on_the_way_is_a_point_whichever_step_has_the_dial(store: Store, step: Any, values: list[Any],
                                                                         count: int) -> None:
    chain = chain_of(Recipe.parse(DEEP), values, step)
    measured(store, values, step)
    found = networks(store)
    assert set(found) == set(chain.keys()) and len(found) == count
    for value in values:
        points = [found[recipe.key()] for recipe in chain.stairs(value)]
        assert [point["method"] for point in points] == ["low_rank", "low_rank+prune", *["low_rank+prune+quantize"] * 2]
        assert points[-1]["accuracy"] == points[-2]["accuracy"], "coding changes no number"
    assert measured(store, values, step) == []


def test_the_points_are_those_that_a_curve_of_the_last_step_measures(store: Store, tmp_path: Any) -> None:
    measured(store, [0.4], 2)
    other = Store(tmp_path / "other.sqlite")
    text = DEEP.replace("sparsity=0.5", "sparsity=0.4").replace("levels=4", "compared=false")
    (alone,) = swept(sweep_of(Recipe.parse(text), [4]), other, latency=False)
    chained = store.point(Recipe.parse(alone.recipe).key(), teacher_of(store))
    assert chained and {**chained, "decode_seconds": 0} == {**alone.plain(), "decode_seconds": 0, "notes": list(alone.notes)}
    assert set(networks(other)) <= set(networks(store)), "the curve keeps the networks on its way too"
    assert len(networks(other)) == 3


def test_a_points_file_holds_what_the_point_says(store: Store) -> None:
    data = datasets.load("toy")
    for point in measured(store, [4], 3):
        network = network_file.from_bytes(store.artefacts.contents(point.digest))
        predicted = logits_of(network, torch.tensor(data.validation.inputs)).argmax(1)
        assert np.array_equal(np.frombuffer(point.predictions, "<u2"), predicted.numpy())


def test_a_coded_file_of_a_lower_precision_is_made_of_the_same_parent(store: Store) -> None:
    text = f"{START}/low_rank(keep=0.5)+prune(sparsity=0.5,precision=int8,coding=entropy)/0"
    *_, uncoded, coded = measured(store, [0.5], 2, text)
    assert uncoded.predictions == coded.predictions and uncoded.bytes != coded.bytes
    (alone,) = swept(sweep_of(Recipe.parse(text), [0.5]), Store(store.path.parent / "other.sqlite"), latency=False)
    assert alone.digest == coded.digest


def test_a_network_that_is_known_in_another_coding_is_not_made_again(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    list(swept(sweep_of(Recipe.parse(f"{START}/low_rank(keep=0.5,scheme=plain)/0"), [0.5]), store, latency=False))
    made: list[str] = []
    original = stair.reached
    monkeypatch.setattr("compress.curves.chains.run.reached",
                        lambda recipe, *more: made.append(recipe.methods[-1].name) or original(recipe, *more))
    monkeypatch.setattr("compress.methods.low_rank.LowRank.candidates", lambda *given: pytest.fail("made again"))
    measured(store, [0.5], 2)
    assert "low_rank" in made and len(networks(store)) == 5


def test_a_cancelled_chain_keeps_what_is_finished_and_goes_on_from_there(store: Store) -> None:
    def cancel(progress: Progress) -> None:
        if len(networks(store)) >= 4:
            raise Cancelled

    with pytest.raises(Cancelled):
        measured(store, [0.3, 0.5, 0.7], 2, report=Reporter(cancel))
    before = networks(store)
    assert 4 <= len(before) < 10
    again = measured(store, [0.3, 0.5, 0.7], 2)
    assert {Recipe.parse(point.recipe).key() for point in again}.isdisjoint(before) and len(networks(store)) == 10


def test_progress_runs_forward_over_the_whole_chain(store: Store) -> None:
    told: list[Progress] = []
    measured(store, [0.3, 0.7], 1, report=Reporter(told.append))
    shares = [progress.share for progress in told]
    assert shares == sorted(shares) and shares[0] == 0.0 and shares[-1] == 1.0
    assert any(0.3 < share < 0.9 for share in shares)


def test_what_cannot_be_chained_is_refused_before_anything_is_trained(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("compress.curves.kept_teachers.obtain", lambda *given, **more: pytest.fail("trained"))
    text = f"{START}/low_rank(keep=0.5)+prune(pattern=n:4,sparsity=0.6)+quantize/0"
    with pytest.raises(RefusedStep, match=r"Prune: sparsity must be one of 0\.25, 0\.5, 0\.75") as refused:
        measured(store, [0.5, 0.6], 1, text)
    assert refused.value.step == 2
    chain = chain_of(Recipe.parse(text), [0.5, 0.6], 1)
    kept = store.view(chain.view_key, datasets.load("toy").digest)
    assert kept and [entry[:2] for entry in kept["refused"]] == [[0.5, 2], [0.6, 2]]


def test_values_that_are_refused_leave_the_others(store: Store) -> None:
    text = f"{START}/prune(pattern=n:4)+quantize/0"
    chain = chain_of(Recipe.parse(text), [0.3, 0.5], 1)
    found = checked(chain, datasets.load("toy"), store)
    assert found.possible == [0.5] and found.refused[0.3].step == 1
    assert len(measured(store, [0.3, 0.5], 1, text)) == 3


@pytest.mark.parametrize(("text", "step", "sentence"), [
    (f"{START}/0", "", "has no method"), (f"{START}/prune+quantize/0", 3, "dial-step must be .* between 1 and 2"),
    (f"{START}/data_svd+quantize/0", 1, "data_svd compresses data"), (f"{START}/prune+nothing/0", 1, "nothing"),
    (f"{START}/prune(sparsity=2)+quantize/0", 1, "sparsity must be between")])
def test_a_chain_that_is_none_is_refused_in_one_sentence(text: str, step: Any, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        chain_of(Recipe.parse(text), None, step)
