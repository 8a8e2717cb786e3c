"""Teachers are trained once, stored and read again; their cards have the right values."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
import torch

from compress.curves import kept_teachers
from compress.curves.kept_teachers import obtain
from compress.curves.store import Store
from compress.curves.sweep import complete
from compress.data.datasets import Dataset
from compress.files import network_file
from compress.layers.base import macs
from compress.progress import Cancelled, Progress, Reporter
from compress.recipe import Recipe, Step
from compress.training.teachers import train_teacher
from tests.compress.helpers import identical, state, toy_data

RECIPE = complete(Recipe.parse("digits/mlp(hidden=16,epochs=2)/0"))


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[Step]:
    """Every real training goes through here."""
    calls: list[Step] = []

    def count(data: Dataset, step: Step, *more: object) -> object:
        calls.append(step)
        return train_teacher(data, step, *more)

    monkeypatch.setattr(kept_teachers, "train_teacher", count)
    return calls


def test_a_teacher_is_trained_once_and_then_reloaded(store: Store, digits: Dataset, counted: list[Step]) -> None:
    first = obtain(RECIPE, digits, store)
    again = obtain(RECIPE, digits, Store(store.path))
    assert len(counted) == 1
    assert (again.digest, again.card) == (first.digest, first.card)
    assert identical(state(first.network), state(again.network)) and not again.network.training
    assert identical(state(network_file.read(store.artefacts.path(first.digest))), state(first.network))


def test_other_data_settings_or_seeds_are_other_teachers(store: Store, digits: Dataset, counted: list[Step]) -> None:
    recipes = [RECIPE, dataclasses.replace(RECIPE, seed=1), complete(Recipe.parse("digits/mlp(hidden=16,epochs=1)/0"))]
    digests = {obtain(recipe, digits, store).digest for recipe in recipes}
    digests.add(obtain(RECIPE, dataclasses.replace(digits, digest="changed"), store).digest)
    assert len(counted) == 4 and len(digests) == 4  # a file names the data set that its network was made for


def test_the_methods_of_a_recipe_do_not_make_another_teacher(store: Store, digits: Dataset,
                                                             counted: list[Step]) -> None:
    obtain(RECIPE, digits, store)
    obtain(complete(Recipe.parse("digits/mlp(hidden=16,epochs=2)/low_rank/0")), digits, store)
    assert len(counted) == 1


def test_a_teacher_whose_file_is_gone_is_trained_anew(store: Store, digits: Dataset, counted: list[Step]) -> None:
    """The folder holds only what can be made again: deleting files from it must never break anything."""
    first = obtain(RECIPE, digits, store)
    store.artefacts.path(first.digest).unlink()
    kept_teachers.reloaded.cache_clear()
    again = obtain(RECIPE, digits, store)
    assert len(counted) == 2 and store.artefacts.has(again.digest) and again.digest == first.digest


def test_after_cancelling_the_best_network_is_stored_and_marked_on_its_card(store: Store) -> None:
    data = toy_data()
    heard: list[Progress] = []
    report = Reporter(heard.append, lambda: any(progress.live for progress in heard))
    recipe = complete(Recipe.parse("digits/mlp(hidden=8,epochs=9)/0"))
    teacher = obtain(recipe, data, store, report)
    assert teacher.card["cancelled"] and len(teacher.card["history"]) == 1 and store.artefacts.has(teacher.digest)


def test_cancelled_at_once_nothing_is_kept(store: Store) -> None:
    recipe = complete(Recipe.parse("digits/mlp(hidden=8,epochs=9,batch=1)/0"))
    with pytest.raises(Cancelled):
        obtain(recipe, toy_data(), store, Reporter(is_cancelled=lambda: True))
    assert store.teachers(recipe.key()) == [] and not list(store.artefacts.folder.glob("*"))


def test_the_card_has_the_networks_architecture_and_measurements(store: Store, digits: Dataset) -> None:
    teacher = obtain(RECIPE, digits, store)
    card = json.loads(json.dumps(teacher.card, allow_nan=False))
    validation = digits.validation
    with torch.inference_mode():
        predicted = teacher.network(torch.tensor(validation.inputs)).argmax(1).numpy()
    table = np.zeros((10, 10), dtype=int)
    np.add.at(table, (validation.labels, predicted), 1)
    assert card["confusion"] == table.tolist()
    assert card["accuracy"] == pytest.approx(np.trace(table) / len(validation))
    assert card["bytes"] == store.artefacts.path(teacher.digest).stat().st_size
    assert card["parameters"] == 64 * 16 + 16 + 160 + 10 and card["macs"] == 64 * 16 + 160
    assert card["title"] == "64-16-10" and card["classes"] == list(digits.classes)
    assert len(card["history"]) == 2 and card["latency_ms"] > 0


def test_the_layers_of_the_card_add_up_to_the_network(store: Store, digits: Dataset) -> None:
    recipe = complete(Recipe.parse("digits/resnet(channels=4-8,epochs=1)/0"))
    teacher = obtain(recipe, digits, store)
    rows = teacher.card["layers"]
    assert sum(row["parameters"] for row in rows) == teacher.card["parameters"]
    assert sum(row["macs"] for row in rows) == teacher.card["macs"] == macs(teacher.network, torch.zeros(1, 1, 8, 8))
    assert rows[0]["output"] == "4×8×8"


def test_the_wrong_examples_are_wrong_and_the_surest_come_first(store: Store, digits: Dataset) -> None:
    teacher = obtain(RECIPE, digits, store)
    shown = teacher.card["wrong"]
    inputs = torch.tensor(digits.validation.inputs)
    with torch.inference_mode():
        chances = teacher.network(inputs).softmax(1)
    wrong = int((chances.argmax(1).numpy() != digits.validation.labels).sum())
    assert len(shown) == min(24, wrong) > 0
    confidences = [example["confidence"] for example in shown]
    assert confidences == sorted(confidences, reverse=True)
    for example in shown:
        row = example["row"]
        assert example["label"] == str(digits.validation.labels[row]) != example["predicted"]
        assert example["predicted"] == str(int(chances[row].argmax()))
        values = np.array(example["values"])
        assert values.shape == (1, 8, 8) and values.min() == 0 and values.max() == 255
