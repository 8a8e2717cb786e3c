"""The Sparse code page in a real browser: a dictionary that is learned live, and a pursuit that plays by itself."""

from __future__ import annotations

import pytest

from tests.browser.serving import CHROMIUM
from tests.browser.visitor import PATIENCE, button, chart, playwright, settled, unfold, wait_for_points

pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason=f"no browser at {CHROMIUM}")


def test_a_dictionary_of_photographs_is_learned_and_a_pursuit_plays(visit, app):
    page = visit("Sparse_code", method="data_codes", seed="44")
    button(page, "^Photograph patches").click()
    chart(page, "^Accuracy against data file size: 7 points").wait_for(timeout=PATIENCE)
    settled(page, 2)
    unfold(page, "A part of the photographs, rebuilt")
    playwright.expect(page.get_by_alt_text("as it is")).to_have_count(2)
    unfold(page, "The atoms, most used first")
    playwright.expect(page.get_by_alt_text("1", exact=True)).to_have_count(1)
    unfold(page, "Orthogonal matching pursuit")
    button(page, "^Play$").click()
    page.get_by_text("chosen now").first.wait_for()
    button(page, "^Play$").wait_for()  # it came to its end
    playwright.expect(chart(page, "^Coefficients of the")).to_have_count(1)
    assert page.problems == []


def test_weights_are_coded_from_a_preset(visit, app):
    page = visit("Sparse_code", seed="44")
    button(page, "^Digits in a second").click()
    wait_for_points(page, 7)
    chart(page, "^Up to 64 atoms of layer").wait_for()
    assert page.problems == []


def test_planted_atoms_are_found_while_one_watches(visit, app):
    page = visit("Sparse_code", method="data_codes", seed="44")
    button(page, "^Recover a planted dictionary").click()
    chart(page, "^Accuracy against data file size: 7 points").wait_for(timeout=PATIENCE)
    unfold(page, "Error by dictionary")
    chart(page, r"^Share of planted atoms found after each of 80 iterations, (0\.[89]|1\.0)").wait_for()
    playwright.expect(page.get_by_text("of the planted atoms were found")).to_have_count(1)
    assert page.problems == []


def test_hidden_outputs_are_coded_from_a_preset(visit, app):
    page = visit("Sparse_code", method="activation_codes", seed="44")
    button(page, "^One atom an example").click()
    chart(page, "^Accuracy against data file size: 8 points").wait_for(timeout=PATIENCE)
    settled(page, 2)
    playwright.expect(chart(page, "^Mean coefficients of the 24 most used atoms for each of 10 classes")).to_have_count(1)
    playwright.expect(page.get_by_text("smaller than the raw hidden outputs")).to_have_count(1)
    assert page.problems == []
