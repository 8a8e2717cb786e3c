"""The name of a new data set, the button that makes it of the files, and the way on."""

from __future__ import annotations

from functools import partial

import streamlit as st

from compress.data import local_files
from pages.ui.all_methods import race, race_state
from pages.ui.charts import outside
from pages.ui.own_data import files, listed
from pages.ui.own_data.files import File, Reading
from pages.ui.shell import session
from pages.ui.shell.gesture import begins


def draw(own: list[File], reading: Reading, problem: str) -> None:
    """The name and the button; once the data set is there and chosen, what to do with it.

    Args:
        problem: why no network can be trained on these files, which is said elsewhere; "" if one can.
    """
    name = st.text_input("Name of the data set", value=own[0].plain_name.rpartition(".")[0] or own[0].plain_name,
                         max_chars=60, key=f"own.name.{files.key(own, Reading())}")
    asked, (done, added) = _asked(own, reading, name), session.remembered("own.added", (None, ""))
    if asked == done and added == session.choice().data and local_files.is_added(added):
        what_next(added)
    else:
        st.button("Add and use it", type="primary", width="stretch", disabled=bool(problem), key="own.add", on_click=_add,
                  args=[own, reading, name])


def _asked(own: list[File], reading: Reading, name: str) -> tuple[str, str]:
    return files.key(own, reading), name


def _add(own: list[File], reading: Reading, name: str) -> None:
    """Callback of the button, once for the same files: a double click adds one data set."""
    asked, (done, added) = _asked(own, reading, name), session.remembered("own.added", (None, ""))
    if asked != done or not local_files.is_added(added):
        try:
            added = files.add(own, reading, name)
        except ValueError as error:
            session.remember("own.refusal", str(error))
            return
        session.remember("own.added", (asked, added))
    listed.use(added)


def what_next(name: str) -> None:
    """After adding: the ways on."""
    title = outside.name(name.removeprefix(local_files.PREFIX))
    st.success(outside.markdown(f"{title} is added and chosen, on every page."), icon=":material/check_circle:")
    race_button("Compress a network on it", "Trains a network on these data and shrinks it with every method, one after the "
                                            "other.")
    st.page_link("pages/1_Teacher.py", label="Choose the network", icon=":material/school:",
                 query_params=session.page_link("Teacher"))


def race_button(label: str, about: str) -> None:
    """A button that begins a race of all methods on what is chosen, and shows it."""
    if session.remembered("own.to_race"):
        session.forget("own.to_race")
        st.switch_page("app.py", query_params=session.page_link("Start"))
    own = race_state.look_up(session.known())
    st.button(label, type="primary", width="stretch", icon=":material/flag:", help=about,
              **begins("own.race", race_state.job_key(own.recipe), partial(_race, own)))


def _race(own: race_state.RaceState) -> None:
    """Callback: the page is left when it is drawn again, since another run of it may end this one at any line."""
    if own.missing and not own.running:
        race.begin(own)
    session.remember("own.to_race", True)
