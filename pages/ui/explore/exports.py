"""What a user takes away: the point's file, the curve as a table, a link, and code that makes the point again."""

from __future__ import annotations

import csv
import io
import shlex
from functools import partial
from typing import TYPE_CHECKING, Any

import streamlit as st

from compress.recipe import Recipe
from compress.service.snippet import loading, snippet
from pages.ui.charts import outside, words
from pages.ui.explore import folds
from pages.ui.explore.folds import Fold
from pages.ui.shell import session
from pages.ui.shell.choice import Card, preset_of

if TYPE_CHECKING:
    from pages.ui.explore.curve_state import CurveState

COLUMNS = ("dial", "accuracy", "accuracy_low", "accuracy_high", "agreement", "bytes", "parameters", "nonzeros", "macs",
           "latency", "latency_low", "latency_high", "negative_log_likelihood", "expected_calibration_error", "seed",
           "digest", "recipe")


def draw(state: CurveState, method: str) -> None:
    """Buttons and code for the point at the dial."""
    row, point, files = st.container(horizontal=True), state.point, session.store().artefacts
    name = file_name(state.recipe, point["bytes"], session.known())
    sound = not state.file_is_gone
    row.download_button(f"This point's file ({words.size(point['bytes'])})", key=f"file.{method}",
                         data=(lambda: files.contents(point["digest"])) if sound else b"", disabled=not sound,
                         help=None if sound else "Its file is missing or damaged. Measure it again.",
                         file_name=name,
                         icon=":material/download:", on_click="ignore")
    row.download_button("The curve as CSV", lambda: table_of(state.points), f"{method}.csv", "text/csv", key=f"csv.{method}",
                        icon=":material/table:", on_click="ignore")
    folds.draw([Fold("Link and code for this point", partial(_code, state, name), ":material/code:")], method)


def _code(state: CurveState, name: str) -> None:
    """name: of the point's file."""
    st.caption("This address restores everything that is chosen here:")
    st.code(session.address(), language=None, wrap_lines=True)
    st.caption("Run it beside this project's folder `compress/`: it trains the same teacher, makes the same network "
               "and prints the same accuracy and size.")
    st.code(snippet(state.recipe, session.known()["methods"]), language="python")
    if state.card["applies_to"] == "network":
        st.caption("Or read the downloaded file: this prints the same accuracy, and what it predicts for five examples.")
        st.code(loading(name, state.recipe.data), language="python")
    st.caption("The same from a shell, and as the line under which the point is stored:")
    st.code(shell(state), language="bash", wrap_lines=True)
    st.code(state.recipe.text(), language=None, wrap_lines=True)


def file_name(recipe: Recipe, size: int, known: Card) -> str:
    """What a point's file is called where it is kept: lenet-300-100_mnist5k_prune-0.95_51.2kB.safetensors.

    Args:
        size: in bytes.
    """
    preset = preset_of(recipe.teacher, known)
    teacher = preset["title"] if preset else recipe.teacher.name
    steps = [f"{step.name}-{step.values.get(known['methods'][step.name]['dial'])}" for step in recipe.methods]
    parts = [teacher.partition(",")[0].lower(), recipe.data, *steps, words.size(size).replace(" ", "")]
    return "_".join(map(outside.file_part, parts)) + ".safetensors"


def shell(state: CurveState) -> str:
    """The command line that measures this point."""
    *before, step = state.recipe.methods
    names = "+".join([*(one.text() for one in before), step.name])
    settings = [("--set", f"{name}={str(value).lower() if isinstance(value, bool) else value}")
                for name, value in step.settings if name != state.card["dial"]]
    options = [("--data", state.recipe.data), ("--teacher", state.recipe.teacher.text()), ("--method", names), *settings,
               ("--dial", str(state.dial)), ("--seed", str(state.recipe.seed))]
    return "python -m compress curve " + " ".join(f"{name} {shlex.quote(value)}" for name, value in options)


def table_of(points: list[dict[str, Any]], columns: tuple[str, ...] = COLUMNS) -> str:
    """Points as comma-separated values with a header line; no cell is a formula to a spreadsheet."""
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: outside.cell(value) for name, value in point.items()} for point in points)
    return text.getvalue()
