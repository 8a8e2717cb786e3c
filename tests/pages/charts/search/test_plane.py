"""The plane of a search: points, limits, the front and the answer."""

from __future__ import annotations

from typing import Any

from compress.search.target import Target
from pages.ui.charts import palette
from pages.ui.charts.search.plane import plane
from tests.pages.samples import figure_of, point

TEACHER = {"title": "64-24-10", "accuracy": 0.95, "accuracy_low": 0.9, "accuracy_high": 0.98, "bytes": 100_000}
CHAIN = point(4, 5_000, 94) | {"id": "a", "hover": "a chain", "method": "prune+quantize"}
POOR = point(0.2, 2_000, 10) | {"id": "b", "hover": "10.0 %", "method": "low_rank"}
KNOWN = point(0.3, 9_000, 93) | {"id": "c", "hover": "c", "method": "quantize"}


def drawn(**changed: Any) -> dict[str, Any]:
    return plane(**{"measured": [CHAIN, POOR], "earlier": [KNOWN], "reference": TEACHER, "front": [POOR, CHAIN],
                    "target": Target(points_lost=1.0), "best": CHAIN, **changed})


def test_plotly_takes_it_whatever_is_known():
    for chart in (drawn(), drawn(measured=[], earlier=[], front=[], best=None), drawn(target=Target()),
                  drawn(target=Target(bytes=20_000, latency=0.5))):
        figure_of(chart)


def test_what_the_search_measured_is_in_colour_and_what_was_known_is_faint():
    named = {trace["name"]: trace for trace in drawn()["figure"]["data"] if "name" in trace}
    earlier, measured = named["known before"], named["measured now"]
    assert measured["marker"]["color"] == [palette.of_method("quantize"), palette.of_method("low_rank")]
    assert measured["marker"]["line"]["color"][0] == palette.of_method("prune")
    assert measured["marker"]["symbol"] == ["diamond", "triangle-down"] and earlier["x"] == [9_000]
    assert measured["text"] == ["a chain", "10.0 %"] and measured["y"][1] > 0.5


def test_limits_are_lines_with_their_numbers():
    lost = drawn()["figure"]["layout"]
    assert [shape["y0"] for shape in lost["shapes"]] == [0.95, 0.94] and lost["annotations"][0]["text"] == "1 below"
    size = drawn(target=Target(bytes=20_000))["figure"]["layout"]
    assert size["shapes"][1]["x0"] == 20_000 and size["annotations"][0]["text"] == "20 kB"


def test_the_answer_is_marked_and_the_words_count():
    chart = drawn()
    assert chart["figure"]["layout"]["annotations"][-1]["text"].startswith("<b>5.0 kB</b>")
    assert "2 networks that the search measured and 1 known before" in chart["alt"]
