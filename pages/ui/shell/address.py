"""All that a page's address says, read and written in one place: what is chosen, how the page is shown, which points the
Compare page shows, and the chain of the Chains page. Imports neither streamlit nor torch."""

from __future__ import annotations

from dataclasses import dataclass, field

from pages.ui.chains import chained as chained_of_link
from pages.ui.chains.chained import Chained
from pages.ui.lessons import LESSONS, STEPS
from pages.ui.shell import filters as filters_of_link
from pages.ui.shell.choice import Card, Choice
from pages.ui.shell.filters import Filters
from pages.ui.shell.links import from_link, to_link
from pages.ui.shell.look import view as views
from pages.ui.shell.look.view import View


@dataclass(frozen=True)
class Shown:
    """What is chosen, how the page is shown, which points the Compare page shows, and the chain of the Chains page."""

    choice: Choice
    view: View = field(default_factory=View)
    filters: Filters = field(default_factory=Filters)
    chained: Chained = field(default_factory=Chained)


LATE = 60.0  # seconds in which a browser has shown a new address, on a slow processor with other work too


@dataclass(frozen=True)
class Replaced:
    """The addresses of a page that a session has replaced by others, each with the moment, in seconds.

    A browser names its address whenever it asks for a run of the page, and may do so before it shows the address that the
    run before has written."""

    addresses: tuple[tuple[dict[str, str], float], ...] = ()

    def having(self, address: dict[str, str], now: float) -> Replaced:
        """These, as far as they were replaced lately, and one more."""
        return Replaced((*((one, moment) for one, moment in self.addresses if now - moment < LATE), (address, now)))

    def names(self, address: dict[str, str], now: float) -> bool:
        """Whether this address was replaced lately."""
        return any(one == address and now - moment < LATE for one, moment in self.addresses)


def read(parameters: dict[str, str], known: Card, page: str, methods: tuple[str, ...],
         start: Shown) -> tuple[Shown, list[str]]:
    """What an address of a page shows, and what had to be corrected, in sentences.

    Args:
        start: what is taken where the address says nothing.
    """
    notices: list[str] = []
    filters, chained = start.filters, start.chained
    if page == filters_of_link.PAGE:
        filters, parameters = filters_of_link.taken(parameters, notices)
    if page == chained_of_link.PAGE:
        chained, parameters = chained_of_link.taken(parameters, known, notices)
    choice, corrected = from_link(parameters, known, methods, start.choice)
    view = views.from_link(parameters, STEPS, notices)
    return Shown(choice, view, filters, chained), [*corrected, *notices]


def means_a_step(parameters: dict[str, str]) -> bool:
    """Whether an address names a step of a lesson and no data set. Every address that this program writes names a data set:
    this one was written by hand, and means all that the step shows."""
    return "data" not in parameters and bool(views.from_link(parameters, STEPS, []).lesson)


def in_full(parameters: dict[str, str]) -> dict[str, str]:
    """The address with all that is meant by it: with what a step of a lesson shows, where only the step is named."""
    if not means_a_step(parameters):
        return parameters
    view = views.from_link(parameters, STEPS, [])
    return {**LESSONS[view.lesson].steps[view.step - 1].link, **parameters}


def written(shown: Shown, known: Card, page: str, methods: tuple[str, ...], active: str | None) -> dict[str, str]:
    """The address's parameters that restore it. A dial that nobody has set is left out: it is placed again."""
    link = to_link(shown.choice, known, methods, active if active in methods else next(iter(methods), None))
    for name in set(methods) - shown.choice.turned:
        link.pop(f"{name}.{known['methods'][name]['dial']}", None)
    of_page = {filters_of_link.PAGE: shown.filters.to_link(), chained_of_link.PAGE: shown.chained.to_link()}
    return {**link, **of_page.get(page, {}), **shown.view.to_link()}
