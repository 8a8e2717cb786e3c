"""What a visitor has chosen, sees and takes part in: with `widgets` the only modules that touch session_state, and the only
one that touches the URL."""

from __future__ import annotations

import atexit
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from compress.curves.store import ACTIVE, Store
from compress.data import datasets
from compress.files.store_error import StoreError
from compress.service.engine import LocalEngine
from compress.service.interface import Engine, EngineError
from compress.service.participants import Part
from compress.service.requests import Request
from pages.ui.chains.chained import PAGE as CHAINS
from pages.ui.chains.chained import Chained
from pages.ui.charts import outside
from pages.ui.shell import address as addresses
from pages.ui.shell import presence
from pages.ui.shell.address import Replaced, Shown
from pages.ui.shell.choice import Card, Choice, first_choice
from pages.ui.shell.filters import Filters
from pages.ui.shell.links import to_link
from pages.ui.shell.look.view import View

_started: list[LocalEngine] = []


@st.cache_resource(show_spinner=False)
def engine() -> Engine:
    """One engine for all sessions and tabs, with its worker already starting."""
    started = LocalEngine(Store(), presence.connected)
    atexit.register(started.close)
    _started.append(started)
    return started


def close() -> None:
    """Ends the worker with the server, which a signal ends without what is registered for the program's end."""
    while _started:
        _started.pop().close()


def store() -> Store:
    """The engine's store."""
    return engine().store


def description() -> Card:
    """What the worker can do; stops the page with a clear sentence if it cannot be started.

    The data sets are listed as they are now: a file of COMPRESS_DATA may have been repaired since the worker started."""
    try:
        known = engine().description(timeout=90)
        return {**known, "datasets": [{**vars(card)} for card in datasets.available()]}
    except EngineError as error:
        st.error(outside.markdown(error))
    except (ValueError, StoreError) as error:  # no home that can be written, no store that can be used; nothing of it is
        st.error(outside.markdown(f"{error} Then reload this page."))  # kept: the next visit tries again
    st.stop()


def known() -> Card:
    """The description with which the page was last drawn as a whole: listing the data sets takes milliseconds."""
    return st.session_state["known"]


def name() -> str:
    """The name of this browser session, by which jobs know who takes part in them."""
    return st.session_state.setdefault("name", presence.new_name())


def submit(request: Request, key: str, title: str) -> int | None:
    """Starts a job, or takes part in the one that does this already; None if it is refused, which is said at the top of the
    page."""
    try:
        return engine().submit(request, key, title, name(), st.session_state.get("joined"))
    except ValueError as refusal:
        remember("refusal", str(refusal))
        return None


@contextmanager
def joining(job: dict[str, Any] | None) -> Iterator[None]:
    """What is submitted here takes part in this unfinished job, and begins nothing where the job has ended meanwhile. A job
    that has ended already, or None, changes nothing."""
    if job and job["state"] in ACTIVE:
        st.session_state["joined"] = job["id"]
    try:
        yield
    finally:
        st.session_state.pop("joined", None)


def see(number: int) -> None:
    """This session looks at a job."""
    engine().see(number, name())


def part(number: int) -> Part:
    """What this session has to do with a job."""
    return engine().part(number, name())


def leave(number: int) -> None:
    """This session no longer wants a job; the job ends if no other session takes part in it."""
    engine().leave(number, name())


def choice() -> Choice:
    """What is chosen now."""
    return st.session_state["choice"]


def choose(changed: Choice) -> None:
    """Changes what is chosen, for every page."""
    st.session_state["choice"] = changed


def filters() -> Filters:
    """Which points the Compare page shows."""
    return st.session_state["filters"]


def narrow(changed: Filters) -> None:
    """Changes which points the Compare page shows."""
    st.session_state["filters"] = changed


def view() -> View:
    """How pages are shown now."""
    return st.session_state["view"]


def show(changed: View) -> None:
    """Changes how pages are shown."""
    st.session_state["view"] = changed


def begin(page: str, methods: tuple[str, ...]) -> list[str]:
    """At the top of a page: takes the choice from the link, once; returns notices: what had to be corrected, and what
    has to be said of the store."""
    st.session_state["known"] = known = description()
    if st.session_state.get("page") != page:
        st.session_state["page"] = page
        means_any_address()
    notices = [*_of_store(page), *filter(None, [forget("refusal")])]
    for name, first in (("choice", first_choice(known)), ("view", View()), ("filters", Filters())):
        st.session_state.setdefault(name, first)
    st.session_state["methods"] = methods
    st.session_state.setdefault("methods of", {})[page] = methods
    parameters = st.query_params.to_dict()
    if parameters != st.session_state.get("address") and not _comes_late(parameters):
        st.session_state["address"], st.session_state["link"] = parameters, None
        if parameters:
            remember("step alone", addresses.means_a_step(parameters))
            parameters = addresses.in_full(parameters)
            read, corrected = addresses.read(parameters, known, page, methods, _shown())
            notices += corrected
            choose(read.choice)
            show(read.view)
            narrow(read.filters)
            remember("chained", read.chained)
            if parameters.get("method") in methods:
                activate(parameters["method"])
    return notices


def _of_store(page: str) -> list[str]:
    """What has to be said of the store, on the page where the visitor was told of it."""
    there, told = st.session_state.get("store notices", (page, []))
    kept = [*(told if there == page else []), *store().take_notices()]
    st.session_state["store notices"] = page, kept
    return kept


def has_begun() -> bool:
    """Whether this visitor has seen a page before."""
    return "choice" in st.session_state


def methods() -> tuple[str, ...]:
    """Those of the page that is drawn."""
    return st.session_state["methods"]


def active() -> str | None:
    """Which of the page's methods is on the screen."""
    methods = st.session_state["methods"]
    chosen = st.session_state.get("active")
    return chosen if chosen in methods else (methods[0] if methods else None)


def activate(method: str) -> None:
    """Puts one of the page's methods on the screen."""
    st.session_state["active"] = method


def finish() -> None:
    """Whenever something was chosen: the address bar gets the link to what is shown.

    An address that was just opened stays as it is where it shows the same to a new visitor: each change of the address is a
    step of the browser's Back, and the first one would lead to the same page again."""
    link = page_link(st.session_state["page"])
    if link == st.session_state["link"]:
        return
    arrived = st.session_state["link"] is None
    st.session_state["link"] = link
    if not (arrived and _shown_by(st.session_state["address"]) == link):
        replaced = st.session_state.setdefault("replaced", Replaced())
        st.session_state["replaced"] = replaced.having(st.session_state["address"], time.monotonic())
        st.session_state["address"] = link
        st.query_params.from_dict(link)


def _comes_late(parameters: dict[str, str]) -> bool:
    """Whether the browser asked for this run of the page before it was told the present address, and so names one that
    was replaced. The same address after the browser's Back is meant."""
    context = get_script_run_ctx()
    back = context is not None and context.is_history_navigation
    return not back and st.session_state.get("replaced", Replaced()).names(parameters, time.monotonic())


def means_any_address() -> None:
    """The next address is meant, also one that was replaced lately: another page is opened, or a button leads there."""
    st.session_state.pop("replaced", None)


def page_link(page: str) -> dict[str, str]:
    """The link to a page with what is chosen now. A dial that nobody has set is left out: it is placed again."""
    methods, shown = st.session_state["methods of"].get(page, ()), _shown()
    return addresses.written(shown, known(), page, methods, st.session_state.get("active"))


def _shown() -> Shown:
    return Shown(choice(), view(), filters(), remembered("chained", Chained()))


def _shown_by(parameters: dict[str, str]) -> dict[str, str] | None:
    """The link to what a new visitor sees at this address of the page; None where something of it has to be corrected."""
    page, methods, description = st.session_state["page"], st.session_state["methods"], known()
    parameters = addresses.in_full(parameters)
    shown, corrected = addresses.read(parameters, description, page, methods, Shown(first_choice(description)))
    return None if corrected else addresses.written(shown, description, page, methods, parameters.get("method"))


def address() -> str:
    """The whole link to what is on the screen, its dial too, for copying."""
    chained = _shown().chained.to_link() if st.session_state["page"] == CHAINS else {}
    link = {**to_link(choice(), known(), st.session_state["methods"], active()), **chained, **view().to_link()}
    return f"{(st.context.url or '').split('?')[0]}?{urlencode(link)}"


def remember(name: str, value: Any) -> None:
    """Keeps a small value for this visitor across pages."""
    st.session_state[f"kept.{name}"] = value


def remembered(name: str, default: Any = None) -> Any:
    """What remember() kept."""
    return st.session_state.get(f"kept.{name}", default)


def remembered_place(name: str, count: int, otherwise: int = 0) -> int:
    """The place 0, ..., count - 1 that remember() kept, or another one where what is kept is no place in this list. It may
    be of another data set or network, and a list whose entries have changed hands over the text of an entry that is gone."""
    kept = remembered(name)
    return kept if type(kept) is int and 0 <= kept < count else otherwise


def forget(name: str) -> Any:
    """Takes a remembered value out."""
    return st.session_state.pop(f"kept.{name}", None)
