"""The first page: how small the network of the sidebar can get, asked of all methods at once."""

import streamlit as st

from pages.ui.all_methods import race, race_state
from pages.ui.shell import session
from pages.ui.shell.frame import open_page

page = open_page("How small can this network get, and what does it cost?",
                 "All methods race on the network of the sidebar. Each point is a real file, and its accuracy was tested.")
race.draw(page)
with st.container(horizontal=True, gap="small"):
    st.page_link("pages/1_Teacher.py", label="Train another teacher", icon=":material/school:",
                 query_params=session.page_link("Teacher"))
    st.page_link("pages/3_Low_rank.py", label="Turn the dial of one method", icon=":material/layers:",
                 query_params=session.page_link("Low rank"))
    st.page_link("pages/8_Compare.py", label="Compare all networks", icon=":material/scatter_plot:",
                 query_params=session.page_link("Compare"))
with st.expander("What each curve measures"):
    st.dataframe(race.budgets(page.known, race_state.look_up(page.known).entries), hide_index=True)
