"""One colour a method, and different ones for what stands side by side."""

from __future__ import annotations

import tomllib
from itertools import pairwise

import pytest

from pages.ui.charts import palette
from tests.compress.helpers import ROOT


def test_every_method_has_a_colour_of_its_own(known):
    colours = [palette.of_method(name) for name in known["methods"]]
    assert len(set(colours)) == len(colours) and palette.GREY not in colours


def test_a_chain_has_the_colour_of_its_last_method(known):
    for name in known["methods"]:
        assert palette.of_method(f"low_rank+{name}") == palette.of_method(name)


def test_chains_that_end_alike_differ_by_the_colour_of_their_first_method():
    assert palette.of_first("distill+low_rank") == palette.of_method("distill") != palette.of_first("prune+low_rank")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_method_is_seen_on_both_backgrounds(theme, known):
    settings = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text())
    background = brightness(settings["theme"][theme]["backgroundColor"])
    for name in known["methods"]:
        low, high = sorted([brightness(palette.of_method(name)), background])
        assert (high + 0.05) / (low + 0.05) > 2.2, name


def brightness(colour):
    """Relative luminance of #rrggbb (WCAG 2)."""
    shares = [int(colour[place:place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


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
