"""What the Sparse code page shows of coded data: charts, sentences, pictures, and a pursuit that plays."""

from __future__ import annotations

import numpy as np
import streamlit as st

from compress.recipe import Recipe
from pages.ui.charts import charts, marks, outside, rebuilt, sparse_charts, words
from pages.ui.explore import pictures
from pages.ui.explore.curve_state import CurveState
from pages.ui.explore.folds import Fold, is_open, of_point
from pages.ui.explore.method_page import Preset
from pages.ui.explore.sparse.dictionary import DictionaryPage, atoms_in_words, learning, learning_and_use
from pages.ui.liveplot import liveplot
from pages.ui.shell import session

PRESETS = (
    Preset("Photograph patches", "photograph", "A pagoda and a flower from 8x8 tiles: turn the dial and watch them sharpen.",
           {"tile": 8, "atoms": 128}, "photographs", "LeNet-300-100"),
    Preset("Strokes from digits", "strokes", "Whole digits as sums of few atoms: watch the atoms become strokes.",
           {"nonzeros": 8}, "mnist5k", "LeNet-300-100"),
    Preset("Parts, non-negative", "parts", "Sums only, nothing is subtracted: atoms become parts of digits.",
           {"nonnegative": True, "nonzeros": 8}, "mnist5k", "LeNet-300-100"),
    Preset("10×10 patches, stride 2", "overlapping", "100 atoms for the 100 overlapping patches of each digit, learned in "
           "mini-batches.",
           {"tile": 10, "stride": 2, "atoms": 100, "mini_batch": 5000, "nonzeros": 2, "pca_baseline": False}, "mnist5k",
           "LeNet-300-100"),
    Preset("Recover a planted dictionary", "target", "Signals made of 3 of 50 known atoms each: K-SVD finds these atoms "
           "again, if it may use 3.", {"atoms": 50, "iterations": 80, "nonzeros": 3}, "planted", "Logistic regression"),
    Preset("A bag of words", "bag", "Sentences as sums of 8 atoms, each of a few words that occur together.",
           {"nonzeros": 8}, "docstring_words", "LeNet-300-100"),
    Preset("As many atoms as needed", "as needed", "Empty tiles get one atom, busy ones up to the dial: an error is "
           "accepted.", {"tile": 7, "atoms": 64, "allowed": 0.1}, "mnist5k", "LeNet-300-100"),
    Preset("A classifier on the codes", "codes", "Its inputs are the coefficients of the atoms instead of the pixels.",
           {"classify": "codes", "nonzeros": 8}, "mnist5k", "LeNet-300-100"),
    Preset("Random projections instead", "noise", "As many bytes for each digit, without any learning: compressed sensing.",
           {"classify": "projections", "nonzeros": 8}, "mnist5k", "LeNet-300-100"),
    Preset("scikit-learn's dictionary", "batches", "The same with its mini-batch dictionary learning.",
           {"dictionary": "sklearn", "nonzeros": 8}, "mnist5k", "LeNet-300-100"),
)
STEPS = "Orthogonal matching pursuit, step by step"


class DataPage(DictionaryPage):
    """Examples, or tiles of them, as sums of atoms."""

    method = "data_codes"
    open_settings = 3
    presets = PRESETS

    def curve_name(self, recipe: Recipe) -> str:
        """A curve in the legend: what the classifier was trained on, and which tiles."""
        own = recipe.methods[-1].values
        tiles = f"tiles of {own['tile']}" if own["tile"] else "whole examples"
        tiles += f", step {own['stride']}" if own["stride"] else ""
        if own["dictionary"] == "components" and own["classify"] != "projections":
            return f"principal components, {own['classify']}, {tiles}"
        kind = own["dictionary"] + (", non-negative" if own["nonnegative"] else "")
        kind += f", error {own['allowed']:g} allowed" if own["allowed"] else ""
        return f"{own['classify']}, {kind}, {own['atoms']} atoms, {tiles}"

    def notices(self, state: CurveState) -> list[str]:
        """The results in sentences, what the dictionary is worth, and what its coherence guarantees."""
        if not state.point:
            return []
        known = state.point["inside"]
        sentences = [*super().notices(state), f"Validation examples keep {words.percent(1 - known['error'])} of their "
                     f"energy (PSNR {known['psnr']:.1f} dB)."]
        if "components" in known:
            fewer = ", were no error allowed" if state.settings["allowed"] else ""
            return [*sentences, f"These are {known['components']} principal components for every tile: as many as "
                    f"take the bytes of {atoms_in_words(state.dial)} from a dictionary{fewer}."]
        others = known["others"]
        sentences.append(f"With as many bytes principal components lose {words.percent(others['components'])} instead of "
                         f"{words.percent(known['error'])}; cosines lose {words.percent(others['dct'])}.")
        if known.get("found"):
            sentences.append(f"<b>{words.percent(known['found'][-1])} of the planted atoms were found.</b> Signals have 3 "
                             "each: turn the dial away from 3 and fewer are found.")
        return [*sentences, f"A tile has {known['mean_nonzeros']:.1f} atoms on average.",
                guarantee(known["coherence"], known["bound"])]

    def picture(self, state: CurveState) -> charts.Chart | None:
        """Examples, and under them what is rebuilt from their codes."""
        held = [point and point["inside"]["rebuilt"] for point in marks.at(state.points, state.values)]
        return rebuilt.examples(state.view["original"], held, state.view.get("step", 1)) if any(held) else None

    def live(self, state: CurveState) -> None:
        """The dictionary as it is learned."""
        if "tile" in state.view:
            learning(state, state.view["tile"])

    def folds(self, state: CurveState) -> list[Fold]:
        """The scene, the atoms, more examples, one pursuit step by step, errors, and learning."""
        if "tile" not in state.view:
            return []
        components = state.settings["dictionary"] == "components"
        return [Fold("A part of the photographs, rebuilt", of_point(scene, state) if "scene" in state.view else None),
                Fold("The principal components" if components else "The atoms, most used first",
                     of_point(self._atoms, state)),
                Fold("Examples rebuilt", of_point(self._examples, state)),
                Fold(STEPS, None if components else of_point(stepping, state)),
                Fold("Error by dictionary, learning, and use of the atoms", of_point(self._errors, state))]

    def _errors(self, state: CurveState) -> None:
        self.draw("errors", [sparse_charts.data_errors(state.points, state.values), *learning_and_use(state)])

    def _atoms(self, state: CurveState) -> None:
        known = state.point["inside"]
        shown = known.get("words") or pictures.unpacked(known["atoms"], state.view["tile"])
        st.html(pictures.gallery([(one, str(number)) for number, one in enumerate(shown, start=1)], size=56))

    def _examples(self, state: CurveState) -> None:
        originals, made = state.view["original"], state.point["inside"]["rebuilt"]
        st.markdown(f"Rebuilt from {atoms_in_words(state.dial)}" + (" a tile" if state.settings["tile"] else ""))
        st.html(pictures.gallery(list(zip(originals, map(outside.name, state.view["labels"]), strict=True))))
        st.html(pictures.gallery([(values, "rebuilt") for values in made]))
        st.html(pictures.gallery([(pictures.difference(one, other), "difference")
                                  for one, other in zip(originals, made, strict=True)
                                  if np.shape(one) == np.shape(other)]))  # an earlier version kept all of a wide example

    def waits(self, state: CurveState) -> bool:
        """While a pursuit plays, too; none does where none is shown."""
        shown = state.point and state.point["inside"].get("paths") and is_open(STEPS, self.method)
        return super().waits(state) or bool(shown and session.remembered("code.playing", False))


def guarantee(coherence: float, bound: float) -> str:
    """What the coherence of a dictionary guarantees: the right atoms for sums of fewer than `bound` (Tropp 2004)."""
    known = f"The atoms' coherence is {coherence:.2f}"
    if bound <= 2:
        return (f"{known}, so high that theory (Tropp 2004) guarantees nothing for sums of two atoms or more; a pursuit "
                "often finds the right atoms all the same.")
    return (f"{known}: theory (Tropp 2004) guarantees the right atoms for sums of fewer than {bound:.1f}; beyond that a "
            "pursuit may find the right atoms, and often does.")


def scene(state: CurveState) -> None:
    """The pictures that examples were cut from, rebuilt from what is stored at this stop."""
    known = state.point["inside"]
    originals = pictures.unpacked(state.view["scene"], state.view["scene_shape"])
    rebuilt = pictures.unpacked(known["scene"], known["scene_shape"])
    st.markdown(f"Rebuilt from these codes: PSNR {known['scene_psnr']:.1f} dB")
    for original, coded in zip(originals, rebuilt, strict=True):
        st.html(pictures.gallery([(original, "as it is"), (coded, "rebuilt"),
                                  (pictures.difference(original, coded), "difference")], row=True))


def stepping(state: CurveState) -> None:
    """Orthogonal matching pursuit of one tile, an atom at a time."""
    paths, shape = state.point["inside"]["paths"], state.view["tile"]
    number = session.remembered_place("code.example", len(paths))
    path = paths[number]
    steps = len(path["atoms"])
    step = session.remembered_place("code.step", steps + 1)
    if session.remembered("code.playing", False):
        step = (step + 1) % (steps + 1)
        session.remember("code.step", step)
        session.remember("code.playing", step < steps)
    left, right = st.columns([1, 5], gap="medium")
    with left:
        _buttons(step, steps, number)
    with right:
        rebuilt, rest = pictures.unpacked(path["rebuilt"], shape), pictures.unpacked(path["left"], shape)
        whole = "one of its tiles" if state.settings["tile"] else "the example"
        shown = [(pictures.unpacked(path["tile"], shape)[0], whole),
                 (rebuilt[step], f"rebuilt from {step} atom{'s' if step != 1 else ''}"),
                 (rest[step], f"left: {words.percent(path['errors'][step])} (around its mean)")]
        if step:
            shown.append((pictures.unpacked(path["chosen"], shape)[step - 1],
                          f"atom {path['atoms'][step - 1] + 1}, chosen now"))
        st.html(pictures.gallery(shown, size=140))
        if step:
            liveplot([sparse_charts.pursuit(path, step)], key="code.pursuit")
    st.caption("Each step takes the atom that is most similar to the residual, then finds the best coefficients of all "
               "atoms chosen so far. The new residual is orthogonal to each of them, so no atom is taken twice.")


def _buttons(step: int, steps: int, number: int) -> None:
    st.button("Next atom", key="code.next", width="stretch", disabled=step == steps,
              on_click=lambda: session.remember("code.step", step + 1))
    st.button("Back to the start", key="code.start", width="stretch", disabled=step == 0,
              on_click=lambda: session.remember("code.step", 0))
    playing = session.remembered("code.playing", False)
    st.button("Pause" if playing else "Play", key="code.play", width="stretch",
              on_click=lambda: session.remember("code.playing", not playing))
    st.button("Another example", key="code.other", width="stretch", on_click=_another, args=[number + 1])


def _another(number: int) -> None:
    """Begins the pursuit of another example."""
    session.remember("code.example", number)
    session.remember("code.step", 0)
