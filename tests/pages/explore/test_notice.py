"""What to notice: pairing of two networks' answers by hand, and sentences that claim no more than the test does."""

from __future__ import annotations

from array import array

import pytest

from pages.ui.explore import notice
from tests.pages.samples import point


def answers(*classes: int) -> bytes:
    """As the store keeps them: uint16, little-endian."""
    return b"".join(number.to_bytes(2, "little") for number in classes)


LABELS = [0, 1, 2, 3, 300, 5, 6, 7]
FIRST = answers(0, 1, 2, 3, 300, 9, 9, 9)   # right on the first five
SECOND = answers(0, 1, 9, 9, 9, 5, 8, 8)    # right on 0, 1 and 5


def test_pairing_counts_what_only_one_has_right():
    first_only, second_only, p = notice.paired(FIRST, SECOND, LABELS)
    assert (first_only, second_only) == (3, 1)
    # Two-sided exact: 2 (C(4,0) + C(4,1)) / 2^4.
    assert p == pytest.approx(10 / 16)


def test_pairing_is_symmetric_and_certain_of_nothing_without_disagreement():
    assert notice.paired(SECOND, FIRST, LABELS) == (1, 3, pytest.approx(10 / 16))
    assert notice.paired(FIRST, FIRST, LABELS) == (0, 0, 1.0)


def test_eight_against_none_is_a_real_difference():
    labels = [1] * 8
    assert notice.paired(answers(*labels), answers(*[0] * 8), labels) == (8, 0, pytest.approx(2 / 256))


def test_pairing_needs_the_same_examples():
    with pytest.raises(ValueError, match="argument"):
        notice.paired(FIRST, SECOND[:-2], LABELS)


def test_stored_answers_are_read_back_as_numbers():
    assert list(array("H", answers(0, 300, 65_535))) == [0, 300, 65_535]


REFERENCE = point(None, 100_000, 95)


def test_a_difference_that_chance_explains_is_called_not_significant():
    text = notice.of_point(point(0.1, 50_000, 93), REFERENCE, "teacher", 0.2)
    for words in ("2.0× smaller", "2.0 points less accurate", "not significant on 100 examples",
                  "p = 0.2"):
        assert words in text
    assert "a significant difference" not in text


@pytest.mark.parametrize(("p", "words"), [(0.049, "p = 0.049"), (0.0002, "p = 0.001 or less")])
def test_a_real_difference_is_called_real(p, words):
    text = notice.of_point(point(0.1, 50_000, 60), REFERENCE, "teacher", p)
    assert ": a significant difference (paired test" in text and words in text and "not significant" not in text


def test_nothing_is_claimed_without_a_test():
    text = notice.of_point(point(0.1, 50_000, 93), REFERENCE, "raw data", None)
    assert "raw data" in text and "paired test" not in text and text.endswith(".")


def test_the_smallest_file_within_one_point_is_named():
    points = [point(0.1, 9_000, 80), point(0.2, 20_000, 94), point(0.4, 40_000, 96)]
    assert "<b>20.0 kB</b> (5.0× smaller)" in notice.of_curve(points, REFERENCE)


def test_a_curve_without_a_good_point_says_so():
    text = notice.of_curve([point(0.1, 9_000, 80)], REFERENCE)
    assert text == "No smaller file measured so far stays within one point of the reference's accuracy."


def test_a_file_that_is_not_smaller_is_no_good_point():
    same = {**REFERENCE, "dial": 0.9}
    assert notice.of_curve([same], REFERENCE).startswith("No smaller file")
