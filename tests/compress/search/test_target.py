"""Targets: parsed from text, link and shell; which network is the wanted one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compress.search.target import FRONT, LARGEST, MOST_ACCURATE, SMALLEST, Target, size_of, size_text, spaced_size

TEACHER = {"accuracy": 0.95, "bytes": 1000}


def point(accuracy: float, size: int, latency: float | None = 1.0) -> dict:
    return {"accuracy": accuracy, "bytes": size, "latency": latency}


TARGETS = st.builds(Target, st.none() | st.integers(0, 1000).map(lambda tenths: tenths / 10),
                    st.none() | st.integers(1, LARGEST), st.none() | st.integers(1, 200).map(lambda share: share / 100))


@given(TARGETS)
def test_text_and_link_restore_a_target(target: Target) -> None:
    assert Target.parse(target.text()) == target
    assert Target.of_options({**target.to_link(), "hide": "sidebar"}) == target


def test_limits_are_read_in_any_order_and_unit() -> None:
    assert Target.parse("within=20 kB, at_most=1") == Target(points_lost=1.0, bytes=20_000)
    assert Target.of_options({"at_most": "0.5", "within": None, "latency": ""}) == Target(points_lost=0.5)
    sizes = {"20000": 20_000, "20kb": 20_000, "1.5 MB": 1_500_000, ".5kB": 500, "7B": 7}
    assert {text: size_of(text, "within") for text in sizes} == sizes
    assert [size_text(count) for count in (20_000, 1_500_000, 20_123, 7)] == ["20kB", "1.5MB", "20123", "7"]
    assert [spaced_size(count) for count in (20_000, 7)] == ["20 kB", "7 bytes"]


@pytest.mark.parametrize(("text", "said"), [
    ("at_most=-1", "at_most must be between 0 and 100, but got -1. For example: at_most=1."),
    ("at_most=nan", "at_most must be between 0 and 100, but got nan."),
    ("at_most=1,at_most=2", "at_most is given twice"),
    ("at_mots=1", "Did you mean at_most?"),
    ("within=20 parsecs", "within must be a size of a file, but got '20 parsecs'. For example: within=20kB."),
    ("within=0", "within must be between 1 and"),
    ("within=" + "9" * 400 + "GB", "within must be between 1 and"),
    ("latency=fast", "latency must be a number, but got 'fast'. For example: latency=0.5."),
    ("latency=0", "latency must be between 0.001 and 1000, but got 0."),
    ("latency", "'latency' is no limit of a search"),
])
def test_what_is_no_target_is_refused_with_an_example(text: str, said: str) -> None:
    with pytest.raises(ValueError) as refused:
        Target.parse(text)
    assert said in str(refused.value)


def test_the_limits_say_what_is_wanted() -> None:
    goals = {"at_most=1": SMALLEST, "within=20kB": MOST_ACCURATE, "latency=0.5": MOST_ACCURATE,
             "at_most=1,latency=0.5": SMALLEST, "": FRONT}
    assert {text: Target.parse(text).goal for text in goals} == goals
    assert Target.parse("at_most=1,within=20kB,latency=0.5").question() == (
        "the smallest file at most 1 point below the teacher, within 20 kB, in at most 0.5 of the teacher's time")
    assert Target().question() == "the best accuracy of every size"


def test_the_smallest_within_the_points_lost() -> None:
    points = [point(0.94, 90), point(0.94, 80), point(0.945, 80), point(0.93, 10), point(0.99, 2000)]
    assert Target(points_lost=1.0).best(points, TEACHER) is points[2]
    assert Target(points_lost=2.0).best(points, TEACHER) is points[3]
    assert Target(points_lost=0.0).best(points, TEACHER) is None  # what loses nothing is larger than the teacher
    assert Target().best(points, TEACHER) is None


def test_the_most_accurate_within_a_size() -> None:
    points = [point(0.94, 90), point(0.94, 80), point(0.95, 101)]
    assert Target(bytes=100).best(points, TEACHER) is points[1]
    assert Target(bytes=10).best(points, TEACHER) is None


def test_a_network_that_was_not_timed_meets_no_limit_of_latency() -> None:
    points = [point(0.94, 90, None), point(0.93, 90, 0.4), point(0.95, 90, 0.6)]
    assert Target(latency=0.5).best(points, TEACHER) is points[1]
    assert Target(points_lost=1.0, latency=0.5).best(points, TEACHER) is None


@given(TARGETS, st.floats(0, 1), st.integers(0, LARGEST))
def test_what_is_outside_the_limits_has_an_excess(target: Target, accuracy: float, size: int) -> None:
    one = point(accuracy, size)
    assert (target.excess(one, TEACHER) == 0) == target.is_met(one, TEACHER)
    assert target.excess(one, TEACHER) >= target.excess(point(accuracy, size // 2), TEACHER) >= 0
