"""All that a page's address says, read and written in one place: what is chosen, how the page is shown, and which points the
Compare page shows. Imports neither streamlit nor torch."""

from __future__ import annotations

from dataclasses import dataclass, field

from pages.ui.lessons import STEPS
from pages.ui.shell import filters as filters_of_link
from pages.ui.shell import view as views
from pages.ui.shell.choice import Card, Choice
from pages.ui.shell.filters import Filters
from pages.ui.shell.links import from_link, to_link
from pages.ui.shell.view import View


@dataclass(frozen=True)
class Shown:
    """What is chosen, how the page is shown, and which points the Compare page shows."""

    choice: Choice
    view: View = field(default_factory=View)
    filters: Filters = field(default_factory=Filters)


def read(parameters: dict[str, str], known: Card, page: str, methods: tuple[str, ...],
         start: Shown) -> tuple[Shown, list[str]]:
    """What an address of a page shows, and what had to be corrected, in sentences.

    Args:
        start: what is taken where the address says nothing.
    """
    notices: list[str] = []
    filters = start.filters
    if page == filters_of_link.PAGE:
        filters, parameters = filters_of_link.taken(parameters)
    choice, corrected = from_link(parameters, known, methods, start.choice)
    view = views.from_link(parameters, STEPS, notices)
    return Shown(choice, view, filters), [*corrected, *notices]


def written(shown: Shown, known: Card, page: str, methods: tuple[str, ...], active: str | None) -> dict[str, str]:
    """The address's parameters that restore it. A dial that nobody has set is left out: it is placed again."""
    link = to_link(shown.choice, known, methods, active if active in methods else next(iter(methods), None))
    for name in set(methods) - shown.choice.turned:
        link.pop(f"{name}.{known['methods'][name]['dial']}", None)
    return {**link, **(shown.filters.to_link() if page == filters_of_link.PAGE else {}), **shown.view.to_link()}
