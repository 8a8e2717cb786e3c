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


def of_parts(levels, scales=None):
    found = {"levels": {"stored": 67_000, "coded": levels, "entropy": 28_400.0},
             "header": {"stored": 900, "coded": 900, "entropy": None}}
    return {**found, **({"scales": {"stored": 12, "coded": 12, "entropy": 12.0}} if scales else {})}


def test_parts_are_the_bytes_of_the_file_beside_those_before_coding():
    made = waterfall.parts([of_parts(28_700, True), None, of_parts(67_000)], "quantize")
    figure_of(made)
    stored, coded, entropy = made["follow"]
    assert made["figure"]["layout"]["yaxis"]["categoryarray"] == ["Header", "Scales and codebooks", "Levels of weights"]
    assert stored["x"] == [[67_000, 12, 900], None, [67_000, 0, 900]]
    assert coded["x"] == [[28_700, 12, 900], None, [67_000, 0, 900]] and coded["text"][0][0] == "28.7 kB"
    assert entropy["x"] == [[28_400.0, 12.0], None, [28_400.0]] and entropy["y"][2] == ["Levels of weights"]
    assert max(made["figure"]["layout"]["xaxis"]["range"]) > 67_000


def test_a_point_of_before_files_were_looked_into_has_no_charts():
    assert waterfall.charts_of([None, None], "prune") == []
    both = waterfall.charts_of([{"steps": COARSE, "parts": of_parts(28_700)}, None], "prune")
    assert [made["id"] for made in both] == ["waterfall", "parts"]


@pytest.mark.parametrize(("most", "last"), [(67_000, "60.0 kB"), (900, "800 B"), (1_066_000, "1.0 MB"), (5, "5 B")])
def test_ticks_of_bytes_are_round_and_few(most, last):
    ticks = waterfall.byte_ticks(most)
    assert ticks["ticktext"][-1].replace(" kB", ".0 kB").replace("1 MB", "1.0 MB") == last and len(ticks["tickvals"]) <= 7
