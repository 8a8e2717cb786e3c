"""The start of the server and its end. A browser needs half a second for Streamlit's own scripts: meanwhile the worker is
started, and what pages import is imported."""

from __future__ import annotations

import gc
import importlib
import logging
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import streamlit as st
from streamlit import cli_util
from streamlit.starlette import App
from streamlit.web.server import server_util

from compress.files.store_error import StoreError

SESSION = "pages.ui.shell.session"  # imported late, like the others: the server should be there before
MODULES = ("pages.ui.shell.frame", "pages.ui.all_methods.race", "pages.ui.explore.folds")


@asynccontextmanager
async def lifespan(app: App) -> AsyncIterator[None]:
    """Around all that is served."""
    threading.Thread(target=prepare, name="beginning", daemon=True).start()
    if not st.get_option("server.headless"):
        address = server_util.get_display_address(st.get_option("server.address") or "localhost")
        cli_util.open_browser(server_util.get_url(address))
    yield
    importlib.import_module(SESSION).close()


def prepare() -> None:
    """Starts the worker, and imports what the first page needs."""
    gc.disable()  # collections would look through all that is being imported, again and again
    try:
        _begin()
        for name in MODULES:
            importlib.import_module(name)
    finally:
        gc.freeze()  # it stays: a later collection looks only at what is made from now on
        gc.enable()


def _begin() -> None:
    try:
        importlib.import_module(SESSION).engine()
    except (ValueError, StoreError) as problem:  # each page tries again, and says it to the visitor
        logging.getLogger(__name__).warning("%s", problem)
