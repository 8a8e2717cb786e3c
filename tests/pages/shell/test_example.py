"""The finished curve of the first page was really measured: its recipe makes one of its points again."""

from __future__ import annotations

import pytest

from compress.curves import sweep
from compress.recipe import Recipe
from pages.ui.charts import charts
from pages.ui.shell import example
from tests.pages.samples import figure_of


@pytest.fixture(scope="module")
def kept() -> example.Example:
    return example.curve()


def test_both_curves_have_a_point_at_every_stop_of_the_dial(kept):
    assert [point["dial"] for point in kept.points] == [point["dial"] for point in kept.plain] == kept.values
    assert kept.values == sorted(set(kept.values)) and len(kept.values) > 10
    assert all("scheme=whitened" in point["recipe"] for point in kept.points)
    assert all("scheme=plain" in point["recipe"] for point in kept.plain)


def test_the_first_page_can_draw_it(kept):
    chart = charts.accuracy_size(kept.points, kept.reference, method="low_rank", name="Low rank", values=kept.values,
                                 others={"plain": kept.plain})
    figure_of(chart)
    assert all(chart["follow"][0]["x"])


def test_its_recipe_makes_a_point_again(kept, prepared, tmp_path):
    """Where this machine's arithmetic gives another teacher, its points may differ within their intervals."""
    from compress.curves.store import Store

    stored = next(point for point in kept.points if point["dial"] == 0.1)
    wanted = sweep.sweep_of(Recipe.parse(stored["recipe"]), [stored["dial"]])
    store = Store(tmp_path / "store.sqlite")
    (point,) = sweep.run(wanted, store, latency=False)
    teacher = store.teachers(wanted.recipe.reference().key())[0]["card"]
    assert point.recipe == stored["recipe"] and point.bytes == stored["bytes"]
    assert (point.parameters, point.macs) == (stored["parameters"], stored["macs"])
    assert teacher["bytes"] == kept.reference["bytes"]
    if teacher["accuracy"] == kept.reference["accuracy"]:
        assert point.accuracy == stored["accuracy"] and point.agreement == stored["agreement"]
    else:
        assert stored["accuracy_low"] <= point.accuracy <= stored["accuracy_high"]
