"""What the Sparse code page shows of a hidden layer's coded outputs."""

from __future__ import annotations

import streamlit as st

from compress.recipe import Recipe
from pages.ui.charts import charts, outside, sparse_charts, words
from pages.ui.explore import results
from pages.ui.explore.curve_state import CurveState
from pages.ui.explore.folds import Fold
from pages.ui.explore.method_page import Preset
from pages.ui.explore.sparse.dictionary import DictionaryPage, atoms_in_words, learning, learning_and_use

PRESETS = (
    Preset("One atom an example", "one atom", "The last hidden layer of LeNet-300-100 in two bytes for each digit.",
           {"nonzeros": 1}, "mnist5k", "LeNet-300-100"),
    Preset("The first hidden layer", "hidden layer", "300 numbers instead of 100: more to lose, more to save.", {"cut": 1},
           "mnist5k", "LeNet-300-100"),
    Preset("Non-negative", "parts", "Behind a ReLU no output is negative: atoms become groups of units that are active "
           "together.", {"nonnegative": True, "nonzeros": 3}, "mnist5k", "LeNet-300-100"),
    Preset("Outputs of convolutions", "maps", "16 feature maps of LeNet-5, as one vector.", {"cut": 2, "atoms": 256},
           "mnist5k", "LeNet-5"),
    Preset("Random atoms instead", "noise", "The same without learning: how much does a learned dictionary gain?",
           {"dictionary": "random"}, "mnist5k", "LeNet-300-100"),
)


class HiddenPage(DictionaryPage):
    """A hidden layer's outputs as sums of atoms."""

    method = "activation_codes"
    open_settings = 3
    presets = PRESETS

    def curve_name(self, recipe: Recipe) -> str:
        """A curve in the legend: the dictionary, and which layer's outputs."""
        own = recipe.methods[-1].values
        where = "last hidden layer" if not own["cut"] else f"hidden layer {own['cut']} before the last"
        if own["dictionary"] == "components":
            return f"principal components, {where}"
        kind = own["dictionary"] + (", non-negative" if own["nonnegative"] else "")
        return f"{kind}, {own['atoms']} atoms, {where}"

    def notices(self, state: CurveState) -> list[str]:
        """The results in sentences, which layer was coded, and what the dictionary is worth."""
        if not state.point:
            return []
        known = state.point["inside"]
        first = [f"<b>{outside.html(known['layer'][0].upper() + known['layer'][1:])}</b> are coded; the rest of the network "
                 "takes what is rebuilt, and is not trained.", *super().notices(state)]
        if "components" in known:
            return [*first, f"{known['components']} principal components keep {words.percent(1 - known['error'])} of their "
                    f"energy: as many as take the bytes of {atoms_in_words(state.dial)} from a dictionary."]
        others = known["others"]
        return [*first, f"The codes keep {words.percent(1 - known['error'])} of the outputs' energy; principal components "
                f"of as many bytes keep {words.percent(1 - others['components'])}.", *results.notes(state)]

    def picture(self, state: CurveState) -> charts.Chart | None:
        """The mean coefficient of each atom by class; the errors of the codes where there is no dictionary."""
        known = state.point["inside"] if state.point else {}
        if "by_class" in known:
            return sparse_charts.by_class(state.points, state.values, state.teacher["card"]["classes"])
        return sparse_charts.data_errors(state.points, state.values, "an example's outputs") if state.points else None

    def live(self, state: CurveState) -> None:
        """The dictionary as it is learned."""
        learning(state)

    def folds(self, state: CurveState) -> list[Fold]:
        """Errors beside those of other dictionaries, learning and use, and which hidden layers there are."""
        if not state.points:
            return []
        return [Fold("Error by dictionary, learning, and use of the atoms", lambda: self._errors(state))]

    def _errors(self, state: CurveState) -> None:
        self.draw("errors", [sparse_charts.data_errors(state.points, state.values, "an example's outputs"),
                             *learning_and_use(state)])
        if len(state.view.get("cuts", [])) > 1:
            listed = "; ".join(f"**{number}**: {outside.markdown(title)}" for number, title in enumerate(state.view["cuts"]))
            st.caption(f"Hidden layers of this network, as the setting counts them: {listed}.")
