"""The first page: how small the network of the sidebar can get, asked of all methods at once.

Streamlit runs this file when somebody visits that page. Before, `streamlit run app.py` imports it, to find what it serves.
"""

TITLE = "How small can this network get, and what does it cost?"
SUMMARY = "All methods race on the network of the sidebar. Each point is a real file, and its accuracy was tested."


def first_page() -> None:
    """Imports what it needs when it is visited: the server should be there before."""
    import streamlit as st

    from pages.ui.all_methods import race, race_state
    from pages.ui.explore import folds
    from pages.ui.shell import session
    from pages.ui.shell.frame import open_page

    page = open_page(TITLE, SUMMARY)
    race.draw(page)
    with st.container(horizontal=True, gap="small"):
        st.page_link("pages/1_Teacher.py", label="Train another teacher", icon=":material/school:",
                     query_params=session.page_link("Teacher"))
        st.page_link("pages/3_Low_rank.py", label="Turn the dial of one method", icon=":material/layers:",
                     query_params=session.page_link("Low rank"))
        st.page_link("pages/8_Compare.py", label="Compare all networks", icon=":material/scatter_plot:",
                     query_params=session.page_link("Compare"))

    def measured() -> None:
        st.dataframe(race.budgets(page.known, race_state.look_up(page.known).entries), hide_index=True)

    folds.draw([folds.Fold("What each curve measures", measured)], "start")


if __name__ == "__main__":
    first_page()
else:
    from streamlit.starlette import App

    from pages.ui.serving import beginning, document

    app = App(__file__, lifespan=beginning.lifespan, routes=document.routes())
