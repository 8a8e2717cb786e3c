"""Your own data and networks: files are looked at before they are used, and become a data set or a teacher of every page."""

import streamlit as st

from pages.ui.own_data import stage as data
from pages.ui.own_network import stage as network
from pages.ui.shell import session, widgets
from pages.ui.shell.frame import open_page

PARTS = {"Data": data.draw, "A network": network.draw}

page = open_page("Your data", "Choose files, look at what is in them, and compress networks that were trained on them, also "
                 "networks of your own.")
chosen = st.segmented_control("What you bring", list(PARTS), label_visibility="collapsed",
                              **widgets.bound_chips("own.part", session.remembered("own.part", "Data"),
                                              lambda part: session.remember("own.part", part or "Data")))
PARTS[chosen or "Data"](page)
