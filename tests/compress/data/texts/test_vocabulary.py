"""The vocabulary knows the training split alone, the most frequent token first."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from compress.data import datasets
from compress.data.raw_data import RawData
from compress.data.texts.tokens import as_text
from compress.data.texts.vocabulary import Vocabulary
from tests.compress.texts import raw_reviews, toy_texts

WORDS = ("", "(unknown)", "a", "b", "c", "d")


def test_tokens_are_numbered_by_their_frequency_and_others_are_unknown():
    found = Vocabulary.fit(np.array([[0, 4, 4], [3, 4, 2], [3, 0, 0]]), WORDS)
    assert found.words == ("", "(unknown)", "c", "b", "a")
    assert found.apply(np.array([[0, 2, 3], [4, 5, 1]])).tolist() == [[0, 4, 3], [2, 1, 1]]


def test_tokens_that_occur_equally_often_keep_the_order_of_the_source():
    assert Vocabulary.fit(np.array([[5, 3, 2]]), WORDS).words[2:] == ("a", "b", "d")


def test_a_data_set_of_texts_has_ids_of_its_training_split_and_is_not_normalised():
    raw, data = raw_reviews(), toy_texts()
    assert (data.kind, data.shape, data.train.inputs.dtype) == ("text", (9,), np.float32)
    assert {as_text(row, data.words) for row in data.train.inputs} <= {as_text(row, raw.words) for row in raw.inputs}
    counts = np.bincount(data.train.inputs.astype(int).ravel(), minlength=len(data.words))[2:]
    assert (np.diff(counts) <= 0).all() and counts.min() > 0
    assert np.array_equal(data.normaliser.undo(data.validation.inputs), data.validation.inputs)


def test_a_word_of_other_splits_alone_is_unknown():
    raw = raw_reviews(60)
    words = (*raw.words, "rare")
    test = np.array([[len(raw.words), 2, 3], [2, len(raw.words), 3]], dtype=np.int32)
    test = np.pad(test, ((0, 0), (raw.shape[0] - 3, 0)))
    with_test = RawData(raw.title, "text", raw.classes, raw.inputs, raw.labels, test, np.array([0, 1]), words=words)
    data = datasets.prepare(with_test, "toy", 0)
    assert "rare" not in data.words and (data.open_test().inputs == 1).sum(axis=1).tolist() == [1, 1]


@pytest.mark.parametrize(("change", "message"), [
    ({"words": ()}, r"texts must have between 3 and 16,777,216 words, but have 0"),
    ({"inputs": np.full((4, 2), 9, dtype=np.int32), "labels": np.array([0, 1, 0, 1])}, r"must be whole numbers in 0\.\.5"),
    ({"inputs": np.full((4, 2), 2.5), "labels": np.array([0, 1, 0, 1])}, r"must be whole numbers in 0\.\.5"),
    ({"inputs": np.full((4, 2), -1, dtype=np.int32), "labels": np.array([0, 1, 0, 1])}, r"its words, but got int32")])
def test_ids_that_no_word_has_are_refused(change, message):
    start = RawData("T", "text", ("x", "y"), np.array([[2, 3]] * 4, dtype=np.int32), np.array([0, 1, 0, 1]), words=WORDS)
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(start, **change)
