"""Quantization: each weight one of a few levels; the levels in the histogram, errors of outputs, rate and distortion."""

from math import log2
from typing import Any

from compress.recipe import CURVE, Recipe
from pages.ui.charts import charts, outside, quantize_charts, setting_words, words
from pages.ui.explore import layer_choice, notice, results
from pages.ui.explore.curve import explore
from pages.ui.explore.curve_state import CurveState
from pages.ui.explore.folds import Fold
from pages.ui.explore.method_page import MethodPage, Preset
from pages.ui.shell import session
from pages.ui.shell.frame import open_page

LENET = "LeNet-300-100"
NEAREST = "nearest"
PRUNED = "prune(densities=8-9-26,recovery_batch=16,recovery_epochs=6,sparsity=0.9182)"
# Measured on a CPU, seed 0, LeNet-300-100 on MNIST-5k (1,066 kB, 94.0 %): 4 levels by GPTQ 26.1 kB, 93.8 %; 3 levels
# 13.5 kB, 92.9 %; pruned, trained again and 4 shared values 19.8 kB, 93.7 %. Three seeds: 3 nearest levels 3.5 kB, 30.3 %;
# with a correction of rank 8 in 8 bits 16.6 kB, 89.5 %. Weights and inputs of 8 bits: a batch of 128 takes .39 to .52 of the
# teacher's time, a single example 1.6 to 2.1 (`python -m tests.benchmarks integer.speed`).
PRESETS = (
    Preset("Digits in a second", "digit", "A small network on 8x8 digits: the whole curve in a few seconds.", {}, "digits",
           LENET, ""),
    Preset("Words", "text", "An embedding table in few values: three bits for each number of a word do.",
           {"scheme": NEAREST, "clipping": "least_error"}, "docstrings", "Embedding bag", ""),
    Preset("A bag of words", "bag", "Two values for all weights of a layer, nothing trained: 31 times smaller, and 1.3 "
           "points lost.", {"scheme": NEAREST, "clipping": "least_error", "levels": 2}, "docstring_words", LENET, ""),
    Preset("Genes", "genes", "Weights of 765 genes in few values: cells of ten types are told apart as before.",
           {"scheme": NEAREST, "clipping": "least_error"}, "single_cells", LENET, ""),
    Preset("40× without training", "levels", "Four levels by GPTQ, entropy-coded: no epoch of training, and 0.2 points "
           "lost.", {"levels": 4, "coding": "entropy"}, "mnist5k", LENET, ""),
    Preset("Deep Compression, step by step", "three steps", "Han et al. (2016): prune and train again, share four values, "
           "code. 'Where the bytes go' shows what each step saves.",
           {"scheme": "codebook", "levels": 4, "coding": "entropy"}, "mnist5k", LENET, PRUNED),
    Preset("How few bits?", "bits", "256 levels, then fewer and fewer: rounding to the nearest level fails first.",
           {"coding": "entropy"}, "mnist5k", LENET, ""),
    Preset("Ternary", "ternary", "Three values for every weight of a layer: minus one step, zero, one step.",
           {"levels": 3, "coding": "entropy"}, "mnist5k", LENET, ""),
    Preset("Not a byte over 16 kB", "target", "The levels of each layer are chosen for a file of at most 16,000 bytes: 67 "
           "times smaller, 0.7 points lost, nothing trained.",
           {"levels": 16, "allocation": "measured", "budget": 16000, "coding": "entropy"}, "mnist5k", LENET, ""),
    Preset("What rounding lost", "correction", "Three nearest levels give 30 % right answers. A correction of rank 8 beside "
           "them (LQER) gives 89 %.", {"scheme": NEAREST, "levels": 3, "correction": 8, "precision": "int8",
                                       "coding": "entropy"}, "mnist5k", LENET, ""),
    Preset("Int8 and the clock", "clock", "A byte for each weight and each input of a layer: whole numbers are multiplied. "
           "The file is four times smaller and as accurate; a batch takes about half the time, a single example twice.",
           {"levels": 256, "per": "channel", "activations": "int8", "coding": "none"}, "mnist5k", LENET, ""),
)
SCHEMES = {"gptq": "GPTQ", NEAREST: quantize_charts.NEAREST, "codebook": quantize_charts.CODEBOOK}


class QuantizePage(MethodPage):
    """Rounding of the network's weights to a few levels."""

    method = "quantize"
    open_settings = 3
    presets = PRESETS

    def label(self, value: int) -> str:
        """A number of levels."""
        return f"{value:,}"

    def caption(self, value: int) -> str:
        """The same as bits."""
        return f"Levels · {quantize_charts.bits(value)}"

    def stop(self, value: int) -> str:
        """A stop of the dial under the pointer: 5 levels, 2.3 bits."""
        return quantize_charts.in_words(value)

    def curve_name(self, recipe: Recipe) -> str:
        """A curve in the legend: the scheme, and what else is not at its default."""
        step = recipe.methods[-1]
        return ", ".join([SCHEMES.get(step.values["scheme"], step.values["scheme"]),
                          *setting_words.changed_settings(step, self.card, but=("scheme", "activations")),
                          *(["inputs of 8 bits"] if step.values.get("activations") == "int8" else [])])

    def hero(self, state: CurveState, others: dict[str, list[dict]]) -> charts.Chart:
        """The curve, beside it the same network rounded in other ways."""
        found = controls(state)
        beside = quantize_charts.controls({SCHEMES.get(name, name): points for name, points in found.items()})
        drawn = {trace["name"] for trace in beside}
        return charts.accuracy_size(
            state.points, state.reference, method=self.method, name=self.curve_name(state.recipe), values=state.values,
            others={name: points for name, points in others.items() if name not in {*drawn, *found}}, start=state.start,
            label=self.stop, beside=beside)

    def tiles(self, state: CurveState) -> list[list[tuple[str, str]] | None]:
        """Size with the bits that a weight takes, accuracy and speed."""
        points = {point["dial"]: point for point in state.points}
        return [shown and self._with_bits(shown, points[value])
                for value, shown in zip(state.values, super().tiles(state), strict=True)]

    def _with_bits(self, shown: list[tuple[str, str]], point: dict) -> list[tuple[str, str]]:
        """30.5 kB: 35× smaller · 1.1 bits."""
        (size, smaller), *others = shown
        weights = quantize_charts.weights(point)
        return [(size, f"{smaller} · {8 * point['bytes'] / weights:.1f} bits" if weights else smaller), *others]

    def notices(self, state: CurveState) -> list[str]:
        """The results at this stop in sentences: bits, zeros, and what rounding to the nearest level would give."""
        if not state.point:
            return []
        first, *rest = super().notices(state)
        inside = [bits_and_zeros(state), errors(state)] if "layers" in state.point["inside"] else []
        return [first, against_nearest(state), *inside, *rest, *results.notes(state)]

    def picture(self, state: CurveState) -> charts.Chart | None:
        """One layer's weights, and the levels that they are rounded to."""
        if not state.points or "layers" not in state.view:
            return None
        number = layer_choice.chosen("quantize.layer", len(state.view["layers"]))
        return quantize_charts.weights_and_levels(state.view["layers"][number], number, state.points, state.values)

    def picture_choice(self, state: CurveState) -> bool:
        """Which layer's weights are shown."""
        titles = [layer["title"] for layer in state.view.get("layers", ())]
        return layer_choice.choose("quantize.layer", "Layer in the histogram", titles, collapsed=True)

    def folds(self, state: CurveState) -> list[Fold]:
        """Errors of the layers' outputs, how sensitive they are, and rate and distortion."""
        if not state.points or "layers" not in state.view:
            return []
        return [Fold("Layer by layer: errors and sensitivity", lambda: self.draw("layers", [
                    quantize_charts.output_errors(state.points, state.values),
                    quantize_charts.sensitivity(state.view, state.points, state.values)])),
                Fold("Rate and distortion", lambda: self.draw("rate", [
                    {**quantize_charts.rate_distortion(state.points, state.values), "span": "wide"}]))]


def controls(state: CurveState) -> dict[str, list[dict[str, Any]]]:
    """Name -> points of what this curve measures beside its own: rounding to the nearest level, 16-bit floats."""
    if "controls" not in state.cache:
        runs = [run for run in state.plan.runs if run.role != CURVE and run.label] if state.plan else []
        points = session.store().points_of({run.key for run in runs}, state.teacher["digest"]) if runs else {}
        found: dict[str, list[dict[str, Any]]] = {}
        for run in runs:
            if run.key in points:
                found.setdefault(run.label, []).append(points[run.key])
        state.cache["controls"] = found
    return state.cache["controls"]


def against_nearest(state: CurveState) -> str:
    """The same levels by rounding to the nearest, on the same examples."""
    other = next((point for point in controls(state).get(NEAREST, ()) if point["dial"] == state.dial), None)
    if not other:
        return ""
    store, digest = session.store(), state.teacher["digest"]
    ours = store.predictions(state.recipe.key(), digest)
    theirs = store.predictions(Recipe.parse(other["recipe"]).key(), digest)
    *_, chance = notice.paired(theirs, ours, state.teacher["card"]["labels"])
    lost = state.point["accuracy"] - other["accuracy"]
    verdict = "" if not lost else ", a significant difference" if chance < 0.05 else ", within noise"
    return f"Rounded to the nearest level instead, it is <b>{words.points_lost(lost)}</b>{verdict}."


def bits_and_zeros(state: CurveState) -> str:
    """5 levels are 2.3 bits a weight, 1.10 after coding: levels near zero are used most; 61 % of the weights are zero."""
    fewer, none = quantize_charts.bits_after_coding(state.point), quantize_charts.zeros(state.point)
    after = "after coding" if state.settings.get("coding") == "entropy" else "if they were coded"
    use = "near zero are used most" if fewer < 0.95 * log2(state.dial) else "are used almost equally often"
    text = (f"{state.dial} levels are {quantize_charts.bits(state.dial)} a weight, <b>{fewer:.2f} {after}</b>: levels {use}")
    if state.settings.get("correction"):
        more = quantize_charts.bits_of_correction(state.point)
        return f"{text}; the correction of rank {state.settings['correction']} adds <b>{more:.2f} bits</b>."
    return f"{text}; {words.percent(none, 0)} of the weights are zero." if none else f"{text}."


def errors(state: CurveState) -> str:
    """The layer whose outputs lose most, and what GPTQ saves there."""
    worst = max(state.point["inside"]["layers"], key=lambda layer: layer["error"])
    text = (f"Layer {outside.html(worst['path'])} loses most: {words.percent(worst['error'])} of its outputs' energy on "
            "calibration examples")
    if worst["error"] < 0.99 * worst["error_nearest"]:
        return f"{text}; rounding to the nearest level, {words.percent(worst['error_nearest'])}."
    return f"{text}."


page = open_page("Quantize", "Drag the dial: each weight is rounded to the nearest of a few levels. "
                 "Watch how few levels still give the right answers.", {"quantize": "Quantization"})
explore(QuantizePage(page))
