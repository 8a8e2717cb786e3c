"""The Prune page without a browser: what it shows of measured points, of trained ones, of units, and of speed."""

from __future__ import annotations

import json

import pytest

from compress.recipe import Recipe
from tests.pages.samples import measure
from tests.pages.test_pages import LINK, component, engine, labels, named, show, words  # noqa: F401  (fixtures)

PRUNE = "pages/4_Prune.py"
SAVED, LAYERS, MASKS, FASTER = (f"prune.{title}" for title in (
    "What is saved: file, arithmetic, time", "Layer by layer", "Which weights remain", "Where does it really get faster?"))
VALUES = (0.25, 0.5, 0.9, 0.99)
SPEED = {"shares": [0.5, 0.9], "batches": [1, 128], "device": "one core",
         "ways": {"sparse": [[[2.0, 1.9, 2.1]] * 2, [[0.5, 0.4, 0.6]] * 2], "units": [[[0.6, 0.5, 0.7]] * 2] * 2}}


@pytest.fixture(scope="module")
def pruned(engine, prepared):  # noqa: F811
    return measure(engine.store, "prune", VALUES)


@pytest.fixture(scope="module")
def narrowed(engine, prepared):  # noqa: F811
    return measure(engine.store, "prune(pattern=units)", (0.25, 0.5))


def test_a_measured_point_is_shown_from_all_sides(show, pruned):  # noqa: F811
    shown = show(PRUNE, {**LINK, "sparsity": "0.9"}, opened=[SAVED, LAYERS, MASKS])
    assert not shown.exception and not shown.warning
    plot = component(shown)
    assert list(plot["charts"]) == ["accuracy-size", "histogram", "savings", "forms", "removed", "sensitivity", "inputs"]
    assert [text is not None for text in plot["dial"]["readout"]].count(True) == 4
    told = words(shown)
    assert "10.0× fewer</b> multiply-adds" in told and "it was not timed" in told
    assert told.count("<figure>") == 3, "a picture of each layer's mask"
    assert "Where does it really get faster?" in labels(shown.main.expander)


def test_a_disconnected_point_says_so(show, engine, prepared):  # noqa: F811
    curve = measure(engine.store, "prune(criterion=random)", (0.99,))
    (note,) = [note for note in curve.points[-1]["notes"] if "class scores" in note]
    assert note[1:] in words(show(PRUNE, {**LINK, "criterion": "random", "sparsity": "0.99"}))


def test_inputs_without_a_connection_are_counted(show, pruned):  # noqa: F811
    known = pruned.points[-1]["inside"]
    unread, text = sum(not one for one in known["inputs"]), words(show(PRUNE, {**LINK, "sparsity": "0.99"}))
    assert unread and f"<b>{unread}</b> of 64 inputs have no connection left" in text
    silent = [layer for layer in known["layers"] if layer["silent_outputs"]]
    assert silent and all(f"<b>{layer['silent_outputs']}</b> of {layer['outputs']} units of layer "
                          f"{layer['path']} have no inputs left." in text for layer in silent)


def test_another_layer_can_be_looked_at(show, pruned):  # noqa: F811
    shown = show(PRUNE, {**LINK, "sparsity": "0.5"})
    named(shown.main.selectbox, "Layer in the histogram").select(2).run()
    assert "layer 5" in component(shown)["charts"]["histogram"]["title"]


def test_units_have_widths_instead_of_masks(show, narrowed):  # noqa: F811
    shown = show(PRUNE, {**LINK, "pattern": "units", "sparsity": "0.5"}, opened=[SAVED, LAYERS, MASKS])
    assert not shown.exception
    plot = component(shown)
    assert list(plot["charts"]) == ["accuracy-size", "removed", "savings", "sensitivity"]
    assert plot["charts"]["removed"]["title"].endswith("units")
    assert "stored with" not in words(shown)


def test_curves_are_told_apart_by_what_they_did(show, pruned, narrowed, engine):  # noqa: F811
    measure(engine.store, "prune(criterion=wanda,recovery_epochs=1)", (0.25, 0.5, 0.9))
    hero = component(show(PRUNE, {**LINK, "sparsity": "0.5"}))["charts"]["accuracy-size"]
    names = [trace["name"] for trace in hero["figure"]["data"]]
    assert "magnitude" in names and "wanda, trained 1 epochs" in names


def test_settings_that_do_not_go_together_are_mended_with_a_word(show):  # noqa: F811
    shown = show(PRUNE, LINK)
    named(shown.main.selectbox, "Schedule").select("gradual").run()
    assert "Here Recovery epochs is now 6." in shown.warning[0].value
    assert named(shown.main.number_input, "Recovery epochs").value == 6


def test_patterns_of_four_leave_three_stops(show, engine, prepared):  # noqa: F811
    measure(engine.store, "prune(pattern=n:4)", (0.25, 0.5, 0.75))
    plot = component(show(PRUNE, {**LINK, "pattern": "n:4", "sparsity": "0.5"}))
    assert plot["dial"]["values"] == [0.25, 0.5, 0.75]


def test_the_map_of_speeds_is_asked_for_and_then_kept(show, pruned, engine):  # noqa: F811
    link = {**LINK, "sparsity": "0.5"}
    shown = show(PRUNE, link, opened=[FASTER])
    assert {json.loads(one.proto.json)["key"] for one in shown.main.get("bidi_component")} == {
        "dial.prune", "hero.prune", "picture.prune"}
    assert any(label.startswith("Measure it on this machine") for label in labels(shown.button))
    engine.store.save_view("speed", pruned.teacher["digest"], SPEED)
    shown = show(PRUNE, link, opened=[FASTER])
    assert "Measure it again" in labels(shown.button)
    assert list(component(shown, "prune.speed.maps")["charts"]) == ["speed-sparse", "speed-units"]
    assert "never faster with one" in words(shown)


def test_a_map_of_speeds_in_the_making_shows_how_far_it_is(show, pruned, engine):  # noqa: F811
    key = Recipe.parse(pruned.points[0]["recipe"]).reference().key()
    number = engine.store.new_job(f"speed {key}", "speed", "Break-even map", {})
    engine.store.update_job(number, state="running", share=0.4, text="timing sparse")
    shown = show(PRUNE, {**LINK, "sparsity": "0.5"}, opened=[FASTER])
    assert "Cancel" in labels(shown.main.button) and not any("Measure it" in label for label in labels(shown.button))
    engine.store.update_job(number, state="failed", error="out of paper")
    assert "out of paper" in [error.value for error in show(PRUNE, {**LINK, "sparsity": "0.5"}, opened=[FASTER]).error]


def test_curves_that_another_version_kept_with_other_settings_are_left_out(show, pruned, engine):  # noqa: F811
    recipe = Recipe.parse(pruned.points[0]["recipe"])
    for point in pruned.points:
        step = recipe.methods[-1].without("recovery_batch").having(sparsity=point["dial"], criterion="ancient")
        old = Recipe(recipe.data, recipe.teacher, (step,), recipe.seed)
        engine.store.add_point(old.key(), old.curve("sparsity").key(), pruned.teacher["digest"], old.data,
                               old.teacher.text(), "prune", {**point, "recipe": old.text()}, b"")
    shown = show(PRUNE, {**LINK, "sparsity": "0.5"})
    assert not shown.exception
    hero = component(shown)["charts"]["accuracy-size"]
    assert not any("ancient" in trace["name"] for trace in hero["figure"]["data"])
