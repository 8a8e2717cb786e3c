"""A bag of words knows the training split alone, keeps its zeros, and is a table whose features are words."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from sklearn.feature_extraction.text import TfidfVectorizer

from compress.data import datasets, pictures
from compress.data.raw_data import RawData
from compress.data.texts.tokens import numbered_tokens
from compress.data.texts.word_counts import WordCounts
from compress.sparse_coding import view
from tests.compress.texts import raw_reviews

TEXTS = ["cats like fish", "dogs like cats", "fish and chips and fish", "birds sing"]


def counted(most: int = 38) -> RawData:
    return dataclasses.replace(raw_reviews(), counted=most)


def test_the_numbers_are_those_of_scikit_learn():
    ids, words = numbered_tokens(TEXTS, 8)
    bag = WordCounts.fit(ids[:3], words, 100)
    theirs = TfidfVectorizer(vocabulary=list(bag.words)).fit(TEXTS[:3])
    assert set(bag.words) == {"cats", "like", "fish", "dogs", "and", "chips"}
    assert bag.apply(ids) == pytest.approx(theirs.transform(TEXTS).toarray(), abs=1e-6)
    assert not bag.apply(ids[3:]).any()  # none of its words is known


def test_the_most_frequent_words_are_kept():
    ids, words = numbered_tokens(TEXTS, 8)
    assert WordCounts.fit(ids, words, 2).words == ("fish", "and")


def test_a_data_set_is_a_table_of_the_words_of_its_training_split():
    data = datasets.prepare(counted(), "toy", 0)
    assert (data.kind, data.shape, len(data.words), data.raw_bytes_per_example) == ("tabular", (38,), 38, 4 * 38)
    assert (data.train.inputs == 0).mean() > 0.8
    assert np.square(data.train.inputs).mean(1) == pytest.approx(np.ones(len(data.train)), abs=1e-5)
    assert data.open_test().inputs.shape[1:] == (38,)


def test_words_outside_the_training_split_change_nothing():
    raw = counted()
    from compress.data.splitting import split

    parts, other = split(raw, 0), raw.inputs.copy()
    one = int(parts.test[0])
    other[one] = np.where(other[one] > 1, 2, other[one])
    changed = datasets.prepare(dataclasses.replace(raw, inputs=other), "toy", 0)
    assert changed.words == datasets.prepare(raw, "toy", 0).words


def test_its_digest_and_its_contents_depend_on_how_many_words_are_counted():
    assert len({counted(most).digest(0) for most in (0, 4, 8)}) == 3


def test_an_example_is_shown_by_the_words_that_weigh_most():
    data = datasets.prepare(counted(), "toy", 0)
    shown = str(pictures.as_shown(data.validation.inputs[0], data)).split(", ")
    values = dict(zip(data.words, data.validation.inputs[0], strict=True))
    assert shown and all(values[word] > 0 for word in shown)
    assert [values[word] for word in shown] == sorted((values[word] for word in shown), reverse=True)


def test_atoms_of_a_bag_are_shown_as_words_of_the_sign_that_weighs_more():
    data = datasets.prepare(counted(), "toy", 0)
    atoms = torch.zeros(2, 38)
    atoms[0, [3, 5, 7]] = torch.tensor([-2.0, -1.0, 1.5])
    atoms[1, 4] = 1.0
    one, two, three = data.words[3], data.words[5], data.words[4]
    assert view.words_of(data, atoms) == [f"{one}, {two}", three]
    assert view.words_of(datasets.load("wine"), torch.zeros(2, 13)) == []
