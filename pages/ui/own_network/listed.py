"""Every network that was added, to use; each can be removed."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from compress.files import kept_networks
from pages.ui.charts import outside, words
from pages.ui.shell import session
from pages.ui.shell.choice import teacher_defaults
from pages.ui.shell.frame import Page


def draw(page: Page) -> None:
    """Every network that was added, to use or to remove."""
    found = kept_networks.cards()
    if not found:
        return
    st.subheader("Networks that were added")
    columns = st.columns(3, gap="small")
    for place, card in enumerate(found):
        with columns[place % 3].container(border=True, key=f"network.set.{place}"):
            one(card, card.name == page.choice.teacher.values.get("network"))


def one(card: kept_networks.NetworkCard, is_chosen: bool) -> None:
    """A kept network and what can be done with it."""
    facts = "It cannot be used." if card.problem else (
        f"{words.many(card.parameters)} numbers; examples of {' x '.join(map(str, card.shape))}, {card.classes} classes")
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f"**{outside.markdown(outside.name(card.name))}**  \n{facts}", width="stretch")
        if is_chosen:
            st.caption("chosen", width="content")
        elif not card.problem:
            st.button("Use", key=f"network.use.{card.name}", on_click=use, args=[card.name])
        with st.popover("Remove"):
            st.markdown("Its file is removed for everyone who uses this app. What was measured of it stays.")
            st.button("Remove it", key=f"network.remove.{card.name}", type="primary", on_click=remove, args=[card.name])
    if card.problem:
        st.caption(outside.markdown(card.problem))


def remove(name: str) -> None:
    """Takes a network away; if it is the chosen one, the first preset teacher is chosen."""
    try:
        kept_networks.remove(name)
    except ValueError as error:
        session.remember("network.refusal", str(error))
        return
    if session.choice().teacher.values.get("network") == name:
        preset = session.description()["presets"][0]
        session.choose(session.choice().with_preset(None, preset["title"], session.description()))


def use(name: str) -> None:
    """Chooses a kept network as the teacher."""
    teacher = teacher_defaults(session.description(), "own").having(network=name)
    session.choose(replace(session.choice(), teacher=teacher))
