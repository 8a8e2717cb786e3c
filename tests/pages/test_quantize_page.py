"""The Quantize page without a browser: its stage, what stands beside the curve, and what it says of a point."""

from __future__ import annotations

import pytest

from compress.recipe import Recipe
from tests.pages.samples import measure
from tests.pages.test_pages import LINK, component, engine, labels, named, show, words  # noqa: F401  (fixtures)

PAGE = "pages/6_Quantize.py"
LAYERS, RATE = "quantize.Layer by layer: errors and sensitivity", "quantize.Rate and distortion"
VALUES = (2, 3, 16)


@pytest.fixture(scope="module")
def rounded(engine, prepared):  # noqa: F811
    return measure(engine.store, "quantize", VALUES)


def test_a_measured_point_is_shown_from_all_sides(show, rounded):  # noqa: F811
    shown = show(PAGE, {**LINK, "levels": "3"}, opened=[LAYERS, RATE])
    assert not shown.exception and not shown.warning
    plot = component(shown)
    assert list(plot["charts"]) == ["accuracy-size", "levels", "output-errors", "sensitivity", "rate-distortion"]
    place = plot["dial"]["values"].index(3)
    assert plot["dial"]["labels"][place] == "3" and plot["dial"]["captions"][place] == "Levels · 1.6 bits"
    assert [one is not None for one in plot["dial"]["tiles"]].count(True) == len(VALUES)
    (size, said), *_ = plot["dial"]["tiles"][place]
    assert size.endswith("kB") and said.endswith(" bits") and "× smaller · " in said


def test_the_picture_has_as_many_levels_as_the_dial(show, rounded):  # noqa: F811
    plot = component(show(PAGE, {**LINK, "levels": "3"}))
    bars, follow = plot["charts"]["levels"], plot["charts"]["levels"]["follow"][0]
    for value in VALUES:
        place = plot["dial"]["values"].index(value)
        point = next(point for point in rounded.points if point["dial"] == value)
        layer = point["inside"]["layers"][0]
        assert follow["x"][place] == layer["levels"] and len(layer["levels"]) <= value
        assert sum(follow["y"][place]) == sum(bars["figure"]["data"][0]["y"]), "every weight has a level"


def test_rounding_to_the_nearest_level_and_floats_of_16_bits_stand_beside_the_curve(show, rounded):  # noqa: F811
    hero = component(show(PAGE, {**LINK, "levels": "3"}))["charts"]["accuracy-size"]
    traces = {trace["name"]: trace for trace in hero["figure"]["data"]}
    assert list(traces)[:4] == ["nearest level", "codebook", "16-bit floats", "GPTQ"]
    assert len(traces["codebook"]["x"]) == 2, "of the stops 2 and 16"
    assert len(traces["nearest level"]["x"]) == len(traces["GPTQ"]["x"]) == len(VALUES)
    assert len(traces["16-bit floats"]["x"]) == 2
    ring = hero["follow"][0]
    assert hero["figure"]["data"][ring["trace"]]["name"] == "dial"


def test_what_is_said_of_a_point_is_true_of_it(show, rounded):  # noqa: F811
    point = next(point for point in rounded.points if point["dial"] == 3)
    told = words(show(PAGE, {**LINK, "levels": "3"}))
    layers = point["inside"]["layers"]
    zeros = sum(count for layer in layers
                for level, count in zip(layer["levels"], layer["counts"], strict=True) if level == 0)
    share = 100 * zeros / sum(sum(layer["counts"]) for layer in layers)
    assert "3 levels are 1.6 bits a weight" in told and f"{share:.0f} % of the weights are zero" in told
    worst = max(layers, key=lambda layer: layer["error"])
    assert f"Layer {worst['path']} loses most: {100 * worst['error']:.1f} %" in told
    assert "Rounded to the nearest level instead, it is <b>" in told


def test_another_layer_can_be_looked_at(show, rounded):  # noqa: F811
    shown = show(PAGE, {**LINK, "levels": "3"})
    named(shown.main.selectbox, "Layer in the histogram").select(2).run()
    assert component(shown)["charts"]["levels"]["title"].endswith(f"layer {rounded.view['layers'][2]['path']}")


def test_a_curve_of_another_scheme_has_its_own_name_and_no_controls(show, rounded, engine):  # noqa: F811
    measure(engine.store, "quantize(scheme=nearest,per=channel,compared=false)", VALUES)
    link = {**LINK, "scheme": "nearest", "per": "channel", "compared": "false", "levels": "3"}
    shown = show(PAGE, link)
    names = [trace["name"] for trace in component(shown)["charts"]["accuracy-size"]["figure"]["data"]]
    assert "nearest level, one step for channel" in names and "16-bit floats" not in names
    assert "Rounded to the nearest level instead" not in words(shown)


@pytest.mark.parametrize("title", ["How few bits?", "Ternary", "40× without training"])
def test_of_presets_that_differ_in_the_dial_alone_the_chosen_one_is_marked(show, monkeypatch, title):  # noqa: F811
    monkeypatch.setenv("COMPRESS_AT_ONCE", "no")
    shown = named(show(PAGE).main.button, title).click().run()
    chips = [button for button in shown.main.button if (button.key or "").startswith("preset.quantize.")]
    marked = [button.label for button in chips if button.proto.type == "primary"]
    assert marked == [title]


def test_a_preset_of_several_steps_puts_the_first_ones_in_the_teachers_place(show, engine, monkeypatch):  # noqa: F811
    asked = []
    monkeypatch.setattr(engine, "submit", lambda request, *_, **__: asked.append(request.recipe))
    shown = show(PAGE, LINK)
    named(shown.main.button, "Deep Compression, step by step").click().run()
    assert not shown.exception
    first, second = Recipe.parse(asked[-1]).methods
    assert (first.name, first.values["densities"], first.values["recovery_epochs"]) == ("prune", "8-9-26", 6)
    assert (second.name, second.values["scheme"], second.values["levels"]) == ("quantize", "codebook", 4)
    named(shown.main.button, "40× without training").click().run()
    assert [step.name for step in Recipe.parse(asked[-1]).methods] == ["quantize"]


def test_inputs_of_eight_bits_are_told_from_a_file_of_eight_bits(show, engine, prepared):  # noqa: F811
    measure(engine.store, "quantize(compared=false,activations=int8,precision=int8)", (16,))
    link = {**LINK, "levels": "16", "activations": "int8", "precision": "int8", "compared": "false"}
    hero = component(show(PAGE, link))["charts"]["accuracy-size"]
    assert "GPTQ, precision int8, inputs of 8 bits" in [trace["name"] for trace in hero["figure"]["data"]]
