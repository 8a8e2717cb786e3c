"""Who may read which examples: the student, and the control that has labels alone."""

from __future__ import annotations

import dataclasses
from functools import lru_cache

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from compress.data.datasets import Dataset, Split
from compress.distillation.transfer_set import TransferSet, evenly, omitted_class, transfer_set
from compress.recipe import Step
from compress.setting_values import label_value
from tests.compress.helpers import toy_data

CLASSES = 5


@lru_cache
def clouds() -> Dataset:
    """240 training examples, 48 of each of five classes."""
    return toy_data((4,), CLASSES, 400)


def labels_of(rows: torch.Tensor, data: Dataset) -> np.ndarray:
    return data.train.labels[rows.numpy()]


def read(found: TransferSet, data: Dataset) -> set[int]:
    return set(range(len(data.train)) if found.rows is None else found.rows.tolist())


def seen(found: TransferSet, data: Dataset) -> set[int]:
    """The rows of which a student may see the label."""
    if found.labelled is None:
        return read(found, data)
    return read(found, data) & set(found.labelled.nonzero().flatten().tolist())


def learned_from(found: TransferSet, data: Dataset) -> set[int]:
    return set(range(len(data.train)) if found.control is None else found.control.tolist())


@pytest.mark.parametrize("unlabelled", [True, False])
def test_with_all_labels_everybody_reads_everything(unlabelled):
    for labelled in (0, len(clouds().train)):
        found = transfer_set(clouds(), labelled, unlabelled, -1, 0)
        assert found.rows is None and found.labelled is None and found.control is None


def test_few_labels_and_the_rest_without():
    found = transfer_set(clouds(), 30, True, -1, 0)
    assert found.rows is None
    assert found.labelled.shape == (len(clouds().train),) and sorted(found.labelled.unique().tolist()) == [0.0, 1.0]
    assert found.labelled.nonzero().flatten().tolist() == found.control.tolist()
    assert len(found.control) == 30


def test_few_labels_and_nothing_else():
    found = transfer_set(clouds(), 30, False, -1, 0)
    assert found.labelled is None and len(found.rows) == 30
    assert torch.equal(found.rows, found.control)


@pytest.mark.parametrize("omitted", range(CLASSES))
def test_an_omitted_class_is_in_no_transfer_set(omitted):
    data = clouds()
    others = set(np.flatnonzero(data.train.labels != omitted).tolist())
    whole = transfer_set(data, 0, True, omitted, 0)
    assert read(whole, data) == learned_from(whole, data) == others and whole.labelled is None
    few = transfer_set(data, 30, True, omitted, 0)
    assert read(few, data) == others and seen(few, data) == learned_from(few, data) and len(seen(few, data)) == 30
    only = transfer_set(data, 30, False, omitted, 0)
    assert read(only, data) == learned_from(only, data) == seen(few, data) and only.labelled is None


@given(st.integers(0, 192), st.booleans(), st.integers(-1, CLASSES - 1), st.integers(0, 20))
def test_a_control_learns_from_just_those_examples_whose_label_its_student_sees(labelled, unlabelled, omitted, seed):
    data = clouds()
    found = transfer_set(data, labelled, unlabelled, omitted, seed)
    control = learned_from(found, data)
    assert control == seen(found, data) and control <= read(found, data)
    assert omitted not in set(labels_of(torch.tensor(sorted(read(found, data))), data).tolist())
    assert len(control) == (labelled or len(np.flatnonzero(data.train.labels != omitted)))
    assert found.control is None or len(found.control) == len(control)
    assert found.rows is None or len(found.rows) == len(read(found, data))


@given(st.integers(1, 192), st.integers(-1, CLASSES - 1), st.integers(0, 20))
def test_labels_are_spread_evenly_over_the_classes(labelled, omitted, seed):
    counts = np.bincount(labels_of(transfer_set(clouds(), labelled, False, omitted, seed).rows, clouds()),
                         minlength=CLASSES)
    left = np.delete(counts, omitted) if omitted >= 0 else counts
    assert left.max() - left.min() <= 1


@given(st.integers(1, 191), st.integers(1, 191), st.integers(-1, CLASSES - 1), st.integers(0, 20))
def test_fewer_labels_are_a_part_of_more(first, second, omitted, seed):
    few, many = (set(transfer_set(clouds(), count, False, omitted, seed).rows.tolist())
                 for count in sorted((first, second)))
    assert few <= many


def test_the_seed_decides_which_examples_have_a_label():
    draws = [tuple(transfer_set(clouds(), 20, False, -1, seed).rows.tolist()) for seed in (0, 0, 1)]
    assert draws[0] == draws[1] != draws[2]


@given(st.lists(st.integers(0, 3), min_size=1, max_size=60), st.integers(0, 20))
def test_the_order_holds_every_example_of_the_pool_once(labels, seed):
    labels, pool = np.array(labels), np.arange(0, len(labels), 2)
    assert sorted(evenly(labels, pool, seed).tolist()) == pool.tolist()


def test_where_a_class_has_run_out_the_others_go_on_in_turn():
    labels = np.repeat([0, 1, 2], [40, 3, 40])
    order = labels[evenly(labels, np.arange(len(labels)), 0)]
    assert np.bincount(order[:9]).tolist() == [3, 3, 3]
    assert np.bincount(order[:23]).tolist() == [10, 3, 10]


def test_which_of_a_class_come_first_is_drawn():
    labels = np.repeat([0, 1], 50)
    order = evenly(labels, np.arange(100), 0)
    assert order[labels[order] == 0].tolist() != list(range(50))


@pytest.mark.parametrize(("omitted", "pool", "words"), [(-1, 240, ""), (2, 192, " without the omitted class")])
def test_more_labels_than_examples_are_refused(omitted, pool, words):
    assert transfer_set(clouds(), pool, True, omitted, 0).labelled is None
    with pytest.raises(ValueError, match=rf"Distill: labelled must be between 0 \(all\) and {pool} \(the training examples "
                                         rf"of toy{words}\), but got {pool + 1}\. Choose fewer"):
        transfer_set(clouds(), pool + 1, True, omitted, 0)


@pytest.mark.parametrize("omitted", [CLASSES, 40])
def test_a_class_that_there_is_not_cannot_be_omitted(omitted):
    with pytest.raises(ValueError, match=r"Distill: omit must be -1 \(none\) or the label of a class of toy \(0, 1, 2, 3, "
                                         rf"4\), but got {omitted}\. Choose one of these"):
        transfer_set(clouds(), 0, True, omitted, 0)


@pytest.mark.parametrize("classes", [("1", "2", "3", "4", "5"), ("-1", "0", "1", "none", "x"), ("4", "3", "2", "1", "0"),
                                     ("a b", "a/b", "a,b", 'say "x"', '"y"'), ("1.0", "1.50", "true", "null", "-0"),
                                     (str(2 ** 63 + 5), str(2 ** 64), "-7", "007", "١")])
def test_a_class_is_omitted_by_its_label_whatever_the_label_is(classes):
    data = dataclasses.replace(clouds(), classes=classes)
    for place, label in enumerate(classes):
        again = Step.parse(Step.of("distill", {"omit": label_value(label)}).text()).values["omit"]
        found = transfer_set(data, 0, True, again, 0)
        assert set(labels_of(found.rows, data).tolist()) == set(range(CLASSES)) - {place}, label
    assert transfer_set(data, 0, True, -1, 0).rows is None


def test_of_many_classes_the_first_are_listed():
    many = tuple(str(number) for number in range(100, 200))
    with pytest.raises(ValueError, match=r"\(100, 101, .*, 119 and 80 more\), but got 'x'"):
        omitted_class(many, "x", "some data")


def test_examples_are_chosen_by_train_alone():
    data = clouds()
    other = dataclasses.replace(data, validation=Split(data.validation.inputs, 0 * data.validation.labels),
                                _test=Split(data.train.inputs, 0 * data.train.labels))
    first, second = (transfer_set(one, 30, True, 1, 0) for one in (data, other))
    assert torch.equal(first.rows, second.rows) and torch.equal(first.labelled, second.labelled)


def test_an_error_names_long_labels_in_short() -> None:
    with pytest.raises(ValueError) as refused:
        omitted_class(["a" * 10_000, "b\x1b[2J"], "c" * 10_000, "toy")
    assert len(str(refused.value)) < 400 and str(refused.value).isprintable()
