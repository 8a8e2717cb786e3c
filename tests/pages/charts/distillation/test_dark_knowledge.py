"""What the teacher's outputs say at each temperature: probabilities whatever the logits, one picture a stop of the dial."""

from __future__ import annotations

from itertools import pairwise
from math import isfinite
from typing import Any

import numpy as np
import pytest
import scipy.special
from hypothesis import given
from hypothesis import strategies as st

from pages.ui.charts.distillation import dark_knowledge
from tests.pages.samples import figure_of

HEATS = [0.5, 1.0, 2.0, 8.0]
LOGITS = [[0.0, 3.0, 2.0], [4.0, 4.0, -900.0]]
SIMILARITY = [[[0.9 - heat / 20, heat / 40, 0.1 + heat / 40], [0.2, 0.7, 0.1], [0.0, 0.0, 1.0]] for heat in HEATS]
VIEW = {"classes": ["cat", "dog", "fox"], "examples": [17, 4], "example_labels": ["dog", "cat"], "temperatures": HEATS,
        "teacher_logits": LOGITS, "similarity": SIMILARITY}
SERIES = [("teacher", LOGITS[0], "#8A939C"), ("student", [1.0, 1.0, 1.0], "#D55E00")]

logits = st.lists(st.floats(-1e308, 1e308), min_size=1, max_size=12)
ordinary = st.lists(st.floats(-50, 50), min_size=2, max_size=12)
temperatures = st.floats(0.01, 100)


@given(logits, temperatures)
def test_softened_outputs_are_probabilities_however_extreme_the_logits(values, temperature):
    shares = dark_knowledge.softened(values, temperature)
    assert len(shares) == len(values) and all(isfinite(share) and 0 <= share <= 1 for share in shares)
    assert sum(shares) == pytest.approx(1, abs=1e-9)


@given(ordinary, temperatures)
def test_softened_outputs_are_the_softmax_of_the_divided_logits(values, temperature):
    expected = scipy.special.softmax(np.divide(values, temperature))
    assert dark_knowledge.softened(values, temperature) == pytest.approx(expected.tolist(), abs=1e-9)


@given(ordinary, temperatures, temperatures)
def test_the_winner_gives_way_as_it_gets_hotter(values, one, other):
    cold, hot = sorted((one, other))
    assert max(dark_knowledge.softened(values, hot)) <= max(dark_knowledge.softened(values, cold)) + 1e-9


@pytest.mark.parametrize("chart", [
    dark_knowledge.outputs(VIEW, 0, SERIES), dark_knowledge.outputs(VIEW, 1, SERIES[:1]), dark_knowledge.alike(VIEW)],
    ids=["two networks", "the teacher alone", "alike"])
def test_every_chart_is_a_figure_with_a_description(chart):
    assert len(figure_of(chart).data) == len(chart["figure"]["data"])
    assert chart["alt"].endswith(".") and chart["title"] and chart["id"]


def test_every_voice_has_a_bar_a_class_at_every_temperature():
    chart = dark_knowledge.outputs(VIEW, 0, SERIES)
    assert [trace["name"] for trace in chart["figure"]["data"]] == ["teacher", "student"]
    assert [follower["trace"] for follower in chart["follow"]] == [0, 1]
    for (_, values, colour), follower, trace in zip(SERIES, chart["follow"], chart["figure"]["data"], strict=True):
        assert follower["x"] == [VIEW["classes"]] * len(HEATS) and trace["marker"]["color"] == colour
        assert follower["y"] == [pytest.approx(dark_knowledge.softened(values, heat), abs=1e-5) for heat in HEATS]
        assert trace["y"] == follower["y"][0]
    assert "dog" in chart["title"] and "3 classes" in chart["alt"]


def test_the_axis_of_outputs_holds_every_probability_and_stays():
    layout = dark_knowledge.outputs(VIEW, 0, SERIES)["figure"]["layout"]
    low, high = layout["yaxis"]["range"]
    assert low == 0 and high >= 1 and layout["xaxis"]["type"] == "category"


def test_the_map_has_a_matrix_a_stop_in_percent_with_an_empty_diagonal():
    chart = dark_knowledge.alike(VIEW)
    (follower,) = chart["follow"]
    assert len(follower["z"]) == len(follower["x"]) == len(follower["y"]) == len(HEATS)
    for matrix, similarity in zip(follower["z"], SIMILARITY, strict=True):
        for row, (shown, shares) in enumerate(zip(matrix, similarity, strict=True)):
            assert shown[row] is None
            assert shown[:row] + shown[row + 1:] == pytest.approx([100 * one for one in shares[:row] + shares[row + 1:]])
    assert chart["figure"]["data"][0]["z"] == follower["z"][0]
    assert follower["x"][0] == follower["y"][0] == VIEW["classes"]


def test_the_first_class_is_at_the_top_of_the_map():
    assert dark_knowledge.alike(VIEW)["figure"]["layout"]["yaxis"]["autorange"] == "reversed"


def test_both_charts_of_one_page_have_their_own_name():
    assert dark_knowledge.outputs(VIEW, 0, SERIES)["id"] != dark_knowledge.alike(VIEW)["id"]


def test_the_dial_tells_the_teachers_two_most_likely_classes_at_every_temperature():
    dial = dark_knowledge.dial(VIEW, 0, 2.0)
    assert dial["values"] == HEATS and dial["labels"] == ["0.5", "1", "2", "8"] and len(dial["readout"]) == len(HEATS)
    assert dial["readout"][1] == "the teacher: class dog, 71 %; class fox, 26 %"
    assert all(text.startswith("the teacher: class dog, ") and "; class fox, " in text for text in dial["readout"])
    shares = [float(text.split()[4]) for text in dial["readout"]]
    assert all(hot < cold for cold, hot in pairwise(shares))


@given(st.lists(st.floats(-20, 20), min_size=3, max_size=3, unique=True))
def test_the_readout_ranks_the_classes_by_their_logits(values):
    view: dict[str, Any] = {**VIEW, "teacher_logits": [values], "temperatures": [1.0]}
    first, second = sorted(range(3), key=lambda place: -values[place])[:2]
    (text,) = dark_knowledge.dial(view, 0, 1.0)["readout"]
    shares = dark_knowledge.softened(values, 1.0)
    if len(set(shares)) == 3:
        assert text.startswith(f"the teacher: class {VIEW['classes'][first]}, ")
        assert f"; class {VIEW['classes'][second]}, " in text


@pytest.mark.parametrize(("temperature", "index"), [(0.5, 0), (1.2, 1), (2.0, 2), (64.0, 3)])
def test_the_dial_starts_at_the_temperature_nearest_to_that_of_the_lesson(temperature, index):
    assert dark_knowledge.dial(VIEW, 0, temperature)["index"] == index


def test_two_classes_are_enough():
    view = {**VIEW, "classes": ["no", "yes"], "teacher_logits": [[0.0, 1.0]]}
    assert dark_knowledge.dial(view, 0, 1.0)["readout"][1] == "the teacher: class yes, 73 %; class no, 27 %"


def test_the_view_of_a_measured_distillation_is_drawn(measured):
    view = measured("distill(epochs=2,seeds=1,temperatures=none)", (0.2, 0.6)).view
    voices = [("teacher", view["teacher_logits"][3], "#8A939C")]
    stops = len(dark_knowledge.dial(view, 3, 4.0)["values"])
    for chart in (dark_knowledge.outputs(view, 3, voices), dark_knowledge.alike(view)):
        figure_of(chart)
        assert all(len(places) == stops for follower in chart["follow"] for places in follower.values()
                   if isinstance(places, list))
