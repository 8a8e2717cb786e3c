"""The document that every page is in names what the first chart needs, and plotly.js is what it was."""

from __future__ import annotations

import asyncio
import gzip
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware

from pages.ui.liveplot import library_file
from pages.ui.serving import document
from pages.ui.shell import frame


@dataclass
class Answer:
    """A whole HTTP answer."""

    status: int = 0
    headers: Headers = field(default_factory=Headers)
    content: bytes = b""

    async def take(self, message: Any) -> None:
        """One part of it."""
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], Headers(raw=message["headers"])
        else:
            self.content += message["body"]


def asked(path: str, near: bool = True) -> Answer:
    """What a browser on this machine, or on another one, gets from the routes behind Streamlit's packing."""
    server = Starlette(routes=document.routes(), middleware=[Middleware(GZipMiddleware)])
    answer = Answer()

    async def body() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    asyncio.run(server({"type": "http", "method": "GET", "path": path, "query_string": b"", "root_path": "",
                        "headers": [(b"accept-encoding", b"gzip")],
                        "client": ("127.0.0.1" if near else "192.0.2.1", 5000)}, body, answer.take))
    if answer.headers.get("content-encoding") == "gzip":
        answer.content = gzip.decompress(answer.content)
    return answer


def page_text(path: str = "/") -> str:
    return asked(path).content.decode()


def test_every_page_has_a_document_that_a_browser_asks_for_each_time():
    contents = {page_text(f"/{frame.address(path)}") for path, _, _ in frame.PAGES}
    assert len(contents) == 1
    assert asked("/").headers["cache-control"] == "no-cache"
    assert asked("/no_such_page").status == 404


def test_the_document_is_streamlits_and_names_scripts_that_are_there_once_each():
    text, own = page_text(), (document.STATIC / "index.html").read_text()
    assert all(line in text for line in own.splitlines() if line.strip() not in ("</head>", "</body>"))
    named = re.findall(r'<link rel="modulepreload" crossorigin href="\./static/js/([^"]+)">', text)
    assert len(named) == len(set(named)) > own.count("modulepreload")
    assert {"BidiComponent", "Html", "Selectbox"} <= {name.partition(".")[0] for name in named}
    assert all((document.SCRIPTS / name).is_file() for name in named)


def test_plotly_is_where_the_document_says_and_packed_only_for_other_machines():
    (named,) = re.findall(r'<link rel="preload" as="script" href="\.(/[^"]+)">', page_text())
    near, far = (asked(named, near) for near in (True, False))
    assert near.headers["content-encoding"] == "identity" and far.headers["content-encoding"] == "gzip"
    assert near.content == far.content == document.eager(library_file())
    assert "immutable" in near.headers["cache-control"] and named.rpartition("/")[0].endswith(document.library_version())


def test_plotly_is_the_packages_own_but_for_two_parentheses(tmp_path: Path):
    own = library_file().read_text()
    served = document.eager(library_file()).decode()
    assert len(served) == len(own) + 2
    assert served == own.replace("this, () => {", "this, (() => {").replace("Plotly;\n}));", "Plotly;\n})));")
    other = tmp_path / "plotly.min.js"
    other.write_text("another version")
    assert document.eager(other) == b"another version"


def test_a_path_before_the_apps_own_is_kept(monkeypatch: pytest.MonkeyPatch):
    real = document.st.get_option
    monkeypatch.setattr(document.st, "get_option", lambda name: "/lab/" if name == "server.baseUrlPath" else real(name))
    assert asked("/lab/Low_rank").status == 200
    assert asked("/Low_rank").status == 404
