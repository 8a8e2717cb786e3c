"""Sparse coding: weights, data, and hidden outputs as sums of few atoms of a learned dictionary."""

from compress.recipe import Recipe
from pages.ui.charts import charts, sparse_charts, words
from pages.ui.explore import layer_choice, results, sparse_data, sparse_hidden
from pages.ui.explore.curve import Preset, Story, explore
from pages.ui.explore.shown import Shown
from pages.ui.shell.frame import open_page

WEIGHTS = (
    Preset("Digits in a second", "Blocks of a small network's weights.", {"atoms": 32, "block": 8}, "digits",
           "LeNet-300-100"),
    Preset("LeNet-300-100 on MNIST-5k", "128 atoms of 16 weights for each layer, coefficients in one byte.", {}, "mnist5k",
           "LeNet-300-100"),
    Preset("LeNet's first layer alone", "Nine tenths of all weights are in it.",
           {"first_only": True}, "mnist5k", "LeNet-300-100"),
    Preset("Random atoms instead", "The same without learning: is the dictionary worth it?", {"dictionary": "random"},
           "mnist5k", "LeNet-300-100"),
    Preset("Trained afterwards", "Atoms and coefficients learn on, three epochs, with their places fixed.",
           {"recovery_epochs": 3, "nonzeros": 1}, "mnist5k", "LeNet-300-100"),
)
DATA = (
    Preset("Photograph patches", "A pagoda and a flower from 8x8 tiles: turn the dial and watch them sharpen.",
           {"tile": 8, "dictionary_size": 128}, "photographs", "LeNet-300-100"),
    Preset("Strokes from digits", "Whole digits as sums of few atoms: watch these become strokes.", {"terms": 8},
           "mnist5k", "LeNet-300-100"),
    Preset("Parts, nothing negative", "Sums only, nothing is subtracted: atoms become parts of digits.",
           {"positive": True, "terms": 8}, "mnist5k", "LeNet-300-100"),
    Preset("10×10 patches, stride 2", "100 atoms for the 100 overlapping patches of each digit, learned in mini-batches.",
           {"tile": 10, "stride": 2, "dictionary_size": 100, "mini_batch": 5000, "terms": 2, "beside": False}, "mnist5k",
           "LeNet-300-100"),
    Preset("Recover a planted dictionary", "Signals made of 3 of 50 known atoms each: K-SVD finds these atoms again, "
           "if it may use 3.",
           {"dictionary_size": 50, "learning_rounds": 80, "terms": 3}, "planted", "Logistic regression"),
    Preset("As many atoms as needed", "Empty tiles get one atom, busy ones up to the dial: an error is accepted.",
           {"tile": 7, "dictionary_size": 64, "allowed": 0.1}, "mnist5k", "LeNet-300-100"),
    Preset("A classifier on the codes", "Its inputs are the coefficients of the atoms instead of the pixels.",
           {"classify": "codes", "terms": 8}, "mnist5k", "LeNet-300-100"),
    Preset("Random projections instead", "As many bytes for each digit, without any learning: compressed sensing.",
           {"classify": "projections", "terms": 8}, "mnist5k", "LeNet-300-100"),
    Preset("scikit-learn's dictionary", "The same with its mini-batch dictionary learning.",
           {"source": "sklearn", "terms": 8}, "mnist5k", "LeNet-300-100"),
)


HIDDEN = (
    Preset("One atom an example", "The last hidden layer of LeNet-300-100 in two bytes for each digit.",
           {"active": 1}, "mnist5k", "LeNet-300-100"),
    Preset("The first hidden layer", "300 numbers instead of 100: more to lose, more to save.", {"cut": 1}, "mnist5k",
           "LeNet-300-100"),
    Preset("Nothing negative", "Behind a ReLU no output is negative: atoms become groups of units that are active together.",
           {"only_positive": True, "active": 3}, "mnist5k", "LeNet-300-100"),
    Preset("Outputs of convolutions", "16 feature maps of LeNet-5, as one vector.", {"cut": 2, "vocabulary": 256}, "mnist5k",
           "LeNet-5"),
    Preset("Random atoms instead", "The same without learning: is the dictionary worth it?",
           {"atoms_from": "random"}, "mnist5k", "LeNet-300-100"),
)


def weight_charts(now: Shown) -> list[charts.Chart]:
    """Errors of the layers, and the atoms of one."""
    if not now.points:
        return []
    path, title = chosen_layer(now)
    shown = [sparse_charts.layer_errors(now.points, now.values), sparse_charts.usage(now.points, now.values, path, title)]
    atoms = sparse_charts.layer_atoms(now.points, path, title, now.values)
    return shown + ([atoms] if atoms else [])


def chosen_layer(now: Shown) -> tuple[str, str]:
    """Path and title of the layer whose atoms are shown."""
    layers = now.points[0]["inside"]["layers"]
    layer = layers[layer_choice.chosen("code.layer", len(layers))]
    return layer["path"], layer["title"]


def notice_weights(now: Shown) -> list[str]:
    """The results in sentences, which layers were coded, and how these layers run."""
    if not now.point:
        return []
    found = results.sentences(now)
    coded = [layer for layer in now.point["inside"]["layers"] if "error" in layer]
    for layer in coded:
        runs = "runs as two products, codes first" if layer["product"] else "runs dense, which is faster"
        found.append(f"Layer {layer['path']} loses {words.percent(layer['error'])} of its weights' energy and {runs}.")
    return found + [f"<b>{note[0].upper() + note[1:]}.</b>" for note in now.point["notes"]]


def below_weights(now: Shown) -> None:
    """Which layer's atoms are shown."""
    layers = now.points[0]["inside"]["layers"] if now.points else []
    if len(layers) > 1:
        layer_choice.choose("code.layer", "Layer whose atoms are shown", [layer["title"] for layer in layers])


def name_weights(recipe: Recipe) -> str:
    """A curve in the legend: dictionary, atoms and block, and what was trained."""
    own = recipe.methods[-1].values
    trained = f", trained {own['recovery_epochs']} epochs" if own["recovery_epochs"] else ""
    layers = ", first layer" if own["first_only"] else ""
    return f"{own['dictionary']}, {own['atoms']} atoms of {own['block']}, {own['storage']}{layers}{trained}"


def name_hidden(recipe: Recipe) -> str:
    """A curve in the legend: the dictionary, and which layer's outputs."""
    own = recipe.methods[-1].values
    where = "last hidden layer" if not own["cut"] else f"hidden layer {own['cut']} before the last"
    if own["atoms_from"] == "components":
        return f"principal components, {where}"
    return f"{own['atoms_from']}{', nothing negative' if own['only_positive'] else ''}, {own['vocabulary']} atoms, {where}"


def name_data(recipe: Recipe) -> str:
    """A curve in the legend: what the classifier was trained on, and which tiles."""
    own = recipe.methods[-1].values
    tiles = f"tiles of {own['tile']}" if own["tile"] else "whole examples"
    tiles += f", step {own['stride']}" if own["stride"] else ""
    if own["source"] == "components" and own["classify"] != "projections":
        return f"principal components, {own['classify']}, {tiles}"
    kind = own["source"] + (", nothing negative" if own["positive"] else "")
    kind += f", error {own['allowed']:g} allowed" if own["allowed"] else ""
    return f"{own['classify']}, {kind}, {own['dictionary_size']} atoms, {tiles}"


page = open_page("Sparse code", "Weights, examples, or hidden outputs as sums of a few atoms of a dictionary. Drag the "
                 "dial: with fewer atoms the file is smaller; watch what accuracy that costs.",
                 {"sparse_code": "The network's weights", "data_codes": "The data itself",
                  "activation_codes": "A hidden layer's outputs"})
if page.method == "sparse_code":
    explore(page, "sparse_code", WEIGHTS, Story(weight_charts, notice_weights, below_weights, sparse_data.label,
                                                    name=name_weights))
elif page.method == "activation_codes":
    explore(page, "activation_codes", HIDDEN, Story(sparse_hidden.inside, sparse_hidden.notice, sparse_hidden.below,
                                                    sparse_data.label, name=name_hidden, shown=4))
else:
    explore(page, "data_codes", DATA, Story(sparse_data.inside, sparse_data.notice, sparse_data.below, sparse_data.label,
                                            name=name_data, shown=4, busy=sparse_data.busy))
