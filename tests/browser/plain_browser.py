"""A browser as a visitor has it. Playwright lets a page record the stack of each error that is thrown, also of those that a
script expects and catches: while plotly.js starts, Chromium then reads all of its text three times more."""

from __future__ import annotations

import itertools
import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from websockets.sync.client import ClientConnection, connect

from tests.browser.serving import CHROMIUM, CHROMIUM_ARGUMENTS

PATIENCE = 60.0  # seconds


class PlainPage:
    """One page, told what to do by Chrome's DevTools protocol with nothing of it switched on."""

    def __init__(self, line: ClientConnection) -> None:
        self._line, self._numbers = line, itertools.count(1)

    def ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Raises RuntimeError with what the browser said where that was an error."""
        number = next(self._numbers)
        self._line.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            answer = json.loads(self._line.recv(timeout=PATIENCE))
            if answer.get("id") == number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']['message']}")
                return answer["result"]

    def wait_for(self, selector: str) -> None:
        """Until an element is there and painted. Raises TimeoutError."""
        end = time.monotonic() + PATIENCE
        there = f"Boolean(document.querySelector({json.dumps(selector)}))"
        while not self._value(there):
            if time.monotonic() > end:
                raise TimeoutError(f"{selector} did not come")
            time.sleep(0.01)
        self._value("new Promise((next) => requestAnimationFrame(() => requestAnimationFrame(() => next(true))))")

    def _value(self, expression: str) -> Any:
        return self.ask("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)["result"]["value"]


@contextmanager
def plain_browser(folder: Path) -> Iterator[str]:
    """A new browser without anything in its cache, with its files in this folder: the address that answers for it."""
    process = subprocess.Popen([str(CHROMIUM), *CHROMIUM_ARGUMENTS, "--remote-debugging-port=0",
                                "--remote-allow-origins=*", f"--user-data-dir={folder}", "about:blank"],
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield f"127.0.0.1:{_port(folder / 'DevToolsActivePort')}"
    finally:
        process.terminate()
        process.wait(timeout=20)


@contextmanager
def plain_page(browser: str, address: str) -> Iterator[PlainPage]:
    """A page of it that begins to load this address."""
    with urlopen(Request(f"http://{browser}/json/new?about:blank", method="PUT"), timeout=PATIENCE) as answer:
        place = json.loads(answer.read())
    with connect(place["webSocketDebuggerUrl"], max_size=None) as line:
        page = PlainPage(line)
        page.ask("Page.navigate", url=address)
        yield page


def _port(file: Path) -> int:
    end = time.monotonic() + PATIENCE
    while not file.exists() or "\n" not in file.read_text():
        if time.monotonic() > end:
            raise TimeoutError("Chromium did not start")
        time.sleep(0.05)
    return int(file.read_text().split()[0])
