"""The handbook: each method's equations, settings and when it fails, from its own docstring."""

import streamlit as st

from pages.ui.frame import open_page


def allowed(entry: dict) -> str:
    """A setting's range in words."""
    if entry["choices"]:
        return ", ".join(entry["choices"])
    return "yes or no" if entry["type"] == "bool" else f"{entry['low']:g} to {entry['high']:g}"


page = open_page("Handbook", "What each method does, its settings and their ranges, and when it fails. "
                 "The text is the method's own documentation.")
methods = page.known["methods"]
for tab, card in zip(st.tabs([card["title"] for card in methods.values()]), methods.values(), strict=True):
    with tab:
        text, table = st.columns([3, 2], gap="large")
        text.markdown(card["doc"])
        text.caption(f"Source: `{card['module'].replace('.', '/')}.py`, class `{card['class']}`. "
                     f"The dial is **{card['dial']}**.")
        rows = [f"| **{entry['name']}** | {entry['help']} | {allowed(entry)} | {entry['default']} |"
                for entry in card["settings"]]
        table.markdown("\n".join(["| setting | meaning | allowed | default |", "|---|---|---|---|", *rows]))
