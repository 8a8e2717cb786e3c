"""What the Sparse code page shows of a hidden layer's coded outputs."""

from __future__ import annotations

import streamlit as st

from pages.ui.charts import charts, sparse_charts, words
from pages.ui.explore import results
from pages.ui.explore.shown import Shown
from pages.ui.explore.sparse_data import label, learning, learning_and_use


def inside(now: Shown) -> list[charts.Chart]:
    """Errors beside those of other dictionaries, the mean coefficient of each atom by class, learning, and use."""
    if not now.points:
        return []
    shown = [sparse_charts.data_errors(now.points, now.values, "an example's outputs")]
    known = now.point["inside"] if now.point else {}
    if "by_class" in known:
        shown.append(sparse_charts.by_class(now.points, now.values, now.teacher["card"]["classes"]))
    return shown + learning_and_use(now, "passes")


def notice(now: Shown) -> list[str]:
    """The results in sentences, which layer was coded, and what the dictionary is worth."""
    if not now.point:
        return []
    known = now.point["inside"]
    first = [f"<b>{known['layer'][0].upper() + known['layer'][1:]}</b> are coded; the rest of the network takes what "
             "is rebuilt, and is not trained.", *results.sentences(now)]
    if "components" in known:
        return [*first, f"{known['components']} principal components keep {words.percent(1 - known['error'])} of their "
                f"energy: as many as take the bytes of {label(now.dial)} from a dictionary."]
    others = known["others"]
    return [*first, f"The codes keep {words.percent(1 - known['error'])} of the outputs' energy; principal components of as "
            f"many bytes keep {words.percent(1 - others['components'])}.",
            *(f"{note[0].upper() + note[1:]}." for note in now.point["notes"])]


def below(now: Shown) -> None:
    """The dictionary as it is learned, and which hidden layers there are."""
    learning(now, "passes")
    if len(now.view.get("cuts", [])) > 1:
        listed = "; ".join(f"**{number}**: {title}" for number, title in enumerate(now.view["cuts"]))
        st.caption(f"Hidden layers of this network, as the setting counts them: {listed}.")
