"""Compare: every measured point on one plane."""

import streamlit as st

from pages.ui.all_methods import compare, compare_filters, plane_stage, questions, race, search
from pages.ui.shell import session
from pages.ui.shell.frame import open_page

page = open_page("Compare", "Ask for a size or an accuracy, or click up to four networks to look into them. The line "
                 "joins those that no other one beats in both.")
everything = compare.everything(page.known)
unreadable = session.store().unreadable_points()
if unreadable:
    st.caption(f"{unreadable} points in the store cannot be read by this version, and are left out. Measure their curves "
               "again to have them back.")
if not everything:
    search.draw([], page.known)
    race.example(page)
else:
    asked = st.container()
    chosen = compare_filters.chosen(everything)
    with asked:
        questions.draw(chosen, page.known)
        search.draw(everything, page.known)
    plane_stage.draw(everything, chosen, page.known)
    compare.table(chosen)
    compare.pins([row for row in everything if row["pinned"]], page.known)
