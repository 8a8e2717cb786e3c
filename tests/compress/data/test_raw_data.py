"""What a source may hand over."""

import numpy as np
import pytest

from compress.data.raw_data import RawData

IMAGES = np.zeros((4, 1, 2, 2), dtype=np.uint8)
ROWS = np.zeros((4, 3))
LABELS = np.array([0, 1, 0, 1])
HOLED = np.array([[0.0, np.nan], [1, 1], [2, 2], [3, 3]])


@pytest.mark.parametrize(("arguments", "message"), [
    (("sound", ("a", "b"), ROWS, LABELS), "kind must be one of image, sequence, tabular"),
    (("tabular", ("a",), ROWS, LABELS * 0), "at least 2 classes are needed, but got 1: 'a'"),
    (("image", ("a", "b"), ROWS, LABELS), r"shape \(n, channels, height, width\)"),
    (("tabular", ("a", "b"), np.zeros((4, 0)), LABELS), "no empty axis"),
    (("tabular", ("a", "b"), ROWS.astype(complex), LABELS), "real numbers"),
    (("sequence", ("a", "b"), HOLED[:, None], LABELS), "must be finite, but 1 values are not; .* in example 0"),
    (("tabular", ("a", "b"), np.where(np.isnan(HOLED), np.inf, HOLED), LABELS), "must be finite"),
    (("tabular", ("a", "b"), ROWS, LABELS[:3]), "one label for each of the 4 examples"),
    (("tabular", ("a", "b"), ROWS, LABELS + 1), r"labels must be int64 in 0\.\.1, but got int64 in 1\.\.2"),
    (("tabular", ("a", "b"), ROWS, LABELS.astype(float)), "but got float64"),
    (("image", ("a", "b"), IMAGES, LABELS, IMAGES), "must come together"),
    (("image", ("a", "b"), IMAGES, LABELS, IMAGES.astype(float), LABELS), "dtype and shape of the others"),
    (("image", ("a", "b"), IMAGES, LABELS, IMAGES[:, :, :1], LABELS), "dtype and shape of the others"),
])
def test_arrays_that_break_the_rules_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        RawData("Title", *arguments)


def test_a_table_may_have_missing_values():
    assert RawData("Title", "tabular", ("a", "b"), HOLED, LABELS).shape == (2,)


def test_bytes_are_counted_as_stored():
    assert RawData("Title", "image", ("a", "b"), IMAGES, LABELS).bytes_per_example == 4
    assert RawData("Title", "tabular", ("a", "b"), ROWS, LABELS).bytes_per_example == 12


@pytest.mark.parametrize("value", [1e39, -1e300])
@pytest.mark.parametrize("test", [False, True])
def test_a_value_beyond_float32_is_refused_with_its_place(value, test):
    spoilt = ROWS.copy()
    spoilt[2, 1] = value
    parts = (ROWS, LABELS, spoilt, LABELS) if test else (spoilt, LABELS)
    words = rf"the first is {value!s} in example 2, column 1".replace("+", r"\+")
    with pytest.raises(ValueError, match=rf"Title: {'test ' if test else ''}examples must be between .*float32.*{words}"):
        RawData("Title", "tabular", ("a", "b"), *parts)


def test_the_largest_float32_is_a_number_like_others():
    largest = np.full((4, 1), np.finfo(np.float32).max)
    assert RawData("Title", "tabular", ("a", "b"), -largest.astype(float), LABELS).inputs.min() < -3.4e38
