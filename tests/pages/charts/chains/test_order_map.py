"""The map of orders: mirrored cells have opposite numbers, bold is significant, refused pairs say so."""

from __future__ import annotations

from compress.curves.chains.verdict import Verdict
from pages.ui.charts.chains.order_map import in_words, order_map
from tests.pages.samples import figure_of

METHODS = [("a", "Alpha"), ("b", "Beta"), ("c", "Gamma <i>")]
VERDICTS = {("a", "b"): Verdict(4.25, (4.0, 4.5), 1e-4, 3e-4, (10_000, 10_100)),
            ("a", "c"): Verdict(-0.3, (-0.3,), 0.7, 1.0, (9_000, 9_100))}


def test_a_cell_and_its_mirror_have_opposite_numbers_and_the_sizes_really_reached() -> None:
    drawn = order_map(METHODS, VERDICTS, {("b", "c"): "too <b>large</b>"})
    figure_of(drawn)
    (trace,) = drawn["figure"]["data"]
    assert trace["z"] == [[None, 4.25, -0.3], [-4.25, None, None], [0.3, None, None]]
    assert trace["text"][0][1] == "<b>+4.2</b><br>10.1 kB" and trace["text"][1][0] == "<b>−4.2</b><br>10.1 kB"
    assert trace["text"][0][2].startswith("−0.3<br>") and trace["text"][1][2] == trace["text"][2][1] == "refused"
    hover = trace["customdata"][1][0]
    assert "10.1 kB against 10.0 kB" in hover and "by seed: −4.0, −4.5" in hover and "significant" in hover
    assert trace["customdata"][1][2] == "too &lt;b&gt;large&lt;/b&gt;"


def test_it_is_said_in_words_too() -> None:
    assert in_words(dict(METHODS), VERDICTS) == "2 pairs of 3 methods at equal bytes; the order matters in 1."
    (trace,) = order_map(METHODS, {}, {})["figure"]["data"]
    assert trace["text"] == [[""] * 3] * 3
