"""Text from outside, so that a page shows it sign by sign: class labels, names of data, notes, errors, what a link has.

Streamlit reads most of what it draws as Markdown (with pictures, links, colours and icons), `st.html` reads HTML, and so
does Plotly in titles, ticks, legends and hover texts. Everything that this program did not write itself goes through one of
the functions here. Never imports streamlit.
"""

from __future__ import annotations

import html as standard
import re
from collections.abc import Iterable
from typing import Any

from compress.one_line import one_line

TICK, NAME, SENTENCE = 20, 40, 1000  # signs of a name on an axis, of one in a sentence, of a message
GAP = "\u2060"  # word joiner: no width, no break, and neither a space nor a letter to those who read the text

# An underscore inside a word marks nothing up; without a backslash, names such as those of settings can be copied.
_MARKUP = re.compile(r"([\\`*\[\]<>~$:#|!&{}]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9]))")
_BULLET = re.compile(r"^(\d{1,9}(?=[.)])|(?=[-+=]))")
# What Streamlit looks for after Markdown was read, where a backslash is of no use any more: names of icons and of little
# pictures between colons, addresses that become links, and pairs of signs that become one.
_LATE = re.compile(r"(?P<before>:(?=[\w+\-/]+:)|://|\bwww(?=\.)|@|(?:(?<=\s)|^)[<>~-](?=[-=>]+(?:\s|$)))")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def html(text: object, most: int = SENTENCE) -> str:
    """For HTML, an attribute in quotes, and Plotly. Brackets are escaped too: Plotly takes %{x} for a value, and the
    charts take a value var(--text) for a colour."""
    return standard.escape(one_line(text, most)).replace("{", "&#123;").replace("var(--", "var&#40;--")


def markdown(text: object, most: int = SENTENCE) -> str:
    """For everything that Streamlit reads as Markdown: no pictures, links, colours, icons or formulas come of it."""
    line = _LATE.sub(lambda found: f"{found['before']}{GAP}", one_line(text, most))
    escaped = _MARKUP.sub(r"\\\1", line)
    return _BULLET.sub(lambda found: f"{found[0]}\\", escaped)


def name(text: object) -> str:
    """A name as plain text of a length that leaves room for others, where nothing reads markup."""
    return one_line(text, NAME)


def names(texts: Iterable[object]) -> list[str]:
    """Names for a Plotly axis, all different: categories of one name would be drawn as one."""
    found: dict[str, None] = {}
    for text in texts:
        shown, number = html(text, TICK), 2
        own = shown
        while own in found:
            own, number = f"{shown} ({number})", number + 1
        found[own] = None
    return list(found)


def file_part(text: object) -> str:
    """For the name of a file: letters, digits, dots and underscores; all else becomes a hyphen."""
    return re.sub(r"[^\w.]+", "-", str(text), flags=re.ASCII).strip("-.")


def cell(value: Any) -> Any:
    """For a table that a spreadsheet opens: a text that it would take for a formula begins with an apostrophe."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
