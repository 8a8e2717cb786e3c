"""The order matrix as a map: the row's method first, the column's second, against the other way round. Never imports
streamlit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from compress.curves.chains.verdict import Verdict
from pages.ui.charts import marks, outside, palette, words
from pages.ui.charts.marks import Chart

FULL = 10.0  # percentage points of the strongest colour
HEIGHT = 430
OPACITY = 0.7  # of the strongest colour, so that the page's own colour of text can be read on it, light and dark


def order_map(methods: Sequence[tuple[str, str]], verdicts: Mapping[tuple[str, str], Verdict],
              refused: Mapping[tuple[str, str], str]) -> Chart:
    """One cell for each two methods and each order, so that a cell and its mirror have opposite numbers.

    Args:
        methods: (name, title); verdicts: (first, second) -> what is known; refused: (first, second) -> reason.
    """
    titles = [title for _, title in methods]
    names = [name for name, _ in methods]
    shown = [[_cell(row, column, verdicts, refused) for column in names] for row in names]
    trace = marks.heat(titles, titles, [[value for value, _, _ in row] for row in shown],
                       marks.signed(palette.VERMILION, palette.BLUE, OPACITY), "%{customdata}")
    return {"id": "order", "title": "The row's method first, then the column's: points gained over the other order",
            "span": "wide", "height": HEIGHT, "alt": in_words(dict(methods), verdicts),
            "figure": {"data": [{**trace, "zmin": -FULL, "zmax": FULL, "xgap": 3, "ygap": 3,
                                 "text": [[text for _, text, _ in row] for row in shown], "texttemplate": "%{text}",
                                 "textfont": {"size": 17, "color": "var(--text)"},
                                 "customdata": [[hover for *_, hover in row] for row in shown]}],
                       "layout": {"xaxis": {"type": "category", "side": "top", "title": {"text": "second"}, "tickangle": 0,
                                            "showgrid": False},
                                  "yaxis": {"type": "category", "autorange": "reversed", "title": {"text": "first"},
                                            "automargin": True, "showgrid": False},
                                  "margin": {"t": 70}}}}


def in_words(titles: Mapping[str, str], verdicts: Mapping[tuple[str, str], Verdict]) -> str:
    """How many pairs there are, and in how many the order matters."""
    clear = sum(one.is_significant for one in verdicts.values())
    return f"{len(verdicts)} pairs of {len(titles)} methods at equal bytes; the order matters in {clear}."


def _cell(row: str, column: str, verdicts: Mapping[tuple[str, str], Verdict],
          refused: Mapping[tuple[str, str], str]) -> tuple[float | None, str, str]:
    """(points or None, what stands in the cell, what is shown under the pointer)."""
    if row == column:
        return None, "", ""
    pair = (row, column) if (row, column) in verdicts or (row, column) in refused else (column, row)
    if pair in refused:
        return None, "refused", outside.html(refused[pair])
    if pair not in verdicts:
        return None, "", "not measured yet"
    one, sign = verdicts[pair], 1 if pair == (row, column) else -1
    points = sign * one.points
    number = f"{points:+.1f}".replace("-", "−")
    own, other = one.sizes if sign == 1 else one.sizes[::-1]
    told = [f"{value * sign:+.1f}".replace("-", "−") for value in one.by_seed]
    chance = f"p = {one.p:.2g}, {one.adjusted:.2g} for all pairs together (Holm)"
    text = f"<b>{number}</b>" if one.is_significant else number
    return points, f"{text}<br>{words.size((own + other) / 2)}", "<br>".join([
        f"<b>{number} points</b>, {'significant' if one.is_significant else 'may be chance'}", chance,
        f"by seed: {', '.join(told)}", f"{words.size(own)} against {words.size(other)}"])
