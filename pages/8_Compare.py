"""Compare: every measured point on one plane."""

from functools import partial

import streamlit as st

from pages.ui.all_methods import compare, compare_filters, plane_stage, questions, race, search
from pages.ui.all_methods.keeping import archives, deleting, table
from pages.ui.explore import folds
from pages.ui.explore.folds import Fold
from pages.ui.shell import session
from pages.ui.shell.frame import open_page

page = open_page("Compare", "Ask for a size or an accuracy, or click up to four networks to look into them. No "
                 "network is both smaller and more accurate than one on the line.")
everything = compare.everything(page.known)
unreadable = session.store().unreadable_points()
if unreadable:
    st.caption(f"{unreadable} points in the store cannot be read by this version, and are left out. Measure their curves "
               "again to have them back.")
if not everything:
    race.offer(everything, page.known)
    race.example(page)
    search.shown_by_link()
    folds.draw([Fold(search.TITLE, partial(search.draw, [], page.known)),
                Fold(archives.TITLE, partial(archives.draw, []))], "Compare")
else:
    left, right = st.columns([1, 1.85], gap="medium")
    with left:
        chosen = compare_filters.chosen(everything, page.known)
        with st.container():
            race.offer(everything, page.known)
        questions.draw(chosen, page.known)
    with right:
        plane_stage.draw(chosen, page.known)
    search.shown_by_link()
    plane_stage.draw_panel(everything, page.known)
    with st.container():  # what follows keeps its place
        deleting.notice()
    folds.draw([Fold(search.TITLE, partial(search.draw, everything, page.known)),
                Fold(table.TITLE, partial(table.draw, chosen)),
                Fold(archives.TITLE, partial(archives.draw, chosen)),
                Fold(deleting.TITLE, partial(deleting.list_deleted, page.known))], "Compare")
    compare.pins([row for row in everything if row["pinned"]], page.known)
