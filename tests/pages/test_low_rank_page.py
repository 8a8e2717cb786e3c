"""The Low rank page without a browser: what it shows while the inside view is made."""

from __future__ import annotations

from compress.progress import LayersSoFar
from tests.pages.samples import measure
from tests.pages.test_pages import LINK, component, engine, labels, show  # noqa: F401  (fixtures)

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
