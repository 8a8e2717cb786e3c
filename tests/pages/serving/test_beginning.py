"""What the server does at its start."""

from __future__ import annotations

import gc
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from compress.files.store_error import StoreError
from pages.ui.serving import beginning
from pages.ui.shell import session


def test_a_start_that_fails_is_said_and_each_visitor_tries_again(monkeypatch: pytest.MonkeyPatch, caplog: Any):
    tries: list[int] = []

    def engine() -> None:
        tries.append(1)
        raise StoreError("The home cannot be written.")

    monkeypatch.setitem(sys.modules, beginning.SESSION, SimpleNamespace(engine=engine))
    beginning.prepare()
    assert "The home cannot be written." in caplog.text and tries == [1] and gc.isenabled()


def test_collections_go_on_though_an_import_fails(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(beginning, "_begin", lambda: None)
    monkeypatch.setattr(beginning, "MODULES", ("pages.ui.no_such_module",))
    with pytest.raises(ModuleNotFoundError):
        beginning.prepare()
    assert gc.isenabled()


def test_what_was_started_is_closed_once(monkeypatch: pytest.MonkeyPatch):
    closed: list[str] = []
    monkeypatch.setattr(session, "_started", [SimpleNamespace(close=lambda: closed.append("engine"))])
    session.close()
    session.close()
    assert closed == ["engine"]
