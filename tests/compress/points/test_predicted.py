"""Flips, recalls, confusions and the class that pays, from predicted classes alone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from compress.points import predicted
from compress.points.statistics import mcnemar

rows = st.integers(1, 12).flatmap(lambda count: st.tuples(*3 * [st.lists(st.integers(0, 3), min_size=count,
                                                                         max_size=count)]))


@given(rows)
def test_flips_are_the_changed_rows_and_explain_the_difference_of_right_answers(three):
    ours, teachers, labels = three
    found = predicted.flips(ours, teachers, labels)
    changed = sorted([*found.lost, *found.gained, *found.moved])
    assert changed == [row for row, (own, other) in enumerate(zip(ours, teachers, strict=True)) if own != other]
    right = [sum(own == label for own, label in zip(one, labels, strict=True)) for one in (ours, teachers)]
    assert right[0] - right[1] == len(found.gained) - len(found.lost)


@given(rows)
def test_confusion_and_recalls_count_every_example_once(three):
    ours, _, labels = three
    matrix = np.array(predicted.confusion(ours, labels, 4))
    assert matrix.sum() == len(labels) and (matrix.sum(1) == np.bincount(labels, minlength=4)).all()
    for number, row in enumerate(predicted.recalls(ours, labels, "abcd")):
        total = int(matrix[number].sum())
        assert row["examples"] == total and row["class"] == "abcd"[number]
        if total:
            assert row["recall"] == matrix[number, number] / total
            assert row["recall_low"] - 1e-9 <= row["recall"] <= row["recall_high"] + 1e-9
        else:
            assert row["recall"] is row["recall_low"] is row["recall_high"] is None


def test_the_payer_is_the_class_that_lost_most_and_its_p_is_corrected():
    labels = [0] * 10 + [1] * 10
    teachers, ours = list(labels), list(labels)
    ours[:9] = [1] * 9
    ours[10] = 0
    found = predicted.payer(predicted.flips(ours, teachers, labels), labels, 2)
    assert found and (found.number, found.lost, found.gained) == (0, 9, 0) and found.is_paying
    assert found.p == pytest.approx(2 * mcnemar(9, 0))
    assert predicted.payer(predicted.flips(teachers, ours, labels), labels, 2) is None
    few = predicted.payer(predicted.flips([1, *labels[1:]], teachers, labels), labels, 2)
    assert few and not few.is_paying


def test_stored_predictions_are_read_as_they_were_written():
    assert list(predicted.classes_of(np.array([0, 9, 60_000], "<u2").tobytes())) == [0, 9, 60_000]
