"""Pruning: what is removed, its effect on the file, the arithmetic and the time, and the inputs that stay connected."""

import base64
import zlib
from functools import partial

import streamlit as st

from compress.curves.store import ACTIVE
from compress.recipe import Recipe
from compress.service.requests import SpeedRequest
from pages.ui.charts import charts, outside, prune_charts, speed_charts, words
from pages.ui.explore import layer_choice, pictures, results
from pages.ui.explore.curve import explore
from pages.ui.explore.curve_state import CurveState
from pages.ui.explore.folds import Fold, of_point
from pages.ui.explore.method_page import MethodPage, Preset
from pages.ui.liveplot import liveplot
from pages.ui.shell import records, session, tray
from pages.ui.shell.frame import open_page
from pages.ui.shell.gesture import begins

PRESETS = (
    Preset("Digits in a second", "digit", "The smallest weights of a small network are removed: the whole curve in a few "
           "seconds.", {}, "digits", "LeNet-300-100"),
    Preset("Words", "text", "Large weights belong to rare words: the criterion wanda counts how often a word "
           "occurs; compare it with magnitude.", {"criterion": "wanda"}, "docstrings", "Embedding bag"),
    Preset("Fewer words", "fewer words", "Whole rows of the embedding table are removed: how many of the words "
           "does the network need?", {"pattern": "inputs", "criterion": "wanda"}, "docstrings", "Embedding bag"),
    Preset("Counted words", "bag", "Which of 2,000 counted words does a network need to tell four libraries apart? Its "
           "first layer loses whole inputs.", {"pattern": "inputs", "criterion": "wanda"}, "docstring_words",
           "LeNet-300-100"),
    Preset("Genes", "genes", "Which of 765 genes does a network need to tell blood cells apart?", {}, "single_cells",
           "LeNet-300-100"),
    Preset("LeNet-300-100, one shot", "mask", "Half of the weights cost no accuracy; watch where it begins to fall.", {},
           "mnist5k", "LeNet-300-100"),
    Preset("The same, refitted", "refitted", "The weights that stay are refitted to make up for those removed: second "
           "order, without training.", {"criterion": "second_order", "sparsity": 0.95}, "mnist5k", "LeNet-300-100"),
    Preset("One weight at a time", "one by one", "The surgeon: after every removal the others are refitted and all scores "
           "are renewed. Compare it with second order.", {"criterion": "surgeon", "sparsity": 0.95}, "digits",
           "LeNet-300-100"),
    Preset("12× fewer weights, trained again", "learning", "Layer densities of Han et al. (2015), six epochs at a tenth of "
           "the rate. The file, with the places of the remaining weights, is 12.8× smaller; 8.6× if it is not coded.",
           {"densities": "8-9-26", "recovery_epochs": 6, "recovery_batch": 16, "sparsity": 0.9182}, "mnist5k",
           "LeNet-300-100"),
    Preset("Whole neurons: really faster", "neurons", "Units are removed with all their connections; the remaining "
           "network is smaller and dense.", {"pattern": "units", "criterion": "second_order", "sparsity": 0.5}, "mnist5k",
           "LeNet-300-100"),
    Preset("Channels of a LeNet-5", "channels removed", "The same for convolutions.",
           {"pattern": "units", "criterion": "second_order", "sparsity": 0.5}, "mnist5k", "LeNet-5"),
    Preset("2:4, the pattern of GPUs", "two of four", "Two of every four consecutive weights are removed.",
           {"pattern": "n:4", "criterion": "second_order", "sparsity": 0.5}, "mnist5k", "LeNet-300-100"),
    Preset("The lottery ticket", "ticket", "The remaining weights return to their initial values and are trained again; the "
           "schedule redraw is the control.",
           {"schedule": "rewind", "recovery_epochs": 8, "recovery_rate": 0.002, "sparsity": 0.9}, "mnist5k",
           "LeNet-300-100"),
)
STORED = {"dense": "dense", "csr": "with indices", "bitmask": "with a bitmask", "columns": "input by input",
          "even": "as codes", "ragged": "as codes"}


class PrunePage(MethodPage):
    """Pruning of weights, of N:M patterns, and of whole units."""

    method = "prune"
    open_settings = 3
    presets = PRESETS

    def curve_name(self, recipe: Recipe) -> str:
        """A curve in the legend: the criterion, and what is not at its default."""
        own = recipe.methods[-1].values
        usual = {"pattern": "unstructured", "schedule": "one_shot"}
        parts = [own["criterion"]] + [own[setting] for setting in usual if own[setting] != usual[setting]]
        where = own["densities"] if own["densities"] != "none" else own["allocation"]
        parts += [where] if where != "global" else []
        parts += [f"{own['rounds']} rounds"] if own["rounds"] > 1 else []
        parts += [f"trained {own['recovery_epochs']} epochs"] if own["recovery_epochs"] else []
        return ", ".join(str(part).replace("_", " ") for part in parts)

    def notices(self, state: CurveState) -> list[str]:
        """The results at this stop in sentences: file, arithmetic and time."""
        if not state.point or not state.view:
            return []
        point = state.point
        found = [*super().notices(state), effects(point, state.reference), unlike_layers(state)]
        found += whole_inputs(state)
        cut, inputs = inputs_cut(point["inside"])
        if cut and "inputs_kept" not in point["inside"]["layers"][0]:
            found.append(f"<b>{cut:,}</b> of {inputs:,} inputs have no connection left.")
        found += [f"<b>{layer['silent_outputs']:,}</b> of {layer['outputs']:,} units of layer "
                  f"{outside.html(layer['path'])} have no inputs left."
                  for layer in point["inside"]["layers"] if layer.get("silent_outputs")]
        return found + results.notes(state)

    def picture(self, state: CurveState) -> charts.Chart | None:
        """One layer's weights, with the threshold where there is one; what is removed of each layer where whole units go."""
        if not state.points:
            return None
        if "sizes" not in state.view:
            return prune_charts.removed_of_each(state.view, state.points, state.values)
        number = layer_choice.chosen("prune.layer", len(state.view["layers"]))
        return prune_charts.histogram(state.view["layers"][number], number, state.points, state.values,
                                      goes_by_size(state.recipe.methods[-1].values))

    def picture_choice(self, state: CurveState) -> bool:
        """Which layer's weights are shown."""
        titles = [layer["title"] for layer in state.view["layers"]] if "sizes" in state.view else []
        return layer_choice.choose("prune.layer", "Layer in the histogram", titles, collapsed=True)

    def folds(self, state: CurveState) -> list[Fold]:
        """What is saved, layer by layer, the masks, and the break-even map."""
        return [Fold("What is saved: file, arithmetic, time", partial(self._saved, state) if state.points else None),
                Fold("Layer by layer", partial(self._layers, state) if state.points else None),
                Fold("Which weights remain", of_point(masks, state) if "sizes" in state.view else None),
                Fold("Where does it really get faster?", lambda: speed(state))]

    def _saved(self, state: CurveState) -> None:
        shown = [prune_charts.savings(state.points, state.reference, state.values)]
        self.draw("saved", shown + ([prune_charts.forms(state.view, state.points, state.values)]
                                    if "sizes" in state.view else []))

    def _layers(self, state: CurveState) -> None:
        shown = [prune_charts.removed_of_each(state.view, state.points, state.values),
                 prune_charts.sensitivity(state.view, state.points, state.values)]
        looked_at = prune_charts.inputs(state.view, state.points, state.values) if "sizes" in state.view else None
        self.draw("layers", shown + ([looked_at] if looked_at else []))

    def waits(self, state: CurveState) -> bool:
        """While the break-even map is measured, too."""
        job = speed_job(state)
        return super().waits(state) or (job is not None and job["state"] in ACTIVE)


def goes_by_size(own: dict) -> bool:
    """Whether the remaining weights of a layer are those above a size: not where others were removed, or training changed
    them."""
    return (own["criterion"], own["pattern"], own["recovery_epochs"]) == ("magnitude", "unstructured", 0)


def inputs_cut(inside: dict) -> tuple[int, int]:
    """How many of how many inputs no weight connects any more; points of an earlier version have all counts instead."""
    all_counts = inside["inputs"] or []
    return tuple(inside.get("inputs_cut") or (sum(not one for one in all_counts), len(all_counts)))


def whole_inputs(state: CurveState) -> list[str]:
    """Where whole inputs are removed: how many remain, and the words that count most where inputs are words."""
    layer = state.point["inside"]["layers"][0]
    if "inputs_kept" not in layer:
        return []
    first = state.view["layers"][0]["first_inputs"] if state.view else []
    found = [f"<b>{layer['inputs_kept']:,}</b> of {layer['inputs']:,} {'words' if first else 'inputs'} remain."]
    if first:
        found.append("The last ones to go: " + ", ".join(f"<i>{outside.html(word, 30)}</i>" for word in first) + ".")
    return found


def effects(point: dict, reference: dict) -> str:
    """One sentence that keeps file, multiply-adds and time apart."""
    ratio = reference["macs"] / point["macs"] if point["macs"] else 0.0
    fewer = (f"it needs <b>{ratio:.1f}× fewer</b> multiply-adds" if ratio >= 1.05 else
             "it needs as many multiply-adds" if ratio else "no multiply-add is left")
    clock = words.speed(point)
    if point.get("latency") is None:
        file = words.smaller_than(point["bytes"], reference["bytes"], "the teacher")
        return f"The file is {file}, and {fewer}; it was not timed."
    link = "and it runs" if point["latency_high"] < 1 or ratio < 1.05 else "but it runs"
    why = "" if point["latency_high"] < 1 or point["inside"]["layers"][0].get("form") in (None, "columns") else (
        ": until about 85 % of a layer is removed, its zeros are multiplied too. Remove whole units to gain speed")
    return f"At this stop {fewer}, {link} <b>{clock}</b>{why}."


def unlike_layers(state: CurveState) -> str:
    """Which layer lost most and which least."""
    shares = sorted((layer["kept"] / layer["total"], layer["path"]) for layer in state.point["inside"]["layers"])
    (least, first), (most, last) = shares[0], shares[-1]
    if most - least < 0.05:
        return ""
    return (f"From layer {outside.html(first)} {words.percent(1 - least)} is removed, from layer {outside.html(last)} "
            f"{words.percent(1 - most)}.")


def masks(state: CurveState) -> None:
    """The weights that remain, a picture for each layer: rows are outputs, columns inputs."""
    layers = state.point["inside"]["layers"]
    titles = {layer["path"]: layer["title"] for layer in state.view["layers"]}
    st.caption("Rows are a layer's outputs, columns its inputs; black is empty, white the densest place of the layer. Large "
               "layers are shown in blocks.")
    st.html(pictures.gallery([([unpacked(layer["mask"])], f"{titles[layer['path']]}: {layer['kept']:,} remain, stored "
                               + STORED[layer["form"]])
                              for layer in layers if layer["total"] > 0], size=150, widest=340))


def unpacked(picture: str) -> list[list[int]]:
    """A mask's picture as rows of 0..255, its densest place white."""
    rows, columns, packed = picture.split(",", 2)
    levels = zlib.decompress(base64.b64decode(packed))
    most, width = max(levels) or 1, int(columns)
    return [[255 * level // most for level in levels[row * width:(row + 1) * width]] for row in range(int(rows))]


def speed_job(state: CurveState) -> dict | None:
    """The newest measurement of the break-even map for this teacher."""
    return session.store().latest_job(records.job_key(state.recipe.reference(), "speed"))


def speed(state: CurveState) -> None:
    """The break-even map of this teacher on this machine: measured when asked for, kept afterwards."""
    teacher: Recipe = state.recipe.reference()
    st.caption("The same share of the teacher's weights removed in three ways, timed against the whole teacher on this "
               "machine: green is faster, red slower; bold: the 95 % interval leaves out equal times.")
    job, view = speed_job(state), session.store().view("speed", state.teacher["digest"])
    if job and job["state"] in ACTIVE:
        tray.progress(job, "page.speed")
        return
    tray.outcome(job)
    key = records.job_key(teacher, "speed")
    st.button("Measure it again" if view else "Measure it on this machine (some ten seconds)", icon=":material/timer:",
              **begins("prune.speed", key, partial(session.submit, SpeedRequest(teacher.text()), key, "Break-even map")))
    if view:
        st.html(f"<div class='ce-notice'>{' '.join(speed_charts.findings(view))} "
                f"(Timed on {outside.html(view['device'])}.)</div>")
        liveplot(speed_charts.maps(view), key="prune.speed.maps")


page = open_page("Prune", "Drag the dial: the least important weights are removed. Watch three effects that are not the "
                 "same: the file, the arithmetic, and the time.", {"prune": "Pruning"})
explore(PrunePage(page))
