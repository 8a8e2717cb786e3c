"""The Sparse code page without a browser."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from compress.progress import DictionarySoFar
from pages.ui.charts import sparse_charts
from pages.ui.explore import results
from pages.ui.explore.sparse import data as sparse_data
from pages.ui.shell import session
from tests.pages.samples import measure
from tests.pages.test_pages import LINK, component, engine, labels, named, show, words  # noqa: F401  (fixtures)

PAGE = "pages/5_Sparse_code.py"
ERROR = "Error by dictionary, learning, and use of the atoms"
STEPS = f"data_codes.{sparse_data.STEPS}"
CODED = {**LINK, "method": "sparse_code", "atoms": "16", "block": "8", "iterations": "2"}
DATA = {**LINK, "method": "data_codes", "data_codes.atoms": "16", "data_codes.epochs": "1", "data_codes.iterations": "3"}


@pytest.fixture(scope="module")
def coded(engine, prepared):  # noqa: F811
    return measure(engine.store, "sparse_code(atoms=16,block=8,iterations=2)", (1, 2, 4))


@pytest.fixture(scope="module")
def data(engine, prepared):  # noqa: F811
    return measure(engine.store, "data_codes(atoms=16,epochs=1,iterations=3)", (1, 2, 4))


def test_coded_weights_are_shown_with_their_atoms(show, coded):  # noqa: F811
    shown = show(PAGE, {**CODED, "nonzeros": "2"}, opened=["sparse_code.Error of the layers and use of the atoms"])
    assert not shown.exception and not shown.warning
    plot = component(shown)
    assert list(plot["charts"]) == ["accuracy-size", "atoms", "errors", "usage"]
    assert "of its weights' energy and runs" in words(shown)
    named(shown.main.selectbox, "Layer whose atoms are shown").select(1).run()
    assert coded.points[0]["inside"]["layers"][1]["title"] in component(shown)["charts"]["usage"]["title"]


def test_a_layer_that_has_atoms_is_shown_until_another_is_chosen():
    dense, coded = {"path": "0"}, {"path": "1", "atoms": [[1.0]], "error": 0.1}
    points = [{"inside": {"layers": layers}} for layers in ([dense, dense, coded], [dense, coded, coded])]
    first_coded = sparse_charts.first_coded
    assert first_coded(points) == 1 and first_coded(points[:1]) == 2 and first_coded([{"inside": {"layers": [dense]}}]) == 0


def test_coded_data_are_shown_with_atoms_examples_and_a_pursuit(show, data):  # noqa: F811
    opened = [f"data_codes.{ERROR}", "data_codes.Examples rebuilt", STEPS]
    shown = show(PAGE, {**DATA, "data_codes.nonzeros": "4"}, opened=opened)
    assert not shown.exception and not shown.warning
    assert list(component(shown)["charts"]) == ["accuracy-size", "rebuilt", "errors", "iterations", "used", "usage"]
    told = words(shown)
    assert "coherence" in told and told.count("rebuilt</figcaption>") == 8 and "left: 100.0 %" in told
    assert told.count("difference</figcaption>") == 8 and "With as many bytes principal components lose" in told


def test_a_pursuit_is_stepped_through_an_atom_at_a_time(show, data):  # noqa: F811
    shown = show(PAGE, {**DATA, "data_codes.nonzeros": "4"}, opened=[STEPS])
    path = data.points[-1]["inside"]["paths"][0]
    assert named(shown.main.button, "Back to the start").disabled
    for step in range(1, len(path["atoms"]) + 1):
        named(shown.main.button, "Next atom").click().run()
        told = words(shown)
        assert f"atom {path['atoms'][step - 1] + 1}, chosen now" in told
        assert f"left: {100 * path['errors'][step]:.1f} %" in told
    assert named(shown.main.button, "Next atom").disabled
    named(shown.main.button, "Back to the start").click().run()
    assert "chosen now" not in words(shown) and not shown.exception


def test_playing_takes_one_atom_more_at_each_tick_and_ends(show, data):  # noqa: F811
    shown = show(PAGE, {**DATA, "data_codes.nonzeros": "4"}, opened=[STEPS])
    named(shown.main.button, "Play").click().run()
    assert "Pause" in labels(shown.main.button) and "chosen now" in words(shown)
    for _ in range(6):
        shown.run()
    assert "Play" in labels(shown.main.button) and not shown.exception


def test_another_example_has_another_pursuit(show, data):  # noqa: F811
    shown = show(PAGE, {**DATA, "data_codes.nonzeros": "4"}, opened=[STEPS])
    named(shown.main.button, "Next atom").click().run()
    named(shown.main.button, "Another example").click().run()
    named(shown.main.button, "Next atom").click().run()
    path = data.points[-1]["inside"]["paths"][1]
    assert f"atom {path['atoms'][0] + 1}, chosen now" in words(shown)


def test_a_dictionary_is_shown_while_it_is_learned(show, data, engine, known):  # noqa: F811
    shown = show(PAGE, {**DATA, "data_codes.nonzeros": "2"})
    asked = shown.session_state["choice"].request(known["methods"]["data_codes"])
    key = asked.curve("nonzeros").key()
    number = engine.store.new_job(key, "curve", "Sparse codes of the data", {})
    live = DictionarySoFar(2, (0.5, 0.4), (2.0, 1.9), usage=(9, 4), atoms=data.points[0]["inside"]["atoms"])
    engine.store.update_job(number, state="running", share=0.4, text="iteration 2", live=[live.plain()])
    shown = show(PAGE, {**DATA, "data_codes.nonzeros": "2"})
    assert "Learning now: 2 non-zeros, iteration 2 of 3" in [one.value for one in shown.subheader]
    engine.store.update_job(number, state="cancelled")


def test_components_have_no_pursuit_and_say_how_many_they_are(show, engine, prepared):  # noqa: F811
    measure(engine.store, "data_codes(atoms=16,epochs=1,iterations=3,dictionary=components)", (1, 4))
    shown = show(PAGE, {**DATA, "data_codes.dictionary": "components", "data_codes.nonzeros": "4"},
                 opened=[f"data_codes.{ERROR}"])
    assert not shown.exception and not shown.warning
    assert list(component(shown)["charts"]) == ["accuracy-size", "rebuilt", "errors"]
    assert "principal components for every tile" in words(shown) and "Next atom" not in labels(shown.main.button)


def test_hidden_outputs_are_shown_with_their_coefficients_by_class(show, engine, prepared):  # noqa: F811
    measure(engine.store, "activation_codes(atoms=24,iterations=2)", (1, 4))
    link = {**LINK, "method": "activation_codes", "activation_codes.atoms": "24", "activation_codes.iterations": "2"}
    shown = show(PAGE, {**link, "activation_codes.nonzeros": "4"}, opened=[f"activation_codes.{ERROR}"])
    assert not shown.exception and not shown.warning
    plot = component(shown)
    assert list(plot["charts"]) == ["accuracy-size", "by-class", "errors", "iterations", "used", "usage"]
    assert "are coded; the rest of the network takes what is rebuilt" in words(shown)
    assert "24 atoms, last hidden layer" in " ".join(
        trace.get("name", "") for trace in plot["charts"]["accuracy-size"]["figure"]["data"])
    assert any("as the setting counts them: **0**:" in one.value for one in shown.caption)


def test_curves_are_named_by_what_was_done(show, coded, data, engine):  # noqa: F811
    for link, name in (({**CODED, "nonzeros": "2"}, "ksvd, 16 atoms of 8, int8"),
                       ({**DATA, "data_codes.nonzeros": "2"}, "reconstructions, ksvd, 16 atoms, whole examples")):
        hero = component(show(PAGE, link))["charts"]["accuracy-size"]
        assert name in [trace["name"] for trace in hero["figure"]["data"]]


def data_page(monkeypatch) -> sparse_data.DataPage:
    """The page of coded data without the sentences that all pages share."""
    monkeypatch.setattr(results, "sentences", lambda state: [])
    return sparse_data.DataPage(SimpleNamespace(known={"methods": {"data_codes": {}}}))


@pytest.mark.parametrize(("point", "waits"), [(None, False), ({"inside": {"components": 3}}, False),
                                              ({"inside": {"paths": [{}]}}, True)])
def test_the_page_ticks_only_for_a_pursuit_that_is_shown(point, waits, monkeypatch):
    monkeypatch.setattr(session, "remembered", lambda name, default: True)
    assert data_page(monkeypatch).waits(SimpleNamespace(point=point, running=False)) is waits


@pytest.mark.parametrize("allowed", [0.0, 0.3])
def test_components_that_take_more_bytes_than_codes_with_an_error_allowed_say_so(allowed, monkeypatch):
    state = SimpleNamespace(point={"inside": {"components": 3, "error": 0.2, "psnr": 20.0}}, dial=4,
                            settings={"allowed": allowed})
    text = data_page(monkeypatch).notices(state)[-1]
    assert text.endswith("from a dictionary" + (", were no error allowed." if allowed else "."))
