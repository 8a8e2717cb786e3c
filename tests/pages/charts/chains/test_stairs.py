"""The staircase: one mark a network at every stop, and bytes after each step."""

from __future__ import annotations

from typing import Any

import pytest

from pages.ui.charts import palette
from pages.ui.charts.chains import stairs
from tests.pages.samples import figure_of, point

REFERENCE = {**point(0, 100_000, 98), "title": "teacher"}
STEPS = (("prune", "Pruning"), ("quantize", "Quantization"), ("", "Coding"))
HELD = [[point(4, 40_000, 96), point(4, 10_000, 94), point(4, 8_000, 94)], None,
        [point(4, 20_000, 90), point(4, 6_000, 20), point(4, 5_000, 20)]]


def chart(held: list[Any] = HELD, reference: Any = REFERENCE) -> dict[str, Any]:
    return stairs.staircase(STEPS, held, [0.5, 0.7, 0.9], reference, ["50 %", "70 %", "90 %"])


def test_each_stop_has_a_mark_for_each_network_and_a_line_from_the_teacher() -> None:
    drawn = chart([HELD[0], HELD[0], HELD[2]])
    figure_of(drawn)
    line, *marks = drawn["follow"]
    assert line["x"][0] == [100_000, 40_000, 10_000, 8_000] and line["y"][0] == [0.98, 0.96, 0.94, 0.94]
    assert [mark["x"][2] for mark in marks] == [[20_000], [6_000], [5_000]]
    assert marks[0]["text"][0] == ["Pruning<br>2.5×, 96.0 %"] and marks[2]["text"][2] == ["Coding<br>1.2×, 20.0 %"]
    colours = [drawn["figure"]["data"][mark["trace"]]["marker"]["color"] for mark in marks]
    assert len(set(colours)) == 3


def test_a_poor_network_stands_at_the_edge_and_its_words_say_its_accuracy() -> None:
    drawn = chart([HELD[0], HELD[0], HELD[2]])
    edge = drawn["follow"][2]["y"][2][0]
    assert 0.6 < edge <= 0.9 and drawn["follow"][2]["text"][2] == ["Quantization<br>3.3×, 20.0 %"]
    ends = drawn["figure"]["data"][0]
    assert ends["marker"]["symbol"][0] == "triangle-down" and ends["customdata"] == [0.9, 0.5, 0.7]


def test_what_is_not_measured_yet_is_left_out() -> None:
    drawn = chart()
    assert drawn["follow"][0]["x"][1] is None and drawn["figure"]["data"][0]["customdata"] == [0.9, 0.5]
    for held, reference in (([None] * 3, REFERENCE), ([None] * 3, None)):
        figure_of(chart(held, reference))
        assert "nothing measured yet" in chart(held, reference)["alt"]
    assert stairs.taken(STEPS, [None] * 3, REFERENCE) is None and stairs.taken(STEPS, HELD, None) is None


def test_the_bytes_after_each_step_are_a_waterfall() -> None:
    drawn = stairs.taken(STEPS, HELD, REFERENCE)
    assert drawn
    figure_of(drawn)
    assert drawn["figure"]["layout"]["yaxis"]["categoryarray"] == ["Coding", "2 Quantization", "1 Pruning", "Teacher"]
    colours = drawn["figure"]["data"][-1]["marker"]["color"]
    assert colours[1:] == [palette.of_method("prune"), palette.of_method("quantize"), stairs.CODING]
    assert drawn["figure"]["data"][1]["line"]["color"] == palette.faded(palette.of_method("prune"), 0.4)


def test_a_step_that_makes_the_file_larger_says_so() -> None:
    grown = chart([[point(4, 200_000, 96), point(4, 10_000, 94), point(4, 10_000, 94)]] * 3)
    assert grown["follow"][1]["text"][0] == ["Pruning<br>2.0× larger, 96.0 %"]
    assert grown["follow"][3]["text"][0] == pytest.approx(["Coding<br>same size, 94.0 %"])
