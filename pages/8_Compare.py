"""Compare: every measured point on one plane."""

import streamlit as st

from pages.ui.all_methods import compare, compare_filters, opened, panel, questions, race, search
from pages.ui.liveplot import liveplot
from pages.ui.shell import plot_events, session
from pages.ui.shell.frame import open_page

page = open_page("Compare", "Ask for a size or an accuracy; below, every network measured so far. The line joins those "
                 "that no other one beats in both. Click points to look into them, up to four side by side.")
everything = compare.everything(page.known)
unreadable = session.store().unreadable_points()
if unreadable:
    st.caption(f"{unreadable} points in the store cannot be read by this version, and are left out. Measure their curves "
               "again to have them back.")
if not everything:
    search.draw(page.known)
    race.example(page)
else:
    asked = st.container()
    chosen = compare_filters.chosen(everything)
    with asked:
        questions.draw(chosen, page.known)
        search.draw(page.known)
    networks = opened.look_up(everything, session.filters().opened)
    liveplot([compare.plane(chosen, [network.row["id"] for network in networks])], key="compare.plane",
             on_select=plot_events.on_selected("compare.plane", panel.take))
    panel.draw(networks, page.known)
    compare.table(chosen)
    compare.pins([row for row in everything if row["pinned"]], page.known)
