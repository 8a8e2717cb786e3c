"""The document that every page is in: Streamlit's own, which names as well what the first chart needs. Otherwise a browser
learns of that piece by piece, when the page's elements arrive."""

from __future__ import annotations

import re
from functools import cache, partial
from pathlib import Path

import streamlit as st
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from pages.ui.liveplot import early_loading, library_file, library_version

STATIC = Path(st.__file__).parent / "static"
SCRIPTS = STATIC / "static" / "js"
PAGES = Path(__file__).resolve().parents[2]
ELEMENTS = ("Html", "PageLink", "Selectbox", "BidiComponent", "Button", "ButtonGroup")  # Streamlit's names of their scripts
IMPORTED = re.compile(r'(?:from|import)"\./([\w.-]+\.js)"')
# Otherwise Streamlit first asks for its server below a page's own address, and gets two errors.
ROOT = "window.__streamlit = { BACKEND_BASE_URL: new URL('./', window.location.href).href };"
OWN_MACHINE = ("127.0.0.1", "::1")
# How plotly.js begins and ends: all of it is one function. A browser reads the text of a function twice, the second time
# when it is called and everything waits, unless parentheses say that it is called at once.
LAZY = ("this, () => {", "return Plotly;\n}));")
EAGER = ("this, (() => {", "return Plotly;\n})));")


def routes() -> list[Route]:
    """The document at the address of each page below the app's root, and plotly.js, which it names."""
    pages = ["", *(path.stem.partition("_")[2] for path in PAGES.glob("[0-9]*.py"))]
    base = (st.get_option("server.baseUrlPath") or "").strip("/")
    root = f"/{base}/" if base else "/"
    library = f"plotly/{library_version()}/plotly.min.js"
    answer = partial(_document, text(library))
    return [*(Route(root + page, answer) for page in pages), Route(root + library, _library)]


async def _document(contents: str, request: Request) -> Response:
    return HTMLResponse(contents, headers={"Cache-Control": "no-cache"})


def _library(request: Request) -> Response:
    """plotly.js. Packing and unpacking takes longer than it saves where no network is between server and browser."""
    near = request.client is not None and request.client.host in OWN_MACHINE
    headers = {"Cache-Control": "public, immutable, max-age=31536000", **({"Content-Encoding": "identity"} if near else {})}
    return Response(eager(library_file()), media_type="text/javascript", headers=headers)


@cache
def eager(library: Path) -> bytes:
    """plotly.js, said to be called at once; as it is if it begins or ends in another way than that of version 4.1."""
    script = library.read_text(encoding="utf-8")
    if all(script.count(part) == 1 for part in LAZY):
        for part, instead in zip(LAZY, EAGER, strict=True):
            script = script.replace(part, instead)
    return script.encode()


def text(library: str) -> str:
    """The document's HTML.

    Args:
        library: path of plotly.js below the app's root. Paths in the document are relative: every page lies there too.
    """
    own = (STATIC / "index.html").read_text(encoding="utf-8")
    links = [f'<link rel="modulepreload" crossorigin href="./static/js/{name}">' for name in scripts() if name not in own]
    links.append(f'<link rel="preload" as="script" href="./{library}">')
    return (own.replace("</head>", f"<script>{ROOT}</script>\n{''.join(links)}\n</head>", 1)
            .replace("</body>", f"<script>\n{early_loading(library)}\n</script>\n</body>", 1))


def scripts() -> list[str]:
    """Names of the elements' scripts and of all that these import."""
    found: list[str] = []
    wanted = [path.name for element in ELEMENTS for path in SCRIPTS.glob(f"{element}.*.js")]
    while wanted:
        name = wanted.pop(0)
        if name not in found:
            found.append(name)
            wanted += IMPORTED.findall((SCRIPTS / name).read_text(encoding="utf-8"))
    return found
