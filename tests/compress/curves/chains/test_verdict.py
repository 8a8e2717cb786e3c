"""Verdicts in words: better, worse, cannot tell."""

from __future__ import annotations

import pytest

from compress.curves.chains.duel_plan import Duel
from compress.curves.chains.order_plan import Order, named
from compress.curves.chains.verdict import corrected, verdict
from compress.recipe import Recipe

TEACHER = Recipe.parse("toy/mlp/0")


def result(votes: str, sizes: tuple[int, int] = (1000, 1010)) -> dict[str, object]:
    return {"votes": votes, "sizes": list(sizes)}


def test_better_worse_and_cannot_tell() -> None:
    better = verdict([result("+" * 12 + "-" * 2 + "0" * 86), result("+" * 9 + "0" * 91)])
    assert better.points == pytest.approx(9.5) and better.by_seed == pytest.approx((10.0, 9.0))
    assert better.in_words("A", "B") == "A is better than B by 9.5 points (p = 0.0031, 2 seeds)."
    worse = verdict([result("-" * 9 + "+" + "0" * 90)])
    assert worse.in_words("A", "B") == "B is better than A by 8.0 points (p = 0.021, 1 seed)."
    neither = verdict([result("+++-" + "0" * 96)])
    assert neither.in_words("this chain", "the other") == (
        "Cannot tell: this chain is 2.0 points more accurate than the other, which may be chance (p = 0.62, 1 seed).")


def test_of_many_tests_each_counts_less() -> None:
    one = verdict([result("+" * 9 + "-" + "0" * 90)])
    several = corrected({name: one for name in "abc"})
    assert one.is_significant and not any(found.is_significant for found in several.values())
    assert several["a"].p == one.p and several["a"].adjusted == pytest.approx(3 * one.p)


def test_results_on_other_examples_are_refused() -> None:
    for wrong in ([], [result("+0"), result("+")]):
        with pytest.raises(ValueError, match="all on the same examples"):
            verdict(wrong)  # type: ignore[arg-type]


def test_an_order_matrix_counts_what_is_missing_and_reads_what_is_there() -> None:
    order = Order(TEACHER, 16.0, 2, ("a", "b", "c"))
    assert order.pairs == [("a", "b"), ("a", "c"), ("b", "c")] and order.missing({}) == 6
    view = {"cells": {"a+b": {"0": result("++00"), "7": result("0000")}}, "refused": {"b+c": "no"}}
    assert order.missing(view) == 3 and set(order.verdicts(view)) == {("a", "b")}
    assert order.verdicts(view)["a", "b"].by_seed == (50.0,) and named(("a", "b")) == "a+b"
    assert Order(TEACHER, 16.0, 5, order.methods).view_key == order.view_key != Order(TEACHER, 8.0, 2, ()).view_key


def test_a_duel_reads_the_seeds_that_are_there() -> None:
    duel = Duel(Recipe.parse("toy/mlp/prune/4"), Recipe.parse("toy/mlp/distill/4"), "bytes", 900.0, 2)
    assert [recipe.seed for recipe in duel.at(1)] == [5, 5] and duel.verdict({}) is None
    assert len(duel.known({"cells": {"5": result("+"), "0": result("+")}})) == 1
