"""The Low rank page without a browser: what it shows while the inside view is made."""

from __future__ import annotations

import pytest

from compress.progress import LayersSoFar
from tests.pages.samples import measure
from tests.pages.test_pages import LINK, component, engine, labels, show, words  # noqa: F401  (fixtures)

PAGE = "pages/3_Low_rank.py"
SPECTRUM = ("path", "title", "ranks", "shape", "full", "break_even", "useful", "threshold", "sigma", "whitened_sigma")


def test_the_spectra_of_layers_that_are_done_are_shown_while_the_others_are_computed(show, engine, known, prepared):  # noqa: F811
    curve = measure(engine.store, "low_rank(output_layer=true)", (0.1, 0.5))
    layers = tuple({name: layer[name] for name in SPECTRUM} for layer in curve.view["layers"])
    link = {**LINK, "scheme": "centred", "output_layer": "true", "keep": "0.5"}
    key = show(PAGE, link).session_state["choice"].request(known["methods"]["low_rank"]).curve("keep").key()
    number = engine.store.new_job(key, "curve", "Low rank", {})
    try:
        for done in (1, 2):
            live = LayersSoFar(len(layers), (0.1, 0.5), layers[:done])
            engine.store.update_job(number, state="running", share=0.4, text="spectra", live=[live.plain()])
            shown = show(PAGE, link)
            assert not shown.exception and "Cancel" in labels(shown.main.button)
            picture = component(shown)["charts"]["spectra"]
            assert picture["title"] == f"Singular values: {done} of 3 layers so far"
            named = {trace.get("name") for trace in picture["figure"]["data"]}
            assert {layer["title"] for layer in layers[:done]} <= named
            assert layers[done]["title"] not in named
    finally:
        engine.store.update_job(number, state="cancelled")
    assert "spectra" not in component(show(PAGE, link))["charts"]


@pytest.mark.parametrize("page", [PAGE, "pages/7_Chains.py"])
def test_a_network_of_ones_own_is_waited_for_without_a_chart_of_training(page, show, engine, known, prepared, monkeypatch):  # noqa: F811
    monkeypatch.setattr("compress.curves.store.Store.latest_job", lambda store, key: _running(store))
    shown = show(page, {"data": "digits", "teacher": "own", "t.network": "mine"})
    said = words(shown)
    assert not shown.exception and "could not be drawn" not in said
    if page == PAGE:
        assert "Your network is read first" in said and "Cancel" in labels(shown.main.button)


def _running(store):
    number = store.new_job("k", "curve", "Low rank", {})
    store.update_job(number, state="running", share=0.1, text="loading")
    return store.job(number)
