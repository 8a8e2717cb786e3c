"""Which of all points the Compare page shows, as part of its link: `filter.data`, `filter.teacher`, `filter.method`, each
with titles joined by |, or * for all. Imports neither streamlit nor torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from urllib.parse import quote, unquote

PAGE = "Compare"
ALL = "*"
_PLAIN = " ,;:+-_()[]/'\"=^!?&#@$~"  # a title is spelled as it is, but for the signs that this spelling uses itself


@dataclass(frozen=True)
class Filters:
    """Titles of what is shown; () shows all, None is free: data sets are then those of the sidebar, all others shown."""

    data: tuple[str, ...] | None = None
    teacher: tuple[str, ...] | None = None
    method: tuple[str, ...] | None = None

    def to_link(self) -> dict[str, str]:
        """Query parameters that restore it; none for what is free."""
        given = {field.name: getattr(self, field.name) for field in fields(self)}
        return {f"filter.{name}": "|".join(quote(title, _PLAIN) for title in titles) or ALL
                for name, titles in given.items() if titles is not None}


def taken(parameters: Mapping[str, str]) -> tuple[Filters, dict[str, str]]:
    """The filters of a link, and its other parameters."""
    names = {f"filter.{field.name}": field.name for field in fields(Filters)}
    found = {name: _titles(parameters[parameter]) for parameter, name in names.items() if parameter in parameters}
    return Filters(**found), {name: text for name, text in parameters.items() if name not in names}


def _titles(text: str) -> tuple[str, ...]:
    return () if text == ALL else tuple(dict.fromkeys(filter(None, map(unquote, text.split("|")))))
