"""Charts of students and controls: figures that Plotly accepts, axes that stay, colours and words that admit noise."""

from __future__ import annotations

from math import isfinite, log10
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pages.ui.charts import palette
from pages.ui.charts.distillation import distill_charts
from pages.ui.charts.distillation.distill_charts import LEAST_ERROR, MOST_ERROR, NOISE, gain_in_words
from pages.ui.charts.distillation.students import Gain, Result, Students
from tests.pages.samples import figure_of, point, student

VALUES = [0.1, 0.2, 0.4]
LABELS = ["10 %", "20 %", "40 %"]
SIZES = {0.1: 6_000, 0.2: 13_000, 0.4: 30_000}
REFERENCE = point(None, 100_000, 95, title="64-40-30-10")
START = point(0.5, 50_000, 94)


def standing(width: float, accuracy: float | None, live: bool = False) -> Result:
    """A student of this width, with its point unless it is still learning or diverged."""
    done = None if live or accuracy is None else student(round(100 * accuracy), SIZES[width], width=width)
    return Result(SIZES[width], accuracy, done)


def class_of(gains: dict[float, list[float]], heats: tuple[float, ...] = (4.0, 8.0), live: bool = False,
             alone: float = 0.5) -> Students:
    """Students that are better by these gains, one a seed, than controls that are all equally good."""
    controls = {(width, seed): standing(width, alone, live) for width, ones in gains.items() for seed in range(len(ones))}
    taught = {(width, seed): standing(width, alone + gain, live) for width, ones in gains.items()
              for seed, gain in enumerate(ones)}
    return Students({heat: dict(taught) for heat in heats}, controls, live=live)


CERTAIN, NOISY, WORSE = [0.2, 0.21, 0.19], [0.1, -0.1, 0.05], [-0.2, -0.21, -0.19]
WHOLE = class_of({0.1: CERTAIN, 0.2: NOISY, 0.4: WORSE})
LIVE = class_of({0.1: CERTAIN, 0.2: NOISY}, live=True)
ALONE = class_of({0.1: [0.1], 0.4: [-0.1]})
ASSISTED = Students(WHOLE.distilled, WHOLE.controls, direct=WHOLE.distilled[8.0])
DIVERGED = Students({4.0: {(0.1, 0): standing(0.1, None), (0.1, 1): standing(0.1, 0.7), (0.2, 0): standing(0.2, None)}},
                    {(0.1, 0): standing(0.1, 0.6), (0.4, 0): standing(0.4, None)})
CLASSES = {"whole": WHOLE, "live": LIVE, "one seed": ALONE, "assisted": ASSISTED, "diverged": DIVERGED,
           "nobody": Students(), "controls alone": Students({}, WHOLE.controls)}
every_class = pytest.mark.parametrize("students", CLASSES.values(), ids=CLASSES)


def hero(students: Students, reference: dict = REFERENCE, **others: Any) -> dict[str, Any]:
    return distill_charts.hero(students, reference, **{
        "temperature": 4.0, "seed": 0, "values": VALUES, "logits": False, **others})


def traces_of(chart: dict[str, Any]) -> dict[str, dict]:
    """The traces of a chart that have a name."""
    return {trace["name"]: trace for trace in chart["figure"]["data"] if trace.get("name")}


def all_charts(students: Students) -> list[dict[str, Any]]:
    return [hero(students), hero(students, start=START), hero(students, logits=True),
            distill_charts.gains(students, 4.0, VALUES, LABELS), distill_charts.heat_map(students, VALUES, LABELS)]


@every_class
def test_every_chart_is_a_figure_with_a_description(students):
    for chart in all_charts(students):
        assert len(figure_of(chart).data) == len(chart["figure"]["data"])
        assert chart["alt"].endswith(".") and chart["title"] and chart["id"]


@every_class
def test_every_follower_has_one_place_for_each_dial_value(students):
    for chart in all_charts(students):
        for follower in chart.get("follow", []):
            assert len(follower["x"]) == len(follower["y"]) == len(VALUES)
            assert chart["figure"]["data"][follower["trace"]]["x"] == []


def test_charts_of_one_page_have_different_names():
    names = [chart["id"] for chart in all_charts(WHOLE)[2:]]
    assert len({*names, distill_charts.learning(student(), None, 2)["id"]}) == len(names) + 1


def test_the_marker_stands_on_the_student_of_the_dials_width_and_seed():
    second = {key: one for key, one in WHOLE.distilled[4.0].items() if key != (0.2, 1)}
    chart = hero(Students({4.0: second}, WHOLE.controls), seed=1)
    ring, marker = chart["follow"]
    assert ring["x"] == marker["x"] == [[6_000], None, [30_000]]
    assert marker["y"] == [[pytest.approx(1 - 0.71)], None, [pytest.approx(1 - 0.29)]]
    assert chart["figure"]["data"][marker["trace"]]["name"] == "student of seed 1"
    assert hero(WHOLE, start=START)["figure"]["data"][hero(WHOLE, start=START)["follow"][0]["trace"]]["name"] == "dial"


def test_the_ring_is_on_the_curve_of_means_and_alone_where_there_is_one_seed():
    chart = hero(WHOLE)
    curve = traces_of(chart)["with the teacher, T = 4"]
    assert [y for (y,) in chart["follow"][0]["y"]] == pytest.approx(curve["y"])
    assert len(chart["follow"]) == 2 and len(hero(ALONE)["follow"]) == 1


def test_the_marker_avoids_students_that_diverged():
    assert hero(DIVERGED)["follow"][0]["x"] == [None, None, None]
    assert hero(DIVERGED, seed=1)["follow"][0]["x"] == [[6_000], None, None]


def test_a_mean_stands_at_each_width_and_controls_are_hollow_and_grey():
    traces = traces_of(hero(WHOLE))
    own, alone = traces["with the teacher, T = 4"], traces["labels alone (control)"]
    assert own["x"] == alone["x"] == [6_000, 13_000, 30_000] and own["customdata"] == VALUES
    assert own["y"] == pytest.approx([0.3, 0.5 - 0.05 / 3, 0.7]) and alone["y"] == pytest.approx([0.5] * 3)
    assert own["marker"]["symbol"] == "circle" and own["marker"]["color"] == palette.of_method("distill")
    assert alone["marker"]["symbol"] == "circle-open" and alone["marker"]["color"] == NOISE
    assert alone["marker"]["line"]["width"] > 0


def test_the_temperature_shown_is_the_chosen_one_and_logits_have_none():
    cold = Students({4.0: WHOLE.distilled[4.0], 8.0: {(0.4, 0): standing(0.4, 0.9)}}, WHOLE.controls)
    assert traces_of(hero(cold, temperature=8.0))["with the teacher, T = 8"]["x"] == [30_000]
    assert "with the teacher" in traces_of(hero(WHOLE, logits=True))


def test_students_without_the_assistant_are_told_apart():
    traces = traces_of(hero(ASSISTED))
    assert "with the teacher, T = 4, through the assistant" in traces
    assert traces["without the assistant"]["line"]["color"] == palette.BLUE
    assert not any("assistant" in name for name in traces_of(hero(WHOLE)))


def test_the_network_to_start_from_stands_beside_the_teacher():
    traces = traces_of(hero(WHOLE, start=START))
    assert traces["starts from this network"]["x"] == [50_000]
    assert traces["starts from this network"]["marker"]["symbol"] == "diamond"
    assert traces["64-40-30-10"]["marker"]["symbol"] == "star" and traces["64-40-30-10"]["x"] == [100_000]
    assert "starts from this network" not in traces_of(hero(WHOLE))


def bands(students: Students) -> list[dict]:
    return [trace for trace in hero(students)["figure"]["data"] if trace.get("fill")]


def test_a_band_reaches_from_the_worst_seed_to_the_best():
    upper = next(trace for trace in bands(WHOLE) if trace["fillcolor"] == palette.faded(palette.of_method("distill"), 0.18))
    lower = hero(WHOLE)["figure"]["data"][hero(WHOLE)["figure"]["data"].index(upper) - 1]
    assert upper["y"] == pytest.approx([1 - 0.71, 1 - 0.6, 1 - 0.31])
    assert lower["y"] == pytest.approx([1 - 0.69, 1 - 0.4, 1 - 0.29]) and lower["x"] == upper["x"]


def test_one_seed_has_no_band():
    assert len(bands(WHOLE)) == 2 and bands(ALONE) == []


def test_diverged_students_are_crosses_at_the_lower_edge():
    crosses = traces_of(hero(DIVERGED))["diverged"]
    assert sorted(crosses["x"]) == [6_000, 13_000, 30_000] and set(crosses["y"]) == {MOST_ERROR}
    assert crosses["showlegend"] and all("lower the learning rate" in text for text in crosses["text"])
    assert traces_of(hero(WHOLE))["diverged"]["x"] == [] and not traces_of(hero(WHOLE))["diverged"]["showlegend"]
    (text,) = traces_of(hero(DIVERGED))["with the teacher, T = 4"]["text"]
    assert "1 more diverged" in text


def test_hovering_tells_the_mean_its_seeds_and_the_network():
    text = traces_of(hero(WHOLE))["with the teacher, T = 4"]["text"][0]
    assert text.startswith("<b>width 10 %</b>, with the teacher, T = 4<br>70.0 % (mean of 3 seeds, 69.0 % to 71.0 %)")
    assert "6.0 kB" in text and "64-5-3-10: 1,500 parameters, 1,500 MACs" in text
    assert "mean of 1 seed," in traces_of(hero(ALONE))["with the teacher, T = 4"]["text"][0]


def axes(students: Students, reference: dict = REFERENCE) -> tuple:
    layout = hero(students, reference)["figure"]["layout"]
    return (layout["xaxis"]["range"], layout["xaxis"]["tickvals"], layout["yaxis"]["range"], layout["yaxis"]["tickvals"],
            layout["shapes"])


accuracies = st.floats(0, 1)
standings = st.dictionaries(st.tuples(st.sampled_from(VALUES), st.integers(0, 2)),
                            st.builds(lambda accuracy: accuracy, accuracies | st.none()), min_size=1)


@given(standings, standings, st.integers(30, 99))
def test_axes_stay_while_students_arrive_and_learn(first, second, correct):
    reference = point(None, 100_000, correct)
    found = [Students({4.0: {key: Result(SIZES[key[0]], value) for key, value in ones.items()}})
             for ones in (first, second)]
    assert axes(found[0], reference) == axes(found[1], reference) == axes(Students(), reference)


@given(st.lists(st.integers(50, 10**7), min_size=1, max_size=8), st.lists(accuracies, min_size=16, max_size=16))
def test_axes_of_very_small_and_large_students_hold_them_and_stay_while_they_learn(sizes, values):
    heard = [Students({4.0: {(0.1 + place, 0): Result(size, values[place + shift]) for place, size in enumerate(sizes)}})
             for shift in (0, 8)]
    assert axes(heard[0]) == axes(heard[1])
    low, high = axes(heard[0])[0]
    assert low < log10(min(sizes)) and log10(max(sizes)) < high


@pytest.mark.parametrize("kind", ["taught", "controls"])
def test_the_axis_holds_students_that_diverged(kind):
    tiny = {(0.01, 0): Result(300, None), (0.2, 0): standing(0.2, 0.8)}
    found = Students({4.0: tiny} if kind == "taught" else {}, tiny if kind == "controls" else {})
    assert axes(found)[0][0] < log10(300)


def test_accuracy_rises_upwards_and_is_written_as_accuracy():
    layout = hero(WHOLE)["figure"]["layout"]["yaxis"]
    assert layout["type"] == "log" and layout["range"][0] > layout["range"][1]
    assert dict(zip(layout["tickvals"], layout["ticktext"], strict=True)).items() >= {
        0.5: "50 %", 0.1: "90 %", 0.05: "95 %"}.items()


@given(st.lists(st.tuples(accuracies, accuracies, accuracies), min_size=1, max_size=3), st.integers(0, 100))
def test_no_error_is_zero_or_less_on_the_logarithmic_axis(found, correct):
    ones = {(VALUES[place], seed): Result(1_000 * (place + 1), value)
            for place, values in enumerate(found) for seed, value in enumerate(values)}
    chart = hero(Students({4.0: ones}, ones, ones), point(None, 100_000, correct), start=point(0.1, 50_000, 100 - correct))
    shown = [y for trace in chart["figure"]["data"] for y in trace["y"]]
    shown += [y for (y,) in (places for places in chart["follow"][0]["y"] if places)]
    shown += [chart["figure"]["layout"]["shapes"][0][end] for end in ("y0", "y1")]
    assert all(LEAST_ERROR <= y <= MOST_ERROR for y in shown)
    low, high = chart["figure"]["layout"]["yaxis"]["range"]
    assert isfinite(low) and isfinite(high) and low > high
    figure_of(chart)


def test_the_hero_in_words_names_both_ends_the_controls_and_the_teacher():
    assert hero(WHOLE)["alt"] == (
        "Accuracy against file size: 3 points with the teacher from 6.0 kB with 70.0 % to 30.0 kB with 30.0 %, and 3 "
        "controls on labels alone. The teacher has 95.0 % at 100 kB.")
    assert hero(Students())["alt"] == "Accuracy against file size: no student yet."


def bars_of(students: Students, values: list[float] = VALUES, labels: list[str] = LABELS) -> dict[str, Any]:
    return distill_charts.gains(students, 4.0, values, labels)["figure"]["data"][0]


def test_noise_is_grey_and_certain_gains_and_losses_have_a_colour_each():
    bars = bars_of(WHOLE)
    assert bars["marker"]["color"] == [palette.of_method("distill"), NOISE, palette.BLUE]
    assert bars["y"] == pytest.approx([20, 5 / 3, -20])
    assert bars_of(ALONE)["marker"]["color"] == [NOISE, NOISE]


def test_the_bars_carry_their_intervals():
    bars, gain = bars_of(WHOLE), WHOLE.gain(0.2, 4.0)
    assert bars["y"][1] + bars["error_y"]["array"][1] == pytest.approx(100 * gain.high)
    assert bars["y"][1] - bars["error_y"]["arrayminus"][1] == pytest.approx(100 * gain.low)
    assert bars_of(ALONE)["error_y"]["array"] == bars_of(ALONE)["error_y"]["arrayminus"] == [0, 0]


def test_a_width_without_a_pair_has_no_bar_but_keeps_its_place():
    chart = distill_charts.gains(ALONE, 4.0, VALUES, LABELS)
    assert chart["figure"]["data"][0]["x"] == ["10 %", "40 %"]
    assert chart["figure"]["layout"]["xaxis"]["categoryarray"] == LABELS
    assert chart["follow"][0]["x"] == [[label] for label in LABELS]


def test_the_gains_in_words_name_every_width():
    alt = distill_charts.gains(WHOLE, 4.0, VALUES, LABELS)["alt"]
    assert "10 %: +20.0 points (" in alt and "20 %: +1.7 points (" in alt and "40 %: -20.0 points (" in alt
    assert "over 3 seeds, not significant)" in alt


@given(st.lists(st.lists(st.floats(-0.5, 0.5), min_size=1, max_size=3), min_size=1, max_size=3))
def test_the_axis_of_gains_holds_zero_and_every_mean(found):
    chart = distill_charts.gains(class_of(dict(zip(VALUES, found, strict=False)), live=True), 4.0, VALUES, LABELS)
    low, high = chart["figure"]["layout"]["yaxis"]["range"]
    assert low < 0 < high and all(low <= y <= high for y in chart["figure"]["data"][0]["y"])


def map_of(students: Students) -> dict[str, Any]:
    return distill_charts.heat_map(students, VALUES, LABELS)["figure"]["data"][0]


def test_the_map_is_bold_where_it_is_certain_and_empty_where_nobody_is():
    assert map_of(WHOLE)["text"] == [["<b>+20</b>", "+1.7", "<b>-20</b>"]] * 2
    assert map_of(ALONE)["text"] == [["+10", "", "-10"]] * 2
    assert map_of(ALONE)["z"] == [[pytest.approx(10), None, pytest.approx(-10)]] * 2


def test_a_click_on_the_map_names_the_width_and_the_temperature():
    assert map_of(WHOLE)["customdata"] == [[[value, heat] for value in VALUES] for heat in (4.0, 8.0)]
    assert map_of(WHOLE)["x"] == LABELS and map_of(WHOLE)["y"] == ["T = 4", "T = 8"]


def test_temperatures_rise_upwards_in_whatever_order_they_came():
    mixed = Students({8.0: WHOLE.distilled[8.0], 1.0: WHOLE.distilled[4.0], 4.0: WHOLE.distilled[4.0]}, WHOLE.controls)
    assert map_of(mixed)["y"] == ["T = 1", "T = 4", "T = 8"]


def test_no_name_on_an_axis_of_names_is_a_number_and_its_tick_is_one():
    """Plotly takes a name that is a number for a place."""
    for chart in (distill_charts.gains(WHOLE, 4.0, VALUES, LABELS), distill_charts.heat_map(WHOLE, VALUES, LABELS)):
        for axis in (axis for axis in chart["figure"]["layout"].values() if isinstance(axis, dict) and "tickvals" in axis):
            assert not any(name.replace(".", "").isdigit() for name in axis["tickvals"])
            assert axis["ticktext"] in (["10", "20", "40"], ["4", "8"])


@every_class
def test_no_gain_is_the_middle_of_the_maps_colours(students):
    assert map_of(students)["zmin"] == -map_of(students)["zmax"] < 0


def test_the_map_in_words_tells_its_size():
    assert distill_charts.heat_map(WHOLE, VALUES, LABELS)["alt"] == (
        "Map of the gain in points over 3 widths and 2 temperatures.")


def test_learning_has_one_place_an_epoch_on_an_axis_of_all_epochs():
    chart = distill_charts.learning(student(inside={"accuracies": [0.1, 0.5, 0.9]}),
                                    student(alpha=0.0, inside={"accuracies": [0.1, None, None]}), 5)
    own, control = chart["figure"]["data"]
    assert own["x"] == control["x"] == [1, 2, 3] and own["y"] == [0.1, 0.5, 0.9] and control["y"] == [0.1, None, None]
    assert chart["figure"]["layout"]["xaxis"]["range"] == [0.5, 5.5] and "5 epochs" in chart["alt"]
    assert own["line"]["color"] == palette.of_method("distill") and control["line"]["color"] == NOISE
    assert "64-5-3-10" in chart["title"]
    figure_of(chart)


def test_learning_is_shown_before_there_is_a_control():
    chart = distill_charts.learning(student(), None, 2)
    assert [trace["name"] for trace in chart["figure"]["data"]] == ["with the teacher"]
    figure_of(chart)


@pytest.mark.parametrize(("gain", "words"), [
    (Gain(0.008, -0.002, 0.018, 3), "+0.8 points (-0.2 to +1.8 over 3 seeds, not significant)"),
    (Gain(0.123, 0.1, 0.146, 5), "+12.3 points (+10.0 to +14.6 over 5 seeds)"),
    (Gain(-0.02, -0.03, -0.01, 2), "-2.0 points (-3.0 to -1.0 over 2 seeds)"),
    (Gain(0.05, None, None, 1), "+5.0 points (one seed: no interval)")])
def test_a_gain_in_words_tells_its_interval_and_admits_noise(gain, words):
    assert gain_in_words(gain) == words
