"""Low rank: of the network's matrices, and of the data matrix."""

import streamlit as st

from pages.ui.charts import charts, spectrum_charts, words
from pages.ui.explore import layer_choice, pictures, results
from pages.ui.explore.curve import Preset, Story, explore
from pages.ui.explore.shown import Shown
from pages.ui.shell.frame import open_page

WEIGHTS = (
    Preset("Digits in a second", "A small network on 8x8 digits: the whole curve in a few seconds.",
           {}, "digits", "LeNet-300-100"),
    Preset("LeNet-300-100 on MNIST-5k", "The classic, whitened by calibration data.", {}, "mnist5k", "LeNet-300-100"),
    Preset("The same, plain SVD", "Nearest weights instead of nearest outputs: compare the two curves.",
           {"scheme": "plain"}, "mnist5k", "LeNet-300-100"),
    Preset("Greedy over the whole network", "Ranks go where a number saves the most error.",
           {"allocation": "greedy"}, "mnist5k", "LeNet-300-100"),
)
DATA = (
    Preset("MNIST-5k, 100 components", "100 numbers instead of 784 pixels.", {"components": 100}, "mnist5k",
           "LeNet-300-100"),
    Preset("Digits, 12 components", "12 numbers instead of 64 pixels, in one byte each.",
           {"components": 12, "storage": "int8"}, "digits", "LeNet-300-100"),
)


def weight_charts(now: Shown) -> list[charts.Chart]:
    """Spectra and energies of all layers, and one layer's errors."""
    layers = layers_at_stops(now)
    chosen = layer_choice.chosen("layer", len(layers))
    return [spectrum_charts.spectra(layers), spectrum_charts.energies(layers),
            spectrum_charts.errors(layers[chosen], chosen, now.recipe.methods[-1].values["scheme"])]


def layers_at_stops(now: Shown) -> list[dict]:
    """The layers with one rank a stop of the dial; a stop that is not computed yet borrows its neighbour's."""
    places = [charts.nearest(now.view["values"], value) for value in now.values]
    return [{**layer, "ranks": [layer["ranks"][place] for place in places]} for layer in now.view["layers"]]


def data_charts(now: Shown) -> list[charts.Chart]:
    """Spectrum of the data matrix, and the error that k components leave."""
    if "sigma" not in now.view:
        return []
    return [spectrum_charts.data_spectrum(now.view, now.values), spectrum_charts.data_errors(now.view, now.values)]


def below_weights(now: Shown) -> None:
    """Which layer's errors are shown."""
    if now.view and len(now.view["layers"]) > 1:
        layer_choice.choose("layer", "Layer in the error chart", [layer["title"] for layer in now.view["layers"]])


def below_data(now: Shown) -> None:
    """Examples rebuilt from k components."""
    if "examples" not in now.view:
        return
    examples = now.view["examples"]
    rebuilt = examples["rebuilt"].get(str(now.dial))
    if rebuilt:
        st.markdown(f"**Examples rebuilt from {now.dial} components** (above: as they are)")
        st.html(pictures.gallery(list(zip(examples["original"], examples["labels"], strict=True))))
        st.html(pictures.gallery([(values, f"k = {now.dial}") for values in rebuilt]))


def notice_data(now: Shown) -> list[str]:
    """The results in sentences, and from how many components on nothing is saved."""
    if "shape" not in now.view:
        return []
    rows, columns = now.view["shape"]
    return [*results.sentences(now), f"The training data are a {rows:,} × {columns} matrix; codes and basis hold as many "
            f"numbers as the data at {now.view['break_even']:.0f} components; in bytes they break even earlier, because a "
            "pixel takes one byte and a 32-bit code four."]


def notice_weights(now: Shown) -> list[str]:
    """The results in sentences, and the layers at this stop."""
    return [*results.sentences(now), _layers_sentence(layers_at_stops(now), now)] if now.view else []


def _layers_sentence(layers: list[dict], now: Shown) -> str:
    """How far whitening helps the outputs at this rank, or which layers stay dense."""
    place = charts.nearest(now.values, now.dial)
    dense = [layer["title"] for layer in layers if layer["ranks"][place] >= layer["useful"]]
    first = layers[0]
    rank = min(first["ranks"][place], first["full"])
    if now.recipe.methods[-1].values["scheme"] == "randomized" and rank < len(first["used_error"]):
        excess = first["used_error"][rank] / max(first["weight_error"][rank], 1e-12) - 1
        much = "less than 0.01 %" if excess < 1e-4 else words.percent(excess, 2)
        return f"In the first layer at rank {rank}, the randomized SVD leaves {much} more squared error than the exact one."
    if dense:
        return "Past its break-even a layer would grow, so it stays dense here: " + ", ".join(dense) + "."
    if "output_error_whitened" not in first or not first["output_error_plain"][rank]:
        return ""
    ratio = first["output_error_whitened"][rank] / first["output_error_plain"][rank]
    return (f"In the first layer at rank {rank}, whitening leaves {words.percent(ratio, 0)} of plain SVD's output error on "
            "examples it has not seen; a smaller output error does not always mean a better accuracy.")


page = open_page("Low rank", "Drag the dial: the fewer ranks a layer keeps, the smaller the file. "
                 "Watch where accuracy begins to fall, and compare it with the singular values.",
                 {"low_rank": "The network's weights", "data_svd": "The data itself"})
if page.method == "low_rank":
    explore(page, "low_rank", WEIGHTS, Story(weight_charts, notice_weights, below_weights,
                                             lambda value: f"{100 * value:g} %"))
else:
    explore(page, "data_svd", DATA, Story(data_charts, notice_data, below_data, lambda value: f"k = {value}"))
