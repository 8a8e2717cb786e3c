"""A teacher's dark knowledge as shown on a page: rows are probability distributions, examples are ambiguous ones."""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from compress.data.datasets import Dataset, Split
from compress.distillation.dark_knowledge import (
    EXAMPLES,
    MOST_CLASSES,
    TEMPERATURES,
    ambiguous_examples,
    knowledge_view,
    logits_on,
    similarity,
)
from compress.networks.evaluation import logits_of
from compress.networks.families import MLP, Architecture, Network, build
from tests.compress.helpers import identical, poisoned, state, toy_data


@pytest.fixture(scope="module")
def view(trained: Callable[[str], Network], digits: Dataset) -> dict[str, Any]:
    """What the small perceptron knows of the digits."""
    return knowledge_view(trained("mlp(hidden=48-32,epochs=6)"), digits)


def untrained(data: Dataset, seed: int = 0) -> Network:
    return build(Architecture(MLP((8,)), data.shape, len(data.classes)), seed)


def outputs(network: Network, split: Split) -> torch.Tensor:
    return logits_of(network, torch.tensor(split.inputs))


def test_it_is_plain_data_with_a_matrix_for_each_temperature(view, digits):
    json.dumps(view, allow_nan=False)
    assert view["classes"] == list(digits.classes) and view["temperatures"] == list(TEMPERATURES)
    assert np.array(view["similarity"]).shape == (len(TEMPERATURES), 10, 10)
    assert {1.0, 4.0, 20.0} <= set(TEMPERATURES) and list(TEMPERATURES) == sorted(set(TEMPERATURES))


def test_every_row_is_a_distribution(view):
    matrices = np.array(view["similarity"])
    assert (matrices >= 0).all()
    assert np.allclose(matrices.sum(2), 1.0, atol=1e-4)


def test_heat_evens_out_and_cold_sharpens(view):
    matrices = np.array(view["similarity"])
    own = matrices.diagonal(axis1=1, axis2=2)
    assert (np.diff(own, axis=0) < 0).all()
    assert own[0].mean() > 0.75 and own[-1].mean() < 0.15
    assert np.abs(matrices[-1] - 0.1).max() < 0.05 < np.abs(matrices[0] - 0.1).max()


def test_a_rows_numbers_are_the_mean_probabilities_of_its_classs_training_examples(view, mlp, digits):
    eights = outputs(mlp, digits.train)[torch.tensor(digits.train.labels == 8)]
    for temperature in (1.0, 4.0):
        found = view["similarity"][TEMPERATURES.index(temperature)][8]
        assert found == pytest.approx((eights / temperature).softmax(1).mean(0).tolist(), abs=2e-5)


def test_the_row_is_the_true_class_and_the_column_the_one_given():
    logits = torch.tensor([[0.0, 50.0, 0.0], [0.0, 50.0, 0.0], [0.0, 0.0, 50.0], [50.0, 0.0, 0.0]])
    found = similarity(logits, torch.tensor([0, 0, 0, 2]), 3, 1.0)
    assert torch.allclose(found, torch.tensor([[0, 2 / 3, 1 / 3], [0, 0, 0], [1, 0, 0]], dtype=torch.float64), atol=1e-9)


@pytest.mark.parametrize(("classes", "most"), [(2, EXAMPLES), (3, EXAMPLES), (10, EXAMPLES), (20, EXAMPLES)])
def test_examples_are_distinct_and_the_classes_take_turns(classes, most):
    data = toy_data((4,), classes, 60 * classes)
    chosen = ambiguous_examples(untrained(data), data)
    labels = data.validation.labels[chosen.numpy()]
    assert len(chosen) == most == len(set(chosen.tolist()))
    for turn in range(0, most - most % classes, classes):
        assert sorted(labels[turn:turn + classes].tolist()) == list(range(classes))
    counts = Counter(labels.tolist()).values()
    assert max(counts) - min(counts) <= 1


def test_a_small_validation_split_is_shown_whole():
    data = toy_data((4,), 2, 30)
    assert len(data.validation) < EXAMPLES
    assert sorted(ambiguous_examples(untrained(data), data).tolist()) == list(range(len(data.validation)))


def test_of_each_class_those_are_shown_on_which_the_teacher_hesitates_most(view, mlp, digits):
    second = outputs(mlp, digits.validation).softmax(1).sort(1).values[:, -2].numpy()
    chosen, labels = np.array(view["examples"]), digits.validation.labels
    for label in range(10):
        shown = chosen[labels[chosen] == label]
        hidden = np.setdiff1d(np.flatnonzero(labels == label), shown)
        assert len(shown) == 2 and second[shown[0]] >= second[shown[1]] >= second[hidden].max() - 1e-6


def test_examples_have_their_class_and_the_teachers_logits(view, mlp, digits):
    rows = view["examples"]
    assert view["example_labels"] == [digits.classes[label] for label in digits.validation.labels[rows]]
    expected = outputs(mlp, digits.validation)[rows]
    assert np.allclose(view["teacher_logits"], expected, atol=6e-4)
    assert logits_on(mlp, digits, torch.tensor(rows)) == view["teacher_logits"]


def test_another_networks_logits_are_those_of_the_same_examples(view, digits):
    other, rows = untrained(digits, 3), torch.tensor(view["examples"])
    assert np.allclose(logits_on(other, digits, rows), outputs(other, digits.validation)[rows], atol=6e-4)


@pytest.mark.parametrize(("classes", "shown"), [(MOST_CLASSES, True), (MOST_CLASSES + 1, False)])
def test_more_classes_than_can_be_read_are_only_named(classes, shown):
    data = toy_data((4,), classes, 12 * classes)
    found = knowledge_view(untrained(data), data)
    assert found["classes"] == list(data.classes)
    assert ("similarity" in found) is shown and (len(found) > 1) is shown


def test_the_test_split_is_never_read(view, mlp, digits):
    assert knowledge_view(mlp, dataclasses.replace(digits, _test=poisoned(digits.open_test()))) == view


def test_the_teacher_stays_in_its_mode_and_as_it_was(resnet, digits):
    before = state(resnet.train())
    shown = knowledge_view(resnet, digits)
    assert resnet.training and identical(before, state(resnet))
    assert knowledge_view(resnet.eval(), digits) == shown
