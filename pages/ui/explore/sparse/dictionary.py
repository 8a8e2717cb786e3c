"""What pages of dictionaries share: words for the dial, and charts of how a dictionary is learned and used."""

from __future__ import annotations

import streamlit as st

from pages.ui.charts import charts, sparse_charts
from pages.ui.explore import pictures
from pages.ui.explore.curve_state import CurveState
from pages.ui.explore.method_page import MethodPage
from pages.ui.liveplot import liveplot


class DictionaryPage(MethodPage):
    """A page whose dial is a number of non-zeros."""

    def label(self, value: int) -> str:
        """A number of non-zeros in words."""
        return atoms_in_words(value)


def atoms_in_words(value: int) -> str:
    """A number of non-zeros in words."""
    return f"{value} atom{'s' if value > 1 else ''}"


def learning_and_use(state: CurveState) -> list[charts.Chart]:
    """How the dictionary at the dial was learned, and how it is used."""
    shown = []
    if state.point and state.point["inside"].get("errors"):
        shown += learned(state.point["inside"], state.dial, state.settings["iterations"])
    if any("usage" in point["inside"] for point in state.points):
        shown.append({**sparse_charts.usage(state.points, state.values), "span": "wide", "height": 240})
    return shown


def learned(found: dict, nonzeros: int, total: int) -> list[charts.Chart]:
    """Error and mean non-zeros of each iteration; planted atoms that were found, where there are any."""
    shown = [sparse_charts.iterations(found["errors"], nonzeros, total)]
    if found.get("found"):
        shown.append(sparse_charts.recovered(found["found"], nonzeros, total))
    else:
        shown.append(sparse_charts.mean_nonzeros(found["used"], nonzeros, total))
    return shown


def learning(state: CurveState, tile: list[int] | None = None) -> None:
    """The dictionary of the point that is being made, if there is one: its atoms, of a tile's shape, while it is learned."""
    if not (state.running and state.job["live"] and state.job["live"][-1]["kind"] == "dictionary"):
        return
    learned_so_far, total = state.job["live"][-1], state.settings["iterations"]
    done = len(learned_so_far["errors"])
    st.subheader(f"Learning now: {learned_so_far['nonzeros']} non-zeros, iteration {done} of {total}")
    if tile:
        st.html(pictures.gallery([(one, "") for one in pictures.unpacked(learned_so_far["atoms"], tile)], size=44))
    liveplot([*learned(learned_so_far, learned_so_far["nonzeros"], total),
              sparse_charts.usage_now(learned_so_far["usage"])],
             key="code.learning")
