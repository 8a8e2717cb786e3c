"""Who may come in. Every page asks here before anything of the app is drawn or any work begins: whether the browser shows a
page of this app, and where the app is shared, whether the visitor is logged in or knows the password."""

from __future__ import annotations

import hmac
import importlib.util
import os
import threading
import time
from urllib.parse import urlsplit

import streamlit as st

from pages.ui.charts import outside
from pages.ui.shell import session

PASSWORD = "COMPRESS_PASSWORD"
OWN_MACHINE = ("127.0.0.1", "localhost", "::1")  # addresses that nobody else reaches
PAUSE = 1.0  # seconds that a wrong password costs all who try one

_one_attempt = threading.Lock()


def enter() -> None:
    """Lets a visitor in, or ends the page with what is missing."""
    headers = st.context.headers  # asking for them takes a millisecond
    foreign = foreign_page(headers.get("Origin"), headers.get("Host"), st.get_option("server.corsAllowedOrigins"))
    if foreign:
        st.error(outside.markdown(f"The page that asks for this app is of another address, {foreign}. Open the app at its "
                                  "own address, or add that one to server.corsAllowedOrigins."))
        st.stop()
    if st.secrets.load_if_toml_exists() and "auth" in st.secrets:
        _login()
    if PASSWORD in os.environ:
        _password(os.environ[PASSWORD])


def foreign_page(origin: str | None, host: str | None, allowed: list[str]) -> str:
    """The address of the page that opened this connection where it is neither this app's nor an allowed one, else "".

    Streamlit itself refuses other hosts, but takes any port of this machine for its own. (A browser always sends the origin
    of a page, a program need not.)
    """
    if not origin or urlsplit(origin).netloc == host or origin in allowed:
        return ""
    return outside.name(origin)


def is_shared() -> bool:
    """Whether other people than the owner of this machine may come in: who may delete something depends on it."""
    asks = PASSWORD in os.environ or (st.secrets.load_if_toml_exists() and "auth" in st.secrets)
    return bool(asks) or st.get_option("server.address") not in OWN_MACHINE


def is_right(given: str, wanted: str) -> bool:
    """Whether a password is right. Takes equally long for any wrong one, and there is one attempt at a time: whoever tries
    from a hundred windows at once is as slow as from one."""
    with _one_attempt:
        right = hmac.compare_digest(given.encode("utf-8", "surrogateescape"), wanted.encode("utf-8", "surrogateescape"))
        if not right:
            time.sleep(PAUSE)
    return right


def _password(wanted: str) -> None:
    """Asks once a session."""
    if not wanted:
        st.error(f"{PASSWORD} is set but empty, so that nobody can come in. Give it a value, or unset it on a machine of "
                 "your own.")
        st.stop()
    if session.remembered("admitted", False):
        return
    st.title("Compression Explorer")
    with st.form("door", width=420):
        given = st.text_input("Password", type="password", max_chars=1000)
        asked = st.form_submit_button("Enter", type="primary")
    if asked and is_right(given, wanted):
        session.remember("admitted", True)
        st.rerun()
    if asked:
        st.error("This is not the password. Whoever started this app has set it.")
    st.stop()


def _login() -> None:
    """Streamlit's own login, with each provider of the section `auth` in secrets.toml."""
    if importlib.util.find_spec("authlib") is None:
        st.error("secrets.toml has a section `auth`, but the package for it is missing. Install it with `pip install "
                 "'streamlit[auth]==1.67.*'`, then start the app again.")
        st.stop()
    if getattr(st.user, "is_logged_in", False):  # not there in a page without a browser
        st.sidebar.button("Log out", on_click=st.logout, width="stretch")
        return
    st.title("Compression Explorer")
    providers = [name for name, value in st.secrets["auth"].items() if hasattr(value, "keys")]
    for provider in providers or [None]:
        st.button(f"Log in with {outside.markdown(provider)}" if provider else "Log in", type="primary", on_click=st.login,
                  args=[provider])
    st.stop()
