"""Numbers in words: rounded once, with the unit a reader expects."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pages.ui.charts import words
from tests.pages.samples import point


@pytest.mark.parametrize(("count", "text"), [
    (0, "0 B"), (812, "812 B"), (999, "999 B"), (1000, "1.0 kB"), (34_120, "34.1 kB"), (266_610, "267 kB"),
    (1_067_080, "1.1 MB"), (123_456_789, "123 MB")])
def test_size_uses_thousands(count, text):
    assert words.size(count) == text


@given(st.integers(1, 10**9), st.integers(1, 10**9))
def test_a_larger_file_never_reads_smaller(first, second):
    def read(text):
        number, unit = text.split()
        return float(number) * {"B": 1, "kB": 1e3, "MB": 1e6}[unit]

    small, large = sorted([first, second])
    assert read(words.size(small)) <= read(words.size(large))


@pytest.mark.parametrize(("count", "text"), [
    (266_610, "266,610"), (1_000_000, "1.00 million"), (2.5e9, "2.50 billion")])
def test_many_switches_to_words_at_a_million(count, text):
    assert words.many(count) == text


def test_accuracy_shows_half_the_width_of_its_interval():
    assert words.accuracy({"accuracy": 0.973, "accuracy_low": 0.961, "accuracy_high": 0.981}) == "97.3 % ± 1.0"


@pytest.mark.parametrize(("own", "text"), [
    (100, "same size"), (100.3, "same size"), (50, "2.0× smaller"), (8, "12× smaller"), (98, "1.02× smaller"),
    (101, "1.01× larger"), (120, "1.2× larger")])
def test_times_smaller_says_which_way(own, text):
    assert words.times_smaller(own, 100) == text


@pytest.mark.parametrize(("own", "text"), [
    (100, "<b>the same size</b> as the teacher"), (50, "<b>2.0× smaller</b> than the teacher"),
    (120, "<b>1.2× larger</b> than the teacher")])
def test_a_size_against_another_is_a_whole_sentences_end(own, text):
    assert words.smaller_than(own, 100, "the teacher") == text


@given(st.integers(1, 10**8), st.integers(1, 10**8))
def test_smaller_and_larger_are_opposites(own, reference):
    swap = {"smaller": "larger", "larger": "smaller", "size": "size"}
    there, back = (words.times_smaller(*pair).split() for pair in ((own, reference), (reference, own)))
    assert abs(own / reference - 1) < 0.01 or (swap[there[-1]] == back[-1] and there[0] == back[0])


@pytest.mark.parametrize(("low", "middle", "high", "text"), [
    (0.4, 0.5, 0.6, "2.0× faster"), (0.9, 0.95, 1.02, "as fast, within noise"), (1.5, 1.8, 2.0, "1.8× slower"),
    (0.05, 0.08, 0.9, "12× faster"), (1.01, 1.02, 1.03, "1.02× slower")])
def test_speed_claims_nothing_that_the_interval_does_not(low, middle, high, text):
    assert words.speed(point(0.1, 10, latency=middle, latency_low=low, latency_high=high)) == text


def test_speed_admits_that_it_was_not_measured():
    assert words.speed(point(0.1, 10)) == "not timed"


@pytest.mark.parametrize(("difference", "text"), [
    (0.0, "exactly as accurate"), (0.0004, "0.04 points less accurate"), (-0.0001, "0.01 points more accurate"),
    (0.00096, "0.1 points less accurate"), (1e-5, "less than 0.01 points less accurate"),
    (0.003, "0.3 points less accurate"), (-0.011, "1.1 points more accurate")])
def test_points_lost_says_which_way(difference, text):
    assert words.points_lost(difference) == text


@pytest.mark.parametrize(("count", "text"), [(0, "Test set not used"), (1, "Test set used once"),
                                             (3, "Test set used 3 times")])
def test_uses_of_the_test_set_are_counted_in_words(count, text):
    assert words.test_uses(count) == text


def test_an_accuracy_has_the_ends_of_its_interval():
    assert words.accuracy_range(point(0.1, 10, 90)) == "90.0 % (82.6 to 94.5 %)"


@pytest.mark.parametrize(("seconds", "text"), [(0.00042, "0.4 ms"), (0.0123, "12 ms"), (1.26, "1.3 s")])
def test_durations(seconds, text):
    assert words.duration(seconds) == text
