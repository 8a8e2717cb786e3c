"""The panel of one to four opened networks: what they predict, whom they fail, how sure they are, their layers and code."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import streamlit as st

from compress.points import predicted
from compress.service.snippet import loading, snippet
from pages.ui.all_methods import looking, opened, questions
from pages.ui.all_methods.keeping import deleting
from pages.ui.all_methods.onnx_panel import onnx, program
from pages.ui.all_methods.opened import Opened
from pages.ui.charts import outside, panel_charts, words
from pages.ui.explore import cards, exports, pictures
from pages.ui.liveplot import liveplot
from pages.ui.shell import session, widgets
from pages.ui.shell.choice import Card
from pages.ui.shell.filters import LOOKS

Row = dict[str, Any]
FLIPPED, CLASSES, SURE, LAYERS, CODE = "Examples that flipped", "Each class", "How sure", "Layers", "File and code"
SECTIONS = dict(zip(LOOKS, (FLIPPED, CLASSES, SURE, LAYERS, CODE), strict=True))  # name in the link -> on the page
PICTURES = 12  # of each kind of flip


def take(identity: str) -> None:
    """A clicked point is opened beside those that are; a click on an opened one changes nothing, a fifth takes the place of
    the first."""
    filters = session.filters()
    if identity not in filters.opened:
        session.narrow(replace(filters, opened=(*filters.opened, identity)[-opened.MOST:]))


def close(identity: str) -> None:
    """Takes a network out of the panel."""
    filters = session.filters()
    session.narrow(replace(filters, opened=tuple(one for one in filters.opened if one != identity)))


def draw(networks: list[Opened], known: Card) -> None:
    """The panel of opened networks; nothing where there is none."""
    if not networks:
        return
    with st.container(border=True, key="panel"):
        for column, network in zip(st.columns(len(networks), gap="medium"), networks, strict=True):
            with column:
                _head(network, known)
        section = st.segmented_control("What to look at", list(SECTIONS.values()), required=True,
                                       label_visibility="collapsed", **widgets.bound_chips(
                                           "panel.section", SECTIONS[session.filters().look], _look))
        DRAWN[section](networks, known)


def _look(title: str) -> None:
    (name,) = (name for name, own in SECTIONS.items() if own == title)
    session.narrow(replace(session.filters(), look=name))


def _head(network: Opened, known: Card) -> None:
    row = network.row
    colour = panel_charts.COLOURS[panel_charts.LETTERS.index(network.letter)]
    st.html(f"<div class='ce-opened'><span style='background:{colour}'>{network.letter}</span>{outside.html(row['network'])}"
            f"<small>{outside.html(row['teacher_title'])}, {outside.html(row['data_title'])}</small></div>")
    ratio = words.times_smaller(row["bytes"], network.card["bytes"])
    st.html(cards.row([(words.accuracy(row), words.points_lost(network.card["accuracy"] - row["accuracy"])),
                       (words.size(row["bytes"]), ratio)]))
    with st.container(horizontal=True, gap="xsmall", vertical_alignment="center", key=f"answer-panel.{row['id']}"):
        questions.buttons(row, known, f"panel.{row['id']}")
        deleting.button(row, f"panel.{row['id']}")
        st.button("Close", key=f"panel.close.{row['id']}", icon=":material/close:", on_click=close, args=[row["id"]])


def _flipped(networks: list[Opened], known: Card) -> None:
    for column, network in zip(st.columns(len(networks), gap="medium"), networks, strict=True):
        with column:
            found = network.flips
            p = predicted.mcnemar(len(found.lost), len(found.gained))
            verdict = "more than chance would do" if p < predicted.SIGNIFICANT else "within what chance does"
            st.markdown(f"**{network.letter}**: {len(found.lost)} right → wrong, {len(found.gained)} wrong → right, "
                        f"{len(found.moved)} wrong otherwise, of {len(network.ours):,}. The balance is {verdict} "
                        f"(p = {p:.2g}).")
            _gallery(network, found.lost, "Right → wrong")
            _gallery(network, found.gained, "Wrong → right")
            if not (found.lost or found.gained):
                st.caption("No example is right for one of the two alone.")


def _gallery(network: Opened, rows: list[int], title: str) -> None:
    """Pictures of flipped examples, those first of which the network is surest."""
    if not rows:
        return
    confidence = network.inside["confidence"] if network.inside else None
    first = sorted(rows, key=lambda row: -confidence[row])[:PICTURES] if confidence else rows[:PICTURES]
    shown = pictures.of_examples({"pictures": network.pictures}, first)
    names = network.card["classes"]
    st.markdown(f"**{title}**" + (f", {len(first)} of {len(rows)}" if len(rows) > len(first) else ""))
    captions = [f"{names[network.teachers[row]]} → {names[network.ours[row]]}"
                + (f", {confidence[row]} %" if confidence else "") for row in first]
    if shown:
        st.html(pictures.gallery(list(zip(shown, captions, strict=True)), size=64, widest=110))
    else:
        st.caption(outside.markdown(", ".join(captions)))


def _classes(networks: list[Opened], known: Card) -> None:
    first = networks[0]
    same = [one for one in networks if one.row["reference"] == first.row["reference"]]
    if len(same) < len(networks):
        st.caption(f"Classes are compared on the same examples: only networks of {first.letter}'s teacher are shown.")
    for network in same:
        st.markdown(f"**{network.letter}**: {outside.markdown(paying(network))}")
    labels, names = first.card["labels"], first.card["classes"]
    guesses = [first.teachers, *(one.ours for one in same)]
    confusions = [predicted.confusion(one, labels, len(names)) for one in guesses]
    liveplot([panel_charts.recalls(predicted.recalls(first.teachers, labels, names),
                                   [predicted.recalls(one.ours, labels, names) for one in same]),
              *(panel_charts.confusion_difference(one.letter, confusions[0], own, names)
                for one, own in zip(same, confusions[1:], strict=True))], key="panel.classes")


def paying(network: Opened) -> str:
    """Whether one class pays for the compression, in a sentence of plain text."""
    labels, names = network.card["labels"], network.card["classes"]
    found = predicted.payer(network.flips, labels, len(names))
    if not found:
        return "no class lost more examples than it won."
    lost = (f"class {names[found.number]} lost {found.lost} of its {labels.count(found.number)} examples and won "
            f"{found.gained} (p = {found.p:.2g}, corrected for {len(names)} classes)")
    return (f"one class lost significantly more examples than it won: {lost}." if found.is_paying else
            f"no class lost significantly more examples than it won; the largest loss: {lost}.")


def _sure(networks: list[Opened], known: Card) -> None:
    if looking.ready(networks):
        liveplot([panel_charts.calibration([(one.letter, one.inside["calibration"]) for one in networks if one.inside])],
                 key="panel.sure")
        errors = ", ".join(f"{one.letter} {one.row['expected_calibration_error']:.3f}" for one in networks)
        st.caption(f"Expected calibration error, the mean distance from the dashed line: {errors}; "
                   f"the teacher {networks[0].card['expected_calibration_error']:.3f}.")


def _layers(networks: list[Opened], known: Card) -> None:
    if not looking.ready(networks):
        return
    inside = [(one.letter, one.inside["changes"]) for one in networks if one.inside]
    charts = panel_charts.changes(inside)
    if charts:
        liveplot(charts, key="panel.changes")
        paths = {row["path"]: row["layer"] for _, rows in inside for row in rows if "histogram" in row}
        if paths:
            path = st.selectbox("Layer", list(paths), format_func=lambda path: outside.name(paths[path]), key="panel.layer")
            liveplot(panel_charts.of_layer(path, inside), key="panel.of_layer")
    else:
        st.caption("No layer is in the place of one of the teacher's: there is nothing to compare weights or outputs with.")
    for column, network in zip(st.columns(len(networks), gap="medium"), networks, strict=True):
        column.markdown(f"**{network.letter}**")
        column.dataframe(layer_table(network.inside or {"layers": []}), hide_index=True)


def layer_table(inside: Row) -> dict[str, list[Any]]:
    """The layers of a network column by column, for a table."""
    rows = inside["layers"]
    return {"layer": [row["layer"] for row in rows], "parameters": [row["parameters"] for row in rows],
            "multiply-adds": [row["macs"] for row in rows], "bytes in the file": [row["bytes"] for row in rows]}


def _code(networks: list[Opened], known: Card) -> None:
    for column, network in zip(st.columns(len(networks), gap="medium"), networks, strict=True):
        with column:
            st.markdown(f"**{network.letter}**")
            onnx(network, known)
            program(network, known)
            name = exports.file_name(network.recipe, network.row["bytes"], known)
            st.caption("Reads the downloaded file, prints its accuracy and what it predicts for five examples:")
            st.code(loading(name, network.recipe.data), language="python")
            if network.recipe.methods:
                st.caption("Makes the same network again:")
                st.code(snippet(network.recipe, known["methods"]), language="python")
            st.code(network.recipe.text(), language=None, wrap_lines=True)


DRAWN = {FLIPPED: _flipped, CLASSES: _classes, SURE: _sure, LAYERS: _layers, CODE: _code}
