"""Examples beside what is rebuilt of them, as each kind of data is seen best."""

from __future__ import annotations

import numpy as np

from pages.ui.charts import rebuilt


def test_a_sequence_of_letters_is_a_map_with_a_row_for_each_letter():
    original = (np.eye(4, dtype=int)[np.arange(12) % 4].T * 255).tolist()
    chart = rebuilt.examples([original], [None, [(np.array(original) // 2).tolist()]])
    drawn = chart["figure"]["data"][0]["z"]
    assert drawn[:4] == original and drawn[4] == [None] * 12 and np.array_equal(drawn[5:], np.array(original) // 2)
    assert chart["follow"][0]["z"] == [None, drawn]
    assert "scaleanchor" not in chart["figure"]["layout"]["yaxis"]


def test_signals_and_tables_are_lines_that_say_what_is_across():
    for example, across in ([[1, 2, 3]], "place"), ([1, 2, 3], "feature"):
        chart = rebuilt.examples([example], [None, [example]])
        assert chart["figure"]["data"][0]["y"] == chart["follow"][0]["y"][1] == [1, 2, 3]
        assert chart["figure"]["layout"]["xaxis"]["title"]["text"] == across


def test_images_rows_and_lines_are_different_charts():
    """Plotly keeps the axes of a chart: those of images count downwards, and lines would hang from the top."""
    image, rows, line = np.zeros((1, 4, 4)).tolist(), np.zeros((2, 5)).tolist(), np.zeros(5).tolist()
    assert len({rebuilt.examples([one], [[one]])["id"] for one in (image, rows, line)}) == 3


def test_of_a_wide_example_the_axis_says_which_numbers_are_shown():
    chart = rebuilt.examples([[0, 255, 0]], [[[0, 200, 0]]], 50)
    assert chart["figure"]["data"][0]["x"] == chart["follow"][0]["x"][0] == [0, 50, 100]
    assert chart["figure"]["layout"]["xaxis"]["title"]["text"] == "feature, one of 50"
