"""Stratified splits without twins."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compress.data import splitting
from compress.data.raw_data import RawData


def table(counts: list[int], start: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Rows that all differ, counts[label] of each label."""
    labels = np.repeat(np.arange(len(counts)), counts)
    return (start + np.arange(len(labels), dtype=np.float32))[:, None], labels


def raw_table(counts: list[int], test_counts: list[int] | None = None) -> RawData:
    test = () if test_counts is None else table(test_counts, start=100_000)
    return RawData("Table", "tabular", tuple(str(label) for label in range(len(counts))), *table(counts), *test)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(3, 60), min_size=2, max_size=12), st.integers(0, 3))
def test_every_class_is_in_every_split_and_every_example_in_exactly_one(counts, seed):
    raw = raw_table(counts)
    parts = splitting.split(raw, seed)
    places = np.concatenate([parts.train, parts.validation, parts.test])
    assert sorted(places.tolist()) == list(range(sum(counts)))
    for part in (parts.train, parts.calibration, parts.validation, parts.test):
        assert set(raw.labels[part].tolist()) == set(range(len(counts)))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(2, 60), min_size=2, max_size=12))
def test_beside_an_official_test_part_every_class_is_in_train_and_validation(counts):
    raw = raw_table(counts, [1] * len(counts))
    parts = splitting.split(raw, 0)
    assert sorted(np.concatenate([parts.train, parts.validation]).tolist()) == list(range(sum(counts)))
    assert sorted(parts.test.tolist()) == list(range(len(counts)))
    for part in (parts.train, parts.calibration, parts.validation):
        assert set(raw.labels[part].tolist()) == set(range(len(counts)))


def test_the_shares_are_60_20_and_20_percent_in_every_class():
    raw = raw_table([500, 100, 50])
    parts = splitting.split(raw, 0)
    assert np.bincount(raw.labels[parts.train]).tolist() == [300, 60, 30]
    assert np.bincount(raw.labels[parts.validation]).tolist() == [100, 20, 10]
    assert np.bincount(raw.labels[parts.test]).tolist() == [100, 20, 10]


def test_beside_an_official_test_part_15_percent_validate_but_no_more_than_the_limit(monkeypatch):
    raw = raw_table([200, 200], [7, 9])
    assert [len(part) for part in (splitting.split(raw, 0).validation, splitting.split(raw, 0).test)] == [60, 16]
    monkeypatch.setattr(splitting, "MOST_VALIDATION", 20)
    assert len(splitting.split(raw, 0).validation) == 20


def test_calibration_is_stratified_and_at_most_1024():
    raw = raw_table([3_000, 1_000])
    parts = splitting.split(raw, 0)
    assert np.bincount(raw.labels[parts.calibration]).tolist() == [768, 256]
    assert set(parts.calibration.tolist()) <= set(parts.train.tolist())


def test_of_twins_the_first_stays_and_one_in_the_test_part_leaves_train():
    inputs, labels = table([30, 30])
    twins = np.concatenate([inputs, inputs[:10]]), np.concatenate([labels, labels[:10]])
    raw = RawData("Twins", "tabular", ("0", "1"), *twins, inputs[20:40], labels[20:40])
    parts = splitting.split(raw, 0)
    assert sorted(np.concatenate([parts.train, parts.validation]).tolist()) == [*range(20), *range(40, 60)]
    assert sorted(parts.test.tolist()) == list(range(20))


@pytest.mark.parametrize(("counts", "test_counts", "least"), [([2, 9], None, 3), ([1, 9], [2, 2], 2),
                                                              ([9, 9], [0, 3], 1)])
def test_a_class_with_too_few_examples_is_named(counts, test_counts, least):
    with pytest.raises(ValueError, match=rf"Table: class '0' has {least - 1} distinct .* at least {least} are"):
        splitting.split(raw_table(counts, test_counts), 0)


@pytest.mark.parametrize(("classes", "twice", "test_counts", "message"), [
    (2, False, None, r"training, validation and test\. Add examples of this class\.$"),
    (3, False, None, r"Add examples of this class, or leave this class out\.$"),
    (2, True, None, "Of its 30 examples, the others are equal to these or to examples of other classes; give examples that"),
    (2, True, [9, 9], "equal to these or to examples of other classes or of the test part; give examples that differ"),
    (2, False, [0, 9], "Add examples of this class to the test part, or leave the test part out")])
def test_the_remedy_for_a_small_class_can_be_followed(classes, twice, test_counts, message):
    raw = raw_table([1 if test_counts is None else 9, *[9] * (classes - 1)], test_counts)
    if twice:
        everything = np.arange(60) % 2
        parts = () if test_counts is None else (np.arange(4.0).reshape(2, 2), np.arange(2))
        raw = RawData("Table", "tabular", ("0", "1"), np.ones((60, 2)), everything, *parts)
    with pytest.raises(ValueError, match=message):
        splitting.split(raw, 0)


def test_numpy_s_global_random_state_is_neither_read_nor_changed():
    np.random.seed(1)
    first = splitting.split(raw_table([50, 50]), 0)
    np.random.seed(2)
    before = np.random.get_state()[1].copy()
    second = splitting.split(raw_table([50, 50]), 0)
    assert (np.random.get_state()[1] == before).all()
    assert (first.train == second.train).all()


def test_train_is_not_sorted_by_class():
    raw = raw_table([200, 200])
    assert 50 < np.count_nonzero(np.diff(raw.labels[splitting.split(raw, 0).train])) < 190
