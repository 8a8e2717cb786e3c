"""Which method is best within a size: the most accurate network of each, compared with the one above it on the same
examples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import streamlit as st

from compress.points import predicted
from compress.search.target import Target
from pages.ui.all_methods import answers
from pages.ui.all_methods.answers import Group
from pages.ui.charts import outside, palette, words
from pages.ui.shell import session

Row = dict[str, Any]
RULE = ("Each line is the best of one method that was measured, and is compared with the line above on the same validation "
        "examples (McNemar's test, corrected for the number of lines). A duel on the page Chains compares two over several "
        "seeds.")


@dataclass(frozen=True)
class Line:
    """The best network of a method.

    Attributes:
        above: examples that only the network of the line above predicts right; own: those that only this one does.
        p: of McNemar's test, times the number of comparisons (Bonferroni), at most 1; None for the first line, and where
            predictions are missing.
    """

    row: Row
    above: int = 0
    own: int = 0
    p: float | None = None

    @property
    def verdict(self) -> str:
        """Against the line above: worse, or cannot tell; "" where nothing was compared."""
        if self.p is None:
            return ""
        return "worse" if self.p < predicted.SIGNIFICANT else "cannot tell"


def draw(group: Group, asked: Target) -> None:
    """Draws the lines; nothing where fewer than two methods have an answer."""
    found = answers.by_method(group, asked)
    if len(found) < 2:
        return
    record = session.store().teacher_of(group.teacher["reference"])
    labels = record["card"].get("labels", []) if record else []
    st.html(table(lines(found, _predictions(found), labels)))
    st.caption("Each against the line above, on the same examples.", help=RULE)


def lines(found: Sequence[Row], made: dict[str, Sequence[int]], labels: Sequence[int]) -> list[Line]:
    """A line for each network.

    Args:
        found: networks, the most accurate first; made: their keys -> predicted classes, as far as they are known.
        labels: of the same examples.
    """
    compared = [Line(found[0])]
    for upper, row in pairwise(found):
        ours, theirs = made.get(row["key"], ()), made.get(upper["key"], ())
        if not labels or not len(labels) == len(ours) == len(theirs):
            compared.append(Line(row))
            continue
        flips = predicted.flips(ours, theirs, labels)
        above, own = len(flips.lost), len(flips.gained)
        compared.append(Line(row, above, own, min(1.0, (len(found) - 1) * predicted.mcnemar(above, own))))
    return compared


def table(compared: Sequence[Line]) -> str:
    """The lines as HTML."""
    cells = "".join(f"<tr><td>{_swatch(one)} {outside.html(one.row['method_title'].lower())}</td>"
                    f"<td><b>{words.percent(one.row['accuracy'])}</b></td>"
                    f"<td>{words.size(one.row['bytes'])}</td><td title='{_details(one)}'>{one.verdict}</td></tr>"
                    for one in compared)
    return f"<table class='ce-methods'>{cells}</table>"


def _swatch(one: Line) -> str:
    """As on the plane: the edge in the colour of a chain's first method, the inside in that of its last one."""
    edge, inside = palette.of_first(one.row["method"]), palette.of_method(one.row["method"])
    return f"<span class='ce-swatch' style='border-color:{edge};background:{inside}'></span>"


def _details(one: Line) -> str:
    """The numbers behind a verdict, as HTML."""
    if one.p is None:
        return ""
    return f"alone right on {one.own}, the line above on {one.above} examples; p = {one.p:.2g}"


def _predictions(found: Sequence[Row]) -> dict[str, Sequence[int]]:
    """Key -> predicted classes. A network that another visitor has just deleted has none."""
    made = {}
    for row in found:
        try:
            made[row["key"]] = predicted.classes_of(session.store().predictions(row["key"], row["reference"]))
        except KeyError:
            continue
    return made
