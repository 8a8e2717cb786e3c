"""Teachers are trained once, kept and reloaded; their card tells the truth about them."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from compress.curves.kept_teachers import obtain
from compress.curves.store import Store
from compress.curves.sweep import complete
from compress.data.datasets import Dataset
from compress.files import network_file
from compress.layers.base import macs
from compress.progress import Cancelled, Progress, Reporter
from compress.recipe import Recipe, Step
from compress.training import teachers
from compress.training.teachers import PRESETS, family_cards, teacher_step, train_teacher
from tests.compress.helpers import identical, state, toy_data

RECIPE = complete(Recipe.parse("digits/mlp(hidden=16,epochs=2)/0"))


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[Step]:
    """Every real training goes through here."""
    calls: list[Step] = []

    def count(data: Dataset, step: Step, *more: object) -> object:
        calls.append(step)
        return train_teacher(data, step, *more)

    monkeypatch.setattr(teachers, "train_teacher", count)
    return calls


def test_a_teacher_is_trained_once_and_then_reloaded(store: Store, digits: Dataset, counted: list[Step]) -> None:
    first = obtain(RECIPE, digits, store)
    again = obtain(RECIPE, digits, Store(store.path))
    assert len(counted) == 1
    assert (again.digest, again.file, again.card) == (first.digest, first.file, first.card)
    assert identical(state(first.network), state(again.network)) and not again.network.training
    assert identical(state(network_file.read(first.file)), state(first.network))


def test_other_data_settings_or_seeds_are_other_teachers(store: Store, digits: Dataset, counted: list[Step]) -> None:
    recipes = [RECIPE, dataclasses.replace(RECIPE, seed=1), complete(Recipe.parse("digits/mlp(hidden=16,epochs=1)/0"))]
    digests = {obtain(recipe, digits, store).digest for recipe in recipes}
    digests.add(obtain(RECIPE, dataclasses.replace(digits, digest="changed"), store).digest)
    assert len(counted) == 4 and len(digests) == 3  # the changed data set holds the same examples here


def test_the_methods_of_a_recipe_do_not_make_another_teacher(store: Store, digits: Dataset,
                                                             counted: list[Step]) -> None:
    obtain(RECIPE, digits, store)
    obtain(complete(Recipe.parse("digits/mlp(hidden=16,epochs=2)/low_rank/0")), digits, store)
    assert len(counted) == 1


def test_a_teacher_whose_file_is_gone_is_trained_anew(store: Store, digits: Dataset, counted: list[Step]) -> None:
    """The folder holds only what can be made again: deleting files from it must never break anything."""
    first = obtain(RECIPE, digits, store)
    Path(first.file).unlink()
    teachers._reloaded.cache_clear()
    again = obtain(RECIPE, digits, store)
    assert len(counted) == 2 and Path(again.file).exists() and again.digest == first.digest


def test_cancelled_after_an_epoch_the_best_network_is_kept_and_the_card_says_so(store: Store) -> None:
    data = toy_data()
    heard: list[Progress] = []
    report = Reporter(heard.append, lambda: any("epoch" in progress.live for progress in heard))
    recipe = complete(Recipe.parse("digits/mlp(hidden=8,epochs=9)/0"))
    teacher = obtain(recipe, data, store, report)
    assert teacher.card["cancelled"] and len(teacher.card["history"]) == 1 and Path(teacher.file).exists()


def test_cancelled_at_once_nothing_is_kept(store: Store) -> None:
    recipe = complete(Recipe.parse("digits/mlp(hidden=8,epochs=9,batch=1)/0"))
    with pytest.raises(Cancelled):
        obtain(recipe, toy_data(), store, Reporter(is_cancelled=lambda: True))
    assert store.teacher(recipe.key()) is None and not list(store.artefacts.glob("*"))


def test_the_card_tells_what_the_network_is_and_does(store: Store, digits: Dataset) -> None:
    teacher = obtain(RECIPE, digits, store)
    card = json.loads(json.dumps(teacher.card, allow_nan=False))
    validation = digits.validation
    with torch.inference_mode():
        predicted = teacher.network(torch.tensor(validation.inputs)).argmax(1).numpy()
    table = np.zeros((10, 10), dtype=int)
    np.add.at(table, (validation.labels, predicted), 1)
    assert card["confusion"] == table.tolist()
    assert card["accuracy"] == pytest.approx(np.trace(table) / len(validation))
    assert card["bytes"] == Path(teacher.file).stat().st_size
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


def test_a_step_is_spelled_out_with_its_familys_and_trainings_settings() -> None:
    step = teacher_step(Step.parse("mlp(hidden=16)"))
    assert step.values["hidden"] == "16" and {"epochs", "learning_rate", "batch", "dropout"} <= set(step.values)
    assert teacher_step(step) == step


@pytest.mark.parametrize(("text", "answer"), [
    ("vgg", r"no teacher 'vgg'; choose one of logistic, mlp, cnn, resnet, gru"),
    ("mlp(width=3)", r"The teacher mlp has no setting 'width'; its settings are hidden, .*epochs"),
    ("mlp(epochs=0)", r"Training: epochs must be between 1 and 2000, but got 0"),
    ("mlp(hidden=0)", r"MLP: hidden must be between 1 and 8192, but got 0")])
def test_what_is_not_a_teacher_is_answered_with_what_is(text: str, answer: str) -> None:
    with pytest.raises(ValueError, match=answer):
        teacher_step(Step.parse(text))


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.title)
def test_every_preset_is_a_teacher_for_the_kinds_of_data_it_names(preset: teachers.Preset) -> None:
    from compress.networks.families import Architecture, build
    from compress.training.teachers import _read_step

    shapes = {"image": (1, 8, 8), "sequence": (1, 40), "tabular": (13,)}
    chosen, _ = _read_step(preset.step)
    for kind in preset.kinds:
        network = build(Architecture(chosen, shapes[kind], 10)).eval()
        assert network(torch.zeros(2, *shapes[kind])).shape == (2, 10)


def test_every_family_has_a_card_that_a_form_can_be_made_of() -> None:
    cards = family_cards()
    json.dumps(cards, allow_nan=False)
    assert [card["name"] for card in cards] == ["logistic", "mlp", "cnn", "resnet", "gru"]
    assert all(card["title"] and card["doc"] and card["training"] for card in cards)
