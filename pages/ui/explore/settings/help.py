"""What is said of one setting: its help and range, the formula of what is chosen, the way to its line in the Handbook."""

from __future__ import annotations

import re
from typing import Any

from pages.ui.shell.choice import Card


def of_setting(entry: Card, value: Any, method: Card | None = None) -> str:
    """As Markdown.

    Args:
        method: the card of the method whose setting it is, if the Handbook has a chapter about it.
    """
    numbers = entry["type"] in ("int", "float")
    said = [f"{entry['help']} ({entry['low']:g} to {entry['high']:g})" if numbers else entry["help"]]
    if method:
        chosen = meaning_of(value, method["doc"]) if entry["type"] == "str" else ""
        said += [chosen] if chosen else []
        said.append(f"[In the Handbook](Handbook#{method['name']}.{entry['name']})")
    return "\n\n".join(said)


def meaning_of(value: str, doc: str) -> str:
    """What a method's documentation lists for a choice, with its formula, such as "**magnitude**: $|w|$ (Han et al. 2015).";
    "" where it lists nothing."""
    found = re.search(rf"^- (\*\*{re.escape(value)}\*\*: .+?)(?=\n- |\n *\n|\Z)", doc, re.DOTALL | re.MULTILINE)
    return " ".join(found[1].split()) if found else ""
