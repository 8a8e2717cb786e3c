"""Sparse coding: weights, and data, as sums of few atoms of a learned dictionary."""

import base64
import zlib

import streamlit as st

from compress.recipe import Recipe
from pages.ui import charts, layer_choice, pictures, results, session, sparse_charts, words
from pages.ui.curve import Preset, Shown, Story, explore
from pages.ui.frame import open_page
from pages.ui.liveplot import liveplot

WEIGHTS = (
    Preset("Digits in a second", "Blocks of a small network's weights.", {"atoms": 32, "block": 8}, "digits",
           "LeNet-300-100"),
    Preset("LeNet-300-100 on MNIST-5k", "128 atoms of 16 weights for each layer, coefficients in one byte.", {}, "mnist5k",
           "LeNet-300-100"),
    Preset("Random atoms instead", "The same without learning: is the dictionary worth it?", {"dictionary": "random"},
           "mnist5k", "LeNet-300-100"),
    Preset("Trained afterwards", "Atoms and coefficients learn on, three epochs, with their places fixed.",
           {"recovery_epochs": 3, "nonzeros": 1}, "mnist5k", "LeNet-300-100"),
)
DATA = (
    Preset("Parts of small digits", "8x8 digits as sums of few atoms, in seconds.", {"dictionary_size": 64}, "digits",
           "LeNet-300-100"),
    Preset("Strokes from digits", "Whole digits as sums of few atoms: watch these become strokes.", {"terms": 8},
           "mnist5k", "LeNet-300-100"),
    Preset("Tiles of 7×7", "Four by four tiles share one dictionary of edges.", {"tile": 7, "dictionary_size": 64},
           "mnist5k", "LeNet-300-100"),
    Preset("A classifier on the codes", "It sees which atoms were chosen instead of pixels.",
           {"classify": "codes", "terms": 8}, "mnist5k", "LeNet-300-100"),
    Preset("Random projections instead", "As many bytes of each digit, without any learning: compressed sensing.",
           {"classify": "projections", "terms": 8}, "mnist5k", "LeNet-300-100"),
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
    """What the results say, which layers were coded, and how these run."""
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


def data_charts(now: Shown) -> list[charts.Chart]:
    """Errors, use of the atoms, and learning."""
    if not now.points:
        return []
    shown = [sparse_charts.data_errors(now.points, now.values), sparse_charts.usage(now.points, now.values)]
    if now.point and now.point["inside"]["errors"]:
        total = now.recipe.methods[-1].values["learning_rounds"]
        shown.append({**sparse_charts.iterations(now.point["inside"]["errors"], now.dial, total), "span": "wide"})
    return shown


def notice_data(now: Shown) -> list[str]:
    """What the results say, and what coherence promises."""
    if not now.point:
        return []
    inside = now.point["inside"]
    return [*results.sentences(now), f"Validation examples keep {words.percent(1 - inside['error'])} of their energy "
            f"(PSNR {inside['psnr']:.1f} dB) with {inside['mean_nonzeros']:.1f} atoms a tile on average.",
            f"The atoms' coherence is {inside['coherence']:.2f}: theory (Tropp 2004) promises that a pursuit finds the "
            f"right atoms of signals with fewer than {inside['bound']:.1f}; beyond that it may, and often does."]


def below_data(now: Shown) -> None:
    """The dictionary as it is learned, the atoms, examples rebuilt, and one pursuit step by step."""
    if now.running and now.job["live"] and "standing" in now.job["live"][-1] and "tile" in now.view:
        learning(now.job["live"][-1]["standing"], now)
    if not now.point or "tile" not in now.view:
        return
    inside, shape = now.point["inside"], now.view["tile"]
    st.subheader("The atoms, most used first")
    st.html(pictures.gallery([(one, str(number)) for number, one in enumerate(unpacked(inside["atoms"], shape), start=1)],
                             size=56))
    st.subheader(f"Examples rebuilt from {label(now.dial)}" + (" a tile" if now.recipe.methods[-1].values["tile"] else ""))
    st.html(pictures.gallery(list(zip(now.view["original"], now.view["labels"], strict=True))))
    st.html(pictures.gallery([(values, "rebuilt") for values in inside["rebuilt"]]))
    stepping(now)


def learning(standing: dict, now: Shown) -> None:
    """The dictionary of the point that is being made."""
    total = now.recipe.methods[-1].values["learning_rounds"]
    st.subheader(f"Learning now: {standing['nonzeros']} non-zeros, iteration {len(standing['errors'])} of {total}")
    st.html(pictures.gallery([(one, "") for one in unpacked(standing["atoms"], now.view["tile"])], size=44))


def stepping(now: Shown) -> None:
    """Orthogonal matching pursuit of one tile, an atom at a time."""
    st.subheader("Orthogonal matching pursuit, step by step")
    paths, shape = now.point["inside"]["paths"], now.view["tile"]
    number = session.remembered("code.example", 0) % len(paths)
    path = paths[number]
    steps = len(path["atoms"])
    step = min(session.remembered("code.step", 0), steps)
    if session.remembered("code.playing", False):
        step = (step + 1) % (steps + 1)
        session.remember("code.step", step)
        session.remember("code.playing", step < steps)
    left, right = st.columns([1, 5], gap="medium")
    with left:
        st.button("Next atom", key="code.next", width="stretch", disabled=step == steps,
                  on_click=lambda: session.remember("code.step", step + 1))
        st.button("Back to the start", key="code.start", width="stretch", disabled=step == 0,
                  on_click=lambda: session.remember("code.step", 0))
        if st.button("Pause" if session.remembered("code.playing", False) else "Play", key="code.play", width="stretch"):
            session.remember("code.playing", not session.remembered("code.playing", False))
            st.rerun()  # the whole page, which then moves by itself
        st.button("Another example", key="code.other", width="stretch", on_click=another, args=[number + 1])
    with right:
        rebuilt, rest = unpacked(path["rebuilt"], shape), unpacked(path["left"], shape)
        whole = "one of its tiles" if now.recipe.methods[-1].values["tile"] else "the example"
        shown = [(unpacked(path["tile"], shape)[0], whole),
                 (rebuilt[step], f"rebuilt from {step} atom{'s' if step != 1 else ''}"),
                 (rest[step], f"left: {words.percent(path['errors'][step])}")]
        if step:
            shown.append((unpacked(path["chosen"], shape)[step - 1], f"atom {path['atoms'][step - 1] + 1}, chosen now"))
        st.html(pictures.gallery(shown, size=140))
        if step:
            liveplot([sparse_charts.pursuit(path, step)], key="code.pursuit")
    st.caption("Each step takes the atom that looks most like what is left, then finds the best coefficients of all atoms "
               "chosen so far: what is left is at right angles to each of them, so no atom is taken twice.")


def another(number: int) -> None:
    """Begins the pursuit of another example."""
    session.remember("code.example", number)
    session.remember("code.step", 0)


def unpacked(text: str, shape: list[int]) -> list[list]:
    """Pictures as they were packed for transport: nested lists of 0..255 in the form of a tile."""
    if not text:
        return []
    count, size, contents = text.split(",", 2)
    levels = list(zlib.decompress(base64.b64decode(contents)))
    return [_shaped(levels[row * int(size):(row + 1) * int(size)], shape) for row in range(int(count))]


def _shaped(values: list[int], shape: list[int]) -> list:
    if len(shape) == 1:
        return values
    size = len(values) // shape[0]
    return [_shaped(values[start:start + size], shape[1:]) for start in range(0, len(values), size)]


def label(value: int) -> str:
    """A number of non-zeros in words."""
    return f"{value} atom{'s' if value > 1 else ''}"


def name_weights(recipe: Recipe) -> str:
    """A curve in the legend: dictionary, atoms and block, and what was trained."""
    own = recipe.methods[-1].values
    trained = f", trained {own['recovery_epochs']} epochs" if own["recovery_epochs"] else ""
    return f"{own['dictionary']}, {own['atoms']} atoms of {own['block']}, {own['storage']}{trained}"


def name_data(recipe: Recipe) -> str:
    """A curve in the legend: what the classifier saw, and of which tiles."""
    own = recipe.methods[-1].values
    tiles = f"tiles of {own['tile']}" if own["tile"] else "whole examples"
    return f"{own['classify']}, {own['source']}, {own['dictionary_size']} atoms, {tiles}"


page = open_page("Sparse code", "Weights, or examples, as sums of a few atoms from a learned dictionary. Drag the dial: "
                 "fewer atoms, a smaller file; watch what accuracy that costs.",
                 {"sparse_code": "The network's weights", "data_codes": "The data itself"})
if page.method == "sparse_code":
    explore(page, "sparse_code", WEIGHTS, Story(weight_charts, notice_weights, below_weights, label, name=name_weights))
else:
    explore(page, "data_codes", DATA, Story(data_charts, notice_data, below_data, label, name=name_data, shown=4,
                                            busy=lambda now: bool(session.remembered("code.playing", False))))
