"""A teacher that may only name the largest class is doubted in a sentence."""

from __future__ import annotations

import pytest
import torch

from compress.points.statistics import wilson
from compress.points.teacher_card import doubt
from tests.compress.helpers import toy_data


@pytest.mark.parametrize(("correct", "is_doubted"), [(50, True), (55, True), (59, True), (65, False), (100, False)])
def test_only_an_accuracy_above_the_share_of_the_largest_class_is_trusted(correct: int, is_doubted: bool) -> None:
    data, labels = toy_data((4,)), torch.tensor([1] * 50 + [0] * 25 + [2] * 25)
    text = doubt({"accuracy": correct / 100, "accuracy_low": wilson(correct, 100)[0]}, labels, data)
    assert bool(text) == is_doubted
    assert not text or (f"{correct}.0 %" in text and "50.0 % of always naming the largest class" in text)
