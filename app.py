"""The first page: what this is, and one finished curve that can be played with at once."""

import streamlit as st

from pages.ui.charts import charts
from pages.ui.explore import notice
from pages.ui.liveplot import liveplot
from pages.ui.shell import example
from pages.ui.shell.frame import open_page

page = open_page("How small can this network get, and what does it cost?",
                 "Drag the dial. Each stop is a real network: its file has this size, and it was tested with this accuracy.")
finished = example.curve()
hero = charts.accuracy_size(finished.points, finished.reference, method="low_rank", name="Low rank, whitened",
                            values=finished.values, others={"Low rank, plain SVD": finished.plain})
dial = charts.dial_of(finished.points, finished.reference, finished.values,
                      [f"{100 * value:g} %" for value in finished.values], name="keep", label="Share of the ranks kept",
                      help=finished.caption, current=0.1)
st.html(f"<div class='ce-notice'>{notice.of_curve(finished.points, finished.reference)} In smaller files "
        "accuracy falls off steeply: this tool shows where.</div>")
liveplot([hero], key="start.hero", dial=dial)
steps = st.columns(3, gap="large")
steps[0].page_link("pages/1_Teacher.py", label="**1 · Train a teacher**", icon=":material/school:")
steps[0].caption("Pick a data set and a network; digits take two seconds. Its accuracy and the length of its file are the "
                 "baseline of everything else.")
steps[1].page_link("pages/2_Distill.py", label="**2 · Turn a dial:** distill it", icon=":material/science:")
steps[1].page_link("pages/3_Low_rank.py", label="or factorise it", icon=":material/layers:")
steps[1].caption("Watch the accuracy-size curve grow, beside what explains it: the teacher's softened outputs, or the "
                 "singular values.")
steps[2].page_link("pages/8_Compare.py", label="**3 · Compare**", icon=":material/scatter_plot:")
steps[2].caption("All networks measured so far on one plane, with the ones that nothing else beats, notes, and a final test "
                 "on untouched examples.")
