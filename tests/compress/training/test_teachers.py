"""Presets of teachers, and how recipes spell them."""

from __future__ import annotations

import json

import pytest
import torch

from compress.recipe import Step
from compress.training import teachers
from compress.training.teachers import PRESETS, family_cards, teacher_step


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

    shapes = {"image": (1, 8, 8), "sequence": (1, 40), "tabular": (13,), "text": (13,)}
    chosen, _ = _read_step(preset.step)
    for kind in preset.kinds:
        network = build(Architecture(chosen, shapes[kind], 10)).eval()
        assert network(torch.zeros(2, *shapes[kind])).shape == (2, 10)


def test_every_family_has_a_card_that_a_form_can_be_made_of() -> None:
    cards = family_cards()
    json.dumps(cards, allow_nan=False)
    assert [card["name"] for card in cards] == ["logistic", "mlp", "cnn", "resnet", "gru", "embedding_bag", "token_gru",
                                                "token_cnn", "own"]
    assert all(card["title"] and card["doc"] for card in cards)
    assert [card["name"] for card in cards if not card["training"]] == ["own"]
