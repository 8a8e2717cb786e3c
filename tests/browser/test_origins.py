"""Which pages may talk to a running app: its own, and no other host's or port's."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from compress.curves.store import Store
from tests.browser.serving import App, serve_app

PASSWORD = "open sesame"


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    with serve_app(tmp_path_factory.mktemp("origins"), COMPRESS_PASSWORD=PASSWORD) as started:
        yield started


def heard(app: App, origin: str | None, host: str | None = None) -> list[str]:
    """Connects as a page of this origin does and runs the first page: what it draws, as kinds of elements with their text.

    Raises InvalidStatus where the connection is refused."""
    place = urlsplit(app.address)
    found = []
    with connect(f"ws://{host or place.netloc}/_stcore/stream", origin=origin, subprotocols=["streamlit"],
                 sock=socket.create_connection((place.hostname, place.port)), open_timeout=30) as line:
        message = BackMsg()
        message.rerun_script.query_string = ""
        line.send(message.SerializeToString())
        while True:
            answer = ForwardMsg.FromString(line.recv(timeout=60))
            if answer.WhichOneof("type") == "script_finished":
                return found
            element = answer.delta.new_element
            if element.WhichOneof("type"):
                found.append(f"{element.WhichOneof('type')}: {element.alert.body or element.heading.body}")


@pytest.mark.parametrize("origin", ["http://evil.example", "https://127.0.0.1.evil.example", "null", "file://"])
def test_other_hosts_are_refused(app, origin):
    with pytest.raises(InvalidStatus) as refused:
        heard(app, origin)
    assert refused.value.response.status_code == 403
    with pytest.raises(InvalidStatus):
        heard(app, f"{origin}:{urlsplit(app.address).port}")


def test_a_name_that_leads_here_is_refused_too(app):
    """DNS rebinding: the page's own name is made to lead to this machine."""
    port = urlsplit(app.address).port
    with pytest.raises(InvalidStatus):
        heard(app, f"http://evil.example:{port}", f"evil.example:{port}")


@pytest.mark.parametrize("origin", ["http://localhost:9", "http://127.0.0.1:9", "http://0.0.0.0:9"])
def test_a_page_of_another_port_of_this_machine_sees_nothing_of_the_app(app, origin):
    """Streamlit lets it connect."""
    shown = [one for one in heard(app, origin) if not one.startswith("html")]
    assert len(shown) == 1 and shown[0].startswith("alert: The page that asks for this app is of another address")


def test_the_apps_own_page_is_let_in_up_to_the_password(app):
    for origin in (app.address, None):
        shown = heard(app, origin)
        assert "heading: Compression Explorer" in shown and not [one for one in shown if one.startswith("alert")]


def test_nothing_is_begun_for_strangers(app):
    """The worker is there from the server's start; a visitor who may come in sees a curve that is measured at once."""
    with pytest.raises(InvalidStatus):
        heard(app, "http://evil.example")
    heard(app, app.address)
    store = Store(app.home / "store.sqlite")
    assert store._rows("SELECT id FROM jobs") == [] and store.all_points() == []
