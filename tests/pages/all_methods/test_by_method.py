"""The best network of each method beside the line above it: verdicts from predictions on the same examples."""

from __future__ import annotations

import pytest

from compress.points import predicted
from pages.ui.all_methods import by_method
from tests.pages.all_methods.test_answers import row

LABELS = [1] * 40
FIRST, SECOND, THIRD = (row(0.1, 9_000, 90, key=name, method_title=f"{name} <b>", method="prune") for name in "abc")


def right(count: int) -> list[int]:
    """Predictions of which the first so many are right."""
    return [1] * count + [0] * (len(LABELS) - count)


@pytest.mark.parametrize(("counts", "verdicts"), [
    ((40, 20, 19), ["", "worse", "cannot tell"]), ((40, 39, 20), ["", "cannot tell", "worse"])])
def test_each_line_is_compared_with_the_one_above(counts, verdicts):
    made = dict(zip("abc", map(right, counts), strict=True))
    found = by_method.lines([FIRST, SECOND, THIRD], made, LABELS)
    assert [one.verdict for one in found] == verdicts
    assert [one.above for one in found[1:]] == [counts[0] - counts[1], counts[1] - counts[2]]
    assert found[1].p == pytest.approx(min(1.0, 2 * predicted.mcnemar(counts[0] - counts[1], 0)))


def test_a_network_whose_predictions_are_gone_is_compared_with_nothing():
    found = by_method.lines([FIRST, SECOND, THIRD], {"a": right(40), "c": right(1)}, LABELS)
    assert [one.verdict for one in found] == ["", "", ""] and [one.p for one in found] == [None] * 3
    assert [one.verdict for one in by_method.lines([FIRST, SECOND], {"a": right(40), "b": right(1)}, [])] == ["", ""]


def test_the_table_says_method_accuracy_size_and_verdict():
    shown = by_method.table(by_method.lines([FIRST, SECOND], {"a": right(40), "b": right(20)}, LABELS))
    assert "a &lt;b&gt;" in shown and "<b>90.0 %</b>" in shown and "9.0 kB" in shown and ">worse<" in shown
    assert "alone right on 0, the line above on 20 examples" in shown
