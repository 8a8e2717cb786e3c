"""What is in files, drawn: figures, classes, columns or pictures."""

from __future__ import annotations

from typing import Any

import streamlit as st

from pages.ui.charts import outside, words
from pages.ui.explore import cards, pictures
from pages.ui.liveplot import liveplot
from pages.ui.own_data import data_charts

CLASSES_SHOWN = 200


def draw(about: dict[str, Any]) -> None:
    """Everything of a preview, most important first."""
    st.html(cards.row(figures(about)))
    if about["problem"]:
        st.error(outside.markdown(about["problem"]), icon=":material/report:")
    for note in about["notes"]:
        st.caption(f":material/info: {outside.markdown(note)}")
    if about["pictures"]:
        st.html(pictures.gallery([(one["pixels"], outside.name(one["label"])) for one in about["pictures"]], size=56))
    left, right = st.columns([3, 2], gap="medium")
    with left:
        if about["map"]:
            liveplot([{**data_charts.examples_map(about["map"]), "span": "wide"}], key="own.map")
            st.caption("Classes that are apart here are easy for any network. Those that mix may still be apart in "
                       "directions that are not drawn, which a network has to find.")
    with right:
        _classes(about["classes"])
    if about["columns"]:
        _columns(about)


def figures(about: dict[str, Any]) -> list[tuple[str, str]]:
    """The figures in a row, each with what it is."""
    counts, duplicates = list(about["classes"].values()), about["duplicates"]
    found = [(f"{about['examples']:,}", "examples"), (" x ".join(map(str, about["shape"])), _of_shape(about)),
             (f"{len(counts)}", "classes"),
             (f"{about['words']:,}", "words of the training texts") if about["kind"] == "text" else
             (f"{about['missing']:,}", "missing value" if about["missing"] == 1 else "missing values")]
    if counts:
        found.append((words.percent(max(counts) / sum(counts)), "of the examples are of the largest class"))
    return [*found, (f"{duplicates:,}", f"{'duplicate' if duplicates == 1 else 'duplicates'}, which the splits leave out")]


def _of_shape(about: dict[str, Any]) -> str:
    """What the numbers of an example's shape are; of a table, also how many columns the features come from."""
    used = about["columns_used"]
    of_columns = f", of {used:,} {'column' if used == 1 else 'columns'}" if used else ""
    return {"tabular": f"features an example{of_columns}", "image": "channels, height, width",
            "sequence": "features, length", "text": "tokens a text, at most"}[about["kind"]]


def _classes(counts: dict[str, int]) -> None:
    if not counts:
        return
    largest = max(counts.values())
    shown = list(counts.items())[:CLASSES_SHOWN]
    names = [outside.cell(outside.name(name)) for name, _ in shown]
    bars = st.column_config.ProgressColumn("examples", format="%d", min_value=0, max_value=largest)
    st.dataframe({"class": names, "examples": [count for _, count in shown]}, hide_index=True,
                 height=min(35 * len(shown) + 38, 420), column_config={"examples": bars})


def _columns(about: dict[str, Any]) -> None:
    """Each column of a table, what becomes of it, and its first values."""
    first = list(zip(*about["rows"], strict=True)) if about["rows"] else []
    st.dataframe([{"column": outside.cell(outside.name(column["name"])), "becomes": column["becomes"],
                   "missing": column["missing"],
                   "first values": outside.cell(outside.name(", ".join(first[place]))) if place < len(first) else ""}
                  for place, column in enumerate(about["columns"])],
                 hide_index=True, height=min(35 * len(about["columns"]) + 38, 320))
