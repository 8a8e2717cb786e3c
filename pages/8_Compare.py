"""Compare: every measured point on one plane."""

import streamlit as st

from pages.ui.all_methods import compare, compare_filters, race
from pages.ui.liveplot import liveplot
from pages.ui.shell import session
from pages.ui.shell.frame import open_page

page = open_page("Compare", "Every network measured so far, accuracy against file size. The line joins those that no other "
                 "one beats in both. Click a point, or tick a row, to pin it.")
everything = compare.everything(page.known)
unreadable = session.store().unreadable_points()
if unreadable:
    st.caption(f"{unreadable} points in the store cannot be read by this version, and are left out. Measure their curves "
               "again to have them back.")
if not everything:
    race.example(page)
else:
    chosen = compare_filters.chosen(everything)
    result = liveplot([compare.plane(chosen)], key="compare.plane")
    if result.selected:
        compare.pin_selected(result.selected, chosen)
    compare.table(chosen)
    compare.pins([row for row in everything if row["pinned"]])
