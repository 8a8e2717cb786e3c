"""The waterfall of sizes: each dot stands at the bytes that are there, each bar between those of two steps."""

from __future__ import annotations

from itertools import pairwise

import pytest

from pages.ui.charts import waterfall
from tests.pages.samples import figure_of

COARSE = [{"name": "parameters, float32", "bytes": 1_066_000, "entropy": None},
          {"name": "levels", "bytes": 67_000, "entropy": 28_400.0},
          {"name": "entropy coding", "bytes": 28_700, "entropy": 28_400.0},
          {"name": "file", "bytes": 30_500, "entropy": None}]
FINE = [{**step, "bytes": step["bytes"] * (4 if place else 1)} for place, step in enumerate(COARSE)]
HELD = [COARSE, None, FINE]


@pytest.fixture(scope="module")
def made():
    return waterfall.chart(HELD, "quantize")


def test_it_is_a_figure_and_says_each_step_in_words(made):
    figure_of(made)
    assert made["alt"] == ("parameters, float32: 1.1 MB; levels: 67.0 kB, 16× smaller; entropy coding: 28.7 kB, 2.3× "
                           "smaller; file: 30.5 kB, 1.1× larger.")


def test_dots_are_the_bytes_of_the_stop_and_nothing_where_nothing_is_measured(made):
    entropy, size = made["follow"][-2:]
    for stop, steps in enumerate(HELD):
        assert size["x"][stop] == (steps and [step["bytes"] for step in steps])
        assert size["y"][stop] == (steps and [step["name"] for step in steps])
        assert entropy["x"][stop] == (steps and [28_400.0, 28_400.0])
    assert size["text"][0] == ["1.1 MB", "67.0 kB", "28.7 kB", "30.5 kB"]


def test_bars_reach_from_one_step_to_the_next(made):
    bars = made["follow"][:-2]
    assert len(bars) == len(COARSE) and bars[0]["x"] == [[], None, []]
    for bar, (before, after) in zip(bars[1:], pairwise(FINE), strict=True):
        assert bar["x"][2] == [before["bytes"], after["bytes"]] and bar["y"][2] == [after["name"]] * 2
        assert bar["x"][1] is None


def test_all_that_is_shown_lies_on_the_axis(made):
    low, high = (10 ** end for end in made["figure"]["layout"]["xaxis"]["range"])
    assert all(low < size < high for follower in made["follow"] for one in follower["x"] for size in one or ())


def test_steps_that_only_some_stops_have_get_a_row():
    short = waterfall.chart([COARSE[:2] + COARSE[3:], COARSE], "prune")
    assert short["figure"]["layout"]["yaxis"]["categoryarray"] == [step["name"] for step in COARSE[::-1]]


def test_there_is_no_chart_without_a_waterfall():
    assert waterfall.chart([None, None], "prune") is waterfall.chart([], "prune") is None
