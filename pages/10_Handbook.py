"""The handbook: each method's equations, settings and when it fails, from its own docstring."""

import json
from pathlib import Path

import streamlit as st

from pages.ui.charts import words
from pages.ui.shell.frame import open_page

ROOT = Path(__file__).resolve().parent.parent


def allowed(entry: dict) -> str:
    """A setting's range in words."""
    if entry["choices"]:
        return ", ".join(entry["choices"])
    if entry["type"] in ("bool", "label"):
        return {"bool": "yes or no", "label": "the label of a class"}[entry["type"]]
    return f"{entry['low']:g} to {entry['high']:g}"


def default(entry: dict) -> str:
    """A setting's default in words."""
    return {True: "yes", False: "no"}[entry["default"]] if entry["type"] == "bool" else str(entry["default"])


def show_asked(titles: dict[str, str]) -> str:
    """A script that shows the setting that the address asks for, Handbook#prune.criterion: opens the method's tab, marks the
    setting's line and brings it into the window.

    Args:
        titles: name of each method -> the title of its tab.
    """
    return """<script>((titles) => {
      const [method, setting] = decodeURIComponent(location.hash.slice(1)).split(".");
      if (!Object.hasOwn(titles, method)) return;
      const shown = () => {
        const tab = [...document.querySelectorAll("[role=tab]")].find((one) => one.textContent.trim() === titles[method]);
        if (tab && tab.ariaSelected !== "true") tab.click();
        const names = [...document.querySelectorAll("[role=tabpanel] td:first-child strong")];
        const line = names.find((one) => one.textContent === setting && one.offsetParent)?.closest("tr");
        if (!line) return false;
        line.classList.add("ce-asked");
        line.scrollIntoView({ block: "center" });
        return true;
      };
      let left = 100; // tenths of a second for the page to be drawn
      const timer = setInterval(() => { if (shown() || (left -= 1) === 0) clearInterval(timer); }, 100);
    })(TITLES);</script>""".replace("TITLES", json.dumps(titles).replace("<", "\\u003c"))


page = open_page("Handbook", "What each method does, its settings and their ranges, and when it fails. "
                 "The text is the method's own documentation.")
with st.expander("What the intervals cover", icon=":material/straighten:"):
    st.markdown(f"{words.INTERVAL} The final report on the Compare page therefore shows validation and test accuracy "
                "side by side, each with its interval. Differences between networks on the same examples have tests and "
                "intervals of their own (McNemar's test; over seeds and examples).")
methods = page.known["methods"]
st.html(show_asked({card["name"]: card["title"] for card in methods.values()}), unsafe_allow_javascript=True)
for tab, card in zip(st.tabs([card["title"] for card in methods.values()]), methods.values(), strict=True):
    with tab, st.container(width=980):
        st.markdown(card["doc"])
        st.subheader("Settings")
        rows = [f"| **{entry['name']}**{' (the dial)' if entry['name'] == card['dial'] else ''} | {entry['help']} "
                f"| {allowed(entry)} | {default(entry)} |" for entry in card["settings"]]
        st.markdown("\n".join(["| setting | meaning | allowed | default |", "|---|---|---|---|", *rows]))
        source = Path(card["module"].replace(".", "/") + ".py")
        with st.expander(f"Source: {source}", icon=":material/code:"):
            st.code((ROOT / source).read_text(), language="python")
