"""The compare page's parts: rows from the store, the plane with its Pareto front, table, pins."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from compress.curves import archive
from compress.recipe import BASELINE, CONTROL, Recipe
from pages.ui.all_methods import axes, final_reports
from pages.ui.all_methods.axes import Measure
from pages.ui.charts import charts, marks, outside, palette, setting_words, words
from pages.ui.shell import records, session, widgets

Row = dict[str, Any]
SEED = re.compile(r"/\d+$|,?student_seed=\d+")  # in a recipe: that of everything, and a student's own
HEIGHT = {"least": 340, "most": 640, "beside": 250}  # pixels: the plane is as high as the window leaves room for


def everything(known: dict[str, Any]) -> list[Row]:
    """The rows of all points, each with its pin."""
    titles = tuple((card["name"], card["title"], records.data_digest(card["name"])) for card in known["datasets"])
    return with_pins(records.of_all_points(("compare", titles), lambda points: rows(points, known)), session.store().pins())


def with_pins(found: list[Row], pins: dict[tuple[str, str], Row]) -> list[Row]:
    """The rows with the pins of now: what they were when the rows were made is forgotten."""
    none = {"pinned": None, "note": None}
    return [{**row, **pins.get((row["key"], row["reference"]), none)}
            if row["pinned"] or (row["key"], row["reference"]) in pins else row for row in found]


def rows(points: list[Row], known: dict[str, Any], contents: Callable[[str], str] = records.data_digest) -> list[Row]:
    """Points of networks with what the page shows: titles in words, the size against their teacher's, the hover text.

    Args:
        contents: name of a data set -> digest of what its files hold now.
    """
    titles = _data_titles(points, known, contents)
    names = {name: card["title"] for name, card in known["methods"].items()}
    data_methods = {name for name, card in known["methods"].items() if card["applies_to"] == "data"}
    teachers = {point["reference"]: point for point in points if point["method"] == "teacher"}
    shown = []
    for point in points:
        if point["method"].rpartition("+")[2] in data_methods or is_untrained(point):
            continue
        recipe, teacher = Recipe.parse(point["recipe"]), teachers.get(point["reference"])
        network = setting_words.methods_in_words(recipe.methods, known["methods"]) or "Teacher"
        shown.append({
            **{name: value for name, value in point.items() if name != "inside"},
            "id": f"{point['key']}/{point['reference']}",
            "data_title": titles[point["data"], point["data_digest"]],
            "method_title": "Teacher" if point["method"] == "teacher" else
            " + ".join(names.get(name, name) for name in point["method"].split("+")) + (
                ", control" if is_control(point) else ""),
            "control": is_control(point),
            "teacher_title": _teacher_title(recipe),
            "network": f"{network}, control" if is_control(point) else network,
            "settings": setting_words.settings_in_words(recipe, known["methods"]), "unseeded": SEED.sub("", point["recipe"]),
            "values": tuple(f"{step.name}.{name}={value}" for step in recipe.methods for name, value in step.settings),
            "smaller": teacher["bytes"] / point["bytes"] if teacher else None,
            "lost": teacher["accuracy"] - point["accuracy"] if teacher else None,
            })
    for row in shown:
        own = outside.html(f"{row['teacher_title']}, {row['data_title']}")
        row["hover"] = f"{charts.hover(row, row['network'])}<br>{own}"
    return sorted(shown, key=lambda row: (row["data_title"], row["teacher_title"], -row["bytes"]))


def is_untrained(point: Row) -> bool:
    """Whether a student's training diverged before it learned anything: its accuracy is that of random weights."""
    inside = point.get("inside") or {}
    return "diverged" in inside and not inside["best_epoch"]


def _data_titles(points: list[Row], known: dict[str, Any],
                 present: Callable[[str], str]) -> dict[tuple[str, str | None], str]:
    """(name, digest of the contents) -> title. Contents of the user's files that are unknown, and contents that a name no
    longer has, are marked, so that nobody takes their points for those of the present files."""
    cards = {card["name"]: card["title"] for card in known["datasets"]}
    found = {}
    for name, contents in {(point["data"], point["data_digest"]) for point in points}:
        title = outside.name(cards.get(name, name))
        if contents is None:
            found[name, contents] = f"{title} (contents unknown)" if name.startswith("local:") else title
        else:
            found[name, contents] = title if contents == present(name) else f"{title} (earlier contents {contents[:6]})"
    return found


def is_control(point: Row) -> bool:
    """Whether a point was measured only for others to be compared with."""
    return bool(point["roles"]) and {CONTROL, BASELINE}.issuperset(point["roles"])


def pareto(points: Sequence[Row]) -> list[Row]:
    """Points that no other one beats or equals in both accuracy and bytes, by rising bytes."""
    return axes.front(points, axes.MEASURES["bytes"], axes.MEASURES["accuracy"])


def plane(chosen: list[Row], x: Measure = axes.MEASURES["bytes"], y: Measure = axes.MEASURES["accuracy"],
          limits: Sequence[tuple[Measure, float]] = ()) -> charts.Chart:
    """One trace a method and data set, teachers as stars, the Pareto front as a line.

    Args:
        limits: lines at a value of a measure.
    """
    chosen = [row for row in chosen if x.of(row) is not None and y.of(row) is not None]
    groups: dict[str, list[Row]] = {}
    several = len({row["data_title"] for row in chosen}) > 1
    for row in chosen:
        name = f"{row['method_title']}, {row['data_title']}" if several else row["method_title"]
        groups.setdefault(name, []).append(row)
    front = axes.front(chosen, x, y)
    traces = [_front(front, x, y), *(_group(name, group, x, y) for name, group in groups.items())]
    if any(row["control"] for row in chosen):
        traces.append({"type": "scatter", "mode": "markers", "name": "hollow: control", "x": [None], "y": [None],
                       "marker": {"size": 10, "color": "var(--muted)", "symbol": "circle-open"}})
    pinned = [row for row in chosen if row["pinned"]]
    traces.append({**marks.ring(20, 4), "name": "pinned", "x": [row[x.key] for row in pinned],
                   "y": [row[y.key] for row in pinned]})
    across = axes.axis(x, chosen, zoomed=True)
    up = axes.axis(y, chosen, zoomed=True)
    below = sum(row[y.key] < up["range"][0] for row in chosen) if y.higher else 0
    return {"id": "plane", "title": _plane_title(x, y, below), "span": "wide", "height": 460, "fill": HEIGHT, "figure": {
        "data": traces, "layout": {
            "xaxis": across, "yaxis": up, "margin": {"l": 92, "b": 68}, "hovermode": "closest",
            "legend": marks.legend(1.03, font=12),
            "shapes": [shape for one, value in limits for shape in _line(one, value, x, y)]}},
        "alt": f"{len(chosen)} networks on a plane of {x.title} and {y.title}, {len(front)} of them on the Pareto front."}


def _plane_title(x: Measure, y: Measure, below: int) -> str:
    title = f"{y.title[:1].upper()}{y.title[1:].removesuffix(' on validation')} against {x.title}"
    return outside.html(f"{title} ({below:,} far below; a double click shows all)" if below else title)


def _front(front: list[Row], x: Measure, y: Measure) -> dict[str, Any]:
    ordered = sorted(front, key=lambda row: row[x.key])
    steps = marks.line([row[x.key] for row in ordered], [row[y.key] for row in ordered], "Pareto front", marks.MUTED,
                       dash="dot", width=2)
    return {**steps, "hoverinfo": "skip", "line": {**steps["line"], "shape": "vh" if x.higher else "hv"}}


def _group(name: str, group: list[Row], x: Measure, y: Measure) -> dict[str, Any]:
    """The points of a method, with the ranges of those that stand for several seeds."""
    bars = {f"error_{side}": _ranges(group, one) for side, one in (("x", x), ("y", y))
            if any(f"{one.key}_range" in row for row in group)}
    return {"type": "scatter", "mode": "markers", "name": outside.html(name), "x": [row[x.key] for row in group],
            "y": [row[y.key] for row in group], "customdata": [row["id"] for row in group],
            "text": [row["hover"] for row in group], "hovertemplate": "%{text}<extra></extra>",
            "marker": marker_of(group[0]), "legendgroup": f"{group[0]['method']} {group[0]['data_title']}",
            "showlegend": not group[0]["control"], **bars}


def _ranges(group: list[Row], one: Measure) -> dict[str, Any]:
    ends = [row.get(f"{one.key}_range", (row[one.key],) * 2) for row in group]
    return {"type": "data", "symmetric": False, "thickness": 1.2, "width": 0, "color": palette.faded(palette.NEUTRAL, 0.6),
            "array": [high - row[one.key] for row, (_, high) in zip(group, ends, strict=True)],
            "arrayminus": [row[one.key] - low for row, (low, _) in zip(group, ends, strict=True)]}


def _line(one: Measure, value: float, x: Measure, y: Measure) -> list[dict[str, Any]]:
    return [marks.vertical(value)] if one == x else [marks.horizontal(value)] if one == y else []


def marker_of(row: Row) -> dict[str, Any]:
    """The teacher is a star, a control is hollow; a chain is a larger mark, a diamond for two methods, a hexagon for more,
    with the colour of its last method and an edge in that of its first."""
    steps, colour = row["method"].count("+") + 1, palette.of_method(row["method"])
    hollow = "-open" if row["control"] else ""
    if row["method"] == "teacher":
        return {"size": 18, "color": "var(--text)", "opacity": 0.85, "symbol": "star"}
    if steps == 1:
        return {"size": 10, "color": colour, "opacity": 0.85, "symbol": f"circle{hollow}"}
    return {"size": 13, "color": colour, "opacity": 0.85, "symbol": f"{'diamond' if steps == 2 else 'hexagon'}{hollow}",
            "line": {"width": 3, "color": palette.of_first(row["method"])}}


def pins(pinned: list[Row], known: dict[str, Any]) -> None:
    """Pinned points with their notes, and the final report on the test split."""
    st.subheader("Pinned")
    if not pinned:
        st.caption("Pin the points that you want to talk about; each can carry a note, and pinned networks can be tested "
                   "once on examples that nothing was chosen by. Where several people share this app, all of them see the "
                   "pins, and may change them.")
        return
    st.caption("Whoever uses this app sees these pins, and may unpin them or change their notes.")
    for row in pinned:
        words_column, note, button = st.columns([3, 3, 1], vertical_alignment="center")
        words_column.markdown(f"**{words.accuracy(row)}** at **{words.size(row['bytes'])}** · "
                              + outside.markdown(f"{row['network']} · {row['teacher_title']}, "
                                                 f"{row['data_title']}"))
        note.text_input("Note", row["note"] or "", key=f"note.{row['id']}", label_visibility="collapsed",
                        placeholder="a note", on_change=_keep_note, args=[row])
        button.button("Unpin", key=f"unpin.{row['id']}", width="stretch", on_click=session.store().unpin,
                      args=[row["key"], row["reference"]])
    files, places = session.store().artefacts, [(row["key"], row["reference"]) for row in pinned]
    sound = all(files.has(digest) for row in pinned for digest in (row["digest"], row["reference"]))
    st.download_button("Pinned networks as one archive", lambda: archive.packed(session.store(), places), "pinned.zip",
                       "application/zip", icon=":material/inventory_2:", on_click="ignore", disabled=not sound,
                       help="Files, points, teachers and notes; the command points --load adds them to another store."
                       if sound else "The file of a pinned network or of its teacher is missing or damaged.")
    final_reports.draw(pinned, known)


def _keep_note(row: Row) -> None:
    session.store().pin(row["key"], row["reference"], widgets.current(f"note.{row['id']}"))


def _teacher_title(recipe: Recipe) -> str:
    values = recipe.teacher.values
    sizes = " ".join(str(values[name]) for name in ("channels", "inner", "hidden") if values.get(name, "none") != "none")
    return f"{recipe.teacher.name} {sizes}".strip() + f", seed {recipe.seed}"
