"""Low rank: of the network's matrices, and of the data matrix."""

from functools import partial

import streamlit as st

from compress.recipe import Recipe
from pages.ui.charts import charts, outside, rebuilt, setting_words, spectrum_charts, words
from pages.ui.explore import folds, layer_choice, pictures
from pages.ui.explore.curve import explore
from pages.ui.explore.curve_state import CurveState
from pages.ui.explore.folds import Fold
from pages.ui.explore.method_page import MethodPage, Preset
from pages.ui.shell import session
from pages.ui.shell.frame import open_page

WEIGHTS = (
    Preset("Digits in a second", "digit", "A small network on 8x8 digits: the whole curve in a few seconds.", {}, "digits",
           "LeNet-300-100"),
    Preset("Words", "text", "The table of an embedding bag: as many directions as there are classes hold all that it "
           "needs of 3,000 words.", {}, "docstrings", "Embedding bag"),
    Preset("A bag of words", "bag", "2,000 counted words meet 300 units, and 12 of 300 directions tell four libraries apart "
           "nearly as well as all of them: the first spectrum falls at once.", {"keep": 0.04}, "docstring_words",
           "LeNet-300-100"),
    Preset("Proteins", "genes", "20 amino acids at 64 places: a few directions tell antimicrobial peptides apart.", {},
           "peptides", "LeNet-300-100"),
    Preset("LeNet-300-100 on MNIST-5k", "falling", "The classic, whitened by calibration data.", {}, "mnist5k",
           "LeNet-300-100"),
    Preset("The same, plain SVD", "product", "Nearest weights instead of nearest outputs: compare the two curves.",
           {"scheme": "plain"}, "mnist5k", "LeNet-300-100"),
    Preset("Layer by layer", "layer by layer", "Each layer is fitted to the teacher's outputs behind the layers that are "
           "smaller already: compare it with centred at few ranks.", {"scheme": "sequential", "keep": 0.05}, "mnist5k",
           "LeNet-300-100"),
    Preset("Greedy over the whole network", "unequal", "Each layer gets the ranks that lower the error most for each stored "
           "number.", {"allocation": "greedy"}, "mnist5k", "LeNet-300-100"),
)
DATA = (
    Preset("MNIST-5k, 100 components", "components", "100 numbers instead of 784 pixels.", {"components": 100}, "mnist5k",
           "LeNet-300-100"),
    Preset("Cells of tumours, 5 components", "falling", "30 measurements of cell nuclei lie near a few directions: 5 "
           "numbers tell benign from malignant.", {"components": 5}, "breast_cancer", "LeNet-300-100"),
    Preset("Gene expression", "genes", "765 genes in 700 blood cells: the spectrum falls fast, because genes act together.",
           {"components": 20}, "single_cells", "LeNet-300-100"),
    Preset("A bag of words", "bag", "2,000 counted words in 2,380 sentences: their spectrum falls slowly, for each word has "
           "a direction of its own; compare it with gene expression.", {"components": 100}, "docstring_words",
           "LeNet-300-100"),
    Preset("Digits, 12 components", "digit", "12 numbers instead of 64 pixels, in one byte each.",
           {"components": 12, "storage": "int8"}, "digits", "LeNet-300-100"),
)
OF_WHAT = {"uniform": "Share of each layer's ranks that is kept.", "energy": "Share of each layer's energy that is kept.",
           "greedy": "Share of the parameters that is kept."}  # by allocation


class WeightsPage(MethodPage):
    """Truncated singular value decomposition of the network's weights."""

    method = "low_rank"
    presets = WEIGHTS

    def hint(self) -> str:
        """What the share is of, which the allocation decides."""
        return OF_WHAT[session.choice().methods[self.method]["allocation"]]

    def curve_name(self, recipe: Recipe) -> str:
        """A curve in the legend: the scheme, and what else is not at its default."""
        step = recipe.methods[-1]
        changed = setting_words.changed_settings(step, self.card, but=("scheme",))
        return ", ".join(["Low rank", step.values["scheme"], *changed])

    def notices(self, state: CurveState) -> list[str]:
        """The results in sentences, and the layers at this stop."""
        if not state.view:
            return []
        return [*super().notices(state), _layers_sentence(layers_at_stops(state.view, state.values), state)]

    def picture(self, state: CurveState) -> charts.Chart:
        """The singular values of every layer, those that are kept marked."""
        return spectrum_charts.spectra(layers_at_stops(state.view, state.values))

    def early_picture(self, state: CurveState) -> charts.Chart | None:
        """The spectra of the layers that are done while the others are computed."""
        live = state.job["live"] if state.running and state.job else []
        if not live or live[-1]["kind"] != "layers":
            return None
        so_far = live[-1]
        shown = spectrum_charts.spectra(layers_at_stops(so_far, state.values))
        return {**shown, "title": f"Singular values: {len(so_far['layers'])} of {so_far['count']} layers so far"}

    def folds(self, state: CurveState) -> list[Fold]:
        """The energy that is kept, and one layer's errors."""
        return [Fold("Energy and error at each rank", lambda: folds.alone(partial(self._errors, state)))]

    def _errors(self, state: CurveState) -> None:
        layers = layers_at_stops(state.view, state.values)
        layer_choice.choose("layer", "Layer in the error chart", [layer["title"] for layer in layers])
        chosen = layer_choice.chosen("layer", len(layers))
        self.draw("errors", [spectrum_charts.errors(layers[chosen], chosen, state.settings["scheme"]),
                             spectrum_charts.energies(layers)])


class DataPage(MethodPage):
    """Principal components of the data matrix."""

    method = "data_svd"
    presets = DATA

    def label(self, value: int) -> str:
        """A number of components in words."""
        return f"k = {value}"

    def notices(self, state: CurveState) -> list[str]:
        """The results in sentences, and from how many components on nothing is saved."""
        if "shape" not in state.view:
            return []
        rows, columns = state.view["shape"]
        # As files/data_file.py stores the raw data: one byte or four for each value.
        is_of_bytes = bool(state.reference) and state.reference["bytes"] < 2 * rows * columns
        return [*super().notices(state), f"The training data are a {rows:,} × {columns} matrix. At "
                f"{state.view['break_even']:.0f} components, codes and basis are as many numbers as the data" +
                ("; in bytes they break even earlier, because a value of the data takes one byte and a 32-bit code four."
                 if is_of_bytes else ".")]

    def picture(self, state: CurveState) -> charts.Chart | None:
        """Examples rebuilt from k components."""
        if "examples" not in state.view:
            return None
        examples = state.view["examples"]
        made = [examples["rebuilt"].get(str(value)) for value in state.values]
        return rebuilt.examples(examples["original"], made, examples.get("step", 1))

    def folds(self, state: CurveState) -> list[Fold]:
        """Spectrum of the data matrix, the error that k components leave, and more examples."""
        if "sigma" not in state.view:
            return []
        return [Fold("Singular values and error", lambda: self.draw("spectrum", [
                    spectrum_charts.data_spectrum(state.view, state.values),
                    spectrum_charts.data_errors(state.view, state.values)])),
                Fold("Examples rebuilt", lambda: self._rebuilt(state))]

    def _rebuilt(self, state: CurveState) -> None:
        examples = state.view["examples"]
        made = examples["rebuilt"].get(str(state.dial))
        if made:
            st.markdown(f"**Examples rebuilt from {state.dial} components** (above: as they are)")
            st.html(pictures.gallery(list(zip(examples["original"], map(outside.name, examples["labels"]), strict=True))))
            st.html(pictures.gallery([(values, f"k = {state.dial}") for values in made]))


def layers_at_stops(view: dict, values: list[float]) -> list[dict]:
    """The layers with one rank a stop of the dial; a stop that is not computed yet borrows its neighbour's."""
    places = [charts.nearest(view["values"], value) for value in values]
    return [{**layer, "ranks": [layer["ranks"][place] for place in places]} for layer in view["layers"]]


def _layers_sentence(layers: list[dict], state: CurveState) -> str:
    """How far whitening helps the outputs at this rank, or which layers stay dense."""
    place = charts.nearest(state.values, state.dial)
    dense = [layer["title"] for layer in layers if layer["ranks"][place] >= layer["useful"]]
    first = layers[0]
    rank = min(first["ranks"][place], first["full"])
    if state.settings["scheme"] == "randomized" and rank < len(first["used_error"]):
        excess = first["used_error"][rank] / max(first["weight_error"][rank], 1e-12) - 1
        much = "less than 0.01 %" if excess < 1e-4 else words.percent(excess, 2)
        return f"In the first layer at rank {rank}, the randomized SVD leaves {much} more squared error than the exact one."
    if dense:
        return "Past its break-even a layer would grow, so it stays dense here: " + ", ".join(map(outside.html, dense)) + "."
    if "output_error_whitened" not in first or not first["output_error_plain"][rank]:
        return ""
    if state.settings["scheme"] == "sequential":
        return ("The first layer has the factors of centred. The others are fitted to the teacher's outputs, from the "
                "inputs that the smaller network gives them.")
    ratio = first["output_error_whitened"][rank] / first["output_error_plain"][rank]
    return (f"In the first layer at rank {rank}, whitening leaves {words.percent(ratio, 0)} of plain SVD's output error on "
            "examples it has not seen; a smaller output error does not always mean a better accuracy.")


page = open_page("Low rank", "Drag the dial: the fewer ranks a layer keeps, the smaller the file. "
                 "Watch where accuracy begins to fall, and compare it with the singular values.",
                 {"low_rank": "The network's weights", "data_svd": "The data itself"})
explore(WeightsPage(page) if page.method == "low_rank" else DataPage(page))
