"""Sparse coding: weights, data, and hidden outputs as sums of few atoms of a learned dictionary."""

from compress.recipe import Recipe
from pages.ui.charts import charts, outside, sparse_charts, words
from pages.ui.explore import layer_choice, results
from pages.ui.explore.curve import explore
from pages.ui.explore.curve_state import CurveState
from pages.ui.explore.folds import Fold
from pages.ui.explore.method_page import Preset
from pages.ui.explore.sparse.data import DataPage
from pages.ui.explore.sparse.dictionary import DictionaryPage
from pages.ui.explore.sparse.hidden import HiddenPage
from pages.ui.shell.frame import open_page

WEIGHTS = (
    Preset("Digits in a second", "digit", "Each block of a small network's weights is a sum of a few atoms.", {},
           "digits", "LeNet-300-100"),
    Preset("Words", "text", "Each embedding is a sum of few atoms that all words share.",
           {"atoms": 32, "iterations": 3}, "docstrings", "Embedding bag"),
    Preset("A codebook of embeddings", "codebook", "Each half of an embedding is one of 16 atoms times a number: of a word "
           "little more than the numbers of two atoms is stored.", {"nonzeros": 1, "atoms": 16}, "docstrings",
           "Embedding bag"),
    Preset("Genes", "genes", "The weights of 765 genes as sums of few atoms.", {"atoms": 64}, "single_cells",
           "LeNet-300-100"),
    Preset("LeNet-300-100 on MNIST-5k", "atoms", "128 atoms of 16 weights for each layer, coefficients in one byte.", {},
           "mnist5k", "LeNet-300-100"),
    Preset("LeNet's first layer alone", "first layer", "Nine tenths of all weights are in it.", {"first_only": True},
           "mnist5k", "LeNet-300-100"),
    Preset("Random atoms instead", "noise", "The same without learning: how much does a learned dictionary gain?",
           {"dictionary": "random"}, "mnist5k", "LeNet-300-100"),
    Preset("Trained afterwards", "learning", "Atoms and coefficients learn on, three epochs, with their places fixed.",
           {"recovery_epochs": 3, "nonzeros": 1}, "mnist5k", "LeNet-300-100"),
)


class WeightsPage(DictionaryPage):
    """Blocks of the network's weights as sums of atoms."""

    method = "sparse_code"
    presets = WEIGHTS

    def curve_name(self, recipe: Recipe) -> str:
        """A curve in the legend: dictionary, atoms and block, and what was trained."""
        own = recipe.methods[-1].values
        trained = f", trained {own['recovery_epochs']} epochs" if own["recovery_epochs"] else ""
        layers = ", first layer" if own["first_only"] else ""
        return f"{own['dictionary']}, {own['atoms']} atoms of {own['block']}, {own['storage']}{layers}{trained}"

    def notices(self, state: CurveState) -> list[str]:
        """The results in sentences, which layers were coded, and how these layers run."""
        if not state.point:
            return []
        found = super().notices(state)
        coded = [layer for layer in state.point["inside"]["layers"] if "error" in layer]
        for layer in coded:
            runs = "runs as two products, codes first" if layer["product"] else "runs dense, which is faster"
            found.append(f"Layer {outside.html(layer['path'])} loses {words.percent(layer['error'])} of its weights' energy "
                         f"and {runs}.")
        return found + results.notes(state)

    def picture(self, state: CurveState) -> charts.Chart | None:
        """The atoms of a layer; their use where this layer stays dense."""
        if not state.points:
            return None
        path, title = chosen_layer(state)
        atoms = sparse_charts.layer_atoms(state.points, path, title, state.values)
        return atoms or sparse_charts.usage(state.points, state.values, path, title)

    def picture_choice(self, state: CurveState) -> bool:
        """Which layer's atoms are shown."""
        titles = [layer["title"] for layer in state.points[0]["inside"]["layers"]] if state.points else []
        first = sparse_charts.first_coded(state.points) if state.points else 0
        return layer_choice.choose("code.layer", "Layer whose atoms are shown", titles, first, collapsed=True)

    def folds(self, state: CurveState) -> list[Fold]:
        """Errors of the layers, and the use of one's atoms."""
        if not state.points:
            return []
        return [Fold("Error of the layers and use of the atoms", lambda: self.draw("errors", [
            sparse_charts.layer_errors(state.points, state.values),
            sparse_charts.usage(state.points, state.values, *chosen_layer(state))]))]


def chosen_layer(state: CurveState) -> tuple[str, str]:
    """Path and title of the layer whose atoms are shown."""
    layers = state.points[0]["inside"]["layers"]
    layer = layers[layer_choice.chosen("code.layer", len(layers), sparse_charts.first_coded(state.points))]
    return layer["path"], layer["title"]


page = open_page("Sparse code", "Weights, examples, or hidden outputs as sums of a few atoms of a dictionary: the fewer "
                 "atoms, the smaller the file.",
                 {"sparse_code": "The network's weights", "data_codes": "The data itself",
                  "activation_codes": "A hidden layer's outputs"})
pages = {own.method: own for own in (WeightsPage, DataPage, HiddenPage)}
explore(pages[page.method](page))
