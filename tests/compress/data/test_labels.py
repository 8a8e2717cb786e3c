"""Labels keep the values that the data give them."""

import numpy as np
import pytest

from compress.data.labels import class_labels, joined, numbered

FIRST = 2 ** 63 + 5  # does not fit into int64, and float64 rounds it


def classes_of(labels: np.ndarray) -> tuple[str, ...]:
    return numbered(class_labels(labels))[1]


@pytest.mark.parametrize(("labels", "codes", "names"), [
    (np.array([5, -2, 5, 10]), [1, 0, 1, 2], ("-2", "5", "10")),
    (np.array(["10", "9", "10"]), [1, 0, 1], ("9", "10")),
    (np.array(["dog", "cat", "dog"]), [1, 0, 1], ("cat", "dog")),
    (np.array(["b", "10", "9"]), [2, 0, 1], ("10", "9", "b")),
    (np.array([FIRST + 1, FIRST, 7], dtype=np.uint64), [2, 1, 0], ("7", str(FIRST), str(FIRST + 1))),
    (np.array([str(FIRST + 1), str(FIRST), "-1.5"]), [2, 1, 0], ("-1.5", str(FIRST), str(FIRST + 1))),
])
def test_labels_are_numbered_in_the_order_of_their_names(labels, codes, names):
    found, found_names = numbered(labels)
    assert (found.tolist(), found_names, found.dtype) == (codes, names, np.int64)


@pytest.mark.parametrize(("labels", "names"), [
    (np.array([FIRST, FIRST + 2, 2 ** 64 - 1], dtype=np.uint64), (str(FIRST), str(FIRST + 2), str(2 ** 64 - 1))),
    (np.array([-128, 127], dtype=np.int8), ("-128", "127")),
    (np.array([-2 ** 63, 2 ** 63 - 1]), (str(-2 ** 63), str(2 ** 63 - 1))),
    (np.array([1, 2], dtype=">i4"), ("1", "2")),
    (np.array([True, False]), ("False", "True")),
    (np.array([b"dog", b"cat"]), ("cat", "dog")),
    (np.array(["Käse".encode(), b"Brot"]), ("Brot", "Käse")),
    (np.array([2.0, -0.0, 0.0, 1e9]), ("0", "2", "1000000000")),
    (np.array([3, 1], dtype=np.float16), ("1", "3")),
    (np.array([[4], [2]]), ("2", "4")),
    (np.array(["<b>", " a", "a ", "a", "tab\tand\nline", "日本"], dtype=">U12"),
     (" a", "<b>", "a", "a ", "tab\tand\nline", "日本")),
])
def test_labels_of_every_type_keep_their_value(labels, names):
    assert classes_of(labels) == names


@pytest.mark.parametrize(("labels", "message"), [
    (np.array([0.0, 1.5]), r"but example 1 has 1\.5"),
    (np.array([0.0, np.nan]), "but example 1 has nan.*leave out examples without a label"),
    (np.array([0.0, -np.inf]), "but example 1 has -inf"),
    (np.array([0.0, 2.0 ** 60]), "but example 1 has"),
    (np.array(["a", ""]), "must not be empty, but example 1"),
    (np.array(["a", "\ud800"]), "valid Unicode"),
    (np.frombuffer(np.array([65, 0x200000], dtype="<u4").tobytes(), dtype="<U1"), "valid Unicode"),
    (np.array([b"\xff\xfe", b"a"]), r'UTF-8.*np\.char\.decode\(y, "latin-1"\)'),
    (np.eye(3) + 1, r"turn other rows into numbers, for example with argmax\(1\)"),
    (np.ones((3, 3)), "Rows of 0 with a single 1 are classes too"),
    (np.array([1 + 0j, 2]), r"complex128.*y\.astype\(str\)"),
    (np.array(["2020-01-01", "2020-01-02"], dtype="M8[D]"), r"datetime64.*y\.astype\(str\)"),
    (np.zeros(0, dtype=int), "one label for each example"),
    (np.array(3), "one label for each example"),
])
def test_labels_that_are_no_classes_are_refused_with_a_remedy(labels, message):
    with pytest.raises(ValueError, match=message):
        class_labels(labels)


@pytest.mark.parametrize("labels", [np.array([1 + 0j, 2]), np.array(["2020-01-01", "2020-01-02"], dtype="M8[D]")])
def test_the_remedy_works(labels):
    assert len(classes_of(labels.astype(str))) == 2


@pytest.mark.parametrize(("labels", "others", "names"), [
    (np.array([-3, 5], dtype=np.int8), np.array([5, 2 ** 64 - 1], dtype=np.uint64), ("-3", "5", str(2 ** 64 - 1))),
    (np.array([3, 5], dtype=np.int8), np.array([5, FIRST], dtype=np.uint64), ("3", "5", str(FIRST))),
    (np.array([-3, 5], dtype=np.int8), np.array([5, 2 ** 53 + 1], dtype=np.uint64), ("-3", "5", str(2 ** 53 + 1))),
    (np.array([1, 2], dtype=np.uint8), np.array([2.0, 1.0]), ("1", "2")),
    (np.array(["a"]), np.array([b"long"]), ("a", "long")),
])
def test_labels_of_two_parts_are_compared_by_value(labels, others, names):
    both = joined(class_labels(labels), class_labels(others))
    codes, found = numbered(both)
    assert found == names
    assert [found[code] for code in codes] == [str(one) for one in (*class_labels(labels), *class_labels(others))]


@pytest.mark.parametrize(("labels", "others"), [(np.array([1, 2]), np.array(["1", "2"])),
                                                (np.array([True, False]), np.array([1, 0]))])
def test_numbers_texts_and_truth_values_do_not_mix(labels, others):
    with pytest.raises(ValueError, match=r"of one type, but got .* Convert both"):
        joined(class_labels(labels), class_labels(others))


@pytest.mark.parametrize("dtype", [np.float32, np.int64, bool])
def test_one_hot_rows_are_classes(dtype):
    assert class_labels(np.eye(4, dtype=dtype)[[2, 0, 3, 1]]).tolist() == [2, 0, 3, 1]
