"""What the server does besides the pages: its start, its end, and the document that pages are in."""

from __future__ import annotations

import signal
import time
from pathlib import Path
from typing import Any

import pytest

from tests.browser.serving import serve_app
from tests.browser.visitor import OFFLINE, PATIENCE, arrive, settled, watched


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_worker_is_there_before_a_visitor_and_ends_with_the_server(tmp_path: Path, number: signal.Signals):
    with serve_app(tmp_path, COMPRESS_AT_ONCE="no", **OFFLINE) as app:
        worker = Path(f"/proc/{seen_worker(app)}")
        app.process.send_signal(number)
        app.process.wait(timeout=60)
        until(lambda: not worker.exists() or "\nState:\tZ" in (worker / "status").read_text())
    assert "Traceback" not in (tmp_path / "server.log").read_text()


def test_a_deep_link_has_its_library_from_the_document_and_asks_for_nothing_in_vain(visit: Any):
    page = visit("Low_rank")
    settled(page)
    asked = page.evaluate("performance.getEntriesByType('resource').map((one) => [one.name, one.responseStatus])")
    assert [name for name, status in asked if status >= 400] == []
    assert len([name for name, _ in asked if name.endswith("plotly.min.js")]) == 1
    assert not [name for name, _ in asked if "/component/" in name]


def test_a_chart_has_its_library_though_the_documents_is_not_there(context: Any, app: Any):
    page = watched(context.new_page())
    page.route("**/plotly/*/plotly.min.js", lambda route: route.abort())
    arrive(page, app.address, "")
    settled(page, charts=1)
    page.close()


def seen_worker(app: Any) -> int:
    found: list[int] = []

    def look() -> bool:
        try:
            found.append(app.worker())
        except LookupError:
            return False
        return True

    until(look)
    return found[0]


def until(holds: Any) -> None:
    end = time.monotonic() + PATIENCE / 1000
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.1)
