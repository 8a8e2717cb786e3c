"""One colour a method, and different ones for what stands side by side."""

from __future__ import annotations

from itertools import pairwise

import pytest

from pages.ui.charts import palette


def test_every_method_has_a_colour_of_its_own(known):
    colours = [palette.of_method(name) for name in known["methods"]]
    assert len(set(colours)) == len(colours) and palette.GREY not in colours


def test_a_chain_has_the_colour_of_its_last_method(known):
    for name in known["methods"]:
        assert palette.of_method(f"low_rank+{name}") == palette.of_method(name)


def test_an_unknown_method_is_grey():
    assert palette.of_method("teacher") == palette.of_method("") == palette.GREY


def test_neighbouring_layers_differ_and_colours_repeat():
    colours = [palette.of_layer(number) for number in range(20)]
    assert all(one != other for one, other in pairwise(colours))
    assert colours[0] == colours[len(palette.LAYERS)]


@pytest.mark.parametrize(("colour", "opacity", "text"), [
    ("#0072B2", 0.5, "rgba(0,114,178,0.5)"), ("#ffffff", 0, "rgba(255,255,255,0)")])
def test_faded_keeps_the_colour(colour, opacity, text):
    assert palette.faded(colour, opacity) == text
