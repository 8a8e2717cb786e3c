"""Networks that a link opens, or that were open, and that cannot be shown: deleted, not measured here, or damaged."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

import streamlit as st

from pages.ui.all_methods.keeping import deleting
from pages.ui.shell import session

Row = dict[str, Any]
DELETED = "A network that this link opens was deleted."
UNKNOWN = "A network that this link opens is not in this store. An archive of whoever made the link would bring it."
BROKEN = ("A network that this link opens cannot be looked into: its teacher or its predictions are missing. Measure its "
          "curve again.")


def notice(everything: Collection[Row], shown: Collection[str], close: Callable[[str], None]) -> None:
    """Says of each network that should be open why it is not, with the way back where there is one.

    Args:
        everything: the rows of all points; shown: identities of those that are shown.
        close: takes an identity out of the link.
    """
    missing = [one for one in session.filters().opened if one not in shown]
    if not missing:
        return
    there = {row["id"] for row in everything}
    places = [(row["key"], row["reference"]) for row in session.store().deleted_points()]
    deleted = {f"{key}/{reference}": (key, reference) for key, reference in places}
    for identity in missing:
        why = BROKEN if identity in there else DELETED if identity in deleted else UNKNOWN
        with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"gone.{identity}"):
            st.markdown(f":material/visibility_off: {why}", width="content")
            if why is DELETED and deleting.is_allowed():
                st.button("Restore it", key=f"gone.restore.{identity}", icon=":material/undo:", on_click=deleting.restore,
                          args=[[deleted[identity]]])
            st.button("Leave it out", key=f"gone.close.{identity}", type="tertiary", on_click=close, args=[identity])
