"""What a visitor takes away of a chain: the last network's file, the whole staircase as a table, a link, and code."""

from __future__ import annotations

import shlex

import streamlit as st

from compress.service.snippet import chain_snippet, snippet
from pages.ui.chains.state import ChainState
from pages.ui.charts import words
from pages.ui.explore import exports
from pages.ui.shell import session
from pages.ui.shell.choice import Card


def draw(state: ChainState, known: Card) -> None:
    """Buttons and code for the network at the dial."""
    point, files = state.point, session.store().artefacts
    if not point:
        return
    row, sound = st.container(horizontal=True), files.has(point["digest"])
    row.download_button(f"The last network's file ({words.size(point['bytes'])})", key="chain.file",
                        data=(lambda: files.contents(point["digest"])) if sound else b"", disabled=not sound,
                        help=None if sound else "Its file is missing or damaged. Measure it again.",
                        file_name=exports.file_name(state.recipe, point["bytes"], known), icon=":material/download:",
                        on_click="ignore")
    everything = [one for points in state.held if points for one in points]
    row.download_button("All stairs as CSV", lambda: exports.table_of(everything), "chain.csv", "text/csv", key="chain.csv",
                        icon=":material/table:", on_click="ignore")
    with st.expander("Link and code for this chain", icon=":material/code:"):
        st.caption("This address restores everything that is chosen here:")
        st.code(session.address(), language=None, wrap_lines=True)
        st.caption("Run it beside this project's folder `compress/`: it makes the last network and prints its accuracy and "
                   "size.")
        st.code(snippet(state.recipe, known["methods"]), language="python")
        st.caption("The same for every stop of the dial:")
        st.code(chain_snippet(state.recipe, known["methods"], state.chain.dial_step, state.values), language="python")
        st.caption("Every network on the way, from a shell; and the line under which the last one is stored:")
        st.code(shell(state), language="bash", wrap_lines=True)
        st.code(state.recipe.text(), language=None, wrap_lines=True)


def shell(state: ChainState) -> str:
    """The command line that measures the chain at all stops."""
    recipe, number = state.chain.curve, state.chain.dial_step
    step = [] if number == len(recipe.methods) else [("--dial-step", str(number))]
    options = [("--data", recipe.data), ("--teacher", recipe.teacher.text()),
               ("--method", "+".join(step.text() for step in recipe.methods)),
               *step, ("--dial", ",".join(f"{value:g}" for value in state.values)),
               ("--seed", str(recipe.seed))]
    return "python -m compress curve " + " ".join(f"{name} {shlex.quote(value)}" for name, value in options)
