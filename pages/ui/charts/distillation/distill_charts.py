"""Students and their controls -> charts: accuracy over size with seed bands, the gain, the map, learning curves."""

from __future__ import annotations

from math import log10
from typing import Any

from pages.ui.charts import charts, marks, palette, words
from pages.ui.charts.distillation.students import Result, Students, summary
from pages.ui.charts.marks import Chart

MOST_ERROR, LEAST_ERROR = 0.9, 0.002
TICKS = (0.8, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002)
NOISE = palette.faded(palette.NEUTRAL, 0.9)


def hero(students: Students, reference: dict, *, temperature: float, seed: int, values: list[float], logits: bool,
         start: dict | None = None, alone: bool = False) -> Chart:
    """Accuracy over bytes, stretched towards 100 %: students filled, controls hollow, each with the band of its seeds;
    the teacher as a star, and one large marker that follows the dial along the means. Where a mean is over several seeds, a
    small marker is at the one network that the dial's line, the download and other pages mean. alone: the students are
    controls themselves."""
    distilled = summary(students.distilled.get(temperature, {}))
    controls, direct = summary(students.controls), summary(students.direct)
    colour = palette.of_method("distill")
    name = "with the teacher" if logits else f"with the teacher, T = {temperature:g}"
    name = "on labels alone" if alone else name
    traces = [*_band(controls, palette.NEUTRAL), *_band(distilled, colour),
              _means(controls, "labels alone (control)", NOISE, hollow=True)]
    if direct:
        traces.append(_means(direct, "without the assistant", palette.BLUE, dash="dot"))
        name += ", through the assistant"
    traces += [_means(distilled, name, colour), _diverged(students, temperature), _star(reference)]
    if start:
        traces.append({**charts.start_network(start), "y": [_error(start["accuracy"])]})
    sizes = [one.bytes for places in (students.distilled.get(temperature, {}), students.controls, students.direct)
             for one in places.values()] + ([start["bytes"]] if start else [])
    marked, follow = _at_the_dial(students.distilled.get(temperature, {}), distilled, seed, values, len(traces))
    traces += marked
    return {"id": "accuracy-size", "title": "Accuracy against the size of the file", "span": "wide",
            "height": charts.HERO_HEIGHT, "alt": _in_words(distilled, controls, reference), "follow": follow,
            "figure": {"data": traces, "layout": _plane(reference, sizes)}}


def _at_the_dial(places: dict[tuple[float, int], Result], means: list[dict], seed: int, values: list[float],
                 first: int) -> tuple[list[dict], list[dict]]:
    """Traces, numbered from `first`, and their followers: a ring on the mean of each width and, where means are over
    several seeds, the student of this seed."""
    mean = {row["width"]: row["accuracy"] for row in means}
    held = [places.get((value, seed)) for value in values]
    shown = [one if one and one.accuracy is not None else None for one in held]
    sizes = [one and [one.bytes] for one in shown]
    on_curve = [one and [_error(mean[value])] for value, one in zip(values, shown, strict=True)]
    traces, follow = [{**marks.ring(22, 4), "name": "dial"}], [{"trace": first, "x": sizes, "y": on_curve}]
    if any(row["seeds"] > 1 for row in means):
        single = {**marks.dot(marks.ACCENT, 11), "name": f"student of seed {seed}", "showlegend": True}
        traces.append(single)
        follow.append({"trace": first + 1, "x": sizes, "y": [one and [_error(one.accuracy)] for one in shown]})
    return traces, follow


def gains(students: Students, temperature: float, values: list[float], labels: list[str]) -> Chart:
    """What the teacher adds at each width, in points, with the interval over seeds; grey where it is not significant."""
    found = [students.gain(value, temperature) for value in values]
    shown = [(label, one) for label, one in zip(labels, found, strict=True) if one]
    colours = [palette.of_method("distill") if one.certain and one.mean > 0 else
               palette.BLUE if one.certain else NOISE for _, one in shown]
    bars = {"type": "bar", "x": [label for label, _ in shown], "y": [100 * one.mean for _, one in shown],
            "marker": {"color": colours}, "showlegend": False,
            "text": [gain_in_words(one) for _, one in shown], "textposition": "none",
            "hovertemplate": "width %{x}: %{text}<extra></extra>",
            "error_y": {"type": "data", "symmetric": False, "thickness": 2, "width": 5, "color": "var(--text)",
                        "array": [100 * (one.high - one.mean) if one.high is not None else 0 for _, one in shown],
                        "arrayminus": [100 * (one.mean - one.low) if one.low is not None else 0 for _, one in shown]}}
    mark = marks.moving({"symbol": "diamond", "size": 13, "color": marks.ACCENT})
    top = _limit([(one.mean, one.high) for _, one in shown])
    bottom = _limit([(-one.mean, None if one.low is None else -one.low) for _, one in shown])
    limits = [-max(bottom, 0.12 * top), max(top, 0.12 * bottom)]
    return {"id": "gains", "title": "What the teacher adds, in points", "height": 340,
            "alt": "Gain over the control at each width: " + "; ".join(
                f"{label}: {gain_in_words(one)}" for label, one in shown) + ".",
            "follow": [{"trace": 1, "x": [[label] for label in labels], "y": [[0]] * len(labels)}],
            "figure": {"data": [bars, mark], "layout": {
                "xaxis": {**marks.categories(labels, "student width, %"), "range": [-0.5, len(labels) - 0.5]},
                "yaxis": {"title": {"text": "points, with 95 % interval"}, "range": limits, "zeroline": True,
                          "zerolinecolor": "var(--text)", "zerolinewidth": 2}, "hovermode": "closest"}}}


def heat_map(students: Students, values: list[float], labels: list[str]) -> Chart:
    """Width by temperature: the gain over the control in points, bold where it is significant. A click takes the dial
    and the temperature there."""
    temperatures = sorted(students.distilled)
    found = [[students.gain(value, temperature) for value in values] for temperature in temperatures]
    names = [f"T = {temperature:g}" for temperature in temperatures]
    reach = _reach([abs(100 * one.mean) for row in found for one in row if one])
    text = [[_cell(one) for one in row] for row in found]
    return {"id": "map", "title": "The same over temperature (bold: significant)", "height": 340,
            "alt": f"Map of the gain in points over {len(values)} widths and {len(temperatures)} temperatures.",
            "figure": {"data": [{
                **marks.heat(labels, names, [[100 * one.mean if one else None for one in row] for row in found],
                             marks.signed(palette.BLUE, palette.VERMILION, 0.75), "width %{x}, %{y}: %{text} points"),
                "text": text, "texttemplate": "%{text}", "zmin": -reach, "zmax": reach, "xgap": 2, "ygap": 2,
                "textfont": {"color": "var(--text)", "size": 13},
                "customdata": [[[value, temperature] for value in values] for temperature in temperatures]}],
                "layout": {"margin": {"t": 36},  # the chart's own buttons would cover a cell
                           "xaxis": {**marks.categories(labels, "student width, %"), "showgrid": False},
                           "yaxis": {**marks.categories(names, "temperature"), "showgrid": False}}}}


def learning(student: dict, control: dict | None, epochs: int) -> Chart:
    """Validation accuracy by epoch of the student at the dial and of its control: the same steps, the same batches."""
    traces = []
    for point, name, colour, dash in ((student, "with the teacher", palette.of_method("distill"), "solid"),
                                      (control, "on labels alone", NOISE, "dash")):
        if point:
            accuracies = point["inside"]["accuracies"]
            traces.append(marks.line(list(range(1, len(accuracies) + 1)), accuracies, name, colour, dash=dash,
                                     hover="<br>epoch %{x}: %{y:.1%}"))
    return {"id": "learning", "title": f"How {student['inside']['title']} learns", "height": 340, "span": "wide",
            "alt": f"Validation accuracy over {epochs} epochs of the student at the dial and of its control.",
            "figure": {"data": traces, "layout": {
                "xaxis": {"range": [0.5, epochs + 0.5], "title": {"text": "epoch"}},
                "yaxis": {"tickformat": ".0%", "title": {"text": "accuracy on validation"}},
                "legend": marks.legend(), "hovermode": "x unified"}}}



def gain_in_words(gain: Any) -> str:
    """+0.8 points (-0.2 to +1.8 over 3 seeds, not significant)."""
    text = f"{100 * gain.mean:+.1f} points"
    if gain.low is None:
        return f"{text} (one seed: no interval)"
    verdict = "" if gain.certain else ", not significant"
    return f"{text} ({100 * gain.low:+.1f} to {100 * gain.high:+.1f} over {gain.seeds} seeds{verdict})"


def _cell(gain: Any) -> str:
    if gain is None:
        return ""
    text = f"{100 * gain.mean:+.1f}" if abs(gain.mean) < 0.0995 else f"{100 * gain.mean:+.0f}"
    return f"<b>{text}</b>" if gain.certain else text


def _error(accuracy: float) -> float:
    return min(MOST_ERROR, max(LEAST_ERROR, 1 - accuracy))


def _band(rows: list[dict], colour: str) -> list[dict]:
    """The range over seeds as a shaded band."""
    if len(rows) < 2 or max(row["seeds"] for row in rows) < 2:
        return []
    sizes = [row["bytes"] for row in rows]
    edge = {"type": "scatter", "mode": "lines", "line": {"width": 0}, "hoverinfo": "skip", "showlegend": False}
    fill = palette.faded(colour, 0.18)
    return [{**edge, "x": sizes, "y": [_error(row["low"]) for row in rows]},
            {**edge, "x": sizes, "y": [_error(row["high"]) for row in rows], "fill": "tonexty", "fillcolor": fill}]


def _means(rows: list[dict], name: str, colour: str, hollow: bool = False, dash: str = "solid") -> dict[str, Any]:
    return {"type": "scatter", "mode": "lines+markers", "name": name, "x": [row["bytes"] for row in rows],
            "y": [_error(row["accuracy"]) for row in rows], "line": {"color": colour, "width": 3, "dash": dash},
            "marker": {"size": 10, "color": colour, "symbol": "circle-open" if hollow else "circle",
                       "line": {"width": 2.5 if hollow else 0, "color": colour}},
            "text": [_hover(row, name) for row in rows], "hovertemplate": "%{text}<extra></extra>",
            "customdata": [row["width"] for row in rows]}


def _hover(row: dict, name: str) -> str:
    lines = [f"<b>width {100 * row['width']:g} %</b>, {name}", f"{words.percent(row['accuracy'])} (mean of {row['seeds']} "
             f"seed{'s' if row['seeds'] > 1 else ''}, {words.percent(row['low'])} to {words.percent(row['high'])})",
             words.size(row["bytes"])]
    if row["points"]:
        lines.append(f"{row['points'][0]['inside']['title']}: {words.many(row['points'][0]['parameters'])} parameters, "
                     f"{words.many(row['points'][0]['macs'])} MACs")
    if row["diverged"]:
        lines.append(f"{row['diverged']} more diverged")
    return "<br>".join(lines)


def _diverged(students: Students, temperature: float) -> dict[str, Any]:
    """Students whose numbers stopped being finite, as crosses at the lower edge."""
    gone = [(width, one) for places in (students.distilled.get(temperature, {}), students.controls)
            for (width, _), one in places.items() if one.accuracy is None]
    return {"type": "scatter", "mode": "markers", "name": "diverged", "x": [one.bytes for _, one in gone],
            "y": [MOST_ERROR] * len(gone), "showlegend": bool(gone),
            "text": [f"width {100 * width:g} %: diverged, lower the learning rate" for width, _ in gone],
            "hovertemplate": "%{text}<extra></extra>",
            "marker": {"symbol": "x", "size": 13, "color": palette.VERMILION}}


def _star(reference: dict) -> dict[str, Any]:
    star = charts.star(reference)
    return {**star, "y": [_error(reference["accuracy"])]}


def _plane(reference: dict, sizes: list[int]) -> dict[str, Any]:
    """Both axes logarithmic and fixed by the teacher: size to the right, error falling upwards, written as accuracy."""
    low = min([log10(reference["bytes"] / 60), *(log10(size) - 0.05 for size in sizes)])
    high = max([log10(reference["bytes"] * 1.35), *(log10(size) + 0.05 for size in sizes)])
    best = max(LEAST_ERROR, _error(reference["accuracy"]) / 2.2)
    ticks = [tick for tick in TICKS if best <= tick <= MOST_ERROR]
    return {
        "xaxis": {"type": "log", "range": [low, high], "title": {"text": "size of the file"},
                  **charts.size_ticks(low, high)},
        "yaxis": {"type": "log", "range": [log10(MOST_ERROR * 1.04), log10(best)], "tickvals": ticks,
                  "ticktext": [f"{100 * (1 - tick):g} %" for tick in ticks],
                  "title": {"text": "accuracy (stretched scale)"}},
        "shapes": [marks.horizontal(_error(reference["accuracy"]))],
        "hovermode": "closest", "legend": marks.legend(1.08, font=13)}


def _limit(ends: list[tuple[float, float | None]]) -> float:
    """An axis's end in points that holds every mean and most intervals, given as (mean, end of the interval)."""
    return max(_round(100 * max([mean for mean, _ in ends], default=0.0)),
               _reach([100 * max(mean, end or 0.0, 0.0) for mean, end in ends]))


def _reach(values: list[float]) -> float:
    """A round limit that holds most values: an axis that does not jump at each epoch."""
    ordered = sorted(values) or [1.0]
    return _round(ordered[int(0.75 * (len(ordered) - 1))])


def _round(wanted: float) -> float:
    """The next round number of points."""
    return next((limit for limit in (1, 2, 3, 5, 8, 12, 20, 30, 50) if wanted <= limit), 100)


def _in_words(distilled: list[dict], controls: list[dict], reference: dict) -> str:
    if not distilled:
        return "Accuracy against file size: no student yet."
    first, last = distilled[0], distilled[-1]
    return (f"Accuracy against file size: {len(distilled)} points with the teacher from {words.size(first['bytes'])} with "
            f"{words.percent(first['accuracy'])} to {words.size(last['bytes'])} with {words.percent(last['accuracy'])}, and "
            f"{len(controls)} controls on labels alone. The teacher has {words.percent(reference['accuracy'])} at "
            f"{words.size(reference['bytes'])}.")
