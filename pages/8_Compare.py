"""Compare: every measured point on one plane."""

import streamlit as st

from pages.ui.all_methods import compare, compare_filters, questions, race
from pages.ui.liveplot import liveplot
from pages.ui.shell import session
from pages.ui.shell.frame import open_page

page = open_page("Compare", "Ask for a size or an accuracy; below, every network measured so far. The line joins those "
                 "that no other one beats in both. Click a point, or tick a row, to pin it.")
everything = compare.everything(page.known)
unreadable = session.store().unreadable_points()
if unreadable:
    st.caption(f"{unreadable} points in the store cannot be read by this version, and are left out. Measure their curves "
               "again to have them back.")
if not everything:
    race.example(page)
else:
    asked = st.container()
    chosen = compare_filters.chosen(everything)
    with asked:
        questions.draw(chosen, page.known)
    result = liveplot([compare.plane(chosen)], key="compare.plane")
    if result.selected:
        compare.pin_selected(result.selected, chosen)
    compare.table(chosen)
    compare.pins([row for row in everything if row["pinned"]])
    session.finish()
