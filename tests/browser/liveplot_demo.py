"""The script that the tests of the chart component show in a browser."""

from __future__ import annotations

# Four charts of ten curves of 300 points, served below a base path and from a page that is not the root:
# there the library's address is hardest to find.
DEMO = """
import math
import streamlit as st
from pages.ui.liveplot import liveplot

COUNT = 41
MEASURED = [place % 2 == 0 for place in range(COUNT)]

def chart(number, revision):
    xs = [step / 300 for step in range(300)]
    curves = [
        {"type": "scatter", "mode": "lines", "name": f"curve {curve}", "x": xs,
         "y": [math.sin(6 * x + curve / 3 + number) + revision / 10 for x in xs]}
        for curve in range(10)
    ]
    curves[0].update(mode="markers", marker={"size": 12}, x=[0.5, 0.9], y=[1.5, 1.5],
                     customdata=[f"point {number}", f"other {number}"])
    curves.append({"type": "scatter", "mode": "markers", "name": "now", "hoverinfo": "skip",
                   "marker": {"size": 16, "color": "var(--accent)"}})
    curves[1]["y"][0] = float("nan")
    places = [place / (COUNT - 1) for place in range(COUNT)]
    points = [[x] if MEASURED[at] else None for at, x in enumerate(places)]
    line = {"line": True, "x": places}
    return {
        "id": f"chart{number}", "title": f"Chart {number}" + number * ", ten curves over a share",
        "alt": f"Ten curves, revision {revision}.",
        "span": "wide" if number == 0 else "half", "height": 300,
        "figure": {"data": curves, "layout": {
            "showlegend": False, "xaxis": {"range": [0, 1], "title": "share"}, "yaxis": {"range": [-2, 2]}}},
        "follow": [{"trace": 10, "x": points, "y": [p and [0.5] for p in points]}, line],
    }

BARS = {"id": "bars", "alt": "Three bars.", "height": 200,
        "figure": {"data": [{"type": "bar", "x": ["a", "b", "c"], "y": [1, 1, 1]}]},
        "follow": [{"trace": 0, "x": [["a", "b", "c"]] * COUNT, "y": [[place, 2, 3] for place in range(COUNT)]}]}

@st.fragment
def panel():
    state = st.session_state
    if st.button("more data"):
        state.revision = state.get("revision", 0) + 1
    if st.button("set the dial to 30"):
        state.wanted = 30
    count = 3 if st.checkbox("without the last chart") else 4
    dial = {"name": "keep", "label": "Share kept", "values": list(range(COUNT)),
            "index": state.get("wanted", 8),
            "labels": [f"{place} of 40" for place in range(COUNT)], "help": "Drag it.",
            "readout": [f"{place} kB" if ok else None for place, ok in enumerate(MEASURED)]}
    charts = [chart(number, state.get("revision", 0)) for number in range(count)]
    if st.checkbox("with bars"):
        charts.append(BARS)
        liveplot([{**BARS, "id": "plain"}], key="no dial")
    result = liveplot(charts, key="plots", dial=dial)
    state.runs = state.get("runs", 0) + 1
    st.text(f"runs={state.runs} dial={result.dial} selected={result.selected}")

def low_rank():
    panel()

st.set_page_config(layout="wide")
st.navigation([st.Page(lambda: st.text("start"), title="Start", url_path="start", default=True),
               st.Page(low_rank, url_path="Low_rank")]).run()
"""
