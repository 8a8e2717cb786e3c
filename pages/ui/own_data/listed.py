"""Every data set of this app, to use; those that were added can be removed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import streamlit as st

from compress.data import local_files
from pages.ui.charts import outside
from pages.ui.own_data import files
from pages.ui.shell import session
from pages.ui.shell.choice import suited
from pages.ui.shell.frame import Page


def draw(page: Page) -> None:
    """All of them."""
    st.subheader("All data sets of this app")
    columns = st.columns(3, gap="small")
    for place, card in enumerate(page.known["datasets"]):
        with columns[place % 3].container(border=True, key=f"own.set.{place}"):
            one_set(card, card["name"] == page.choice.data)


def one_set(card: dict[str, Any], is_chosen: bool) -> None:
    """A data set and what can be done with it."""
    facts = "It cannot be used." if card["problem"] else f"{card['examples']:,} examples, {card['classes']} classes"
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f"**{outside.markdown(outside.name(card['title']))}**  \n{facts}", width="stretch")
        if is_chosen:
            st.caption("chosen", width="content")
        elif not card["problem"]:
            st.button("Use", key=f"own.use.{card['name']}", on_click=use, args=[card["name"]])
        if local_files.is_added(card["name"]):
            with st.popover("Remove"):
                st.markdown("Its file is removed for everyone who uses this app. What was measured on it stays.")
                st.button("Remove it", key=f"own.remove.{card['name']}", type="primary", on_click=remove,
                          args=[card["name"]])
    if card["problem"]:
        st.caption(outside.markdown(card["problem"]))


def use(name: str) -> None:
    """Chooses a data set, with a teacher that suits it."""
    session.choose(suited(replace(session.choice(), data=name), session.description()))


def remove(name: str) -> None:
    """Takes a data set away; if it is the chosen one, the first is chosen."""
    try:
        files.remove(name)
    except ValueError as error:
        session.remember("own.refusal", str(error))
        return
    if session.choice().data == name:
        use(session.description()["datasets"][0]["name"])
