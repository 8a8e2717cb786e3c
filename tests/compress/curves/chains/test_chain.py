"""What has to be measured for a chain, from its recipe alone."""

from __future__ import annotations

import pytest

from compress.curves.chains.chain import Chain, stairs
from compress.recipe import LAST, Recipe, dial_step

DEEP = Recipe.parse("digits/mlp/prune(sparsity=0.9)+quantize(coding=entropy,levels=4,precision=float32)/3")


def test_a_chain_has_a_stair_for_each_step_and_one_for_coding() -> None:
    found = [recipe.text().removeprefix("digits/mlp/") for recipe in stairs(DEEP)]
    assert found == ["prune(coding=none,precision=float32,sparsity=0.9)/3",
                     "prune(sparsity=0.9)+quantize(coding=none,levels=4,precision=float32)/3",
                     "prune(sparsity=0.9)+quantize(coding=entropy,levels=4,precision=float32)/3"]
    uncoded = stairs(DEEP)[1]
    assert [one.key() for one in stairs(uncoded)] == [one.key() for one in stairs(DEEP)][:2]


def test_each_stair_is_the_parent_of_the_next() -> None:
    first, second, coded = stairs(DEEP)
    assert second.parent() == coded.parent() == first and first.parent() == DEEP.reference()
    assert DEEP.reference().parent() is None and second.ancestry() == [DEEP.reference(), first, second]


def test_the_dial_may_be_any_steps() -> None:
    chain = Chain(DEEP, 1, "sparsity", (0.5, 0.9))
    assert chain.at(0.5).methods[0].values["sparsity"] == 0.5 and chain.at(0.5).methods[1] == DEEP.methods[1]
    assert chain.at(0.9) == DEEP
    assert "sparsity" not in chain.curve.text() and chain.curve.key() != Chain(DEEP, 2, "levels", (4,)).curve.key()
    assert len(chain.keys()) == 6 and len(Chain(DEEP, 2, "levels", (4, 8)).keys()) == 5, "the first network is shared"


def test_the_last_steps_dial_has_the_key_that_it_always_had() -> None:
    assert DEEP.curve("levels") == DEEP.curve("levels", 2) == DEEP.curve("levels", LAST)
    assert DEEP.at("levels", 8) == DEEP.at("levels", 8, 2)
    with pytest.raises(IndexError):
        DEEP.at("levels", 8, 3)


def test_a_dial_step_is_read_from_text() -> None:
    assert [dial_step(text, 3) for text in ("", LAST, "1", 2, " 3 ")] == [3, 3, 1, 2, 3]
    for wrong in ("4", "-1", "1.5", "last", "\u0663", None):
        with pytest.raises(ValueError, match=r"dial-step must be a whole number between 1 and 3.*Leave it out"):
            dial_step(wrong, 3)
