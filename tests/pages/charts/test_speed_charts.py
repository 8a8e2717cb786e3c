"""The break-even map as charts and sentences."""

from __future__ import annotations

from pages.ui.charts import speed_charts
from tests.pages.samples import figure_of

VIEW = {"shares": [0.5, 0.9, 0.99], "batches": [1, 128], "device": "one core", "ways": {
    "sparse": [[[4.0, 3.8, 4.2], [1.02, 0.98, 1.05], None], [[1.5, 1.4, 1.6], [0.5, 0.4, 0.6], [0.05, 0.04, 0.06]]],
    "units": [[[0.9, 0.85, 0.99], [0.8, 0.7, 0.9], [0.7, 0.6, 0.8]], [[0.6, 0.5, 0.7], [0.2, 0.1, 0.3], [0.1, 0.1, 0.1]]]}}


def test_every_way_is_a_map_with_a_description():
    maps = speed_charts.maps(VIEW)
    assert [chart["id"] for chart in maps] == ["speed-sparse", "speed-units"]
    for chart in maps:
        figure_of(chart)
        assert chart["alt"].endswith(".") and chart["title"]


def test_cells_say_how_many_times_faster_and_are_bold_beyond_noise():
    cells = speed_charts.maps(VIEW)[0]["figure"]["data"][0]
    assert cells["text"] == [["<b>0.2×</b>", "1.0×", ""], ["<b>0.7×</b>", "<b>2.0×</b>", "<b>20×</b>"]]


def test_colours_are_doublings_and_stop_at_three():
    cells = speed_charts.maps(VIEW)[0]["figure"]["data"][0]
    assert cells["z"][0][0] == -2.0 and cells["z"][1][1] == 1.0 and cells["z"][1][2] == 3.0 and cells["z"][0][2] is None
    assert -cells["zmin"] == cells["zmax"] == 3.0


def test_findings_name_the_smallest_share_that_pays_beyond_doubt():
    sparse, units = speed_charts.findings(VIEW)
    assert "faster from 90 % removed on with 128 examples at a time, never faster with one" in sparse
    assert "faster from 50 % removed on with 128 examples at a time, faster from 50 % removed on with one" in units
