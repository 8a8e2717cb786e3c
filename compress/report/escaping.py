"""Text from outside in the report: class labels, names of data, notes. Nothing of it becomes markup or program."""

from __future__ import annotations

import html
import json
from typing import Any

from compress.one_line import one_line

SIGNS = 1000


def text(value: object, most: int = SIGNS) -> str:
    """For HTML, an attribute in quotes, and Plotly, which reads titles and hover texts as HTML and %{x} as a value."""
    return html.escape(one_line(value, most)).replace("{", "&#123;").replace("%&#123;", "&#37;&#123;")


def script(value: Any) -> str:
    """Plain data as JSON inside a script element, which nothing in it can end."""
    plain = json.dumps(value, allow_nan=False)
    return plain.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
