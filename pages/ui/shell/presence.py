"""Names of browser sessions, and whether their browsers are connected."""

from __future__ import annotations

from uuid import uuid4

from streamlit import runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx

APP = uuid4().hex  # of this program's run, because jobs of several programs lie in one store


def new_name() -> str:
    """A name for the session that is being drawn; a reloaded page is a new session."""
    context = get_script_run_ctx()
    return f"{APP} {context.session_id if context else 'none'} {uuid4().hex}"


def connected(session: str) -> bool | None:
    """Whether a session's browser is there; None if this program cannot know: the session is another program's, or there is
    no server."""
    app, _, rest = session.partition(" ")
    if app != APP or not runtime.exists():
        return None
    return runtime.get_instance().is_active_session(rest.split()[0])
